#include "access/person_card.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/text.h"

namespace kustos::access {

namespace {

constexpr std::string_view kFirstLine = "person-card 1";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Well-formed, no control characters, at most kMaxCardValue bytes, cut at a grapheme boundary.
std::string harmless(std::string_view value, bool& cut) {
    std::string text = is_valid_utf8(value) ? std::string(value) : repair_utf8(value);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c == 0x7F) text[i] = ' ';
        // C1 controls, U+2028 and U+2029
        if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) text.replace(i, 2, " ");
        if (text.compare(i, 3, "\xE2\x80\xA8") == 0 || text.compare(i, 3, "\xE2\x80\xA9") == 0) text.replace(i, 3, " ");
    }
    if (text.size() > kMaxCardValue) {
        cut = true;
        std::size_t at = grapheme_boundary_before(text, kMaxCardValue);
        if (at == 0) {  // one grapheme without an end
            at = kMaxCardValue;
            while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
        }
        text.resize(at);
    }
    return std::string(trimmed(text));
}

class Lines {
public:
    explicit Lines(std::string& out) : out_(out) { out_ = std::string(kFirstLine) + "\n"; }
    void one(std::string_view name, std::string_view value) {
        bool cut = false;
        const std::string text = harmless(value, cut);
        if (text.empty() || count_ >= kMaxCardLines) return;
        ++count_;
        out_ += name;
        out_ += ": ";
        out_ += text;
        out_ += '\n';
    }
    void all(std::string_view name, const std::vector<std::string>& values) {
        for (const std::string& value : values) one(name, value);
    }
    void day(std::string_view name, const std::optional<CivilDate>& day) {
        if (!day) return;
        char text[48];
        std::snprintf(text, sizeof text, "%04d-%02u-%02u", day->year, day->month, day->day);
        one(name, text);
    }

private:
    std::string& out_;
    std::size_t count_ = 0;
};

}  // namespace

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\f\v";
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

void add_value(std::vector<std::string>& list, std::string_view value) {
    const std::string_view text = trimmed(value);
    if (text.empty() || list.size() > kMaxCardLines) return;
    if (std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
}

void add_address(PersonCard& card, std::string_view value) {
    value = trimmed(value);
    const std::string lower = fold(value.substr(0, 8));
    const auto begins = [&](std::string_view word) { return lower.rfind(word, 0) == 0; };
    if (begins("sip:")) return add_value(card.ids, "sip:" + std::string(value.substr(4)));
    if (begins("smtp:")) value.remove_prefix(5);
    if (begins("mailto:")) value.remove_prefix(7);
    if (value.size() > 2 && value.front() == '<' && value.back() == '>') value = value.substr(1, value.size() - 2);
    if (value.find('@') != std::string_view::npos) add_value(card.emails, value);
}

bool PersonCard::empty() const {
    return uid.empty() && number.empty() && names.empty() && given.empty() && family.empty() && emails.empty() &&
           phones.empty() && ids.empty() && logins.empty();
}

std::string encode_card(const PersonCard& card) {
    std::string out;
    Lines lines(out);
    lines.one("key", card.key);
    if (card.gone) {
        lines.one("gone", "yes");
        return out;
    }
    lines.one("uid", card.uid);
    lines.one("number", card.number);
    lines.day("from", card.from);
    lines.day("until", card.until);
    lines.one("given", card.given);
    lines.one("family", card.family);
    lines.one("organisation", card.organisation);
    lines.one("unit", card.unit);
    lines.one("title", card.title);
    lines.all("name", card.names);
    lines.all("email", card.emails);
    lines.all("id", card.ids);
    lines.all("login", card.logins);
    lines.all("phone", card.phones);
    return out;
}

Result<PersonCard> parse_card(std::string_view body) {
    const Error bad(Code::bad_input, "this is no card of an address book");
    if (body.substr(0, kFirstLine.size() + 1) != std::string(kFirstLine) + "\n") return bad;
    body.remove_prefix(kFirstLine.size() + 1);
    PersonCard card;
    while (!body.empty()) {
        const std::size_t end = std::min(body.find('\n'), body.size());
        const std::string_view line = body.substr(0, end);
        body.remove_prefix(std::min(end + 1, body.size()));
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos) return bad;
        const std::string_view name = line.substr(0, colon);
        const std::string value(line.substr(colon + 2));
        if (name == "key") card.key = value;
        if (name == "uid") card.uid = value;
        if (name == "number") card.number = value;
        if (name == "from") card.from = parse_day(value);
        if (name == "until") card.until = parse_day(value);
        if (name == "given") card.given = value;
        if (name == "family") card.family = value;
        if (name == "organisation") card.organisation = value;
        if (name == "unit") card.unit = value;
        if (name == "title") card.title = value;
        if (name == "name") card.names.push_back(value);
        if (name == "email") card.emails.push_back(value);
        if (name == "id") card.ids.push_back(value);
        if (name == "login") card.logins.push_back(value);
        if (name == "phone") card.phones.push_back(value);
        if (name == "gone") card.gone = value == "yes";
    }
    if (card.key.empty()) return bad;
    return card;
}

std::string folded(std::string_view value) {
    return fold(trimmed(value));
}

std::string folded_phone(std::string_view value) {
    std::string out;
    for (const char c : trimmed(value)) {
        if (is_digit(c)) out += c;
        if (c == '+' && out.empty()) out += "00";
    }
    return out;
}

std::optional<std::string> as_uuid(std::string_view uid) {
    std::string text = folded(uid);
    if (text.rfind("urn:uuid:", 0) == 0) text.erase(0, 9);
    if (text.size() == 38 && text.front() == '{' && text.back() == '}') text = text.substr(1, 36);
    if (text.size() != 36) return std::nullopt;
    bool some = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        if (dash != (c == '-') || (!dash && !is_digit(c) && (c < 'a' || c > 'f'))) return std::nullopt;
        some = some || (!dash && c != '0' && c != 'f');  // nil and max are nobody's
    }
    return some ? std::optional(text) : std::nullopt;
}

std::optional<CivilDate> parse_day(std::string_view text) {
    text = trimmed(text);
    const auto number = [&](std::size_t at, std::size_t length) -> int {
        int n = 0;
        if (at + length > text.size()) return -1;
        const char* begin = text.data() + at;
        const auto [end, error] = std::from_chars(begin, begin + length, n);
        return error == std::errc() && end == begin + length && n >= 0 ? n : -1;
    };
    const auto made = [](int y, int m, int d) -> std::optional<CivilDate> {
        if (y < 1 || m < 1 || d < 1) return std::nullopt;
        const CivilDate date{y, static_cast<unsigned>(m), static_cast<unsigned>(d)};
        return utc_midnight(date).ok() ? std::optional(date) : std::nullopt;
    };
    if (text.size() >= 10 && text[4] == '-' && text[7] == '-') return made(number(0, 4), number(5, 2), number(8, 2));
    if (text.size() >= 10 && text[2] == '.' && text[5] == '.') return made(number(6, 4), number(3, 2), number(0, 2));
    if (text.size() >= 8 && std::all_of(text.begin(), text.begin() + 8, is_digit))
        return made(number(0, 4), number(4, 2), number(6, 2));
    return std::nullopt;
}

}  // namespace kustos::access
