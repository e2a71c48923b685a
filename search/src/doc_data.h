// What a hit says about its record: which entry, when, how large, how much of it is indexed. Masked, 42 bytes
// (docs/format/index.md).
#pragma once

#include <string>

#include "base/ids.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/time.h"
#include "search/index.h"

namespace kustos::search {

struct DocData {
    EntryIndex entry;
    UtcTime time;  // sent, or received where the source gave none
    RecordState state = RecordState::searchable;
    std::uint64_t size = 0;  // bytes of the original, at most kMaxDocSize
    bool operator==(const DocData&) const = default;
};

inline constexpr std::size_t kDocDataSize = 42;
inline constexpr std::uint64_t kMaxDocSize = (std::uint64_t{1} << 40) - 1;

class DocKey {
public:
    explicit DocKey(ByteView term_key);
    std::string seal(const DocData& data, Random& random) const;
    Result<DocData> open(std::string_view stored) const;  // Code::corrupt

private:
    SecretBytes mask_, tag_;
};

}  // namespace kustos::search
