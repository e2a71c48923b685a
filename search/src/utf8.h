// Stepping through UTF-8 that is well formed or not: an ill-formed byte is U+FFFD and one byte long.
#pragma once

#include <cstddef>
#include <string_view>

namespace kustos::search {

inline bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Advances `at` by at least one byte. Overlong forms and surrogates are not told apart: their text is repaired at the
// door.
inline char32_t next_code_point(std::string_view text, std::size_t& at) {
    const auto lead = static_cast<unsigned char>(text[at++]);
    if (lead < 0x80) return lead;
    const int more = lead >= 0xF0 && lead < 0xF8 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (more == 0 || lead >= 0xF8) return 0xFFFD;
    char32_t c = lead & (0x3Fu >> more);
    for (int i = 0; i < more; ++i) {
        if (at >= text.size() || !is_continuation(text[at])) return 0xFFFD;
        c = (c << 6) | (static_cast<unsigned char>(text[at++]) & 0x3Fu);
    }
    return c;
}

}  // namespace kustos::search
