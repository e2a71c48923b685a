#include "ingest/src/xmpp_message.h"

#include <algorithm>

#include "base/crypto.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/unreadable.h"
#include "ingest/src/xmpp_content.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;

constexpr std::string_view kForward = "urn:xmpp:forward:0", kDelay = "urn:xmpp:delay";
constexpr std::string_view kMucUser = "http://jabber.org/protocol/muc#user", kStanzaId = "urn:xmpp:sid:0";

std::string sender_key(std::string_view room, std::string_view sender, std::string_view id) {
    std::string out(room);
    for (const std::string_view part : {sender, id}) (out += '\n') += part;
    return out;
}

// What was said, however it is written: archives write a stanza anew each time. Left out is what an archive adds, or
// shows to some only.
void write_canonical(const XmlElement& element, std::string& out) {
    out += '<' + element.space + ' ' + element.name;
    auto attributes = element.attributes;
    std::sort(attributes.begin(), attributes.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const MarkupAttribute& attribute : attributes) out += '\n' + attribute.name + '\n' + attribute.value;
    out += '>' + element.text;
    for (const XmlElement& child : element.children) write_canonical(child, out);
    out += "</>";
}

std::string fingerprint(const XmlElement& stanza) {
    std::string all = stanza.name;
    for (const std::string_view key : {"from", "type", "id"}) (all += '\n') += stanza.attribute(key);
    for (const XmlElement& child : stanza.children)
        if (child.space != kMucUser && child.space != kDelay &&
            !(child.name == "stanza-id" && child.space == kStanzaId))
            write_canonical(child, all);
    constexpr std::size_t kDigits = 16;
    return sha256(as_bytes(all)).hex().substr(0, kDigits);
}

// The stanza that was archived, and what the archive says about it.
struct Archived {
    const XmlElement* stanza = nullptr;
    std::string_view id, stamp;
};

// A message without a namespace of its own has that of what it stands in: not right, but seen.
bool is_stanza(const XmlElement& element) {
    return (element.name == "message" || element.name == "presence") &&
           (element.space == "jabber:client" || element.space == "jabber:server" || element.space == kForward ||
            element.space.empty());
}

std::string_view stamp_of(const XmlElement& element) {
    const XmlElement* delay = element.child("delay", kDelay);
    return delay ? delay->attribute("stamp") : std::string_view();
}

Archived archived_in(const XmlElement& root, std::string_view archive) {
    Archived out;
    if (const XmlElement* result = xmpp_result(root)) {
        out.id = result->attribute("id");
        const XmlElement* forwarded = result->child("forwarded", kForward);
        if (!forwarded) return out;
        out.stamp = stamp_of(*forwarded);
        for (const XmlElement& child : forwarded->children)
            if (is_stanza(child)) out.stanza = &child;
        return out;
    }
    if (!is_stanza(root)) return out;
    out.stanza = &root;
    out.stamp = stamp_of(root);
    // XEP-0359: an id is believed of whom it says to be from only where that is the archive.
    for (const XmlElement& child : root.children)
        if (child.name == "stanza-id" && child.space == kStanzaId && child.attribute("by") == archive)
            out.id = child.attribute("id");
    return out;
}

class Reader {
public:
    Reader(const Archived& archived, const XmppContext& context, const Limits& limits, Message& message)
        : archived_(archived), stanza_(*archived.stanza), context_(context), limits_(limits), message_(message) {}

    void read() {
        room_ = stanza_.attribute("type") == "groupchat" || stanza_.name == "presence";
        if (room_) {
            read_room();
        } else {
            read_direct();
        }
        const std::string_view id = stanza_.attribute("id");
        // In a room others refer to a message by the room's id of it, between two people by the sender's.
        message_.native_id = clip(room_ || id.empty() ? archived_.id : id, limits_);
        if (message_.native_id.empty()) message_.native_id = clip(id, limits_);
        message_.feed_position = clip(archived_.id, limits_);
    }

private:
    vault::Person person(std::string_view jid) const {
        vault::Person out;
        out.id = clip(bare_jid(jid), limits_);
        out.address = out.id;
        const std::string_view domain = jid_domain(jid), own = context_.own_domain;
        const bool below = domain.size() > own.size() && domain.substr(domain.size() - own.size()) == own &&
                           domain[domain.size() - own.size() - 1] == '.';
        if (domain != own && (own.empty() || !below)) out.home = clip(domain, limits_);
        return out;
    }

    void read_direct() {
        const std::string_view archive = bare_jid(context_.archive);
        std::string_view from = bare_jid(stanza_.attribute("from")), to = bare_jid(stanza_.attribute("to"));
        if (from.empty()) from = archive;
        if (to.empty()) to = archive;
        message_.sender = person(from);
        // A private message in a room: the resource is who it is.
        if (stanza_.child("x", kMucUser) != nullptr)
            message_.sender.name = clip(jid_resource(stanza_.attribute("from")), limits_);
        message_.recipients.push_back({vault::Role::to, person(to)});
        message_.conversation.id =
            clip(std::string(std::min(from, to)) + " " + std::string(std::max(from, to)), limits_);
        message_.conversation.type = vault::ConversationType::direct;
    }

    // The nickname is what people saw; the real address is there where the room shows it.
    void read_room() {
        const std::string_view from = stanza_.attribute("from");
        const std::string_view room = from.empty() ? bare_jid(context_.archive) : bare_jid(from);
        message_.conversation.id = clip(room, limits_);
        message_.conversation.type = vault::ConversationType::group;
        const XmlElement* user = stanza_.child("x", kMucUser);
        const XmlElement* item = user ? user->child("item", kMucUser) : nullptr;
        const std::string_view real = item ? item->attribute("jid") : std::string_view();
        const XmlElement* occupant = stanza_.child("occupant-id", "urn:xmpp:occupant-id:0");
        const std::string_view nick = jid_resource(from);
        if (!real.empty()) {
            message_.sender = person(real);
        } else {
            message_.sender.id = clip(occupant ? occupant->attribute("id") : from, limits_);
            message_.sender.address = clip(from, limits_);
            if (!nick.empty()) add_note(message_, "nickname-only");
        }
        message_.sender.name = clip(nick, limits_);
    }

    const Archived& archived_;
    const XmlElement& stanza_;
    const XmppContext& context_;
    const Limits& limits_;
    Message& message_;
    bool room_ = false;
};

}  // namespace

void XmppIds::learn(std::string_view room, std::string_view sender, std::string_view id, std::string_view archive_id) {
    if (room.empty() || id.empty() || archive_id.empty()) return;
    if (ids_.size() >= kMost) ids_.clear();
    ids_.emplace(sender_key(room, sender, id), archive_id);  // the first that bore it
}

std::string XmppIds::archive_id(std::string_view room, std::string_view sender, std::string_view id) const {
    const auto at = ids_.find(sender_key(room, sender, id));
    return at == ids_.end() ? std::string() : at->second;
}

std::string_view bare_jid(std::string_view jid) {
    return jid.substr(0, jid.find('/'));
}

std::string_view jid_resource(std::string_view jid) {
    const std::size_t slash = jid.find('/');
    return slash == std::string_view::npos ? std::string_view() : jid.substr(slash + 1);
}

std::string_view jid_domain(std::string_view jid) {
    jid = bare_jid(jid);
    const std::size_t at = jid.find('@');
    return at == std::string_view::npos ? jid : jid.substr(at + 1);
}

const XmlElement* xmpp_result(const XmlElement& element) {
    constexpr std::string_view kMam = "urn:xmpp:mam:";  // of any version
    const auto is = [&](const XmlElement& e) { return e.name == "result" && e.space.substr(0, kMam.size()) == kMam; };
    if (is(element)) return &element;
    if (element.name == "message")
        for (const XmlElement& child : element.children)
            if (is(child)) return &child;
    return nullptr;
}

ParsedItem parse_xmpp_message(ByteView xml, const XmppContext& context, const Limits& limits, Findings* findings,
                              std::vector<XmppFile>* files) {
    const auto count = [findings](const char* code) {
        if (findings) ++(*findings)[code];
    };
    if (xml.size() > limits.line) return unreadable(to_bytes(xml), context.format, "too-large");
    const XmlTree tree = read_xml(as_text(xml), context.scope);
    if (!tree.root) return unreadable(to_bytes(xml), context.format, tree.reason);
    const Archived archived = archived_in(*tree.root, bare_jid(context.archive));
    if (!archived.stanza) return unreadable(to_bytes(xml), context.format, "no-stanza");

    ParsedItem item;
    Message& m = item.message;
    m.format = std::string(context.format);
    m.raw = to_bytes(xml);
    item.source_bytes = xml.size();
    Reader(archived, context, limits, m).read();
    const auto sent = parse_rfc3339(archived.stamp);
    if (sent.ok()) m.sent_at = *sent;
    if (!sent.ok() || sent->ms <= 0) {
        m.sent_at.reset();
        m.notes.push_back("bad-time");
        count("xmpp:bad-time");
    }
    if (archived.id.empty()) {
        m.notes.push_back("no-archive-id");
        count("xmpp:no-archive-id");
    }
    XmppContent(*archived.stanza, as_text(xml), context, limits, m, files).read();
    // A sender chooses the message's id, so it alone is no identity: a second message could hide behind it.
    if (!m.native_id.empty())
        item.update_type = clip(std::string(bare_jid(context.archive)) + "/" + std::string(archived.id), limits) + "/" +
                           fingerprint(*archived.stanza);
    return item;
}

}  // namespace kustos::ingest
