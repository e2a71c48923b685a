#include "ingest/src/imap_settings.h"

#include <algorithm>

namespace kustos::ingest {

namespace {

Error wrong(std::string_view key, std::string_view why) {
    return Error(Code::usage, std::string(key) + " " + std::string(why));
}

bool is_host(const std::string& text) {
    return !text.empty() && text.size() < 254 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == ':';
    });
}

bool is_this_machine(const std::string& host) {
    return host == "127.0.0.1" || host == "::1" || host == "localhost";
}

// No control characters: names go into commands.
bool is_plain(const std::string& text) {
    return !text.empty() && text.size() <= 1000 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

Status read_server(const StreamSettings& settings, ImapSettings& out) {
    const Config& config = settings.config;
    ImapServer& server = out.server;
    server.host = config.text("server", "");
    if (!is_host(server.host)) return wrong("server", "is a host's name or address");
    const std::string tls = config.text("tls", "implicit");
    if (tls == "implicit") {
        server.tls = ImapTls::implicit;
    } else if (tls == "starttls") {
        server.tls = ImapTls::starttls;
    } else if (tls == "none" && is_this_machine(server.host)) {
        server.tls = ImapTls::none;
    } else {
        return wrong("tls", "is implicit or starttls; none for a server on this machine alone");
    }
    const int usual = server.tls == ImapTls::implicit ? 993 : 143;
    server.port = static_cast<std::uint16_t>(TRY(config.number("port", usual, 1, 65'535)));
    const Path ca = config.text("ca_file", "");
    if (!ca.empty()) server.ca_file = ca.is_absolute() ? ca : settings.folder / ca;
    server.user = config.text("user", "");
    if (!is_plain(server.user)) return wrong("user", "is missing");
    server.timeout_ms = TRY(config.number("timeout_seconds", 60, 1, 3600)) * 1000;
    return {};
}

Status read_clearing(const Config& config, ImapSettings& out) {
    const std::string after = config.text("after_proof", "keep");
    ImapClearingOptions options;
    options.keep_ms = TRY(config.number("keep_days", 7, 0, 3650)) * 24 * 3600 * 1000;
    options.move_to = config.text("move_to", "");
    if (after == "keep") return {};
    if (after != "delete" && after != "move") return wrong("after_proof", "is keep, delete or move");
    if ((after == "move") != !options.move_to.empty()) return wrong("move_to", "belongs to after_proof: move");
    const auto& boxes = out.mailboxes;
    if (after == "move" && (!is_plain(options.move_to) || std::count(boxes.begin(), boxes.end(), options.move_to) > 0))
        return wrong("move_to", "is a mailbox that is not read");
    out.clearing = std::move(options);
    out.taking.keep_slips = true;
    return {};
}

// Neither beside the ledger nor in a link to there.
bool is_beneath(const Path& file, const Path& folder) {
    std::error_code unknown;
    const Path real = std::filesystem::weakly_canonical(file, unknown);
    const Path top = std::filesystem::weakly_canonical(folder, unknown);
    return std::mismatch(top.begin(), top.end(), real.begin(), real.end()).first == top.end();
}

}  // namespace

Result<ImapSettings> read_imap_settings(const StreamSettings& settings) {
    const Config& config = settings.config;
    ImapSettings out;
    TRY(read_server(settings, out));
    const bool password = !config.text("password_file", "").empty();
    out.by_token = !config.text("token_file", "").empty();
    if (password == out.by_token) return wrong("password_file", "or token_file is needed, one of the two");
    out.mailboxes = config.list("mailboxes");
    if (out.mailboxes.empty()) out.mailboxes = {"INBOX"};
    if (!std::all_of(out.mailboxes.begin(), out.mailboxes.end(), is_plain))
        return wrong("mailboxes", "has one without a name");
    out.taking.batch = static_cast<std::size_t>(TRY(config.number("batch", 100, 1, 500)));
    out.taking.max_size = static_cast<std::uint64_t>(TRY(config.number("max_size_mib", 1024, 1, 65'536))) << 20;
    out.interval_ms = TRY(config.number("interval_seconds", 60, 1, 86'400)) * 1000;
    TRY(read_clearing(config, out));
    return out;
}

Result<ImapLogin> read_imap_login(const StreamSettings& settings, bool by_token, Fs& fs) {
    const std::string_view key = by_token ? "token_file" : "password_file";
    const Path name = settings.config.text(key, "");
    const Path file = name.is_absolute() ? name : settings.folder / name;
    if (is_beneath(file, settings.folder.parent_path())) return wrong(key, "must not lie in the archive's folder");
    ImapLogin out;
    (by_token ? out.token : out.password) = TRY(read_secret(settings, key, fs));
    return out;
}

}  // namespace kustos::ingest
