// Text of HTML, good enough to be searched: tags out, entities read, script and style left out, blocks end a line.
#include <array>
#include <utility>

#include "search/analysis.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool starts_with_name(std::string_view text, std::string_view name) {
    if (text.size() < name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (lower(text[i]) != name[i]) return false;
    }
    return text.size() == name.size() || !(lower(text[name.size()]) >= 'a' && lower(text[name.size()]) <= 'z');
}

// As a browser takes a character reference.
void append_reference(std::string& out, std::uint32_t c) {
    append_code_point(out, c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? U'\uFFFD' : char32_t{c});
}

// Reads an entity at text[at] == '&'; returns its length, 0 if it is none.
std::size_t read_entity(std::string_view text, std::size_t at, std::string& out) {
    const std::size_t end = text.substr(at, 12).find(';');
    if (end == std::string_view::npos || end < 2) return 0;
    const std::string_view name = text.substr(at + 1, end - 1);
    if (name[0] == '#') {
        const bool hexadecimal = name.size() > 1 && lower(name[1]) == 'x';
        std::uint32_t value = 0;
        const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
        if (digits.empty()) return 0;
        for (char c : digits) {
            c = lower(c);
            const std::uint32_t digit = c >= '0' && c <= '9'   ? static_cast<std::uint32_t>(c - '0')
                                        : c >= 'a' && c <= 'f' ? static_cast<std::uint32_t>(c - 'a' + 10)
                                                               : 99;
            if (digit >= (hexadecimal ? 16u : 10u)) return 0;
            value = value > 0x110000 ? value : value * (hexadecimal ? 16 : 10) + digit;
        }
        append_reference(out, value);
        return end + 1;
    }
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kNames = {{
        {"amp", "&"},  {"lt", "<"},    {"gt", ">"},     {"quot", "\""},  {"apos", "'"},   {"nbsp", " "},
        {"shy", ""},   {"auml", "ä"},  {"ouml", "ö"},   {"uuml", "ü"},   {"Auml", "Ä"},   {"Ouml", "Ö"},
        {"Uuml", "Ü"}, {"szlig", "ß"}, {"eacute", "é"}, {"egrave", "è"}, {"agrave", "à"}, {"ccedil", "ç"},
        {"euro", "€"}, {"ndash", "–"}, {"mdash", "—"},  {"hellip", "…"},
    }};
    for (const auto& [entity, value] : kNames) {
        if (name == entity) {
            out += value;
            return end + 1;
        }
    }
    return 0;
}

constexpr std::array<std::string_view, 13> kInline = {"b", "i",   "u",   "em",    "strong", "span", "font",
                                                      "a", "sub", "sup", "small", "mark",   "wbr"};

bool is_inline(std::string_view tag) {
    if (!tag.empty() && tag[0] == '/') tag.remove_prefix(1);
    for (const std::string_view name : kInline) {
        if (starts_with_name(tag, name)) return true;
    }
    return false;
}

}  // namespace

std::string text_of_html(std::string_view html) {
    std::string out;
    out.reserve(html.size() / 2);
    bool tags_end = true;  // false once no '>' follows: never look for it again
    for (std::size_t i = 0; i < html.size();) {
        const char c = html[i];
        if (c == '&') {
            const std::size_t used = read_entity(html, i, out);
            if (used == 0) out += c;
            i += used == 0 ? 1 : used;
        } else if (c != '<') {
            out += c;
            ++i;
        } else if (html.substr(i, 4) == "<!--") {
            const std::size_t end = html.find("-->", i + 4);
            i = end == std::string_view::npos ? html.size() : end + 3;
        } else {
            const std::string_view tag = html.substr(i + 1, 64);
            const bool is_tag = !tag.empty() &&
                                (lower(tag[0]) >= 'a' || tag[0] == '/' || tag[0] == '!' || tag[0] == '?') &&
                                static_cast<unsigned char>(tag[0]) < 0x80;
            const std::size_t end = is_tag && tags_end ? html.find('>', i) : std::string_view::npos;
            if (is_tag && end == std::string_view::npos) tags_end = false;
            if (!is_tag || end == std::string_view::npos) {
                out += c;
                ++i;
                continue;
            }
            i = end + 1;
            if (!is_inline(tag)) out += '\n';
            for (const std::string_view hidden : {std::string_view("script"), std::string_view("style")}) {
                if (!starts_with_name(tag, hidden)) continue;
                while (i < html.size()) {
                    i = html.find("</", i);
                    if (i == std::string_view::npos)
                        i = html.size();
                    else if (starts_with_name(html.substr(i + 2, 16), hidden))
                        break;
                    else
                        i += 2;
                }
            }
        }
    }
    return out;
}

}  // namespace kustos::search
