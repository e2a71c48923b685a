// Keyed terms: what an index holds in place of words (docs/format/index.md, "Terms").
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace kustos::search {

enum class Space : std::uint8_t {
    text = 1,     // forms, with positions: subject, body, attachments and their names
    stem = 2,     // stems and components of the same
    from = 3,     // forms of the sender's name, address, id
    to = 4,       // forms of all recipients'
    subject = 5,  // forms of the subject, again
    subject_stem = 6,
    file = 7,             // forms of attachments' names, again
    conversation = 8,     // forms of the conversation's title
    conversation_id = 9,  // the whole id
    day = 10,             // "2026-03-02", of the sent time, UTC
    month = 11,           // "2026-03"
    year = 12,            // "2026"
    source = 13,          // the source's name, whole
    kind = 14,            // "mail", "chat", ...
    has = 15,             // "attachment"
    content = 17,         // SHA-256 of an attachment's bytes, 64 hex digits
    reason = 16,  // why it is partial, opaque or failed, and what was noticed; counted when a shard is rewritten
};

inline constexpr std::size_t kTermSize = 10;

// Derived from a shard's term key; kept in locked memory.
class TermKey {
public:
    explicit TermKey(ByteView term_key);
    // The first 10 bytes of SipHash-2-4-128(key, u8 space || text).
    std::string term(Space space, std::string_view text) const;

private:
    SecretBytes key_;
};

}  // namespace kustos::search
