#include "search/src/parts.h"

#include <algorithm>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/references.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_alnum(char c) {
    return is_digit(c) || is_lower(c) || is_upper(c);
}
bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// What a character is to the fast path; `other` sends the stretch between two spaces to ICU.
enum class Class { word, extends, separator, other };

Class class_of(char32_t c) {
    if (c < 0x80) return is_alnum(static_cast<char>(c)) ? Class::word : Class::separator;
    if (c == 0xAA || c == 0xB5 || c == 0xBA) return Class::word;
    if (c == 0xAD) return Class::extends;
    if (c < 0xC0) return Class::separator;
    if (c == 0xD7 || c == 0xF7) return Class::separator;
    if (c < 0x250) return Class::word;
    if (c >= 0x300 && c <= 0x36F) return Class::extends;
    if (c >= 0x2010 && c <= 0x2027) return Class::separator;
    if (c >= 0x2030 && c <= 0x203E) return Class::separator;
    if (c == 0x20AC) return Class::separator;
    return Class::other;
}

bool fast_parts(std::string_view text, std::uint32_t offset, std::vector<Part>& parts) {
    const std::size_t before = parts.size();
    std::size_t begin = std::string_view::npos;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t at = i;
        const Class c = class_of(next_code_point(text, i));
        if (c == Class::other) {
            parts.resize(before);
            return false;
        }
        const bool inside = begin != std::string_view::npos;
        if (c == Class::word && !inside) begin = at;
        if (c == Class::separator && inside) {
            parts.push_back({offset + static_cast<std::uint32_t>(begin), offset + static_cast<std::uint32_t>(at)});
            begin = std::string_view::npos;
        }
    }
    if (begin != std::string_view::npos) {
        parts.push_back({offset + static_cast<std::uint32_t>(begin), offset + static_cast<std::uint32_t>(text.size())});
    }
    return true;
}

// Cut at the same signs first, then by ICU what stands between them: scripts without spaces, letters of their own.
// (ICU alone would keep "a.b" and "a_b" together, and gives "_a_" no word at all.)
void icu_parts(std::string_view text, std::uint32_t offset, std::vector<Part>& parts) {
    for (std::size_t i = 0; i < text.size();) {
        std::size_t begin = std::string_view::npos, end = i;
        while (i < text.size()) {
            const std::size_t at = i;
            const Class kind = class_of(next_code_point(text, i));
            if (kind == Class::separator) break;
            if (begin == std::string_view::npos && kind != Class::extends) begin = at;
            end = i;
        }
        if (begin == std::string_view::npos) continue;
        for (const Word& word : split_words(text.substr(begin, end - begin))) {
            const auto from = offset + static_cast<std::uint32_t>(begin);
            parts.push_back({from + word.begin, from + word.end});
        }
    }
}

}  // namespace

std::vector<Part> split_parts(std::string_view utf8) {
    std::vector<Part> parts;
    parts.reserve(utf8.size() / 6 + 4);
    for (std::size_t i = 0; i < utf8.size();) {
        while (i < utf8.size() && is_space(utf8[i])) ++i;
        const std::size_t begin = i;
        while (i < utf8.size() && !is_space(utf8[i])) ++i;
        const std::string_view stretch = utf8.substr(begin, i - begin);
        if (stretch.empty()) continue;
        if (!fast_parts(stretch, static_cast<std::uint32_t>(begin), parts))
            icu_parts(stretch, static_cast<std::uint32_t>(begin), parts);
    }
    return parts;
}

namespace {

class Reader {
public:
    Reader(std::string_view text, const std::vector<Part>& parts) : text_(text), parts_(parts) {}

    std::vector<Reading> all() {
        for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
            const std::string_view gap = between(i);
            if (gap.size() > 8) continue;
            if (is_hyphen(gap)) {
                if (i == 0 || !is_hyphen(between(i - 1))) hyphens(i);
            } else if (gap == "." || gap == ",") {
                if (all_digits(i)) numbers(i, gap[0]);
            } else if (gap == " ") {
                groups(i);
            } else {
                line_break(i, gap);
            }
        }
        return std::move(readings_);
    }

private:
    std::string_view part(std::size_t i) const {
        return text_.substr(parts_[i].begin, parts_[i].end - parts_[i].begin);
    }
    std::string_view between(std::size_t i) const {
        return text_.substr(parts_[i].end, parts_[i + 1].begin - parts_[i].end);
    }
    bool all_digits(std::size_t i) const {
        const std::string_view p = part(i);
        return std::all_of(p.begin(), p.end(), is_digit);
    }
    static bool is_hyphen(std::string_view gap) { return gap == "-" || gap == "\xE2\x80\x90" || gap == "\xE2\x80\x91"; }

    void add(std::size_t first, std::size_t last, std::size_t at, std::string reading, bool broken = false) {
        if (reading.size() > 2 * kMaxFormBytes) return;
        readings_.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last),
                             static_cast<std::uint32_t>(at), std::move(reading), broken, false, false});
    }
    std::string joined(std::size_t first, std::size_t last) const {
        std::string out;
        for (std::size_t i = first; i <= last; ++i) out += part(i);
        return out;
    }

    // "E-Mail-Archivierung": the whole, and each pair with a short half ("EMail").
    void hyphens(std::size_t first) {
        std::size_t last = first + 1;
        while (last + 1 < parts_.size() && is_hyphen(between(last)) && last - first < 8) ++last;
        add(first, last, first, joined(first, last));
        if (last - first < 2) return;
        for (std::size_t i = first; i < last; ++i) {
            if (all_digits(i) && all_digits(i + 1)) continue;
            if (part(i).size() <= 3 || part(i + 1).size() <= 3) add(i, i + 1, i, joined(i, i + 1));
        }
    }

    // "1.234.567,89" reads as "1234567" right before "89"; "15.04.2024" as "20240415".
    void numbers(std::size_t first, char separator) {
        if (first > 0 && all_digits(first - 1) && between(first - 1) == std::string_view(&separator, 1)) return;
        std::size_t last = first;
        while (last + 1 < parts_.size() && all_digits(last + 1) && between(last) == std::string_view(&separator, 1))
            ++last;
        const auto length = [this](std::size_t i) { return part(i).size(); };
        if (separator == '.' && last == first + 2 && length(first) <= 2 && length(first + 1) <= 2 &&
            length(last) == 4) {
            std::string date(part(last));
            if (length(first + 1) < 2) date += '0';
            date += part(first + 1);
            if (length(first) < 2) date += '0';
            date += part(first);
            if (date.substr(4, 2) <= "12" && date.substr(6, 2) <= "31") add(first, last, first, std::move(date));
            return;
        }
        if (length(first) > 3) return;
        std::size_t grouped = first;
        while (grouped < last && length(grouped + 1) == 3) ++grouped;
        if (grouped == last && grouped > first) add(first, last, last, joined(first, last));
    }

    // An IBAN in groups of four.
    void groups(std::size_t first) {
        const std::string_view country = part(first);
        if (country.size() != 4 || !is_upper(country[0]) || !is_upper(country[1]) || !is_digit(country[2]) ||
            !is_digit(country[3]))
            return;
        std::size_t last = first;
        std::size_t length = 4;
        while (last + 1 < parts_.size() && between(last) == " " && part(last).size() == 4 && length < 34) {
            const std::string_view next = part(last + 1);
            if (next.size() > 4 ||
                !std::all_of(next.begin(), next.end(), [](char c) { return is_digit(c) || is_upper(c); }))
                break;
            length += next.size();
            ++last;
        }
        if (length >= 15 && length <= 34) add(first, last, first, joined(first, last));
    }

    // A word cut at a line's end: hyphen, white space with a line end, small letter.
    void line_break(std::size_t i, std::string_view gap) {
        if (gap.size() < 2 || gap[0] != '-' || gap.find('\n') == std::string_view::npos) return;
        if (!std::all_of(gap.begin() + 1, gap.end(), is_space)) return;
        const std::string_view next = part(i + 1);
        const bool small = is_lower(next[0]) || (next[0] == '\xC3' && next.size() > 1 &&
                                                 static_cast<unsigned char>(next[1]) >= 0x9F);  // ß, à ...
        if (!small || next == "und" || next == "oder" || next == "bzw" || next == "and" || next == "or") return;
        add(i, i + 1, i, joined(i, i + 1), true);
    }

    std::string_view text_;
    const std::vector<Part>& parts_;
    std::vector<Reading> readings_;
};

}  // namespace

std::vector<Reading> other_readings(std::string_view utf8, const std::vector<Part>& parts) {
    std::vector<Reading> readings = Reader(utf8, parts).all();
    const std::size_t before = readings.size();
    add_references(utf8, parts, readings);
    if (readings.size() > before)
        std::stable_sort(readings.begin(), readings.end(),
                         [](const Reading& a, const Reading& b) { return a.first < b.first; });
    return readings;
}

}  // namespace kustos::search
