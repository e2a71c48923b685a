// Which language a text is in, by its letters and words (CLD2).
#pragma once

#include <string>
#include <string_view>

namespace kustos::search {

inline constexpr std::size_t kLanguageBytes = 4'096;     // of a text that are looked at
inline constexpr std::size_t kLeastLanguageLetters = 8;  // fewer bytes of words say nothing

// ISO 639-1 code ("de"), or empty: too short, mixed, none that has such a code, or not UTF-8. Pure; safe from any
// thread (CLD2's tables are constant).
std::string language_of(std::string_view utf8);

}  // namespace kustos::search
