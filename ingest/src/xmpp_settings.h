// The settings of an XMPP stream, read and checked (docs/architecture/streams.md).
#pragma once

#include <string>
#include <vector>

#include "ingest/src/xmpp_pull.h"
#include "ingest/streams.h"

namespace kustos::ingest {

struct XmppLogin {
    std::string jid;  // bare
    SecretBytes password;
};

struct XmppSettings {
    XmppAccount server;              // without a JID
    std::vector<XmppLogin> logins;   // the first sees the rooms
    bool own = true;                 // each login's own archive is pulled
    std::vector<std::string> rooms;  // bare JIDs
    std::vector<std::string> media_hosts;
    std::string media_ca_file;
    XmppPullSettings pull;
    std::int64_t interval_ms = 60'000;
};
Result<XmppSettings> read_xmpp_settings(const StreamSettings& settings, Fs& fs);  // Code::usage names the key
// Lines "JID PASSWORD"; empty lines and those that begin with # are passed over. Code::usage otherwise.
Result<std::vector<XmppLogin>> parse_xmpp_accounts(std::string_view text);

}  // namespace kustos::ingest
