#include "ingest/src/imap_response.h"

#include <algorithm>
#include <array>

#include "ingest/src/mail_header.h"
#include "ingest/src/smtp_command.h"

namespace kustos::ingest {

namespace {

std::string_view next_word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

std::optional<std::string> status_of(std::string_view word) {
    for (const std::string_view known : {"OK", "NO", "BAD", "BYE", "PREAUTH"})
        if (same_word(word, known)) return std::string(known);
    return std::nullopt;
}

std::string code_of(std::string_view text) {
    if (text.empty() || text.front() != '[') return {};
    const std::size_t end = text.find(']');
    return end == std::string_view::npos ? std::string() : std::string(text.substr(1, end - 1));
}

bool quoted(std::string_view& line, std::string& out) {
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (line[i] == '"') {
            line.remove_prefix(i + 1);
            return true;
        }
        if (line[i] == '\\' && ++i >= line.size()) return false;
        out += line[i];
    }
    return false;
}

// An atom; what stands in brackets belongs to it, blanks too: BODY[HEADER.FIELDS (Date)].
std::string_view atom(std::string_view& line) {
    std::size_t i = 0;
    for (bool inside = false; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '[') inside = true;
        if (c == ']') inside = false;
        if (!inside && (c == ' ' || c == '(' || c == ')' || c == '"')) break;
    }
    const std::string_view out = line.substr(0, i);
    line.remove_prefix(i);
    return out;
}

std::optional<std::vector<std::uint32_t>> numbers(std::string_view line) {
    std::vector<std::uint32_t> out;
    while (!line.empty()) {
        const std::string_view word = next_word(line);
        if (word.empty()) continue;
        const auto number = read_decimal(word);
        if (!number || *number == 0 || *number > 0xFFFF'FFFFu) return std::nullopt;
        out.push_back(static_cast<std::uint32_t>(*number));
    }
    return out;
}

}  // namespace

bool ImapToken::is(std::string_view other) const {
    return kind == Kind::atom && same_word(value, other);
}

std::optional<std::uint64_t> ImapToken::number() const {
    return kind == Kind::atom ? read_decimal(value) : std::nullopt;
}

std::optional<std::uint64_t> imap_literal_size(std::string_view line) {
    if (line.size() < 3 || line.back() != '}') return std::nullopt;
    const std::size_t open = line.rfind('{');
    if (open == std::string_view::npos) return std::nullopt;
    return read_decimal(line.substr(open + 1, line.size() - open - 2));
}

bool ImapParser::first(std::string_view line) {
    if (line.substr(0, 1) == "+") {
        out_.goes_on = true;
        return true;
    }
    const std::string_view tag = next_word(line);
    out_.tagged = tag != "*";
    out_.tag = std::string(tag);
    std::string_view behind = line;
    const std::string_view word = next_word(behind);
    if (!out_.tagged && same_word(word, "SEARCH")) {
        out_.found = numbers(behind);
        return out_.found.has_value();
    }
    if (const auto status = status_of(word)) {
        out_.status = *status;
        out_.code = code_of(behind);
        return true;
    }
    return !out_.tagged && more(line);
}

bool ImapParser::more(std::string_view line) {
    if (imap_literal_size(line)) line = line.substr(0, line.rfind('{'));
    if (!line.empty() && line.back() == '~') line.remove_suffix(1);  // literal8, RFC 3516
    while (!line.empty()) {
        if (out_.tokens.size() >= kMostTokens) return false;
        ImapToken token;
        switch (line.front()) {
            case ' ':
                line.remove_prefix(1);
                continue;
            case '(':
            case ')':
                token.kind = line.front() == '(' ? ImapToken::Kind::open : ImapToken::Kind::close;
                line.remove_prefix(1);
                break;
            case '"':
                token.kind = ImapToken::Kind::text;
                if (!quoted(line, token.value)) return false;
                break;
            default:
                token.value = std::string(atom(line));
        }
        add(std::move(token));
    }
    return true;
}

bool ImapParser::expects_mail() const {
    return !out_.tokens.empty() && out_.tokens.back().is("BODY[]");
}

}  // namespace kustos::ingest
