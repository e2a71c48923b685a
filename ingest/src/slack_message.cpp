#include "ingest/src/slack_message.h"

#include <algorithm>
#include <charconv>

#include "ingest/src/chat_fields.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;

// "1709283600.000012": seconds and microseconds, which is the message's id in its channel.
std::optional<UtcTime> time_of(std::string_view ts) {
    const std::size_t dot = ts.find('.');
    std::int64_t seconds = 0, micros = 0;
    const auto number = [](std::string_view digits, std::int64_t& out) {
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return error == std::errc() && end == digits.data() + digits.size() && out >= 0 && out < 100'000'000'000;
    };
    if (!number(ts.substr(0, dot), seconds)) return std::nullopt;
    if (dot != std::string_view::npos && (ts.size() - dot > 7 || !number(ts.substr(dot + 1), micros)))
        return std::nullopt;
    return epoch_ms(seconds * 1000 + micros / 1000);
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto is = [&](std::string_view word) { return text.substr(i, word.size()) == word; };
        if (is("&amp;") || is("&lt;") || is("&gt;")) {
            out += is("&amp;") ? '&' : is("&lt;") ? '<' : '>';
            i = text.find(';', i) + 1;
        } else {
            out += text[i++];
        }
    }
    return out;
}

// What stands between '<' and '>'.
std::string reference(std::string_view inside, const SlackNames& names) {
    constexpr std::size_t kLongest = 200;  // of a name that is put in
    bool cut = false;
    const std::size_t bar = inside.find('|');
    const std::string_view what = inside.substr(0, bar);
    const std::string label = bar == std::string_view::npos ? std::string() : unescaped(inside.substr(bar + 1));
    if (what.front() == '@' || what.front() == '#') {
        if (!label.empty()) return (label.front() == what.front() ? "" : std::string(1, what.front())) + label;
        std::string name;
        if (const auto known = names.people.find(what.substr(1)); what.front() == '@' && known != names.people.end())
            name = known->second.name;
        if (const auto known = names.channels.find(what.substr(1));
            what.front() == '#' && known != names.channels.end())
            name = known->second;
        return what.front() + cut_utf8(name.empty() ? std::string(what.substr(1)) : name, kLongest, cut);
    }
    if (what.front() == '!') return label.empty() ? "@" + unescaped(what.substr(1)) : label;
    std::string link = unescaped(what);
    if (link.compare(0, 7, "mailto:") == 0) link.erase(0, 7);
    return label.empty() || label == link ? link : label + " (" + link + ")";
}

// Of bots whose text stands in blocks only.
void texts_in(const JsonValue& value, std::string& out) {
    for (const JsonValue& one : value.items()) texts_in(one, out);
    for (const auto& [key, one] : value.members()) {
        if (key == "text" && one.is_text()) {
            if (!out.empty() && !one.text().empty()) out += '\n';
            out += one.text();
        } else if (key != "accessory") {
            texts_in(one, out);
        }
    }
}

}  // namespace

void SlackNames::add_person(const JsonValue& user, const Limits& limits) {
    constexpr std::size_t kMostPeople = 1'000'000;
    const std::string_view id = user.text("id");
    if (id.empty() || people.size() >= kMostPeople) return;
    const JsonValue profile = user["profile"];
    vault::Person& known = people[std::string(id)];
    known.id = clip(id, limits);
    for (const std::string_view name :
         {profile.text("real_name"), user.text("real_name"), profile.text("display_name"), user.text("name")})
        if (known.name.empty()) known.name = clip(name, limits);
    known.address = clip(profile.text("email"), limits);
    known.guest = user.truth("is_restricted") || user.truth("is_ultra_restricted") || user.truth("is_stranger");
    if (user.truth("is_stranger")) known.home = clip(user.text("team_id"), limits);
}

std::string slack_text(std::string_view text, const SlackNames& names) {
    constexpr std::size_t kRoom = 64u << 10;  // names that are put in may not blow a text up
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t open = std::min(text.find('<', i), text.size());
        out += unescaped(text.substr(i, open - i));
        if (open == text.size()) break;
        const std::size_t next = std::min(text.find('<', open + 1), text.size());
        const std::size_t size = text.substr(open + 1, next - open - 1).find('>');
        const std::size_t close = open + 1 + (size == std::string_view::npos ? 0 : size);
        const bool is_reference = size != std::string_view::npos && size > 0 && out.size() < 2 * text.size() + kRoom;
        if (is_reference) {
            out += reference(text.substr(open + 1, close - open - 1), names);
            i = close + 1;
        } else {
            out += '<';
            i = open + 1;
        }
    }
    return out;
}

vault::Person SlackReader::person(std::string_view id) const {
    const auto known = names_.people.find(id);
    if (known != names_.people.end()) return known->second;
    vault::Person out;
    out.id = out_.clipped(id);
    return out;
}

vault::Person SlackReader::person(const JsonValue& message) const {
    const std::string_view user = message.text("user");
    vault::Person out = person(user.empty() ? message.text("bot_id") : user);
    const JsonValue profile = message["user_profile"];
    for (const std::string_view name : {message.text("username"), profile.text("real_name"), profile.text("name"),
                                        message["bot_profile"].text("name")})
        if (out.name.empty()) out.name = out_.clipped(name);
    // Of another workspace (Slack Connect).
    const std::string_view team = message.text("user_team");
    if (!team.empty() && !message.text("team").empty() && team != message.text("team")) {
        out.guest = true;
        out.home = out_.clipped(team);
    }
    return out;
}

ParsedItem SlackReader::start(MessageKind kind, std::string_view ts, const SlackPlace& place) const {
    ParsedItem item =
        out_.start(kind, ts.empty() ? std::string() : place.where.id + "/" + std::string(ts), place.where);
    item.message.sent_at = time_of(ts);
    return item;
}

void SlackReader::put_thread(const JsonValue& root, std::string_view ts, const SlackPlace& place, Message& m) const {
    const std::string_view thread = root.text("thread_ts");
    if (thread.empty() || thread == ts) return;
    m.thread = m.reply_to = out_.clipped(place.where.id + "/" + std::string(thread));
}

std::string SlackReader::text_of(const JsonValue& message, Message& m) const {
    std::string out = slack_text(message.text("text"), names_);
    if (!out.empty()) return out;
    // Bots and unfurled links.
    for (const JsonValue& one : message["attachments"].items()) {
        std::string_view text = one.text("text");
        if (text.empty()) text = one.text("fallback");
        if (!out.empty() && !text.empty()) out += '\n';
        out += slack_text(text, names_);
    }
    if (out.empty() && message["blocks"].is_array()) {
        texts_in(message["blocks"], out);
        if (!out.empty()) add_note(m, "text-of-blocks");
    }
    return out;
}

void SlackReader::put_files(const JsonValue& message, const SlackPlace& place, Message& m) {
    std::vector<JsonValue> files = message["files"].items();
    if (message["file"].is_object()) files.push_back(message["file"]);
    for (const JsonValue& file : files) {
        const std::string id(file.text("id")), name(file.text("name").empty() ? file.text("title") : file.text("name"));
        if (file.text("mode") == "tombstone") add_note(m, "file-deleted");
        if (file.text("mode") == "hidden_by_limit") add_note(m, "file-hidden-by-limit");
        // An export has links only; slackdump puts files beside it.
        out_.file({name.empty() ? id : name, file.text("mimetype"), file.integer("size")},
                  {"__uploads/" + id + "/" + name, place.folder + "/attachments/" + id + "-" + name,
                   place.where.id + "/" + id + "-" + name},
                  m);
    }
}

void SlackReader::put_subtype(const JsonValue& root, Message& m) {
    const std::string_view subtype = root.text("subtype");
    if (subtype.empty()) return;
    const auto is_one_of = [subtype](std::initializer_list<std::string_view> words) {
        return std::find(words.begin(), words.end(), subtype) != words.end();
    };
    m.notes.push_back("subtype:" + word_of(subtype));
    if (is_one_of({"bot_message", "me_message", "thread_broadcast", "reply_broadcast", "file_share", "file_comment",
                   "file_mention", "slackbot_response", "assistant_app_thread", "document_mention"}))
        return;
    if (is_one_of({"channel_join", "group_join", "channel_leave", "group_leave"})) {
        m.kind = subtype.find("join") != std::string_view::npos ? MessageKind::join : MessageKind::leave;
        const std::string_view inviter = root.text("inviter");
        if (inviter.empty() || inviter == m.sender.id) return;
        m.recipients.assign(1, {vault::Role::member, person(inviter)});
        add_note(m, "by-another");
        return;
    }
    if (subtype == "huddle_thread") {
        m.kind = MessageKind::call;
        const JsonValue room = root["room"];
        const auto begin = room.integer("date_start"), end = room.integer("date_end");
        if (begin && end && *begin > 0 && *end >= *begin)
            m.duration_ms = static_cast<std::uint64_t>(*end - *begin) * 1000;
        m.recipients.clear();
        for (const JsonValue& one : room["participant_history"].items())
            if (m.recipients.size() < out_.limits().recipients && one.text() != m.sender.id)
                m.recipients.push_back({vault::Role::member, person(one.text())});
        return;
    }
    m.kind = MessageKind::status;
}

Status SlackReader::read(std::string_view json, const SlackPlace& place) {
    return read_at(json, place, 0);
}

Status SlackReader::read_at(std::string_view json, const SlackPlace& place, int depth) {
    std::string_view reason = parser_.parse(as_bytes(json));
    const JsonValue root = parser_.root();
    if (reason.empty() && !root.is_object()) reason = "not-an-object";
    if (reason.empty() && root.text("ts").empty() && !root["text"].is_text()) reason = "no-message";
    if (!reason.empty()) return out_.refuse(json, reason);
    std::vector<std::string_view> replies;
    if (depth == 0) replies = json_elements(json_member(json, "slackdump_thread_replies"));
    std::vector<std::string_view> parts = replies;
    for (const std::string_view part : json_elements(json_member(json, "reactions"))) parts.push_back(part);
    const std::string_view subtype = root.text("subtype");
    if (subtype == "message_changed" || subtype == "message_deleted") {
        TRY(read_changed(root, json, place));
    } else {
        TRY(read_message(root, json, place, without_slices(json, parts)));
        TRY(read_reactions(root, json, place));
    }
    for (const std::string_view reply : replies) TRY(read_at(reply, place, depth + 1));
    return ok_status();
}

Status SlackReader::read_message(const JsonValue& root, std::string_view json, const SlackPlace& place, Bytes raw) {
    const std::string_view ts = root.text("ts");
    ParsedItem item = start(MessageKind::chat, ts, place);
    Message& m = item.message;
    if (ts.empty()) item.update_type = place.where.id + "/" + version_of(json);
    put_thread(root, ts, place, m);
    if (root.text("subtype") == "tombstone") {
        // Who had written it, what, and when it went, is not told: a reply or a reaction hung on it.
        m.kind = MessageKind::deletion;
        m.target = m.native_id;
        m.notes = {"text-not-retained", "deletion-time-unknown"};
        item.update_type = "deleted";
        return out_.give(std::move(item), std::move(raw));
    }
    m.sender = person(root);
    if (!m.sent_at) out_.time(std::nullopt, m);
    for (const vault::Person& member : place.members)
        if (member.id != m.sender.id) m.recipients.push_back({vault::Role::member, member});
    const std::string text = text_of(root, m);
    put_body(text, out_.limits(), m);
    put_files(root, place, m);
    put_subtype(root, m);
    if (const JsonValue edited = root["edited"]; edited.is_object() && m.kind == MessageKind::chat) {
        m.kind = MessageKind::edit;
        m.target = m.native_id;
        item.update_type = "edited@" + std::string(edited.text("ts"));
        m.sent_at = time_of(edited.text("ts"));
        if (!m.sent_at) add_note(m, "edit-time-unknown");
    }
    item.update_type += "/" + version_of(text);
    return out_.give(std::move(item), std::move(raw));
}

// The shape of Slack's events; exports for compliance may have it.
Status SlackReader::read_changed(const JsonValue& root, std::string_view json, const SlackPlace& place) {
    const bool deleted = root.text("subtype") == "message_deleted";
    const JsonValue before = root["previous_message"], after = root["message"];
    const std::string_view ts = deleted ? root.text("deleted_ts") : after.text("ts");
    ParsedItem item = start(deleted ? MessageKind::deletion : MessageKind::edit, ts, place);
    Message& m = item.message;
    m.target = m.native_id;
    m.sender = person(deleted ? before : after);
    put_thread(deleted ? before : after, ts, place, m);
    const std::string text = text_of(deleted ? before : after, m);
    put_body(text, out_.limits(), m);
    if (deleted) {
        m.sent_at = time_of(root.text("ts"));
        item.update_type = "deleted/" + version_of(text);
        if (text.empty()) m.notes.push_back("text-not-retained");
    } else {
        std::string old = text_of(before, m);
        if (old.size() + m.body.size() <= out_.limits().body) m.previous_body = std::move(old);
        const std::string_view edited = after["edited"].text("ts");
        m.sent_at = time_of(edited.empty() ? root.text("ts") : edited);
        item.update_type = "edited@" + std::string(edited) + "/" + version_of(text);
    }
    if (!m.sent_at) out_.time(std::nullopt, m);
    return out_.give(std::move(item), to_bytes(json));
}

Status SlackReader::read_reactions(const JsonValue& root, std::string_view json, const SlackPlace& place) {
    const auto all = root["reactions"].items();
    const auto slices = json_elements(json_member(json, "reactions"));
    const std::string_view ts = root.text("ts");
    std::size_t spent = 0;
    for (std::size_t i = 0; i < all.size() && i < slices.size(); ++i) {
        const auto users = all[i]["users"].items();
        if (const auto count = all[i].integer("count"); count && *count > static_cast<std::int64_t>(users.size()))
            out_.finding("reactions-incomplete", static_cast<std::uint64_t>(*count) - users.size());
        // Each has the whole element as its raw. Of very many the first has it, the others what stands for them in it.
        constexpr std::size_t kMostRaw = 4u << 20;
        spent += users.size() * slices[i].size();
        const auto own =
            spent > kMostRaw ? json_elements(json_member(slices[i], "users")) : std::vector<std::string_view>();
        for (std::size_t j = 0; j < std::max<std::size_t>(users.size(), 1); ++j) {
            const std::string_view who = j < users.size() ? users[j].text() : std::string_view();
            ParsedItem item = start(MessageKind::reaction, ts, place);
            Message& m = item.message;
            m.target = m.native_id;
            m.native_id =
                out_.clipped(m.native_id + "/reaction/" + std::string(who) + "/" + std::string(all[i].text("name")));
            m.sent_at.reset();
            m.notes = {"sent-time-missing"};
            m.sender = person(who);
            put_body(all[i].text("name"), out_.limits(), m);
            TRY(out_.give(std::move(item), to_bytes(j > 0 && j < own.size() ? own[j] : slices[i])));
        }
    }
    return ok_status();
}

}  // namespace kustos::ingest
