#include "ingest/src/matrix_content.h"

#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/media_type.h"

namespace kustos::ingest {

namespace {

using vault::MessageKind;

bool starts_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

// "mxc://server/id" (client-server API, "Content repository"); what is not that is no address to fetch from.
bool is_mxc(std::string_view url) {
    if (!starts_with(url, "mxc://") || url.size() > 512) return false;
    url.remove_prefix(6);
    const std::size_t slash = url.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == url.size()) return false;
    for (std::size_t i = 0; i < url.size(); ++i) {
        const char c = url[i];
        const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool server = i < slash && (c == '.' || c == '-' || c == ':' || c == '[' || c == ']');
        const bool id = i > slash && (c == '-' || c == '_');
        if (!word && !server && !id && i != slash) return false;
    }
    return true;
}

// Extensible events (MSC1767): a text, or a list of texts of several kinds.
std::string_view extensible_text(const JsonValue& content) {
    for (const std::string_view key : {"m.text", "org.matrix.msc1767.text"}) {
        const JsonValue value = content[key];
        if (value.is_text()) return value.text();
        for (const JsonValue& one : value.items())
            if (one["mimetype"].text().empty() || one.text("mimetype") == "text/plain") return one.text("body");
    }
    return {};
}

}  // namespace

std::string_view matrix_event_note(std::string_view type) {
    if (type == "m.receipt") return "event:read-receipt";
    if (type == "m.typing") return "event:typing";
    if (type == "m.presence") return "event:presence";
    return {};
}

vault::Person MatrixContent::person(std::string_view user_id) const {
    vault::Person out;
    out.id = clip(user_id, limits_);
    out.address = out.id;
    const std::string_view home = home_of(user_id);
    if (home != context_.own_server) out.home = clip(home, limits_);
    if (context_.names) out.name = context_.names->name(message_.conversation.id, user_id);
    return out;
}

void MatrixContent::read() {
    message_.sender = person(event_.text("sender"));
    read_type(event_.text("type"));
    if (event_["unsigned"]["redacted_because"].there() || event_["redacted_because"].there())
        add_note(message_, "redacted-at-source");
    if (context_.names && message_.conversation.title.empty())
        message_.conversation.title = context_.names->title(message_.conversation.id);
}

void MatrixContent::read_type(std::string_view type) {
    message_.kind = MessageKind::status;
    if (type == "m.room.message") return read_message();
    if (type == "m.room.encrypted") return read_encrypted();
    if (type == "m.room.redaction") return read_redaction();
    if (type == "m.room.member") return read_member();
    if (type == "m.sticker") {
        message_.kind = MessageKind::file;
        message_.notes.push_back("sticker");
        add_media(content_, content_.text("body"));
        return read_relation();
    }
    if (type == "m.reaction") {
        message_.kind = MessageKind::reaction;
        message_.target = clip(content_["m.relates_to"].text("event_id"), limits_);
        return put_body(content_["m.relates_to"].text("key"), limits_, message_);
    }
    if (starts_with(type, "m.call.")) return read_call(type.substr(7));
    if (type == "m.poll.start" || type == "org.matrix.msc3381.poll.start") {
        message_.kind = MessageKind::chat;
        message_.notes.push_back("poll");
        const JsonValue poll = content_[type == "m.poll.start" ? "m.poll" : type];
        put_body(extensible_text(poll["question"]), limits_, message_);
        return read_relation();
    }
    read_state(type);
}

void MatrixContent::put_text(const JsonValue& content) {
    std::string_view body = content.text("body");
    if (body.empty()) body = extensible_text(content);
    put_body(body, limits_, message_);
    const std::string_view html = content.text("formatted_body");
    if (html.empty() || content.text("format") != "org.matrix.custom.html") return;
    if (message_.body.size() + html.size() > limits_.body) return add_note(message_, "limit:body-html");
    message_.body_html = std::string(html);
}

void MatrixContent::read_message() {
    const std::string_view msgtype = content_.text("msgtype");
    message_.kind = MessageKind::chat;
    if (msgtype == "m.key.verification.request") message_.kind = MessageKind::status;
    if (msgtype == "m.image" || msgtype == "m.file" || msgtype == "m.audio" || msgtype == "m.video") {
        read_media(msgtype);
    } else {
        put_text(content_);
        if (msgtype != "m.text" && !msgtype.empty()) message_.notes.push_back("msgtype:" + word_of(msgtype));
    }
    if (!msgtype.empty() && msgtype == "m.location" && content_["geo_uri"].is_text()) {
        if (message_.body.empty()) put_body(content_.text("geo_uri"), limits_, message_);
    }
    read_relation();
}

void MatrixContent::read_media(std::string_view msgtype) {
    const bool voice = content_["org.matrix.msc3245.voice"].there() || content_["m.voice"].there();
    message_.kind = voice ? MessageKind::voice : MessageKind::file;
    message_.notes.push_back("msgtype:" + word_of(msgtype));
    const std::string_view body = content_.text("body"), filename = content_.text("filename");
    add_media(content_, filename.empty() ? body : filename);
    // With a file name beside it, another body is what was written about the file.
    if (!filename.empty() && body != filename) put_text(content_);
    const auto duration = content_["info"].integer("duration");
    if (duration && *duration >= 0) message_.duration_ms = static_cast<std::uint64_t>(*duration);
}

void MatrixContent::add_media(const JsonValue& content, std::string_view name) {
    vault::Attachment file = named_file(name, limits_);
    const JsonValue info = content["info"];
    if (const std::string_view type = info.text("mimetype"); !type.empty())
        file.media_type = lower_ascii(clip(type, limits_));
    const auto size = info.integer("size");
    if (size && *size >= 0) file.declared_size = static_cast<std::uint64_t>(*size);
    const bool encrypted = content["file"].is_object();
    const std::string_view url = encrypted ? content["file"].text("url") : content.text("url");
    if (encrypted) add_note(message_, "encrypted-file");
    if (is_mxc(url)) {
        if (media_) media_->push_back({message_.attachments.size(), std::string(url), encrypted});
    } else {
        add_note(message_, "no-media-address");
    }
    message_.attachments.push_back(std::move(file));
}

// Ciphertext stays in raw; whoever gets the keys later reads it from there.
void MatrixContent::read_encrypted() {
    message_.kind = MessageKind::chat;
    const std::string_view algorithm = content_.text("algorithm");
    message_.notes.push_back(starts_with(algorithm, "m.megolm.") ? "encrypted:megolm"
                             : starts_with(algorithm, "m.olm.")  ? "encrypted:olm"
                                                                 : "encrypted:other");
    read_relation();
}

void MatrixContent::read_relation() {
    const JsonValue relation = content_["m.relates_to"];
    const std::string_view type = relation.text("rel_type"), target = relation.text("event_id");
    if (type == "m.replace") {
        message_.kind = MessageKind::edit;
        message_.target = clip(target, limits_);
        const JsonValue newer = content_["m.new_content"];
        if (newer.is_object()) {
            message_.body_html.clear();
            put_text(newer);
        }
    } else if (type == "m.thread") {
        message_.thread = clip(target, limits_);
    } else if (type == "m.annotation") {
        message_.kind = MessageKind::reaction;
        message_.target = clip(target, limits_);
    }
    // In a thread a client without threads is told to reply to its last message: that is no reply.
    if (!relation.truth("is_falling_back"))
        message_.reply_to = clip(relation["m.in_reply_to"].text("event_id"), limits_);
}

void MatrixContent::read_redaction() {
    message_.kind = MessageKind::deletion;
    // Room version 11 moved it into the content.
    const std::string_view top = event_.text("redacts");
    message_.target = clip(top.empty() ? content_.text("redacts") : top, limits_);
    if (message_.target.empty()) message_.notes.push_back("no-target");
    message_.subject = clip(content_.text("reason"), limits_);
}

// The member is the sender of a join or leave; who else did it (a kick, an invitation) is a recipient.
void MatrixContent::read_member() {
    const std::string_view membership = content_.text("membership"), member = event_.text("state_key");
    const JsonValue before =
        event_["unsigned"]["prev_content"].there() ? event_["unsigned"]["prev_content"] : event_["prev_content"];
    const std::string_view was = before.text("membership");
    if (context_.names && content_["displayname"].is_text())
        context_.names->person(message_.conversation.id, member, clip(content_.text("displayname"), limits_));
    const vault::Person actor = message_.sender;
    message_.sender = person(member.empty() ? event_.text("sender") : member);
    if (content_["displayname"].is_text()) message_.sender.name = clip(content_.text("displayname"), limits_);
    if (!member.empty() && member != event_.text("sender")) {
        message_.recipients.push_back({vault::Role::member, actor});
        message_.notes.push_back("by-another");
    }
    message_.notes.push_back("membership:" + word_of(membership));
    if (membership == "join") {
        if (was == "join") return message_.notes.push_back("profile-change");
        message_.kind = MessageKind::join;
    } else if (membership == "ban" || (membership == "leave" && (was.empty() || was == "join"))) {
        message_.kind = MessageKind::leave;
    }
    put_body(content_.text("reason"), limits_, message_);
}

void MatrixContent::read_call(std::string_view type) {
    message_.kind = MessageKind::call;
    message_.notes.push_back("call:" + word_of(type));
    const JsonValue id = content_["call_id"];
    message_.target = clip(id.text(), limits_);
}

void MatrixContent::read_state(std::string_view type) {
    message_.notes.push_back("event-type:" + word_of(type));
    if (const std::string_view what = matrix_event_note(type); !what.empty()) message_.notes.emplace_back(what);
    if (type == "m.room.name") {
        const std::string title = clip(content_.text("name"), limits_);
        message_.conversation.title = title;
        if (context_.names) context_.names->room(message_.conversation.id, title);
        put_body(title, limits_, message_);
    } else if (type == "m.room.topic") {
        put_body(content_.text("topic"), limits_, message_);
    } else if (type == "m.room.tombstone" || type == "m.room.server_notice") {
        put_body(content_.text("body"), limits_, message_);
    } else if (type == "m.room.pinned_events") {
        const auto pinned = content_["pinned"].items();
        if (!pinned.empty()) message_.target = clip(pinned.back().text(), limits_);
    } else if (type == "m.room.third_party_invite") {
        put_body(content_.text("display_name"), limits_, message_);
    }
}

}  // namespace kustos::ingest
