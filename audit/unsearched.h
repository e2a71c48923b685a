// Records that may answer a question and could not be searched for it: what belongs to every answer, "no hits" above
// all (docs/architecture/search.md, "Coverage within the question"). It is sealed beside the question it belongs to
// (docs/format/fields.md, unsearched) and stands in evidence containers (docs/format/bundle.md).
//
// Threads: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxUnsearchedReasons = 1'000;

// Each record once. What is a hit already is not among them.
struct Unsearched {
    std::uint64_t partial = 0, opaque = 0, failed = 0;
    std::uint64_t deferred = 0;                    // not in the index yet: nothing is known of them
    std::uint64_t restricted = 0;                  // would have to be opened to decide (GDPR Art. 18)
    std::map<std::string, std::uint64_t> reasons;  // of partial, opaque and failed, each once: "voice", "encrypted"
    std::uint64_t total() const { return partial + opaque + failed + deferred + restricted; }
    bool operator==(const Unsearched&) const = default;
};

// Whether the reasons are machine words and add up to what they are of.
bool is_consistent(const Unsearched& unsearched);

Bytes encode(const Unsearched& unsearched);
Result<Unsearched> decode_unsearched(
    ByteView bytes);  // Code::bad_input: it is not the one encoding of a consistent one

}  // namespace kustos::audit
