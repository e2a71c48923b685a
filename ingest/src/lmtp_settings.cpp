#include "ingest/src/lmtp_settings.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/crypto.h"

namespace kustos::ingest {

namespace {

Error wrong(std::string_view key, std::string_view why) {
    return Error(Code::usage, std::string(key) + " " + std::string(why));
}

Result<bool> yes_or_no(const Config& config, std::string_view key) {
    const std::string text = config.text(key, "false");
    if (text != "true" && text != "false") return wrong(key, "is true or false");
    return text == "true";
}

Status read_listen(const Config& config, LmtpSettings& out) {
    const std::string listen = config.text("listen", "");
    const std::size_t colon = listen.rfind(':');
    if (colon == std::string::npos) return wrong("listen", "is address:port");
    out.host = listen.substr(0, colon);
    if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
        out.host = out.host.substr(1, out.host.size() - 2);
    const auto port = read_decimal(std::string_view(listen).substr(colon + 1));
    if (!parse_net_address(out.host) || !port || *port > 65'535) return wrong("listen", "is address:port");
    out.port = static_cast<std::uint16_t>(*port);
    return {};
}

Status read_lists(const Config& config, LmtpSettings& out) {
    std::vector<std::string> networks = config.list("networks");
    if (networks.empty()) networks = {"127.0.0.0/8", "::1"};
    for (const std::string& text : networks) {
        const auto network = parse_network(text);
        if (!network) return wrong("networks", "has one that is none");
        out.networks.push_back(*network);
    }
    out.recipients = config.list("recipients");
    for (std::string text : config.list("client_certificates")) {
        text.erase(std::remove(text.begin(), text.end(), ':'), text.end());  // as openssl prints it
        const auto hash = Hash::parse(text);
        if (!hash.ok()) return wrong("client_certificates", "are SHA-256 in 64 hex digits each");
        out.certificates.push_back(*hash);
    }
    return {};
}

Status read_identity(const StreamSettings& settings, Fs& fs, LmtpSettings& out) {
    const Config& config = settings.config;
    if (!config.text("users", "").empty())
        out.users = TRY(SmtpUsers::parse(as_text(TRY(read_secret(settings, "users", fs)).view())));
    const Path certificate = config.text("tls_certificate", "");
    if (!certificate.empty()) {
        out.certificate_file = certificate.is_absolute() ? certificate : settings.folder / certificate;
        out.key = TRY(read_secret(settings, "tls_key", fs));
    }
    SmtpOptions& session = out.session;
    session.tls_offered = !certificate.empty();
    session.require_tls = TRY(yes_or_no(config, "require_tls"));
    session.auth_offered = !out.users.empty();
    session.require_auth = !out.users.empty() || !out.certificates.empty();
    if (session.tls_offered) return {};
    if (session.require_tls) return wrong("require_tls", "needs tls_certificate and tls_key");
    if (session.require_auth) return wrong("tls_certificate", "is needed: users and client certificates need TLS");
    return {};
}

}  // namespace

std::optional<NetAddress> parse_net_address(const std::string& text) {
    NetAddress out{};
    if (::inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return out;
    if (::inet_pton(AF_INET, text.c_str(), out.data() + 12) != 1) return std::nullopt;
    out[10] = out[11] = 0xff;
    return out;
}

std::optional<Network> parse_network(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string host = text.substr(0, slash);
    const auto address = parse_net_address(host);
    if (!address) return std::nullopt;
    const unsigned ahead = host.find(':') == std::string::npos ? 96 : 0;
    Network out{*address, 128};
    if (slash == std::string::npos) return out;
    const auto bits = read_decimal(std::string_view(text).substr(slash + 1));
    if (!bits || *bits > 128 - ahead) return std::nullopt;
    out.bits = ahead + static_cast<unsigned>(*bits);
    return out;
}

bool Network::holds(const NetAddress& other) const {
    for (unsigned bit = 0; bit < bits; bit += 8) {
        const unsigned left = std::min(8u, bits - bit);
        const auto mask = static_cast<std::uint8_t>(0xffu << (8 - left));
        if (((address[bit / 8] ^ other[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

Result<SmtpUsers> SmtpUsers::parse(std::string_view text) {
    SmtpUsers out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty() || line.front() == '#') continue;
        const std::size_t colon = line.rfind(':');
        if (colon == std::string_view::npos || colon == 0) return wrong("users", "has a line that is not name:sha256");
        const auto hash = Hash::parse(line.substr(colon + 1));
        if (!hash.ok()) return wrong("users", "has a line that is not name:sha256");
        if (!out.users_.emplace(std::string(line.substr(0, colon)), *hash).second)
            return wrong("users", "names one twice");
    }
    return out;
}

bool SmtpUsers::knows(std::string_view name, ByteView password) const {
    const auto user = users_.find(name);
    const Hash given = sha256(password);  // for an unknown name, too: the answer takes as long
    const Hash expected = user == users_.end() ? Hash{} : user->second;
    return equal_constant_time(given.view(), expected.view()) && user != users_.end();
}

Result<LmtpSettings> read_lmtp_settings(const StreamSettings& settings, Fs& fs) {
    const Config& config = settings.config;
    LmtpSettings out;
    TRY(read_listen(config, out));
    const std::string protocol = config.text("protocol", "lmtp");
    if (protocol != "lmtp" && protocol != "smtp") return wrong("protocol", "is lmtp or smtp");
    out.session.lmtp = protocol == "lmtp";
    out.session.name = config.text("name", "kustos");
    const bool plain =
        std::all_of(out.session.name.begin(), out.session.name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!plain || out.session.name.empty()) return wrong("name", "is a host's name");
    TRY(read_lists(config, out));
    TRY(read_identity(settings, fs, out));
    out.session.max_size = static_cast<std::uint64_t>(TRY(config.number("max_size_mib", 256, 1, 65'536))) << 20;
    out.memory = static_cast<std::uint64_t>(TRY(config.number("memory_mib", 512, 192, 1 << 20))) << 20;
    out.max_connections = static_cast<std::size_t>(TRY(config.number("max_connections", 32, 1, 1000)));
    const auto all = static_cast<std::int64_t>(out.max_connections);
    out.max_per_client = static_cast<std::size_t>(TRY(config.number("max_per_client", all - all / 4, 1, all)));
    out.timeout_ms = TRY(config.number("timeout_seconds", 300, 1, 3600)) * 1000;
    return out;
}

}  // namespace kustos::ingest
