// Digests by name, for what others chose the algorithm of: imprints of time stamps and evidence records. Everything of
// our own (ledger, commitments, anchors) is SHA-256 and uses base/crypto.h.
//
// SHA-224 is read (real records of 2006 to 2015 have it) and never written; SHA-1 is refused everywhere.
// Threads: values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace kustos::audit {

enum class DigestAlgorithm : std::uint8_t { sha256, sha384, sha512, sha224 };

std::string_view digest_name(DigestAlgorithm algorithm);  // "sha256"
std::string_view digest_oid(DigestAlgorithm algorithm);   // dotted
std::size_t digest_size(DigestAlgorithm algorithm);       // bytes
Result<DigestAlgorithm> parse_digest_oid(std::string_view oid);
Result<DigestAlgorithm> parse_digest_name(std::string_view name);  // "sha256" or "SHA-256"

// Since when an algorithm must not be relied on for new time stamps (BSI TR-02102, SOG-IS). Absent: no end known.
using AlgorithmEnds = std::map<DigestAlgorithm, UtcTime>;

Bytes digest_of(DigestAlgorithm algorithm, ByteView bytes);
Bytes digest_of(DigestAlgorithm algorithm, std::initializer_list<ByteView> parts);  // of their concatenation

class Digest {
public:
    explicit Digest(DigestAlgorithm algorithm);
    ~Digest();
    Digest(Digest&&) noexcept;
    Digest& operator=(Digest&&) noexcept;
    Digest& update(ByteView bytes);
    Bytes finish();  // and start anew

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::audit
