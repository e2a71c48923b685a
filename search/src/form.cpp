// Folded forms of a word: which spellings are the same.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

// Letters U+00E0..U+017F without their accents; umlauts stay. Folding has made everything lower case before.
// Upper-case and unused places keep themselves ("").
const std::array<const char*, 0x180 - 0xE0>& accents() {
    static const std::array<const char*, 0x180 - 0xE0> table = [] {
        std::array<const char*, 0x180 - 0xE0> t{};
        const auto set = [&t](char32_t first, char32_t last, const char* to) {
            for (char32_t c = first; c <= last; ++c) t[c - 0xE0] = to;
        };
        set(0xE0, 0xE3, "a"), set(0xE5, 0xE5, "a"), set(0xE6, 0xE6, "ä"), set(0xE7, 0xE7, "c"), set(0xE8, 0xEB, "e");
        set(0xEC, 0xEF, "i"), set(0xF1, 0xF1, "n"), set(0xF2, 0xF5, "o"), set(0xF8, 0xF8, "o"), set(0xF9, 0xFB, "u");
        set(0xFD, 0xFD, "y"), set(0xFF, 0xFF, "y");
        set(0x100, 0x105, "a"), set(0x106, 0x10D, "c"), set(0x10E, 0x111, "d"), set(0x112, 0x11B, "e");
        set(0x11C, 0x123, "g"), set(0x124, 0x127, "h"), set(0x128, 0x131, "i"), set(0x134, 0x135, "j");
        set(0x136, 0x137, "k"), set(0x139, 0x142, "l"), set(0x143, 0x148, "n"), set(0x14C, 0x14F, "o");
        set(0x150, 0x151, "ö"), set(0x152, 0x153, "ö"), set(0x154, 0x159, "r"), set(0x15A, 0x161, "s");
        set(0x162, 0x167, "t"), set(0x168, 0x16F, "u"), set(0x170, 0x171, "ü"), set(0x174, 0x175, "w");
        set(0x176, 0x178, "y"), set(0x179, 0x17E, "z");
        return t;
    }();
    return table;
}

bool is_ignorable(char32_t c) {  // soft hyphen, zero-width, directional marks, leftover accents
    return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || c == 0x2060 || c == 0xFEFF ||
           (c >= 0x300 && c <= 0x36F);
}

std::string cut(std::string text) {
    if (text.size() <= kMaxFormBytes) return text;
    std::size_t at = kMaxFormBytes;
    while (at > 0 && is_continuation(text[at])) --at;
    text.resize(at);
    return text;
}

// "ue" after a, e or q ("Mauer", "neue", "Quelle") and at the end of a word ("Statue") never stands for an umlaut; nor
// does "oe" in "Poesie", "Poet" and at an end ("Oboe"). Anything else may: "Duell" becomes "düll" in records and
// queries alike, which merges nothing that exists.
bool stands_for_umlaut(std::string_view plain, std::size_t at, bool whole_word) {
    if (whole_word && at + 2 == plain.size()) return false;
    const char before = at > 0 ? plain[at - 1] : ' ';
    if (plain[at] == 'u') return before != 'a' && before != 'e' && before != 'q';
    if (plain[at] == 'o' && at == 1 && before == 'p') {
        const char after = at + 2 < plain.size() ? plain[at + 2] : ' ';
        return after != 's' && after != 't' && after != 'm';
    }
    return true;
}

std::string with_umlauts(std::string_view plain, bool whole_word) {
    std::string out;
    out.reserve(plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const char c = plain[i];
        if ((c == 'a' || c == 'o' || c == 'u') && i + 1 < plain.size() && plain[i + 1] == 'e' &&
            stands_for_umlaut(plain, i, whole_word)) {
            out += c == 'a' ? "ä" : c == 'o' ? "ö" : "ü";
            ++i;
        } else {
            out += c;
        }
    }
    return out;
}

// "musterstr": German has no other words that end so.
bool is_short_street(std::string_view form) {
    constexpr std::string_view kShort = "str";
    if (form.size() < 6 || form.size() + 4 > kMaxFormBytes || form.substr(form.size() - 3) != kShort) return false;
    return std::none_of(form.begin(), form.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_ascii(std::string_view text) {
    for (char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    }
    return true;
}

}  // namespace

std::string plain_form(std::string_view word) {
    // Folding may change the length; a word far beyond the cut need not be folded whole.
    if (word.size() > 8 * kMaxFormBytes) {
        std::size_t at = 8 * kMaxFormBytes;
        while (at > 0 && is_continuation(word[at])) --at;
        word = word.substr(0, at);
    }
    std::string folded = fold(word);
    if (is_ascii(folded)) return cut(std::move(folded));
    std::string out;
    for (std::size_t i = 0; i < folded.size();) {
        const std::size_t before = i;
        const char32_t c = next_code_point(folded, i);
        if (is_ignorable(c)) continue;
        const char* letter = c >= 0xE0 && c < 0x180 ? accents()[c - 0xE0] : nullptr;
        if (letter != nullptr) {
            out += letter;
        } else {
            out.append(folded, before, i - before);
        }
    }
    return cut(std::move(out));
}

std::string form_of(std::string_view word) {
    return form_of_plain(plain_form(word));
}

std::string form_of_plain(std::string_view plain) {
    std::string form = with_umlauts(plain, true);
    if (is_short_street(form)) form += "asse";
    return form;
}

std::string form_of_prefix(std::string_view letters) {
    return with_umlauts(plain_form(letters), false);
}

}  // namespace kustos::search
