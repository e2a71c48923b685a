// What is asked of an XMPP server's archives (XEP-0313 with XEP-0059), as the stream needs it.
//
// Errors: Code::not_found: the id after which was asked is not in the archive any more, or there is no such archive;
// Code::denied: this account may not; Code::bad_input, Code::limit: the answer is not what the specification says, or
// above a limit; Code::environment: later (it can't be reached, its certificate is not trusted, it refuses the login,
// it is slow or busy); Code::interrupted: asked to stop. After an error other than not_found and denied the session is
// over. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/secret.h"
#include "base/time.h"

namespace kustos::ingest {

struct XmppQuery {
    std::string archive;  // bare JID
    bool own = false;     // of the account that asks
    std::string after;    // an archive id; empty: from the beginning
    std::optional<UtcTime> start, end;
    unsigned max = 100;  // 0: only how many there are
};
struct XmppPage {
    std::vector<Bytes> results;          // whole <message> stanzas, as they came, in the archive's order
    std::string last;                    // archive id of the last of them, by the answer's own word
    bool complete = false;               // there is nothing behind it
    std::optional<std::uint64_t> count;  // how many the query has in all, where the server says so
    std::uint64_t foreign = 0;           // results that somebody else sent: not taken
};

class XmppServer {
public:
    virtual ~XmppServer() = default;
    virtual Result<XmppPage> page(const XmppQuery& query) = 0;
};

enum class XmppTls : std::uint8_t { starttls, direct };  // there is no without

struct XmppAccount {
    std::string jid;   // bare
    std::string host;  // a name or an address
    std::uint16_t port = 5222;
    XmppTls tls = XmppTls::starttls;
    Path ca_file;                      // trusted certificates, PEM; empty: the system's
    std::int64_t login_ms = 30'000;    // until we are in
    std::int64_t answer_ms = 120'000;  // for one page
};
// Logs in; the certificate must be of the JID's domain (RFC 6120 section 13.7.2).
Result<std::unique_ptr<XmppServer>> connect_xmpp(const XmppAccount& account, const SecretBytes& password,
                                                 const std::function<bool()>& stopping);

}  // namespace kustos::ingest
