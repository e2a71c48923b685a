// The stanzas of a question to an archive and of its answer; pure, a part of xmpp_session.cpp.
#pragma once

#include "ingest/src/xml_tree.h"
#include "ingest/src/xmpp_server.h"

namespace kustos::ingest {

inline constexpr std::string_view kXmppQueryId = "kustos";
std::string write_xmpp_query(const XmppQuery& query, std::string_view id);

// Collects what a server says until the answer is whole.
class XmppAnswer {
public:
    static constexpr std::size_t kMostBytes = 64u << 20;  // of a page
    // account: bare JID of who asks.
    XmppAnswer(const XmppQuery& query, std::string id, std::string account)
        : query_(query), id_(std::move(id)), account_(std::move(account)) {}
    // One stanza. True: it was the end, page() is whole. Errors as those of XmppServer.
    Result<bool> take(std::string_view stanza);
    XmppPage& page() { return page_; }

private:
    Status take_message(const XmlElement& message, std::string_view stanza);
    Result<bool> take_iq(const XmlElement& iq);
    bool is_from_archive(const XmlElement& stanza) const;
    const XmppQuery& query_;
    std::string id_, account_;
    XmppPage page_;
    std::size_t bytes_ = 0;
};

}  // namespace kustos::ingest
