// S/MIME signatures (RFC 8551, CMS RFC 5652), checked with OpenSSL. Only the mathematics: does the signature fit the
// content and the certificate that came with it. Whether anybody should believe that certificate, and whether it was
// valid then, is not asked: the answer must be the same today and in thirty years.
//
// Bounded: what is larger than the limits below is not parsed. Threads: any.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace kustos::ingest {

enum class CmsKind { none, signed_data, enveloped_data, compressed_data, other };
// By the first bytes alone; of what is cut off behind them, too.
CmsKind cms_kind(ByteView der);

struct SignatureVerdict {
    enum class State {
        valid,           // every signature fits
        invalid,         // at least one does not
        unknown_signer,  // a signer's certificate did not come with it
        unreadable,      // no CMS, no signer, or above a limit
    };
    State state = State::unreadable;
    std::vector<Hash> signers;  // SHA-256 of their certificates, where they came with it
    bool weak_digest = false;   // MD5 or SHA-1 somewhere
};
inline constexpr std::size_t kMaxSignature = 1u << 20;       // bytes of a detached signature
inline constexpr std::size_t kMaxSignedContent = 64u << 20;  // bytes of signed-data with its content
inline constexpr int kMaxSigners = 16;

// A detached signature over `content`, as it stands.
SignatureVerdict check_detached(ByteView cms, ByteView content);

struct OpenedSignature {
    SignatureVerdict verdict;
    Bytes content;  // what was signed: a MIME entity
};
// nullopt: no signed-data with content inside, or above the limit.
std::optional<OpenedSignature> open_signed(ByteView cms);

}  // namespace kustos::ingest
