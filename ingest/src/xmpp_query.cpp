#include "ingest/src/xmpp_query.h"

#include <charconv>

#include "base/text.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/xmpp_message.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kMam = "urn:xmpp:mam:2", kRsm = "http://jabber.org/protocol/rsm";
constexpr std::size_t kMostId = 1'024;  // bytes of an archive id
const XmlScope kStream = {{"", "jabber:client"}, {"stream", "http://etherx.jabber.org/streams"}};

std::string field(std::string_view name, std::string_view value, bool hidden = false) {
    return "<field var='" + std::string(name) + "'" + (hidden ? " type='hidden'" : "") + "><value>" +
           escape_html(value) + "</value></field>";
}

Error error_of(const XmlElement& iq) {
    const XmlElement* error = iq.child("error", "jabber:client");
    std::string_view word;
    if (error) {
        for (const XmlElement& child : error->children)
            if (child.space == "urn:ietf:params:xml:ns:xmpp-stanzas" && child.name != "text") word = child.name;
    }
    if (word == "item-not-found") return Error(Code::not_found, "the archive does not have it");
    for (const std::string_view later : {"internal-server-error", "resource-constraint", "remote-server-timeout",
                                         "remote-server-not-found", "policy-violation"})
        if (word == later) return Error(Code::environment, "the server is busy, or another is not reached");
    return Error(Code::denied, "the server does not give this archive");
}

}  // namespace

std::string write_xmpp_query(const XmppQuery& query, std::string_view id) {
    std::string out = "<iq type='set' id='" + std::string(id) + "'";
    if (!query.own) out += " to='" + escape_html(query.archive) + "'";
    out += "><query xmlns='" + std::string(kMam) + "' queryid='" + std::string(kXmppQueryId) +
           "'><x xmlns='jabber:x:data' type='submit'>" + field("FORM_TYPE", kMam, true);
    if (query.start) out += field("start", format_rfc3339(*query.start));
    if (query.end) out += field("end", format_rfc3339(*query.end));
    out += "</x><set xmlns='" + std::string(kRsm) + "'><max>" + std::to_string(query.max) + "</max>";
    if (!query.after.empty()) out += "<after>" + escape_html(query.after) + "</after>";
    return out + "</set></query></iq>";
}

// From the archive itself, or, for one's own, from nobody or oneself (RFC 6120 section 8.1.2.1): anybody can send a
// stanza that looks like a result.
bool XmppAnswer::is_from_archive(const XmlElement& stanza) const {
    const std::string_view from = stanza.attribute("from");
    if (query_.own) return from.empty() || bare_jid(from) == account_;
    return from == query_.archive;
}

Result<bool> XmppAnswer::take(std::string_view stanza) {
    const XmlTree tree = read_xml(stanza, kStream);
    if (!tree.root) {
        // Only what may be a result is kept, to be sealed as it came.
        if (stanza.find("<result") == std::string_view::npos || page_.results.size() >= query_.max) return false;
        bytes_ += stanza.size();
        page_.results.push_back(to_bytes(stanza));
        return false;
    }
    if (tree.root->name == "iq") return take_iq(*tree.root);
    if (tree.root->name == "message") TRY(take_message(*tree.root, stanza));
    return false;
}

Status XmppAnswer::take_message(const XmlElement& message, std::string_view stanza) {
    const XmlElement* result = xmpp_result(message);
    if (!result || result->attribute("queryid") != kXmppQueryId) return {};
    if (!is_from_archive(message)) {
        ++page_.foreign;
        return {};
    }
    bytes_ += stanza.size();
    if (page_.results.size() >= query_.max) return Error(Code::limit, "the server gives more than was asked for");
    if (bytes_ > kMostBytes) return Error(Code::limit, "the server's page is too large");
    if (result->attribute("id").size() > kMostId) return Error(Code::limit, "an id of the archive is too long");
    page_.results.push_back(to_bytes(stanza));
    return {};
}

Result<bool> XmppAnswer::take_iq(const XmlElement& iq) {
    const std::string_view type = iq.attribute("type");
    if (iq.attribute("id") != id_ || !is_from_archive(iq) || (type != "result" && type != "error")) return false;
    if (type == "error") return error_of(iq);
    const XmlElement* fin = iq.child("fin", kMam);
    if (!fin) return Error(Code::bad_input, "the server's answer has no end of a page");
    page_.complete = fin->attribute("complete") == "true" || fin->attribute("complete") == "1";
    const XmlElement* set = fin->child("set", kRsm);
    if (!set) return true;
    if (const XmlElement* last = set->child("last", kRsm)) page_.last = last->text;
    if (page_.last.size() > kMostId) return Error(Code::limit, "an id of the archive is too long");
    if (const XmlElement* count = set->child("count", kRsm)) {
        const std::string_view digits = trim(count->text);
        std::uint64_t n = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
        if (!digits.empty() && error == std::errc() && end == digits.data() + digits.size()) page_.count = n;
    }
    return true;
}

}  // namespace kustos::ingest
