#include "ingest/src/xmpp_settings.h"

#include <algorithm>

#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

Error wrong(std::string_view key, const char* what) {
    return Error(Code::usage, std::string(key) + " " + what);
}

bool is_bare_jid(std::string_view jid) {
    const std::size_t at = jid.find('@');
    return at != std::string_view::npos && at > 0 && at + 1 < jid.size() &&
           jid.find('@', at + 1) == std::string_view::npos && jid.size() <= 1'023 &&
           std::all_of(jid.begin(), jid.end(), [](char c) {
               return static_cast<unsigned char>(c) > 0x20 && c != '/' && c != '<' && c != '>' && c != '&' &&
                      c != '"' && c != '\'';
           });
}

Result<bool> yes_or_no(const Config& config, std::string_view key, bool otherwise) {
    const std::string word = config.text(key, otherwise ? "yes" : "no");
    if (word == "yes" || word == "true") return true;
    if (word == "no" || word == "false") return false;
    return wrong(key, "is neither yes nor no");
}

Path beside(const StreamSettings& settings, std::string_view key) {
    const std::string name = settings.config.text(key, "");
    if (name.empty()) return {};
    return Path(name).is_absolute() ? Path(name) : settings.folder / name;
}

// Passwords never lie in the archive: its backups and its readers would have them.
Status check_outside(const StreamSettings& settings, std::string_view key) {
    const Path file = settings.config.text(key, "");
    const std::string archive = (settings.folder.parent_path() / "").lexically_normal().string();
    if (file.is_absolute() && file.lexically_normal().string().rfind(archive, 0) != 0) return {};
    return wrong(key, "must be an absolute path outside the archive");
}

Result<std::vector<XmppLogin>> read_logins(const StreamSettings& settings, Fs& fs) {
    std::vector<XmppLogin> out;
    XmppLogin first;
    first.jid = settings.config.text("jid", "");
    if (!is_bare_jid(first.jid)) return wrong("jid", "is not an address as archive@amt.example");
    TRY(check_outside(settings, "password_file"));
    first.password = TRY(read_secret(settings, "password_file", fs));
    if (first.password.empty()) return wrong("password_file", "names an empty file");
    out.push_back(std::move(first));
    if (settings.config.text("accounts_file", "").empty()) return out;
    TRY(check_outside(settings, "accounts_file"));
    const SecretBytes text = TRY(read_secret(settings, "accounts_file", fs));
    for (XmppLogin& one : TRY(parse_xmpp_accounts(as_text(text.view())))) out.push_back(std::move(one));
    return out;
}

}  // namespace

Result<std::vector<XmppLogin>> parse_xmpp_accounts(std::string_view text) {
    std::vector<XmppLogin> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty() || line.front() == '#') continue;
        const std::size_t blank = std::min(line.find(' '), line.size());
        XmppLogin one;
        one.jid = std::string(line.substr(0, blank));
        one.password = SecretBytes(as_bytes(line.substr(std::min(blank + 1, line.size()))));
        if (!is_bare_jid(one.jid) || one.password.empty())
            return wrong("accounts_file", "has a line that is not an address, a blank and a password");
        out.push_back(std::move(one));
    }
    return out;
}

Result<XmppSettings> read_xmpp_settings(const StreamSettings& settings, Fs& fs) {
    const Config& config = settings.config;
    XmppSettings out;
    out.logins = TRY(read_logins(settings, fs));
    const std::string domain(jid_domain(out.logins.front().jid));
    out.server.host = config.text("server", "");
    if (out.server.host.empty()) out.server.host = domain;
    const std::string tls = config.text("tls", "starttls");
    if (tls != "starttls" && tls != "direct") return wrong("tls", "is neither starttls nor direct");
    out.server.tls = tls == "direct" ? XmppTls::direct : XmppTls::starttls;
    out.server.port = static_cast<std::uint16_t>(TRY(config.number("port", tls == "direct" ? 5223 : 5222, 1, 65'535)));
    out.server.ca_file = beside(settings, "ca_file");
    out.server.answer_ms = TRY(config.number("timeout_seconds", 120, 5, 3'600)) * 1000;
    out.own = TRY(yes_or_no(config, "own_archives", true));
    out.rooms = config.list("rooms");
    for (const std::string& room : out.rooms)
        if (!is_bare_jid(room))
            return wrong("rooms", "has something that is not an address as room@conference.amt.example");
    if (!out.own && out.rooms.empty()) return wrong("rooms", "is empty, and own_archives is no: nothing is pulled");
    out.media_hosts = config.list("media_hosts");
    out.media_ca_file = beside(settings, "media_ca_file").string();
    out.pull.page_size = static_cast<unsigned>(TRY(config.number("page_size", 100, 1, 1'000)));
    out.pull.history = TRY(yes_or_no(config, "history", false));
    out.pull.own_domain = config.text("own_domain", domain);
    out.interval_ms = TRY(config.number("interval_seconds", 60, 1, 86'400)) * 1000;
    return out;
}

}  // namespace kustos::ingest
