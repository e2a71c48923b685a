#include "ingest/src/xmpp_content.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/media_type.h"

namespace kustos::ingest {

namespace {

using vault::MessageKind;

constexpr std::string_view kRetract1 = "urn:xmpp:message-retract:1", kRetract0 = "urn:xmpp:message-retract:0";
constexpr std::string_view kModerate1 = "urn:xmpp:message-moderate:1", kModerate0 = "urn:xmpp:message-moderate:0";
constexpr std::string_view kFasten = "urn:xmpp:fasten:0", kCorrect = "urn:xmpp:message-correct:0";
constexpr std::string_view kReactions = "urn:xmpp:reactions:0", kReply = "urn:xmpp:reply:0";
constexpr std::string_view kOob = "jabber:x:oob", kSharing = "urn:xmpp:sfs:0",
                           kUrlData = "http://jabber.org/protocol/url-data";
constexpr std::string_view kMarkers = "urn:xmpp:chat-markers:0", kReceipts = "urn:xmpp:receipts";
constexpr std::string_view kChatStates = "http://jabber.org/protocol/chatstates",
                           kGeoloc = "http://jabber.org/protocol/geoloc";
constexpr std::string_view kMucUser = "http://jabber.org/protocol/muc#user", kConference = "jabber:x:conference";
constexpr std::string_view kXhtmlIm = "http://jabber.org/protocol/xhtml-im", kXhtml = "http://www.w3.org/1999/xhtml";

struct Cipher {
    std::string_view space, name, note;
};
constexpr Cipher kCiphers[] = {{"eu.siacs.conversations.axolotl", "encrypted", "encrypted:omemo"},
                               {"urn:xmpp:omemo:1", "encrypted", "encrypted:omemo"},
                               {"urn:xmpp:omemo:2", "encrypted", "encrypted:omemo"},
                               {"urn:xmpp:openpgp:0", "openpgp", "encrypted:openpgp"},
                               {"jabber:x:encrypted", "x", "encrypted:openpgp"}};

// A link to fetch a file from: https only, a host, and nothing that a person did not see (user names, controls).
bool is_link(std::string_view url) {
    constexpr std::size_t kLongest = 2'048;
    if (url.size() > kLongest || lower_ascii(url.substr(0, 8)) != "https://") return false;
    const std::string_view host = url.substr(8, url.find_first_of("/?#", 8) - 8);
    return !host.empty() && host.find('@') == std::string_view::npos &&
           std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '<'; });
}

std::string_view path_of(std::string_view url) {
    return url.substr(0, url.find_first_of("?#"));
}

std::string_view text_of(const XmlElement* element) {
    return element ? std::string_view(element->text) : std::string_view();
}

// The client's own element, whatever stream it came over (RFC 6120 4.8.3).
const XmlElement* own_child(const XmlElement& stanza, std::string_view name) {
    const XmlElement* first = nullptr;
    for (const XmlElement& child : stanza.children) {
        if (child.name != name || child.space != stanza.space) continue;
        if (child.attribute("xml:lang").empty()) return &child;  // RFC 6121 5.2.3: several, in several languages
        if (!first) first = &child;
    }
    return first;
}

}  // namespace

void XmppContent::read() {
    message_.kind = MessageKind::chat;
    if (stanza_.name == "presence") return read_presence();
    if (context_.ids && in_room())
        context_.ids->learn(message_.conversation.id, stanza_.attribute("from"), stanza_.attribute("id"),
                            message_.feed_position);
    read_text();
    read_encryption();
    read_files();
    read_relations();
    if (!read_deletion() && !read_correction() && !read_reactions()) read_rest();
    if (stanza_.attribute("type") == "error") {
        message_.kind = MessageKind::status;
        add_note(message_, "error");
    }
}

// XEP-0045: who came and who went; a server archives it only where it is told to.
void XmppContent::read_presence() {
    const std::string_view type = stanza_.attribute("type");
    message_.kind = type.empty() ? MessageKind::join : type == "unavailable" ? MessageKind::leave : MessageKind::status;
    const XmlElement* user = stanza_.child("x", kMucUser);
    if (user) {
        for (const XmlElement& child : user->children)
            if (child.name == "status") add_note(message_, "muc-status:" + word_of(child.attribute("code")));
    }
    put_body(text_of(own_child(stanza_, "status")), limits_, message_);
}

void XmppContent::read_text() {
    put_body(text_of(own_child(stanza_, "body")), limits_, message_);
    message_.subject = clip(text_of(own_child(stanza_, "subject")), limits_);
    message_.thread = clip(text_of(own_child(stanza_, "thread")), limits_);
    const XmlElement* html = stanza_.child("html", kXhtmlIm);
    const XmlElement* body = html ? html->child("body", kXhtml) : nullptr;
    if (!body) return;
    const std::string_view inside = bytes_.substr(body->inner_begin, body->inner_past - body->inner_begin);
    if (message_.body.size() + inside.size() > limits_.body) return add_note(message_, "limit:body-html");
    bool cut = false;
    message_.body_html = cut_utf8(repair_utf8(inside), limits_.body, cut);
}

// The ciphertext stays in raw; a text beside it is what the client put there for those who can't read it.
void XmppContent::read_encryption() {
    for (const Cipher& cipher : kCiphers) {
        if (!stanza_.child(cipher.name, cipher.space)) continue;
        encrypted_ = true;
        add_note(message_, cipher.note);
    }
    if (encrypted_ || !stanza_.child("encryption", "urn:xmpp:eme:0")) return;
    encrypted_ = true;
    add_note(message_, "encrypted:other");
}

void XmppContent::read_relations() {
    if (const XmlElement* reply = stanza_.child("reply", kReply))
        message_.reply_to = clip(reply->attribute("id"), limits_);
}

// XEP-0424 (by the sender), XEP-0425 (by a moderator), both as they are now and as they were; and what a server leaves
// of a message that was retracted.
bool XmppContent::read_deletion() {
    const XmlElement* retracted = stanza_.child("retracted", kRetract1);
    if (!retracted) retracted = stanza_.child("retracted", kRetract0);
    const XmlElement* moderated = nullptr;
    if (retracted) {
        message_.target = message_.native_id;
        add_note(message_, "tombstone");
        moderated = retracted->child("moderated", kModerate1);
    } else if (const XmlElement* retract = stanza_.child("retract", kRetract1)) {
        message_.target = clip(retract->attribute("id"), limits_);
        moderated = retract->child("moderated", kModerate1);
        if (moderated && message_.subject.empty())
            message_.subject = clip(text_of(retract->child("reason", kRetract1)), limits_);
    } else if (const XmlElement* fasten = stanza_.child("apply-to", kFasten)) {
        moderated = fasten->child("moderated", kModerate0);
        if (!moderated && !fasten->child("retract", kRetract0)) return false;
        message_.target = clip(fasten->attribute("id"), limits_);
        if (moderated) message_.subject = clip(text_of(moderated->child("reason", kModerate0)), limits_);
    } else {
        return false;
    }
    message_.kind = MessageKind::deletion;
    message_.body.clear();  // for clients that know no retractions; it is not what was deleted
    if (moderated) {
        add_note(message_, "moderated");
        const std::string by = clip(moderated->attribute("by"), limits_);
        if (!by.empty()) {
            message_.sender = {};
            message_.sender.id = message_.sender.address = by;
            message_.sender.name = std::string(jid_resource(by));
        }
    }
    if (message_.target.empty()) add_note(message_, "no-target");
    return true;
}

bool XmppContent::read_correction() {
    const XmlElement* replace = stanza_.child("replace", kCorrect);
    if (!replace) return false;
    message_.kind = MessageKind::edit;
    message_.target = clip(replace->attribute("id"), limits_);
    if (!in_room()) return true;
    const std::string known =
        context_.ids ? context_.ids->archive_id(message_.conversation.id, stanza_.attribute("from"), message_.target)
                     : std::string();
    if (known.empty()) {
        add_note(message_, "target:sender-id");
    } else {
        message_.target = known;
    }
    return true;
}

bool XmppContent::read_reactions() {
    const XmlElement* reactions = stanza_.child("reactions", kReactions);
    if (!reactions) return false;
    message_.kind = MessageKind::reaction;
    message_.target = clip(reactions->attribute("id"), limits_);
    std::string all;
    for (const XmlElement& one : reactions->children)
        if (one.name == "reaction") all += (all.empty() ? "" : " ") + one.text;
    if (all.empty()) add_note(message_, "reactions-withdrawn");
    message_.body.clear();
    put_body(all, limits_, message_);
    return true;
}

void XmppContent::add_file(vault::Attachment file, std::string_view url) {
    if (message_.attachments.size() >= limits_.attachments) return add_note(message_, "limit:attachments");
    const bool encrypted = url.substr(0, 9) == "aesgcm://";
    const std::string link = encrypted ? "https://" + std::string(url.substr(9, url.find('#') - 9)) : std::string(url);
    if (encrypted) add_note(message_, "encrypted-file");
    if (file.name.empty()) file.name = named_file(path_of(link), limits_).name;
    if (file.media_type.empty()) file.media_type = media_type_of_name(file.name);
    file.missing = true;
    if (!is_link(link)) {
        add_note(message_, "no-media-address");
    } else if (files_) {
        files_->push_back({message_.attachments.size(), link, encrypted});
    }
    message_.attachments.push_back(std::move(file));
}

// XEP-0447 with XEP-0446: what the file is, and where it may be had.
void XmppContent::read_sharing(const XmlElement& sharing) {
    vault::Attachment file;
    if (const XmlElement* about = sharing.child_of("urn:xmpp:file:metadata:0")) {
        const auto field = [&](std::string_view name) { return text_of(about->child(name, about->space)); };
        file.name = named_file(field("name"), limits_).name;
        file.media_type = lower_ascii(clip(trim(field("media-type")), limits_));
        const std::string_view size = trim(field("size"));
        std::uint64_t bytes = 0;
        const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), bytes);
        if (!size.empty() && error == std::errc() && end == size.data() + size.size()) file.declared_size = bytes;
    }
    std::string_view url;
    if (const XmlElement* sources = sharing.child("sources", kSharing)) {
        const XmlElement* data = sources->child("url-data", kUrlData);
        if (data) url = data->attribute("target");
        if (sources->child("encrypted", "urn:xmpp:esfs:0")) add_note(message_, "encrypted-file");
    }
    add_file(std::move(file), url);
}

// XEP-0363 gives the link, XEP-0066 marks it; with XEP-0447 beside it, that says more about the same file.
void XmppContent::read_files() {
    bool shared = false, link_alone = false;
    for (const XmlElement& child : stanza_.children) {
        if (child.name != "file-sharing" || child.space != kSharing) continue;
        read_sharing(child);
        shared = true;
    }
    for (const XmlElement& child : stanza_.children) {
        if (child.name != "x" || child.space != kOob) continue;
        const std::string_view url = trim(text_of(child.child("url", kOob)));
        link_alone |= trim(message_.body) == url;
        if (!shared) add_file({}, url);
    }
    if (message_.body.substr(0, 9) == "aesgcm://" && message_.attachments.empty()) {
        add_file({}, trim(std::string_view(message_.body).substr(0, message_.body.find('\n'))));
        link_alone = true;
    }
    if (!message_.attachments.empty() && (link_alone || message_.body.empty())) message_.kind = MessageKind::file;
}

// What is neither said nor changed by somebody.
void XmppContent::read_rest() {
    const XmlElement* marker = stanza_.child_of(kMarkers);
    if (marker && marker->name == "markable") marker = nullptr;
    const XmlElement* receipt = stanza_.child("received", kReceipts);
    const XmlElement* call = stanza_.child_of("urn:xmpp:jingle-message:0");
    if (!call) call = stanza_.child_of("urn:xmpp:jingle-message:1");
    const bool invited = stanza_.child("x", kConference) != nullptr ||
                         (stanza_.child("x", kMucUser) && stanza_.child("x", kMucUser)->child("invite", kMucUser));
    if (call) {
        message_.kind = MessageKind::call;
        message_.target = clip(call->attribute("id"), limits_);
        add_note(message_, "call:" + word_of(call->name));
    } else if (invited) {
        message_.kind = MessageKind::status;
        add_note(message_, "invitation");
    } else if (!message_.body.empty() || !message_.body_html.empty() || !message_.attachments.empty()) {
        return;
    } else if (marker || receipt) {
        message_.kind = MessageKind::status;
        message_.target = clip((marker ? marker : receipt)->attribute("id"), limits_);
        add_note(message_, "event:read-receipt");
    } else if (!message_.subject.empty() || own_child(stanza_, "subject")) {
        message_.kind = MessageKind::status;  // XEP-0045 8.1: the room's subject
        message_.body = message_.subject;
        add_note(message_, "subject-change");
    } else if (stanza_.child("geoloc", kGeoloc)) {
        message_.kind = MessageKind::status;
        add_note(message_, "event:location");
    } else if (stanza_.child_of(kChatStates)) {
        message_.kind = MessageKind::status;
        add_note(message_, "event:typing");
    } else if (!encrypted_ && !own_child(stanza_, "body")) {
        message_.kind = MessageKind::status;
        add_note(message_, "no-text");
    }
}

}  // namespace kustos::ingest
