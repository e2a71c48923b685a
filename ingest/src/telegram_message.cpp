#include "ingest/src/telegram_message.h"

#include <algorithm>

#include "ingest/src/chat_fields.h"
#include "ingest/src/json_scan.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;

vault::Person person(const JsonValue& holder, std::string_view id_key, std::string_view name_key, const ChatOut& out) {
    vault::Person who;
    who.id = out.clipped(holder.text(id_key));
    who.name = out.clipped(holder.text(name_key));
    if (who.id.empty()) who.id = who.name;
    return who;
}

// Instead of a path: "plan.pdf (File not included. Change data exporting settings to download.)"
std::string path_of(std::string_view text, std::string_view& name) {
    for (const std::string_view word : {"(File not included", "(File exceeds maximum", "(File unavailable",
                                        "(Photo not included", "(Photo exceeds maximum", "(Photo unavailable"}) {
        const std::size_t at = text.find(word);
        if (at == std::string_view::npos) continue;
        name = at > 0 ? text.substr(0, at - 1) : std::string_view();
        return {};
    }
    name = text;
    return std::string(text);
}

std::optional<std::int64_t> seconds_of(const JsonValue& value) {
    if (value.is_text()) {
        const auto ms = epoch_ms(value.text());
        return ms ? std::optional<std::int64_t>(ms->ms) : std::nullopt;
    }
    return value.integer();
}

}  // namespace

std::string telegram_text(const JsonValue& text) {
    if (text.is_text()) return std::string(text.text());
    std::string out;
    for (const JsonValue& part : text.items()) {
        out += part.is_text() ? part.text() : part.text("text");
        if (const std::string_view link = part.text("href"); !link.empty() && part.text("type") == "text_link")
            out += " (" + std::string(link) + ")";
    }
    return out;
}

std::string TelegramMessage::scoped(const JsonValue& id) const {
    const auto number = id.integer();
    return number ? where_.id + "/" + std::to_string(*number) : std::string();
}

// "date_unixtime" where it is, else "date", a clock's reading.
std::optional<UtcTime> TelegramMessage::time(std::string_view key, Message& message) const {
    if (const auto seconds = seconds_of(root_[std::string(key) + "_unixtime"]); seconds && *seconds > 0) {
        constexpr std::int64_t kMost = 300'000'000'000;
        return *seconds < kMost ? epoch_ms(*seconds * 1000) : std::nullopt;
    }
    const auto reading = clock_time(root_.text(key));
    return reading ? std::optional<UtcTime>(time_in_zone(*reading, out_.context(), message)) : std::nullopt;
}

ParsedItem TelegramMessage::start(MessageKind kind, std::string_view id_end) {
    const std::string id = scoped(root_["id"]);
    ParsedItem item = out_.start(kind, id.empty() ? std::string() : id + std::string(id_end), where_);
    if (id.empty()) item.update_type = where_.id + "/" + version_;
    out_.time(time("date", item.message), item.message);
    return item;
}

Status TelegramMessage::read() {
    if (!root_["id"].integer()) version_ = version_of(json_);
    const std::string_view type = root_.text("type");
    if (type == "service") return read_service();
    TRY(read_message());
    return read_reactions();
}

void TelegramMessage::put_files(Message& m) {
    std::string_view given;
    for (const std::string_view key : {"photo", "file", "contact_vcard"}) {
        if (!root_[key].is_text()) continue;
        const std::string path = path_of(root_.text(key), given);
        std::string_view name = root_.text("file_name");
        if (name.empty() || key != "file") name = given;
        if (path.empty()) add_note(m, "not-exported");
        out_.file({name.empty() ? key : name, key == "file" ? root_.text("mime_type") : std::string_view(),
                   root_.integer(key == "photo" ? "photo_file_size" : "file_size")},
                  {path}, m);
    }
}

Status TelegramMessage::read_message() {
    ParsedItem item = start(MessageKind::chat);
    Message& m = item.message;
    m.sender = person(root_, "from_id", "from", out_);
    std::string text = telegram_text(root_["text"]);
    if (text.empty()) text = telegram_text(root_["text_entities"]);
    if (const JsonValue poll = root_["poll"]; poll.is_object() && text.empty()) text = telegram_text(poll["question"]);
    put_body(text, out_.limits(), m);
    if (root_.text("type") == "unsupported") add_note(m, "unsupported-by-telegram");
    if (root_["forwarded_from"].there() || root_["forwarded_from_id"].there()) add_note(m, "forwarded");
    if (root_["via_bot"].there()) add_note(m, "via-bot");
    if (root_["location_information"].there()) add_note(m, "has-location");
    if (root_["reply_to_message_id"].there()) {
        const std::string_view peer = root_.text("reply_to_peer_id");
        const auto number = root_.integer("reply_to_message_id");
        if (number)
            m.reply_to = out_.clipped((peer.empty() ? where_.id : std::string(peer)) + "/" + std::to_string(*number));
    }
    put_files(m);
    if (root_.text("media_type") == "voice_message") m.kind = MessageKind::voice;
    if (const auto seconds = root_.integer("duration_seconds"); seconds && *seconds >= 0 && *seconds < 1'000'000'000)
        m.duration_ms = static_cast<std::uint64_t>(*seconds) * 1000;
    if (root_["edited"].there() || root_["edited_unixtime"].there()) {
        const auto edited = time("edited", m);
        m.kind = MessageKind::edit;
        m.target = m.native_id;
        m.sent_at = edited;
        if (!edited) add_note(m, "edit-time-unknown");
        item.update_type += "edited@" + (edited ? format_rfc3339(*edited) : std::string());
    }
    item.update_type += "/" + version_of(text);
    // Who reacted is an event of its own; a count without persons stays.
    std::vector<std::string_view> parts;
    for (const std::string_view one : json_elements(json_member(json_, "reactions")))
        for (const std::string_view who : json_elements(json_member(one, "recent"))) parts.push_back(who);
    return out_.give(std::move(item), without_slices(json_, std::move(parts)));
}

Status TelegramMessage::read_reactions() {
    const auto all = root_["reactions"].items();
    const auto slices = json_elements(json_member(json_, "reactions"));
    Message at;
    const auto written = clock_time(root_.text("date"));
    const auto known = time("date", at);
    for (std::size_t i = 0; i < all.size() && i < slices.size(); ++i) {
        const auto recent = all[i]["recent"].items();
        const auto recent_slices = json_elements(json_member(slices[i], "recent"));
        std::string_view what = all[i].text("emoji");
        if (what.empty()) what = all[i].text("document_id");
        if (what.empty()) what = all[i].text("type");
        if (const auto count = all[i].integer("count"); count && *count > static_cast<std::int64_t>(recent.size()))
            out_.finding("reactions-incomplete", static_cast<std::uint64_t>(*count) - recent.size());
        for (std::size_t j = 0; j < recent.size() && j < recent_slices.size(); ++j) {
            const vault::Person who = person(recent[j], "from_id", "from", out_);
            const std::string id = scoped(root_["id"]);
            ParsedItem item = out_.start(
                MessageKind::reaction, id.empty() ? "" : id + "/reaction/" + who.id + "/" + std::string(what), where_);
            if (id.empty()) item.update_type = where_.id + "/" + version_;
            Message& m = item.message;
            m.target = out_.clipped(id);
            m.sender = who;
            put_body(what, out_.limits(), m);
            // Its date has no zone: that of the message has the same, and the time beside it.
            m.sent_at.reset();
            if (const auto reading = clock_time(recent[j].text("date")); reading && written && known) {
                m.sent_at = UtcTime{known->ms + (reading->ms - written->ms)};
                m.notes.push_back("time-zone-of-message");
            } else {
                m.notes.push_back("sent-time-missing");
            }
            TRY(out_.give(std::move(item), to_bytes(recent_slices[j])));
        }
    }
    return ok_status();
}

Status TelegramMessage::read_service() {
    const std::string_view action = root_.text("action");
    if (action == "invite_members") return read_members(action, true);
    if (action == "remove_members") return read_members(action, false);
    ParsedItem item = start(MessageKind::status);
    Message& m = item.message;
    m.sender = person(root_, "actor_id", "actor", out_);
    m.notes.push_back("action:" + word_of(action));
    if (action == "join_group_by_link" || action == "join_group_by_request") m.kind = MessageKind::join;
    if (action == "phone_call" || action == "group_call") {
        m.kind = MessageKind::call;
        auto seconds = root_.integer("duration_seconds");
        if (!seconds) seconds = root_.integer("duration");
        if (seconds && *seconds >= 0 && *seconds < 1'000'000'000)
            m.duration_ms = static_cast<std::uint64_t>(*seconds) * 1000;
        if (const std::string_view end = root_.text("discard_reason"); !end.empty())
            m.notes.push_back("end:" + word_of(end));
    }
    std::string text = telegram_text(root_["text"]);
    for (const std::string_view key : {"title", "new_title", "information_text"})
        if (text.empty()) text = root_.text(key);
    put_body(text, out_.limits(), m);
    if (const auto target = root_.integer("message_id"); target)
        m.target = out_.clipped(where_.id + "/" + std::to_string(*target));
    put_files(m);
    item.update_type += "/" + version_of(text);
    return out_.give(std::move(item), to_bytes(json_));
}

// One event of Telegram, one of ours for each member, who has a name and no id here.
Status TelegramMessage::read_members(std::string_view action, bool joins) {
    const auto members = root_["members"].items();
    const auto slices = json_elements(json_member(json_, "members"));
    const vault::Person actor = person(root_, "actor_id", "actor", out_);
    constexpr std::size_t kMostRaw = 4u << 20;
    const bool apart = members.empty() || members.size() * json_.size() > kMostRaw;
    if (apart) {
        ParsedItem whole = start(MessageKind::status);
        whole.message.sender = actor;
        whole.message.notes.push_back("action:" + word_of(action));
        TRY(out_.give(std::move(whole), to_bytes(json_)));
    }
    for (std::size_t i = 0; i < members.size() && i < slices.size(); ++i) {
        const std::string name = out_.clipped(members[i].text());
        ParsedItem item = start(joins ? MessageKind::join : MessageKind::leave, "/" + name);
        Message& m = item.message;
        m.notes.push_back("action:" + word_of(action));
        m.sender.id = m.sender.name = name;
        if (name == actor.name) {
            m.sender = actor;
        } else if (!actor.empty()) {
            m.recipients.push_back({vault::Role::member, actor});
            m.notes.push_back("by-another");
        }
        TRY(out_.give(std::move(item), to_bytes(apart ? slices[i] : json_)));
    }
    return ok_status();
}

}  // namespace kustos::ingest
