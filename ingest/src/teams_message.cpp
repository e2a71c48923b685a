#include "ingest/src/teams_message.h"

#include <algorithm>

#include "base/crypto.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/markup.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "teams";

std::string pascal(std::string_view key) {
    std::string out(key);
    if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
    return out;
}

std::string_view graph_slice(std::string_view object, std::string_view key) {
    const std::string_view out = json_member(object, key);
    return out.empty() ? json_member(object, pascal(key)) : out;
}

std::string_view text_of(const JsonValue& object, std::string_view key) {
    return graph_value(object, key).text();
}

std::optional<UtcTime> time_of(std::string_view text) {
    const auto parsed = parse_rfc3339(text);
    return parsed.ok() && parsed->ms > 0 ? std::optional<UtcTime>(*parsed) : std::nullopt;
}

// "#microsoft.graph.membersAddedEventMessageDetail" -> "membersAdded"
std::string_view event_name(std::string_view type) {
    constexpr std::string_view kTail = "EventMessageDetail";
    const std::size_t dot = type.rfind('.');
    if (dot != std::string_view::npos) type.remove_prefix(dot + 1);
    if (type.size() > kTail.size() && type.substr(type.size() - kTail.size()) == kTail)
        type.remove_suffix(kTail.size());
    return type;
}

std::string short_hash(std::string_view text) {
    constexpr std::size_t kDigits = 16;
    return sha256(as_bytes(text)).hex().substr(0, kDigits);
}

}  // namespace

JsonValue graph_value(const JsonValue& object, std::string_view key) {
    const JsonValue value = object[key];
    return value.there() ? value : object[pascal(key)];
}

std::string TeamsMessage::scoped(std::string_view id) const {
    if (id.empty()) return {};
    return clip(where_.id.empty() ? std::string(id) : where_.id + "/" + std::string(id), limits_);
}

std::optional<UtcTime> TeamsMessage::time(std::string_view key) const {
    return time_of(text_of(root_, key));
}

vault::Person TeamsMessage::person(const JsonValue& set) const {
    vault::Person out;
    for (const std::string_view kind : {"user", "application", "device"}) {
        const JsonValue one = graph_value(set, kind);
        if (!one.is_object()) continue;
        out.id = clip(text_of(one, "id"), limits_);
        out.name = clip(text_of(one, "displayName"), limits_);
        const std::string_view type = text_of(one, "userIdentityType");
        out.guest = type == "anonymousGuest" || type == "federatedUser" || type == "personalMicrosoftAccountUser" ||
                    type == "emailUser" || type == "skypeUser";
        if (out.guest) out.home = clip(text_of(one, "tenantId"), limits_);
        if (type == "emailUser") out.address = out.id;
        break;
    }
    return out;
}

ParsedItem TeamsMessage::start(MessageKind kind, std::string_view id_end, bool whole_raw) const {
    ParsedItem item;
    Message& m = item.message;
    m.kind = kind;
    m.format = kName;
    m.conversation = where_;
    m.native_id = scoped(id_);
    if (!id_end.empty() && !m.native_id.empty()) m.native_id = clip(m.native_id + std::string(id_end), limits_);
    if (m.native_id.empty()) item.update_type = where_.id + std::string(id_end);
    m.sent_at = time("createdDateTime");
    m.thread = scoped(text_of(root_, "replyToId"));
    if (whole_raw) m.raw = to_bytes(json_);
    return item;
}

Status TeamsMessage::read() {
    const JsonValue channel = graph_value(root_, "channelIdentity");
    where_.id = clip(text_of(root_, "chatId"), limits_);
    where_.type = vault::ConversationType::group;
    if (where_.id.empty() && channel.is_object()) {
        where_.id = clip(text_of(channel, "channelId"), limits_);
        where_.type = vault::ConversationType::channel;
    } else if (where_.id.find("@unq.gbl.spaces") != std::string::npos) {
        where_.type = vault::ConversationType::direct;
    } else if (where_.id.empty()) {
        where_.type = vault::ConversationType::unknown;
    }
    id_ = std::string(text_of(root_, "id"));
    if (id_.empty()) sink_.finding("teams:no-id");
    const JsonValue detail = graph_value(root_, "eventDetail");
    if (detail.is_object() || text_of(root_, "messageType") == "systemEventMessage") {
        TRY(read_system_event());
    } else {
        TRY(read_message());
    }
    TRY(read_reactions());
    return read_history();
}

void TeamsMessage::take_body(Message& m) const {
    const JsonValue body = graph_value(root_, "body");
    const std::string_view content = text_of(body, "content");
    if (iequals(text_of(body, "contentType"), "html")) {
        put_body(html_to_text(content), limits_, m);
        if (m.body.size() + content.size() <= limits_.body) {
            m.body_html = std::string(content);
        } else {
            add_note(m, "limit:body-html");
        }
        if (content.find("/hostedContents/") != std::string_view::npos) {
            add_note(m, "hosted-content-missing");
            sink_.finding("teams:hosted-content-missing");
        }
    } else {
        put_body(content, limits_, m);
    }
}

void TeamsMessage::take_attachments(Message& m) const {
    for (const JsonValue& one : graph_value(root_, "attachments").items()) {
        const std::string_view type = text_of(one, "contentType"), content = text_of(one, "content");
        if (type == "messageReference") {
            // A quoted message: its id stands in the content's own JSON, and as the attachment's id.
            m.reply_to = scoped(text_of(one, "id"));
            continue;
        }
        if (m.attachments.size() >= limits_.attachments) return add_note(m, "limit:attachments");
        vault::Attachment file = named_file(text_of(one, "name"), limits_);
        if (!content.empty()) {
            // Cards and code snippets have their content here.
            file.media_type = type.substr(0, 16) == "application/vnd." ? "application/json" : "text/plain";
            file.content = to_bytes(content);
            file.missing = false;
            add_note(m, "card");
        } else {
            add_note(m, "attachment-link");
            sink_.finding("teams:attachment-missing");
        }
        file.size = file.content.size();
        m.attachments.push_back(std::move(file));
    }
}

// Graph gives one state of a message: the newest one. What it was before is not there.
Status TeamsMessage::read_message() {
    ParsedItem item = start(MessageKind::chat);
    Message& m = item.message;
    m.sender = person(graph_value(root_, "from"));
    m.subject = clip(text_of(root_, "subject"), limits_);
    m.reply_to = m.thread;
    const std::string_view importance = text_of(root_, "importance"), type = text_of(root_, "messageType");
    if (!importance.empty() && importance != "normal") m.notes.push_back("importance:" + word_of(importance));
    if (!type.empty() && type != "message") m.notes.push_back("message-type:" + word_of(type));
    if (graph_value(root_, "policyViolation").is_object()) m.notes.push_back("policy-violation");
    if (!m.sent_at) {
        m.notes.push_back("bad-time");
        sink_.finding("teams:bad-time");
    }
    take_body(m);
    take_attachments(m);
    const auto edited = time("lastEditedDateTime"), deleted = time("deletedDateTime");
    item.source_bytes = json_.size();
    if (deleted) {
        ParsedItem gone = item;
        gone.message.kind = MessageKind::deletion;
        gone.message.target = m.native_id;
        gone.message.sent_at = deleted;
        gone.message.attachments.clear();
        gone.update_type = "deleted@" + format_rfc3339(*deleted) + "/" + short_hash(m.body);
        const bool text_is_gone = m.body.empty() && m.attachments.empty();
        if (text_is_gone) gone.message.notes.push_back("text-not-retained");
        TRY(sink_.item(std::move(gone)));
        if (text_is_gone) return ok_status();
    }
    if (edited) {
        m.kind = MessageKind::edit;
        m.target = m.native_id;
        m.sent_at = edited;
        item.update_type = "edited@" + format_rfc3339(*edited);
    }
    item.update_type += "/" + short_hash(m.body);
    return sink_.item(std::move(item));
}

Status TeamsMessage::read_reactions() {
    const auto all = graph_value(root_, "reactions").items();
    const auto slices = json_elements(graph_slice(json_, "reactions"));
    for (std::size_t i = 0; i < all.size() && i < slices.size(); ++i) {
        const vault::Person who = person(graph_value(all[i], "user"));
        const std::string_view type = text_of(all[i], "reactionType"), at = text_of(all[i], "createdDateTime");
        ParsedItem item = start(MessageKind::reaction,
                                "/reaction/" + who.id + "/" + std::string(type) + "/" + std::string(at), false);
        Message& m = item.message;
        m.target = scoped(id_);
        m.sender = who;
        m.sent_at = time_of(at);
        if (!m.sent_at) m.notes.push_back("bad-time");
        put_body(type, limits_, m);
        m.raw = to_bytes(slices[i]);
        TRY(sink_.item(std::move(item)));
    }
    return ok_status();
}

// Graph's history tells of reactions, not of texts. One that was taken back is told nowhere else.
Status TeamsMessage::read_history() {
    const auto all = graph_value(root_, "messageHistory").items();
    const auto slices = json_elements(graph_slice(json_, "messageHistory"));
    for (std::size_t i = 0; i < all.size() && i < slices.size(); ++i) {
        const std::string_view actions = text_of(all[i], "actions"), at = text_of(all[i], "modifiedDateTime");
        const bool removed = actions.find("reactionRemoved") != std::string_view::npos;
        const JsonValue reaction = graph_value(all[i], "reaction");
        ParsedItem item = start(removed ? MessageKind::deletion : MessageKind::status,
                                "/history/" + std::string(at) + "/" + short_hash(slices[i]), false);
        Message& m = item.message;
        m.target = scoped(id_);
        m.sender = person(graph_value(reaction, "user"));
        m.sent_at = time_of(at);
        m.notes.push_back("history:" + word_of(actions));
        put_body(text_of(reaction, "reactionType"), limits_, m);
        m.raw = to_bytes(slices[i]);
        TRY(sink_.item(std::move(item)));
    }
    return ok_status();
}

Status TeamsMessage::read_system_event() {
    const JsonValue detail = graph_value(root_, "eventDetail");
    std::string_view type = detail.text("@odata.type");
    if (type.empty()) type = text_of(detail, "odataType");
    const std::string_view event = event_name(type);
    if (event.substr(0, 7) == "members" && !graph_value(detail, "members").items().empty())
        return read_members(event, detail);
    if (event.substr(0, 4) == "call") return read_call(event, detail);
    ParsedItem item = start(MessageKind::status);
    Message& m = item.message;
    m.sender = person(graph_value(detail, "initiator"));
    m.notes.push_back("event:" + word_of(event));
    // Renames: "chatDisplayName", "channelDisplayName", "teamDisplayName" say what it is called now.
    for (const std::string_view key : {"chatDisplayName", "channelDisplayName", "teamDisplayName"})
        if (const std::string_view title = text_of(detail, key); !title.empty()) put_body(title, limits_, m);
    item.update_type += "/" + short_hash(canonical_json(detail));
    item.source_bytes = json_.size();
    return sink_.item(std::move(item));
}

// One event of Graph, one of ours for each member. The member is the sender; who did it, if another, is a recipient.
Status TeamsMessage::read_members(std::string_view event, const JsonValue& detail) {
    const bool joins = event == "membersAdded" || event == "membersJoined";
    const vault::Person initiator = person(graph_value(detail, "initiator"));
    const auto members = graph_value(detail, "members").items();
    // Each has the whole event as its raw. Of very many each has its own bytes, and the event is one more.
    constexpr std::size_t kMostRaw = 16u << 20;
    const auto slices = json_elements(graph_slice(graph_slice(json_, "eventDetail"), "members"));
    const bool apart = members.size() * json_.size() > kMostRaw;
    if (apart) {
        ParsedItem whole = start(MessageKind::status);
        whole.message.notes.push_back("event:" + word_of(event));
        TRY(sink_.item(std::move(whole)));
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
        const JsonValue& member = members[i];
        const std::string_view id = text_of(member, "id");
        ParsedItem item = start(joins ? MessageKind::join : MessageKind::leave, "/" + std::string(id), !apart);
        Message& m = item.message;
        m.sender.id = clip(id, limits_);
        m.sender.name = clip(text_of(member, "displayName"), limits_);
        const std::string_view type = text_of(member, "userIdentityType");
        m.sender.guest = !type.empty() && type != "aadUser" && type != "onPremiseAadUser";
        m.notes.push_back("event:" + word_of(event));
        if (apart && i < slices.size()) m.raw = to_bytes(slices[i]);
        if (!initiator.empty() && initiator.id != m.sender.id) {
            m.recipients.push_back({vault::Role::member, initiator});
            m.notes.push_back("by-another");
        }
        TRY(sink_.item(std::move(item)));
    }
    return ok_status();
}

Status TeamsMessage::read_call(std::string_view event, const JsonValue& detail) {
    ParsedItem item = start(MessageKind::call);
    Message& m = item.message;
    m.sender = person(graph_value(detail, "initiator"));
    m.notes.push_back("event:" + word_of(event));
    m.target = clip(text_of(detail, "callId"), limits_);
    m.duration_ms = iso_duration_ms(text_of(detail, "callDuration"));
    for (const JsonValue& one : graph_value(detail, "callParticipants").items()) {
        if (m.recipients.size() >= limits_.recipients) break;
        m.recipients.push_back({vault::Role::member, person(graph_value(one, "participant"))});
    }
    if (const std::string_view file = text_of(detail, "callRecordingDisplayName"); !file.empty())
        m.attachments.push_back(named_file(file, limits_));
    item.update_type += "/" + short_hash(canonical_json(detail));
    item.source_bytes = json_.size();
    return sink_.item(std::move(item));
}

}  // namespace kustos::ingest
