// A connection to a mail server, logged in (IMAP4rev1, RFC 3501): bytes out, bytes in.
//
// libcurl connects, checks certificate and host name, does STARTTLS (RFC 8314: refused without) and the login; what is
// said behind it is imap_client.h's (docs/decisions/0006-imap-by-libcurl.md).
//
// Errors: Code::environment: it can't be reached, its certificate is not trusted, it refuses the login, it does not
// answer in time, it ended the connection; Code::interrupted: asked to stop. Threads: one for each link.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/secret.h"

namespace kustos::ingest {

class ImapLink {
public:
    virtual ~ImapLink() = default;
    virtual Status send(std::string_view text, std::int64_t wait_ms) = 0;  // all of it
    // 0: nothing came in that time.
    virtual Result<std::size_t> receive(std::span<std::uint8_t> out, std::int64_t wait_ms) = 0;
};

enum class ImapTls : std::uint8_t {
    implicit,  // from the first byte (port 993)
    starttls,  // a must: no login without it
    none       // for a server on this machine
};

struct ImapServer {
    std::string host;  // a name or an address
    std::uint16_t port = 993;
    ImapTls tls = ImapTls::implicit;
    Path ca_file;  // trusted certificates, PEM; empty: the system's
    std::string user;
    std::int64_t timeout_ms = 60'000;  // for connecting, and for the login
};
struct ImapLogin {
    SecretBytes password;
    SecretBytes token;  // of OAuth 2 (RFC 7628 or XOAUTH2), instead of a password
};
Result<std::unique_ptr<ImapLink>> connect_imap(const ImapServer& server, const ImapLogin& login,
                                               const std::function<bool()>& stopping);

}  // namespace kustos::ingest
