#include "search/src/language.h"

#include <cstdio>  // CLD2's header needs it

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <array>

#include "search/src/utf8.h"

namespace kustos::search {
namespace {

// CLD2 keeps some codes that the standard has replaced.
std::string today(std::string_view code) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kOld = {
        {{"iw", "he"}, {"in", "id"}, {"ji", "yi"}, {"jw", "jv"}, {"mo", "ro"}}};
    code = code.substr(0, code.find('-'));  // "zh-Hant"
    for (const auto& [old_code, new_code] : kOld) {
        if (code == old_code) return std::string(new_code);
    }
    const bool listed = code.size() == 2 && code != "un" && code != "xx";
    return listed ? std::string(code) : std::string();
}

}  // namespace

std::string language_of(std::string_view utf8) {
    if (utf8.size() > kLanguageBytes) {
        std::size_t at = kLanguageBytes;
        while (at > 0 && is_continuation(utf8[at])) --at;
        utf8 = utf8.substr(0, at);
    }
    const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    std::array<CLD2::Language, 3> languages{};
    std::array<int, 3> shares{};
    std::array<double, 3> scores{};
    int bytes_of_words = 0, valid_bytes = 0;
    bool reliable = false;
    const CLD2::Language found = CLD2::ExtDetectLanguageSummaryCheckUTF8(
        utf8.data(), static_cast<int>(utf8.size()), true, &no_hints, 0, languages.data(), shares.data(), scores.data(),
        nullptr, &bytes_of_words, &reliable, &valid_bytes);
    if (!reliable || static_cast<std::size_t>(bytes_of_words) < kLeastLanguageLetters) return {};
    return today(CLD2::LanguageCode(found));
}

}  // namespace kustos::search
