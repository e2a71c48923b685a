// One normalised event of an archive stream, before sealing and after opening.
//
// A format (ingest) makes it, compose() (payload.h) splits it into separately disclosable fields, decompose() gives it
// back. Text is UTF-8, well formed, as the sender wrote it (no normalisation). Times are UTC milliseconds; where a
// source does not know a time it is absent, never invented. Limits are those of the formats
// (docs/format/message-stream.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/spool.h"
#include "base/time.h"

namespace kustos::vault {

enum class MessageKind : std::uint8_t {
    mail = 1,
    chat = 2,
    file = 3,
    call = 4,
    voice = 5,
    status = 6,
    edit = 7,      // `target` is what was edited; body = new text, previous_body = old text where the source tells it
    deletion = 8,  // `target` is what was deleted; body = the deleted text where the source still tells it
    reaction = 9,  // body = the reaction (emoji or short name)
    join = 10,
    leave = 11,
    unreadable = 12,  // sealed as it came: only raw, format and notes are set ("quarantined")
    notice = 13,      // the archive's own sealed payloads (matters, access lists), never from a source
    envelope = 14,    // a journal's report on a mail that is a record of its own: who really got it; target = its
                      // Message-ID, thread = SHA-256 of its bytes in hex; raw = the report without the mail's bytes
    person = 15,      // a card of an address book (docs/format/persons.md): body = the card, raw = as the book has it
};
std::string_view kind_name(MessageKind kind);  // "mail", "chat", ..., "delete" for deletion
std::optional<MessageKind> parse_kind(std::string_view name);

struct Person {
    std::string id;       // the source's own id
    std::string name;     // display name
    std::string address;  // e-mail address or handle
    std::string home;     // home server of a federated participant
    bool guest = false;
    bool empty() const { return id.empty() && name.empty() && address.empty(); }
    bool operator==(const Person&) const = default;
};

enum class Role : std::uint8_t { to = 1, cc = 2, bcc = 3, reply_to = 4, member = 5, envelope = 6 };

struct Recipient {
    Role role = Role::to;
    Person person;
    bool operator==(const Recipient&) const = default;
};

enum class ConversationType : std::uint8_t { unknown = 0, direct = 1, group = 2, channel = 3 };

struct Conversation {
    std::string id;
    std::string title;
    ConversationType type = ConversationType::unknown;
    bool empty() const { return id.empty() && title.empty(); }
    bool operator==(const Conversation&) const = default;
};

// Where an attachment's bytes stand inside `raw`, so that nothing is stored twice. compose() checks it byte-exactly and
// falls back to storing both when it does not hold.
enum class RawEncoding : std::uint8_t { identity = 0, base64 = 1, quoted_printable = 2, other = 3 };
struct RawSpan {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    RawEncoding encoding = RawEncoding::identity;
};

struct Attachment {
    std::string name;        // as the sender wrote it; never a path
    std::string media_type;  // lower case, "application/octet-stream" where unknown
    Bytes content;           // decoded
    SpoolPart spool;         // instead of content: what is too large to be held; of a finished spool
    bool missing = false;    // the source named it but did not deliver it; content is empty, declared_* may be set
    std::optional<std::uint64_t> declared_size;
    std::optional<Hash> declared_sha256;
    std::optional<RawSpan> in_raw;
    // After opening, content of a blob stays on disk until asked for: set instead of content.
    std::optional<EntryIndex> blob;
    std::uint64_t size = 0;  // bytes of the decoded content; set by compose() and decompose()
    Hash sha256;             // of the decoded content; likewise
    std::uint64_t content_size() const { return spool ? spool.size : content.size(); }
};

struct Message {
    MessageKind kind = MessageKind::chat;
    std::string native_id;           // Message-ID without angle brackets, post id, event id; empty: none
    std::optional<UtcTime> sent_at;  // claimed by the source
    UtcTime received_at;             // when this archive took it in
    Person sender;
    std::vector<Recipient> recipients;
    Conversation conversation;
    std::string subject;
    std::vector<std::string> headers;  // mail: each whole header, folded lines included, without the final line end
    std::string body;                  // plain text as people read it
    std::string body_html;             // kept apart; searched when body is empty
    std::string previous_body;         // edits: the old text, where known
    std::string reply_to;              // native ids
    std::string thread;
    std::string target;
    std::vector<Attachment> attachments;
    std::string format;              // "eml", "mattermost-csv/20", "stream"
    std::vector<std::string> notes;  // machine words: "defect:charset", "time-zone-unknown", "quarantine:too-deep"
    std::optional<std::uint64_t> duration_ms;  // of calls and voice messages
    std::string feed_position;                 // the source's own, empty where it has none
    Bytes raw;                   // the source's exact bytes for this event; after opening: empty until asked for
    SpoolPart raw_spool;         // instead of raw, as for attachments
    std::uint64_t raw_size = 0;  // after opening
    Hash raw_sha256;             // after opening
};

}  // namespace kustos::vault
