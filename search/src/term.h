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
    to = 4,       // forms of all recipients', copies and members too
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
    has = 15,             // "attachment", "subject"
    content = 17,         // SHA-256 of an attachment's bytes, 64 hex digits
    reason = 16,      // why it is partial, opaque or failed, and what was noticed; counted when a shard is rewritten
    cc = 18,          // forms of those who got a copy, again
    bcc = 19,         // forms of those who got a blind copy, or whom the envelope alone names, again
    sender = 20,      // who it is from, as one: identity_of() (record_draft.h)
    recipient = 21,   // whom it is to, copies too, each as one; not the members of a room
    filetype = 22,    // of an attachment: "pdf", "docx"
    language = 23,    // ISO 639-1 of the message's own text
    size_class = 24,  // "12": 2^12 bytes or more, less than 2^13
    message_id = 25,  // its own id at the source: id_text() (record_draft.h)
    thread = 26,      // ids that it belongs with: of what it answers, of what began the thread, of what it changes
    edits = 27,       // id of what it edits
    deletes = 28,     // id of what it deletes
};

// Where words stand: positions of Space::text by 2^24 (docs/architecture/search.md).
enum class Band : std::uint32_t { body = 0, subject = 1, attachment = 2, file = 3 };
inline constexpr unsigned kBandBits = 24;
inline constexpr std::uint32_t kFieldGap = 1'000;  // no phrase and no NEAR reaches from one field into the next

inline constexpr std::size_t kTermSize = 10;

// "0" for 0 and 1 bytes, else the number of the highest bit.
std::string size_class(std::uint64_t bytes);

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
