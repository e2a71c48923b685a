#include "export/src/text_safety.h"

#include <glib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "base/text.h"

namespace kustos::exporting {
namespace {

constexpr unsigned kMaxMarks = 12;

enum class Where { frame, body };

void append_code(std::string& out, char32_t c) {
    char text[32];
    std::snprintf(text, sizeof text, "\u27e8U+%04X\u27e9", static_cast<unsigned>(c));
    out += text;
}

bool is_bidi_override(char32_t c) {
    return c == 0x202D || c == 0x202E;
}
bool is_bidi_frame(char32_t c) {
    return (c >= 0x202A && c <= 0x202C) || (c >= 0x2066 && c <= 0x2069);
}
bool is_noncharacter(char32_t c) {
    return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}
bool is_mark(char32_t c) {
    if (c < 0x300) return false;
    const GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK;
}

bool append_line_end(std::string& out, std::string_view text, std::size_t next, char32_t c, Where where) {
    const bool ends = c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85 || c == 0x0B || c == 0x0C;
    if (!ends) return false;
    if (c == '\r' && next < text.size() && text[next] == '\n') return true;
    if (where == Where::frame) {
        if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
        out += '\n';
    }
    return true;
}

void append_harmless(std::string& out, char32_t c, Where where) {
    if (c == '\t') {
        out += where == Where::frame ? " " : "    ";
    } else if (c < 0x20) {
        append_utf8(out, 0x2400 + c);
    } else if (c == 0x7F) {
        append_utf8(out, 0x2421);
    } else if ((c >= 0x80 && c < 0xA0) || is_noncharacter(c) || c == 0xFFFC) {
        append_utf8(out, 0xFFFD);
    } else if (is_bidi_override(c) || (where == Where::frame && is_bidi_frame(c))) {
        append_code(out, c);
    } else if (c == 0xFEFF || (c >= 0xE0000 && c <= 0xE007F) || (c >= 0xFFF9 && c <= 0xFFFB)) {
        append_code(out, c);
    } else {
        append_utf8(out, c);
    }
}

class MarkLimit {  // counts combining marks since the last base character
public:
    // true: leave this character out
    bool drop(std::string& out, char32_t c) {
        if (is_mark(c)) return ++marks_ > kMaxMarks;
        finish(out);
        return false;
    }
    void finish(std::string& out) {
        if (marks_ > kMaxMarks) out += " \u27e8+" + std::to_string(marks_ - kMaxMarks) + "\u27e9";
        marks_ = 0;
    }

private:
    unsigned marks_ = 0;
};

std::string harmless(std::string_view foreign, Where where) {
    const std::string text = repair_utf8(foreign);
    std::string out;
    out.reserve(text.size() + 16);
    MarkLimit marks;
    for (std::size_t at = 0; at < text.size();) {
        if (const std::size_t length = emoji_length(text, at)) {
            marks.finish(out);
            out.append(text, at, length);
            at += length;
            continue;
        }
        const char32_t c = next_code_point(text, at);
        if (marks.drop(out, c)) continue;
        if (!append_line_end(out, text, at, c, where)) append_harmless(out, c, where);
    }
    marks.finish(out);
    return out;
}

// --- emoji (UTS 51) --------------------------------------------------------------------------------
struct Range {
    char32_t first, last;
};

template <std::size_t N>
bool in(const Range (&ranges)[N], char32_t c) {
    for (const Range& r : ranges) {
        if (c >= r.first && c <= r.last) return true;
    }
    return false;
}

// Emoji_Presentation=Yes, generously in the supplementary planes: what the colour font lacks stays text.
constexpr Range kPresentation[] = {
    {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},   {0x23F3, 0x23F3},   {0x25FD, 0x25FE},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267F, 0x267F},   {0x2693, 0x2693},   {0x26A1, 0x26A1},
    {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26CE, 0x26CE},   {0x26D4, 0x26D4},
    {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},   {0x26FA, 0x26FA},   {0x26FD, 0x26FD},
    {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},   {0x274C, 0x274C},   {0x274E, 0x274E},
    {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27B0, 0x27B0},   {0x27BF, 0x27BF},
    {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF},
    {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F201, 0x1F201}, {0x1F21A, 0x1F21A}, {0x1F22F, 0x1F22F},
    {0x1F232, 0x1F236}, {0x1F238, 0x1F23A}, {0x1F250, 0x1F251}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F7E0, 0x1F7EB}, {0x1F7F0, 0x1F7F0}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}};
// May become emoji by U+FE0F or inside a ZWJ sequence.
constexpr Range kPossible[] = {{0x203C, 0x203C}, {0x2049, 0x2049}, {0x2122, 0x2122}, {0x2139, 0x2139},
                               {0x2194, 0x2199}, {0x21A9, 0x21AA}, {0x2300, 0x23FF}, {0x24C2, 0x24C2},
                               {0x25A0, 0x27BF}, {0x2900, 0x297F}, {0x2B00, 0x2BFF}, {0x3030, 0x3030},
                               {0x303D, 0x303D}, {0x3297, 0x3299}, {0xA9, 0xA9},     {0xAE, 0xAE}};

struct Peek {
    std::string_view text;
    char32_t at(std::size_t position, std::size_t& next) const {
        next = position;
        return position < text.size() ? next_code_point(text, next) : 0;
    }
};

bool is_regional(char32_t c) {
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

// One element: base [U+FE0F | modifier] [U+20E3] tags*; 0 if there is none. `plain` bases need U+FE0F unless inside a
// sequence.
std::size_t element_length(const Peek& peek, std::size_t begin, bool inside_sequence) {
    std::size_t next = 0;
    const char32_t base = peek.at(begin, next);
    const bool keycap = (base >= '0' && base <= '9') || base == '#' || base == '*';
    const bool presentation = in(kPresentation, base);
    if (!presentation && !keycap && !in(kPossible, base)) return 0;
    std::size_t end = next;
    bool emoji = presentation || (inside_sequence && !keycap);
    char32_t c = peek.at(end, next);
    if (c == 0xFE0E) return 0;
    if (c == 0xFE0F) {
        end = next;
        c = peek.at(end, next);
        if (!keycap) emoji = true;
    }
    if (c >= 0x1F3FB && c <= 0x1F3FF && !keycap) {
        end = next;
        emoji = true;
        c = peek.at(end, next);
    }
    if (keycap) {
        if (c != 0x20E3) return 0;
        return next - begin;
    }
    if (!emoji) return 0;
    if (base == 0x1F3F4) {  // flags of regions: tags up to U+E007F
        for (unsigned n = 0; n < 8 && c >= 0xE0020 && c <= 0xE007F; ++n) {
            end = next;
            if (c == 0xE007F) break;
            c = peek.at(end, next);
        }
    }
    return end - begin;
}

}  // namespace

char32_t next_code_point(std::string_view utf8, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(i < utf8.size() ? utf8[i] : 0); };
    const std::uint8_t lead = byte(at);
    std::size_t length = 1;
    char32_t c = lead;
    if (lead >= 0xF0) {
        length = 4;
        c = lead & 0x07U;
    } else if (lead >= 0xE0) {
        length = 3;
        c = lead & 0x0FU;
    } else if (lead >= 0xC0) {
        length = 2;
        c = lead & 0x1FU;
    }
    for (std::size_t i = 1; i < length; ++i) c = (c << 6U) | (byte(at + i) & 0x3FU);
    at = std::min(at + length, utf8.size());
    return c;
}

void append_utf8(std::string& out, char32_t c) {
    char bytes[6];
    out.append(bytes, static_cast<std::size_t>(g_unichar_to_utf8(c, bytes)));
}

std::string frame_text(std::string_view foreign, std::size_t max_bytes) {
    const bool cut = foreign.size() > max_bytes;
    std::string prefix(foreign.substr(0, max_bytes));
    if (cut && (static_cast<std::uint8_t>(foreign[max_bytes]) & 0xC0U) == 0x80U) {  // inside a character
        while (!prefix.empty() && (static_cast<std::uint8_t>(prefix.back()) & 0xC0U) == 0x80U) prefix.pop_back();
        if (!prefix.empty()) prefix.pop_back();
    }
    std::string out = harmless(prefix, Where::frame);
    if (cut) out += "\u2026";
    return out;
}

std::string body_text(std::string_view foreign) {
    return harmless(foreign, Where::body);
}

std::string isolated(std::string_view foreign, std::size_t max_bytes) {
    return "\u2068" + frame_text(foreign, max_bytes) + "\u2069";
}

std::size_t emoji_length(std::string_view utf8, std::size_t at) {
    const auto lead = static_cast<std::uint8_t>(utf8[at]);
    if (lead < 0xC2 && !(lead >= '0' && lead <= '9') && lead != '#' && lead != '*') return 0;  // quick way out
    const Peek peek{utf8};
    std::size_t next = 0;
    if (is_regional(peek.at(at, next))) {
        std::size_t after = 0;
        return is_regional(peek.at(next, after)) ? after - at : 0;
    }
    std::size_t length = element_length(peek, at, false);
    if (length == 0) {  // a plain symbol may still start a ZWJ sequence only with U+FE0F, which was tried
        return 0;
    }
    for (unsigned elements = 1; elements < 10; ++elements) {
        if (peek.at(at + length, next) != 0x200D) break;
        const std::size_t more = element_length(peek, next, true);
        if (more == 0) break;
        length = next - at + more;
    }
    return length;
}

}  // namespace kustos::exporting
