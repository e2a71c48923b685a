#include "search/src/language.h"

#include <cstdio>  // CLD2's header needs it

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <algorithm>
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

// Small words of one language that few others have ("der", "den", "mit" are Danish, too, "die", "of", "we" Dutch,
// "aus", "bei", "dem" Luxembourgish): sorted.
constexpr std::array<std::string_view, 37> kGerman = {
    "aber", "auch", "auf", "bitte", "dass", "durch",  "eine",   "einem", "einen", "einer", "eines", "für",  "haben",
    "hat",  "ich",  "ihr", "ist",   "kann", "können", "möchte", "nicht", "nur",   "oder",  "sehr",  "sich", "sie",
    "sind", "und",  "uns", "vom",   "von",  "wenn",   "wir",    "wird",  "zum",   "zur",   "über"};
constexpr std::array<std::string_view, 25> kEnglish = {
    "about", "and",   "are",  "because", "but",  "could", "does", "from",  "how",  "should", "that", "the", "their",
    "then",  "there", "they", "think",   "this", "what",  "when", "which", "with", "would",  "you",  "your"};
constexpr std::size_t kLeastOwnWords = 2;  // different ones
constexpr std::size_t kOwnBytes = 1'024;   // that are looked at

// A text of Latin letters with three small words of German and none of English is German, and the other way round; it
// is half of what CLD2 would cost every message. Empty: not decided.
std::string by_own_words(std::string_view utf8) {
    utf8 = utf8.substr(0, kOwnBytes);
    std::array<bool, kGerman.size()> german{};
    std::array<bool, kEnglish.size()> english{};
    std::size_t of_german = 0, of_english = 0, size = 0;
    std::array<char, 12> word{};  // longer than any of them
    const auto look = [&](const auto& words, auto& seen, std::size_t& count) {
        const std::string_view own(word.data(), size);
        const auto found = std::lower_bound(words.begin(), words.end(), own);
        if (found == words.end() || *found != own) return;
        bool& known = seen[static_cast<std::size_t>(found - words.begin())];
        count += known ? 0 : 1;
        known = true;
    };
    for (std::size_t i = 0; i <= utf8.size(); ++i) {
        const char c = i < utf8.size() ? utf8[i] : ' ';
        const auto byte = static_cast<unsigned char>(c);
        if (byte == 0xE2 || byte == 0xF0) {  // dashes, quotation marks, emoji
            i += byte == 0xE2 ? 2 : 3;
            size = 0;
            continue;
        }
        if (byte > 0xC3) return {};  // not only Latin letters of the west
        const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
        if ((small >= 'a' && small <= 'z') || byte >= 0x80) {
            if (size < word.size()) word[size++] = small;
            continue;
        }
        if (size > 1 && size < word.size()) {
            look(kGerman, german, of_german);
            look(kEnglish, english, of_english);
        }
        size = 0;
    }
    if (of_german >= kLeastOwnWords && of_english == 0) return "de";
    if (of_english >= kLeastOwnWords && of_german == 0) return "en";
    return {};
}

}  // namespace

std::string language_of(std::string_view utf8) {
    if (utf8.size() > kLanguageBytes) {
        std::size_t at = kLanguageBytes;
        while (at > 0 && is_continuation(utf8[at])) --at;
        utf8 = utf8.substr(0, at);
    }
    if (std::string own = by_own_words(utf8); !own.empty()) return own;
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
