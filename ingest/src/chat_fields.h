// Small things that the readers of chats share.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ingest/format.h"

namespace kustos::ingest {

// Milliseconds since 1970, after 1970 and before the year 10000; else nothing.
std::optional<UtcTime> epoch_ms(std::int64_t ms);
std::optional<UtcTime> epoch_ms(std::string_view digits);
// The same, where a source may write seconds: a number below 10^11 is one of seconds.
std::optional<UtcTime> epoch_any(std::int64_t number);

// The time of a clock's reading (given as if it were UTC) in the zone that the operator says; without one, or where
// the system does not know it, as UTC: note "time-zone-unknown".
UtcTime time_in_zone(UtcTime reading, const ReadContext& context, vault::Message& message);

// "2024-03-01 10:00:00", "2024-03-01T10:00", "01.03.2024 10:00:00": a clock's reading, as if it were UTC.
std::optional<UtcTime> clock_time(std::string_view text);
// "PT1H2M3.5S" (ISO 8601), in milliseconds.
std::optional<std::uint64_t> iso_duration_ms(std::string_view text);
// The first 32 hex digits of the SHA-256 of the parts: an id for what has none (note "id-synthesised").
std::string made_id(std::initializer_list<std::string_view> parts);

// For texts without ids: of messages that are equal in all their parts the n-th of an export is the n-th of every one,
// so that two are two, and an export that overlaps brings nothing twice. One for each chat.
class NthEqual {
public:
    std::string id(std::initializer_list<std::string_view> parts);

private:
    std::unordered_map<std::string, std::uint32_t> seen_;
};

// A name, an id, a title: well formed and at most Limits::text_value long.
std::string clip(std::string_view text, const Limits& limits);
// A number out of a foreign text as a machine word: letters, digits, '.', '_', '-' and at most 64 bytes; else "other".
std::string word_of(std::string_view text);
// A room with more members says so (note "limit:recipients") and lists none: each of its messages would.
inline constexpr std::size_t kMostMembers = 200;
void add_note(vault::Message& message, std::string_view note);  // once
// Text that people read; what lies above Limits::body becomes a text attachment, note "limit:body".
void put_body(std::string_view text, const Limits& limits, vault::Message& message);
// An attachment that the source only names, by the last part of `name`.
vault::Attachment named_file(std::string_view name, const Limits& limits);
// The server of "@user:server"; empty where there is none.
std::string_view home_of(std::string_view user_id);
// "O", "P", "D", "G" and the words of the compliance export.
vault::ConversationType mattermost_channel_type(std::string_view word);
// What stands around the events of a file, as a message of kind file: note "rest-of-export".
Status seal_frame(Bytes frame, std::string_view format, const Limits& limits, ItemSink& sink);

}  // namespace kustos::ingest
