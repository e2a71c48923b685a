#include "ingest/src/matrix_event.h"

#include "base/crypto.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_value.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/matrix_content.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;

std::string pair_key(std::string_view room, std::string_view user) {
    return std::string(room) + "\n" + std::string(user);
}

// An event id is said to name one event. Where a source breaks that, or has cut a redacted event down, both are kept:
// this tells them apart, however they are written. Keys that servers add differently are left out.
std::string fingerprint(const JsonValue& event) {
    std::string all;
    for (const std::string_view key : {"type", "sender", "origin_server_ts"}) all += canonical_json(event[key]) + "\n";
    if (event.text("type") == "m.room.redaction") {
        all += canonical_json(event["content"]["reason"]);
    } else {
        all += canonical_json(event["content"]);
    }
    constexpr std::size_t kDigits = 16;
    return sha256(as_bytes(all)).hex().substr(0, kDigits);
}

}  // namespace

void MatrixNames::room(std::string_view room_id, std::string_view title) {
    if (rooms_.size() < kMost || rooms_.count(room_id) != 0) rooms_[std::string(room_id)] = std::string(title);
}

void MatrixNames::person(std::string_view room_id, std::string_view user_id, std::string_view name) {
    const std::string key = pair_key(room_id, user_id);
    if (persons_.size() < kMost || persons_.count(key) != 0) persons_[key] = std::string(name);
}

std::string MatrixNames::title(std::string_view room_id) const {
    const auto at = rooms_.find(room_id);
    return at == rooms_.end() ? std::string() : at->second;
}

std::string MatrixNames::name(std::string_view room_id, std::string_view user_id) const {
    const auto at = persons_.find(pair_key(room_id, user_id));
    return at == persons_.end() ? std::string() : at->second;
}

ParsedItem parse_matrix_event(ByteView json, const MatrixContext& context, const Limits& limits, Findings* findings,
                              std::vector<MatrixMedia>* media) {
    const auto count = [findings](const char* code) {
        if (findings) ++(*findings)[code];
    };
    if (json.size() > limits.line) return unreadable(to_bytes(json), context.format, "too-large");
    JsonParser parser;
    if (const std::string_view reason = parser.parse(json); !reason.empty())
        return unreadable(to_bytes(json), context.format, reason);
    const JsonValue event = parser.root();
    if (!event.is_object()) return unreadable(to_bytes(json), context.format, "not-an-object");
    if (!event["type"].is_text()) return unreadable(to_bytes(json), context.format, "no-type");

    ParsedItem item;
    Message& m = item.message;
    m.format = std::string(context.format);
    m.raw = to_bytes(json);
    item.source_bytes = json.size();
    m.native_id = clip(event.text("event_id"), limits);
    const std::string_view room = event["room_id"].is_text() ? event.text("room_id") : context.room_id;
    m.conversation.id = clip(room, limits);
    if (!room.empty()) m.conversation.type = vault::ConversationType::group;
    if (const auto ms = event.integer("origin_server_ts")) m.sent_at = epoch_ms(*ms);
    // What concerns no room (presence, keys to a device, account data) has neither id nor time.
    if (!room.empty() && m.native_id.empty() && matrix_event_note(event.text("type")).empty()) {
        m.notes.push_back("no-event-id");
        count("matrix:no-event-id");
    }
    if (!m.sent_at && event["origin_server_ts"].there()) {
        m.notes.push_back("bad-time");
        count("matrix:bad-time");
    }
    if (!m.native_id.empty()) item.update_type = fingerprint(event);
    MatrixContent(event, context, limits, m, media).read();
    return item;
}

}  // namespace kustos::ingest
