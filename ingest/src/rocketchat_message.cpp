#include "ingest/src/rocketchat_message.h"

#include <algorithm>

#include "ingest/src/chat_fields.h"
#include "ingest/src/json_scan.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;

// "2024-03-01T09:00:00.000Z", milliseconds, or the database's {"$date": either, or {"$numberLong": "..."}}.
std::optional<UtcTime> time_of(const JsonValue& value) {
    if (value.is_object()) {
        const JsonValue date = value["$date"];
        return date.is_object() ? epoch_ms(date.text("$numberLong")) : time_of(date);
    }
    if (const auto ms = value.integer()) return epoch_ms(*ms);
    const auto parsed = parse_rfc3339(value.text());
    return parsed.ok() && parsed->ms > 0 ? std::optional<UtcTime>(*parsed) : std::nullopt;
}

// ":+1:" -> "+1"
std::string_view without_colons(std::string_view emoji) {
    if (emoji.size() > 2 && emoji.front() == ':' && emoji.back() == ':') return emoji.substr(1, emoji.size() - 2);
    return emoji;
}

}  // namespace

vault::Person RocketchatReader::person(const JsonValue& user) {
    constexpr std::size_t kMostPeople = 100'000;
    vault::Person out;
    out.id = out_.clipped(user.text("_id"));
    out.name = out_.clipped(user.text("name").empty() ? user.text("username") : user.text("name"));
    const std::string_view username = user.text("username");
    // A federated one: "@anna:server".
    if (username.substr(0, 1) == "@" && !home_of(username).empty()) {
        out.home = out_.clipped(home_of(username));
        out.guest = true;
    }
    if (out.id.empty()) out.id = out_.clipped(username);
    if (!username.empty() && people_.size() < kMostPeople) people_[std::string(username)] = out;
    return out;
}

vault::Person RocketchatReader::known(std::string_view username) const {
    const auto at = people_.find(username);
    if (at != people_.end()) return at->second;
    vault::Person out;
    out.id = out.name = out_.clipped(username);
    return out;
}

Status RocketchatReader::read(std::string_view json) {
    std::string_view reason = parser_.parse(as_bytes(json));
    const JsonValue root = parser_.root();
    if (reason.empty() && !root.is_object()) reason = "not-an-object";
    if (reason.empty() && root.text("_id").empty() && !root["msg"].is_text()) reason = "no-message";
    if (!reason.empty()) return out_.refuse(json, reason);
    TRY(read_message(root, json));
    return read_reactions(root, json);
}

ParsedItem RocketchatReader::start(MessageKind kind, const JsonValue& root) const {
    vault::Conversation where;
    where.id = out_.clipped(root.text("rid"));
    ParsedItem item = out_.start(kind, root.text("_id"), where);
    item.message.thread = item.message.reply_to = out_.clipped(root.text("tmid"));
    return item;
}

void RocketchatReader::put_files(const JsonValue& root, Message& m) {
    std::vector<JsonValue> files = root["files"].items();
    if (files.empty() && root["file"].is_object()) files.push_back(root["file"]);
    for (const JsonValue& file : files) {
        if (file["typeGroup"].text() == "thumb") continue;
        // User exports have files in "assets"; the interface has links only.
        out_.file({file.text("name"), file.text("type"), file.integer("size")},
                  {"assets/" + std::string(file.text("_id")) + "-" + std::string(file.text("name"))}, m);
    }
}

// Rocket.Chat's own messages. false: one that somebody wrote.
bool RocketchatReader::put_type(const JsonValue& root, Message& m) const {
    const std::string_view type = root.text("t");
    if (type.empty()) return false;
    m.notes.push_back("type:" + word_of(type));
    const auto is_one_of = [type](std::initializer_list<std::string_view> words) {
        return std::find(words.begin(), words.end(), type) != words.end();
    };
    const bool added = is_one_of({"au", "added-user-to-team", "uj", "ujt", "ut", "user-joined-conversation"});
    const bool removed = is_one_of({"ru", "removed-user-from-team", "ul", "ult"});
    if (type == "e2e") {
        // Ciphertext is in raw.
        m.notes.push_back("encrypted");
        m.body.clear();
        return false;
    }
    if (added || removed) {
        m.kind = added ? MessageKind::join : MessageKind::leave;
        if (is_one_of({"au", "ru", "added-user-to-team", "removed-user-from-team"})) {
            m.recipients.push_back({vault::Role::member, m.sender});
            m.sender = known(root.text("msg"));
            m.notes.push_back("by-another");
        }
    } else if (is_one_of({"videoconf", "jitsi_call_started", "call"})) {
        m.kind = MessageKind::call;
    } else {
        m.kind = MessageKind::status;
    }
    return true;
}

Status RocketchatReader::read_message(const JsonValue& root, std::string_view json) {
    ParsedItem item = start(MessageKind::chat, root);
    Message& m = item.message;
    if (m.native_id.empty()) item.update_type = m.conversation.id + "/" + version_of(json);
    out_.time(time_of(root["ts"]), m);
    m.sender = person(root["u"]);
    const std::string_view text = root.text("msg");
    put_body(text, out_.limits(), m);
    put_files(root, m);
    for (const JsonValue& one : root["attachments"].items()) {
        // A quoted message: its link ends in its id.
        const std::string_view link = one.text("message_link");
        const std::size_t at = link.rfind("msg=");
        if (at != std::string_view::npos && m.reply_to == m.thread) m.reply_to = out_.clipped(link.substr(at + 4));
    }
    const auto edited = time_of(root["editedAt"]);
    if (root.text("t") == "rm") {
        m.kind = MessageKind::deletion;
        m.target = m.native_id;
        m.sent_at = edited;
        item.update_type = "deleted";
        if (text.empty()) m.notes.push_back("text-not-retained");
        if (!edited) m.notes.push_back("deletion-time-unknown");
    } else if (!put_type(root, m) && root["editedAt"].there()) {
        m.kind = MessageKind::edit;
        m.target = m.native_id;
        m.sent_at = edited;
        if (!edited) m.notes.push_back("edit-time-unknown");
        item.update_type = "edited@" + (edited ? format_rfc3339(*edited) : std::string());
    }
    item.update_type += "/" + version_of(text);
    std::vector<std::string_view> parts;
    const auto reactions = root["reactions"].members();
    const auto slices = json_values(json_member(json, "reactions"));
    for (std::size_t i = 0; i < reactions.size() && i < slices.size(); ++i)
        if (!reactions[i].second["usernames"].items().empty()) parts.push_back(slices[i]);
    return out_.give(std::move(item), without_slices(json, std::move(parts)));
}

Status RocketchatReader::read_reactions(const JsonValue& root, std::string_view json) {
    const auto all = root["reactions"].members();
    const auto slices = json_values(json_member(json, "reactions"));
    for (std::size_t at = 0; at < all.size() && at < slices.size(); ++at) {
        const auto& [emoji, reaction] = all[at];
        const std::string_view slice = slices[at];
        const auto names = json_elements(json_member(slice, "usernames"));
        const auto users = reaction["usernames"].items();
        for (std::size_t i = 0; i < users.size() && i < names.size(); ++i) {
            ParsedItem item = start(MessageKind::reaction, root);
            Message& m = item.message;
            m.target = m.native_id;
            m.native_id =
                out_.clipped(m.native_id + "/reaction/" + std::string(users[i].text()) + "/" + std::string(emoji));
            m.reply_to.clear();
            m.sender = known(users[i].text());
            m.notes = {"sent-time-missing"};
            put_body(without_colons(emoji), out_.limits(), m);
            // The first has all that stands there; the others their own name in it.
            TRY(out_.give(std::move(item), to_bytes(i == 0 ? slice : names[i])));
        }
    }
    return ok_status();
}

}  // namespace kustos::ingest
