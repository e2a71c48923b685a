// The separately disclosable parts of a record (docs/format/fields.md). Codes are final: an unknown one is kept and
// shown as bytes, never dropped.
#pragma once

#include <cstdint>

namespace kustos::vault {

enum class PathCode : std::uint16_t {
    decoy = 0,
    type = 1,
    message_id = 2,
    sent_time = 3,
    received_time = 4,
    sender = 5,
    recipient = 6,  // one or more: u8 role || person, concatenated
    subject = 7,
    header = 8,            // one whole line (or several, where there are too many), folded lines included
    body_span = 9,         // in order; joined they are the body
    attachment_name = 10,  // ordinal: number of the attachment
    media_type = 11,
    size = 12,          // decoded bytes; declared size where missing
    content_hash = 13,  // SHA-256 of the decoded bytes; declared where missing
    raw = 14,           // u64 length || SHA-256 of the source's exact bytes
    conversation = 15,
    relation = 16,  // ordinal 1: reply to, 2: thread, 3: target
    note = 17,
    attachment_content = 18,  // inline content (ordinal: attachment); in blobs: chunks of 1 MiB (ordinal: chunk)
    feed_position = 19,
    query = 20,
    entry_list = 21,  // u64 each
    reference = 22,
    legal_ground = 23,
    html_span = 24,
    previous_span = 25,
    format = 26,
    attachment_missing = 27,  // number 1: named by the source, not delivered
    actor = 28,
    configuration = 29,   // number 0 before, 1 after
    file_reference = 30,  // Aktenzeichen
    file_plan = 31,       // place in the file plan (Aktenplan)
    question = 32,        // of the Bundesarchiv, that was answered by yes; ordinal: which
    scope = 33,           // a person, a conversation, a period: how a query was asked for
    duration = 34,        // milliseconds; of calls and voice messages
    label = 35,           // what somebody calls a result set, a saved search, a list of sums
    entry_set = 36,       // of a result set: EntrySet, as entry_set_code.h has it
    checksums = 37,       // of a list of sums: SHA-256, 32 bytes each, ascending
    coverage = 38,        // of what was searched: 7 x u64 as in an answer; of a result set then the index's end, u64
    unsearched = 39,      // of a search, an export, a result set: what may match and could not be searched
};

enum class ValueType : std::uint8_t {
    none = 0,  // decoy
    text = 1,  // UTF-8
    bytes = 2,
    time = 3,    // i64 milliseconds since 1970
    number = 4,  // u64
    persons = 5,
    hash = 6,
    raw = 7,
    conversation = 8,
};

inline constexpr std::size_t kMaxFieldCount = 4096;
inline constexpr std::uint64_t kBlobFrom = 64 * 1024;  // attachments from here on are entries of their own
inline constexpr std::uint64_t kBlobChunk = 1u << 20;

}  // namespace kustos::vault
