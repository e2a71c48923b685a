#include "ingest/src/rsmf_manifest.h"

#include <map>

#include "base/text.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_feed.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/json_value.h"
#include "ingest/src/local_time.h"
#include "ingest/src/media_type.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "rsmf";
constexpr std::size_t kMaxNames = 200'000;

struct Room {
    vault::Conversation conversation;
    std::vector<std::string> participants;
};

class Manifest {
public:
    Manifest(const Bytes& json, const ExportFiles& files, const ReadContext& context, ItemSink& sink)
        : json_(json), files_(files), context_(context), limits_(context.limits), sink_(sink) {}

    Status read() {
        read_participants();
        read_conversations();
        const auto source = memory_source(json_);
        return read_json_feed(*source, {"events"}, kName, context_, sink_,
                              [this](Bytes event) { return read_event(std::move(event)); });
    }

private:
    void read_participants() {
        for (const std::string_view slice : json_elements(json_member(as_text(json_), "participants"))) {
            if (!parser_.parse(as_bytes(slice)).empty() || people_.size() >= kMaxNames) {
                sink_.finding("rsmf:participant-unreadable");
                continue;
            }
            const JsonValue one = parser_.root();
            vault::Person person;
            const std::string_view account = one.text("account_id");
            person.id = clip(account.empty() ? one.text("id") : account, limits_);
            person.name = clip(one.text("display"), limits_);
            person.address = clip(one.text("email"), limits_);
            people_[std::string(one.text("id"))] = std::move(person);
        }
    }

    void read_conversations() {
        for (const std::string_view slice : json_elements(json_member(as_text(json_), "conversations"))) {
            if (!parser_.parse(as_bytes(slice)).empty() || rooms_.size() >= kMaxNames) {
                sink_.finding("rsmf:conversation-unreadable");
                continue;
            }
            const JsonValue one = parser_.root();
            Room room;
            room.conversation.id = clip(one.text("id"), limits_);
            room.conversation.title = clip(one.text("display"), limits_);
            for (const JsonValue& id : one["participants"].items())
                if (room.participants.size() <= kMostMembers) room.participants.emplace_back(id.text());
            const bool direct = one.text("type") == "direct";
            room.conversation.type = !direct                        ? vault::ConversationType::channel
                                     : room.participants.size() > 2 ? vault::ConversationType::group
                                                                    : vault::ConversationType::direct;
            rooms_[std::string(one.text("id"))] = std::move(room);
        }
    }

    vault::Person person(std::string_view id) const {
        const auto known = people_.find(id);
        if (known != people_.end()) return known->second;
        vault::Person out;
        out.id = clip(id, limits_);
        return out;
    }

    std::string scoped(std::string_view id) const {
        return id.empty() ? std::string() : clip(where_ + "/" + std::string(id), limits_);
    }

    // ISO 8601; without a zone it is the operator's, or unknown.
    void take_time(std::string_view text, Message& m) {
        m.sent_at.reset();
        if (const auto time = parse_rfc3339(text); time.ok()) {
            m.sent_at = *time;
            return;
        }
        const auto local = parse_rfc3339(std::string(text) + "Z");
        if (!local.ok()) {
            if (!text.empty()) sink_.finding("rsmf:bad-time");
            return add_note(m, "bad-time");
        }
        m.sent_at = context_.time_zone.empty() ? std::nullopt : local_to_utc(*local, context_.time_zone);
        if (m.sent_at) return add_note(m, "time-zone-declared");
        m.sent_at = *local;
        add_note(m, "time-zone-unknown");
    }

    Status read_event(Bytes json) {
        std::string_view reason = parser_.parse(json);
        if (reason.empty() && !parser_.root().is_object()) reason = "not-an-object";
        if (!reason.empty()) return quarantine(std::move(json), kName, reason, limits_, sink_);
        const JsonValue event = parser_.root();
        where_ = std::string(event.text("conversation"));
        ParsedItem item = start(event);
        Message& m = item.message;
        m.raw = std::move(json);
        item.source_bytes = m.raw.size();
        const Bytes raw = m.raw;
        take_kind(event.text("type"), m);
        const auto edits = event["edits"].items();
        std::string text(event.text("body"));
        if (!edits.empty() && edits[0]["previous"].is_text()) text = std::string(edits[0].text("previous"));
        put_body(text, limits_, m);
        take_attachments(event, m);
        if (event.text("importance") == "high") m.notes.push_back("importance:high");
        for (const auto& file : m.attachments) item.source_bytes += file.content_size();
        if (files_.ready) TRY(files_.ready());
        TRY(sink_.item(std::move(item)));
        TRY(read_edits(event, raw));
        TRY(read_reactions(event, raw));
        return event.truth("deleted") ? read_deletion(event, raw) : ok_status();
    }

    ParsedItem start(const JsonValue& event) {
        ParsedItem item;
        Message& m = item.message;
        m.kind = MessageKind::chat;
        m.format = kName;
        m.native_id = scoped(event.text("id"));
        m.thread = m.reply_to = scoped(event.text("parent"));
        m.sender = person(event.text("participant"));
        take_time(event.text("timestamp"), m);
        const auto room = rooms_.find(where_);
        if (room != rooms_.end()) {
            m.conversation = room->second.conversation;
            const auto& members = room->second.participants;
            if (members.size() > kMostMembers) m.notes.push_back("limit:recipients");
            for (const std::string& id : members) {
                if (members.size() > kMostMembers) break;
                if (id != event.text("participant")) m.recipients.push_back({vault::Role::member, person(id)});
            }
        } else {
            m.conversation.id = clip(where_, limits_);
        }
        if (m.native_id.empty()) item.update_type = where_;
        return item;
    }

    static void take_kind(std::string_view type, Message& m) {
        if (type == "join") m.kind = MessageKind::join;
        if (type == "leave") m.kind = MessageKind::leave;
        if (type == "message" || type == "join" || type == "leave") return;
        m.kind = MessageKind::status;
        m.notes.push_back("event-type:" + word_of(type));
    }

    void take_attachments(const JsonValue& event, Message& m) {
        for (const JsonValue& one : event["attachments"].items()) {
            if (m.attachments.size() >= limits_.attachments) return add_note(m, "limit:attachments");
            const std::string_view id = one.text("id"), display = one.text("display");
            vault::Attachment file = named_file(display.empty() ? id : display, limits_);
            if (const auto size = one.integer("size"); size && *size >= 0)
                file.declared_size = static_cast<std::uint64_t>(*size);
            if (files_.attach) files_.attach(id, file);
            if (file.missing) sink_.finding("rsmf:attachment-missing");
            m.attachments.push_back(std::move(file));
        }
    }

    Status read_edits(const JsonValue& event, const Bytes& raw) {
        const auto edits = event["edits"].items();
        const auto slices = json_elements(json_member(as_text(raw), "edits"));
        for (std::size_t i = 0; i < edits.size() && i < slices.size(); ++i) {
            ParsedItem item = start(event);
            Message& m = item.message;
            m.kind = MessageKind::edit;
            m.target = m.native_id;
            const std::string_view editor = edits[i].text("participant"), at = edits[i].text("timestamp");
            if (!editor.empty()) m.sender = person(editor);
            take_time(at, m);
            if (!m.sent_at) m.notes.push_back("edit-time-unknown");
            put_body(edits[i].text("new"), limits_, m);
            const std::string_view before = edits[i].text("previous");
            if (m.body.size() + before.size() <= limits_.body) m.previous_body = std::string(before);
            item.update_type += "edited@" + std::string(at) + "#" + std::to_string(i);
            m.raw = to_bytes(slices[i]);
            TRY(sink_.item(std::move(item)));
        }
        return ok_status();
    }

    // "value" once, with those who chose it; one event for each of them.
    Status read_reactions(const JsonValue& event, const Bytes& raw) {
        const auto reactions = event["reactions"].items();
        const auto slices = json_elements(json_member(as_text(raw), "reactions"));
        for (std::size_t i = 0; i < reactions.size() && i < slices.size(); ++i) {
            std::vector<JsonValue> who = reactions[i]["participants"].items();
            // Each gets the whole reaction as its raw: of too many it stays one event, of nobody.
            constexpr std::size_t kMostRaw = 16u << 20;
            const bool too_many = who.size() * slices[i].size() > kMostRaw;
            if (too_many) who.clear();
            if (who.empty()) who.emplace_back();
            for (const JsonValue& one : who) {
                ParsedItem item = start(event);
                Message& m = item.message;
                m.kind = MessageKind::reaction;
                m.target = m.native_id;
                m.sender = person(one.text());
                m.sent_at.reset();  // not told
                m.notes = {"reaction-time-unknown"};
                if (too_many) m.notes.push_back("limit:reactions");
                item.update_type +=
                    "reaction/" + std::string(reactions[i].text("value")) + "/" + std::string(one.text());
                put_body(reactions[i].text("value"), limits_, m);
                m.raw = to_bytes(slices[i]);
                TRY(sink_.item(std::move(item)));
            }
        }
        return ok_status();
    }

    Status read_deletion(const JsonValue& event, const Bytes& raw) {
        ParsedItem item = start(event);
        Message& m = item.message;
        m.kind = MessageKind::deletion;
        m.target = m.native_id;
        m.sent_at.reset();
        m.notes = {"deletion-time-unknown"};
        put_body(event.text("body"), limits_, m);
        m.raw = raw;
        return sink_.item(std::move(item));
    }

    const Bytes& json_;
    const ExportFiles& files_;
    const ReadContext& context_;
    const Limits& limits_;
    ItemSink& sink_;
    JsonParser parser_;
    std::map<std::string, vault::Person, std::less<>> people_;
    std::map<std::string, Room, std::less<>> rooms_;
    std::string where_;
};

}  // namespace

Status read_rsmf_manifest(const Bytes& json, const ExportFiles& files, const ReadContext& context, ItemSink& sink) {
    return Manifest(json, files, context, sink).read();
}

}  // namespace kustos::ingest
