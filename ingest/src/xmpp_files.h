// Files that XMPP messages link (XEP-0363): fetched by https from the hosts that the settings name, and from no other,
// however a message asks for it. Threads: one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ingest/intake.h"
#include "ingest/src/xmpp_message.h"

namespace kustos::ingest {

struct HttpsLink {
    std::string host;  // lower case
    std::uint16_t port = 443;
    std::string target;  // path and query
    static std::optional<HttpsLink> parse(std::string_view url);
};

class XmppFiles {
public:
    // hosts: "upload.amt.example", or "upload.amt.example:5281" where the port is not 443. ca_file: PEM; empty: the
    // system's.
    XmppFiles(std::vector<std::string> hosts, std::string ca_file)
        : hosts_(std::move(hosts)), ca_file_(std::move(ca_file)) {}
    // True: it is in `into` now. False: it is missing: of another host, not there, too large, or not to be had
    // kTries times. Code::environment: not for now; Code::interrupted.
    Result<bool> fetch(const XmppFile& file, vault::Attachment& into, const Intake& intake);

private:
    static constexpr int kTries = 3;
    static constexpr std::size_t kMostTried = 10'000;
    bool allowed(const HttpsLink& link) const;
    std::vector<std::string> hosts_;
    std::string ca_file_;
    std::map<std::string, int> tried_;
};

}  // namespace kustos::ingest
