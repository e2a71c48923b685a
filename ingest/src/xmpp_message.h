// An archived stanza of XMPP as one message, wherever it comes from: a server's archive (XEP-0313, "MAM") or a file of
// server data (XEP-0227). docs/format/xmpp.md says what becomes what.
//
// Pure: no clock, no keys, bounded by Limits and XmlLimits. Threads: free functions are safe from any thread; an
// XmppIds belongs to one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/format.h"
#include "ingest/src/xml_tree.h"

namespace kustos::ingest {

// Which archive id a sender's own message id has in a room: corrections name the one, everything else the other. Holds
// at most kMost; when it is full, it begins anew.
class XmppIds {
public:
    static constexpr std::size_t kMost = 100'000;
    void learn(std::string_view room, std::string_view sender, std::string_view id, std::string_view archive_id);
    std::string archive_id(std::string_view room, std::string_view sender, std::string_view id) const;  // empty: none

private:
    std::map<std::string, std::string, std::less<>> ids_;
};

struct XmppContext {
    std::string_view format = "xmpp";  // Message::format
    std::string_view archive;          // bare JID whose archive it is: a user's or a room's
    std::string_view own_domain;       // persons of it, or of a domain below it, have no home; empty: everyone has one
    XmlScope scope = {{"", "jabber:client"}};  // namespaces around the stanza
    XmppIds* ids = nullptr;                    // asked and taught
};

// What the stanza only links. The caller may fetch it: attachments[attachment].content, missing = false.
struct XmppFile {
    std::size_t attachment = 0;
    std::string url;         // "https://host/path"; foreign text, checked to have that form
    bool encrypted = false;  // ciphertext, its key is in the message (aesgcm)
};

// xml: <message><result>...</result></message> as an archive sends it, <result> alone, or a <message> or <presence>
// with a <delay>. Always gives a message. What is none of these is kind unreadable, note "quarantine:<reason>". raw is
// the bytes given. Findings: "xmpp:no-archive-id", "xmpp:bad-time".
ParsedItem parse_xmpp_message(ByteView xml, const XmppContext& context, const Limits& limits = {},
                              Findings* findings = nullptr, std::vector<XmppFile>* files = nullptr);

// The <result> of an archive's <message>, or the element itself where it is one; nullptr: none.
const XmlElement* xmpp_result(const XmlElement& element);
std::string_view bare_jid(std::string_view jid);      // without the resource (RFC 7622)
std::string_view jid_resource(std::string_view jid);  // empty: none
std::string_view jid_domain(std::string_view jid);

}  // namespace kustos::ingest
