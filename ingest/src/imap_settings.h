// The settings of a mailbox that is read over IMAP (docs/architecture/streams.md).
#pragma once

#include "ingest/src/imap_clearing.h"
#include "ingest/src/imap_taking.h"
#include "ingest/streams.h"

namespace kustos::ingest {

struct ImapSettings {
    ImapServer server;
    bool by_token = false;  // token_file instead of password_file
    std::vector<std::string> mailboxes;
    ImapTakingOptions taking;
    std::optional<ImapClearingOptions> clearing;  // absent: everything stays where it is
    std::int64_t interval_ms = 60'000;
};
// Code::usage names the key.
Result<ImapSettings> read_imap_settings(const StreamSettings& settings);
// Read anew for each connection, so that who renews a password or token need not tell us. Code::usage: it is absent,
// can be read by others, or lies in the archive's folder, whose copies would carry it.
Result<ImapLogin> read_imap_login(const StreamSettings& settings, bool by_token, Fs& fs);

}  // namespace kustos::ingest
