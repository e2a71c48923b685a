// The settings of a mail listener, read and checked (docs/architecture/streams.md).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ingest/src/smtp_session.h"
#include "ingest/streams.h"

namespace kustos::ingest {

// An address of IPv4 or IPv6 as 16 bytes, IPv4 mapped into IPv6 (::ffff:a.b.c.d).
using NetAddress = std::array<std::uint8_t, 16>;
std::optional<NetAddress> parse_net_address(const std::string& text);

struct Network {
    NetAddress address{};
    unsigned bits = 128;  // of the 128
    bool holds(const NetAddress& other) const;
};
std::optional<Network> parse_network(const std::string& text);  // "10.1.0.0/16", "::1"

// Users of AUTH: a name and the SHA-256 of a password that a machine has made (never one that a person chose).
class SmtpUsers {
public:
    // Lines "name:64 hex digits"; empty lines and those that begin with # are passed over. Code::usage otherwise.
    static Result<SmtpUsers> parse(std::string_view text);
    bool knows(std::string_view name, ByteView password) const;
    bool empty() const { return users_.empty(); }

private:
    std::map<std::string, Hash, std::less<>> users_;
};

struct LmtpSettings {
    std::string host;  // an address, never a name
    std::uint16_t port = 0;
    SmtpOptions session;
    std::vector<Network> networks;
    std::vector<std::string> recipients;  // empty: any
    std::vector<Hash> certificates;       // SHA-256 of the clients' certificates (DER)
    SmtpUsers users;
    std::size_t max_connections = 32, max_per_client = 24;
    std::uint64_t memory = 0;  // bytes for mails on their way
    std::int64_t timeout_ms = 300'000;
    Path certificate_file;  // empty: no TLS
    SecretBytes key;        // PEM
};
Result<LmtpSettings> read_lmtp_settings(const StreamSettings& settings, Fs& fs);  // Code::usage names the key

}  // namespace kustos::ingest
