#include "ingest/src/smtp_command.h"

#include <algorithm>

#include "base/text.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxAddress = 1024;  // RFC 5321 has 256; long local parts are made by machines (SRS, VERP)

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return upper(c); });
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Where the path in < > ends, quoted local parts with ">" in them included.
std::size_t end_of_path(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[i] == '>') {
            return i;
        } else if (!quoted && (text[i] == ' ' || text[i] == '<')) {
            return std::string_view::npos;
        }
    }
    return std::string_view::npos;
}

// "<@relay,@relay:user@host>": a source route is to be passed over (RFC 5321, appendix C).
std::string_view without_route(std::string_view address) {
    if (address.empty() || address.front() != '@') return address;
    const std::size_t colon = address.find(':');
    return colon == std::string_view::npos ? address : address.substr(colon + 1);
}

bool read_parameters(std::string_view text, SmtpPath& path) {
    while (!(text = trim(text)).empty()) {
        const std::string_view one = text.substr(0, text.find(' '));
        text.remove_prefix(one.size());
        const std::size_t equals = one.find('=');
        const std::string name = upper(one.substr(0, equals));
        const std::string value(equals == std::string_view::npos ? "" : one.substr(equals + 1));
        if (name.empty() || !path.parameters.emplace(name, value).second) return false;
    }
    return true;
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return upper(x) == upper(y); });
}

SmtpCommand read_command(std::string_view line) {
    const std::size_t space = line.find(' ');
    SmtpCommand out;
    out.verb = upper(line.substr(0, space));
    if (space != std::string_view::npos) out.arguments = std::string(trim(line.substr(space + 1)));
    return out;
}

std::optional<SmtpPath> read_path(std::string_view arguments, std::string_view prefix) {
    if (arguments.size() < prefix.size() || !same_word(arguments.substr(0, prefix.size()), prefix)) return std::nullopt;
    const std::string_view text = trim(arguments.substr(prefix.size()));
    if (text.empty() || text.front() != '<') return std::nullopt;
    const std::size_t end = end_of_path(text);
    if (end == std::string_view::npos) return std::nullopt;
    SmtpPath out;
    out.address = std::string(without_route(text.substr(1, end - 1)));
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ' ') return std::nullopt;
    if (out.address.size() > kMaxAddress || !is_valid_utf8(out.address)) return std::nullopt;
    if (std::any_of(text.begin(), text.end(), is_control) || !read_parameters(rest, out)) return std::nullopt;
    return out;
}

std::optional<std::uint64_t> read_decimal(std::string_view text) {
    if (text.empty() || text.size() > 18) return std::nullopt;
    std::uint64_t out = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        out = out * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return out;
}

}  // namespace kustos::ingest
