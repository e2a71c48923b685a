#include "base/text.h"

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>

namespace kustos {

namespace {

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

struct CloseConverter {
    void operator()(UConverter* c) const { ucnv_close(c); }
};

// False when the charset is unknown.
bool convert(ByteView bytes, const std::string& charset, Decoded& out) {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<UConverter, CloseConverter> converter(ucnv_open(charset.c_str(), &status));
    if (U_FAILURE(status)) return false;
    ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_SUBSTITUTE, nullptr, nullptr, nullptr, &status);
    icu::UnicodeString text;
    const char* source = reinterpret_cast<const char*>(bytes.data());
    const char* end = source + bytes.size();
    std::vector<char16_t> buffer(16384);
    do {
        status = U_ZERO_ERROR;
        char16_t* target = buffer.data();
        ucnv_toUnicode(converter.get(), &target, buffer.data() + buffer.size(), &source, end, nullptr, true, &status);
        text.append(buffer.data(), static_cast<std::int32_t>(target - buffer.data()));
    } while (status == U_BUFFER_OVERFLOW_ERROR);
    if (U_FAILURE(status)) out.lossy = true;
    out.utf8.clear();
    text.toUTF8String(out.utf8);
    if (text.indexOf(static_cast<char16_t>(0xFFFD)) >= 0) out.lossy = true;
    return true;
}

bool has_high_byte(ByteView bytes) {
    std::uint8_t all = 0;
    for (const std::uint8_t byte : bytes) all |= byte;  // without a branch: the compiler takes many at a time
    return all >= 0x80;
}

// Charsets of which ASCII alone is itself (and which no shift or escape makes something else).
bool holds_ascii(const std::string& name) {
    return name.rfind("iso-8859-", 0) == 0 || name.rfind("windows-125", 0) == 0 || name == "utf-8" || name == "utf8";
}

}  // namespace

Decoded decode_charset(ByteView bytes, std::string_view charset) {
    Decoded out;
    const std::string_view text = as_text(bytes);
    if (charset == "utf-8" && is_valid_utf8(text)) {  // each header line comes by here
        out.utf8 = std::string(text);
        return out;
    }
    std::string name = lower_ascii(charset);
    const bool single_byte_label = name.empty() || name == "us-ascii" || name == "ascii" || name == "iso-8859-1" ||
                                   name == "latin1" || name == "windows-1252" || name == "unknown-8bit" ||
                                   name == "default" || name == "x-unknown";
    if ((single_byte_label || holds_ascii(name)) && !has_high_byte(bytes)) {
        out.utf8 = std::string(text);
        return out;
    }
    if (name == "utf-8" || name == "utf8" || single_byte_label) {
        if (is_valid_utf8(text)) {
            out.utf8 = std::string(text);
            return out;
        }
        if (name == "utf-8" || name == "utf8") {
            // a wrong label: most often windows-1252
            out.lossy = true;
            Decoded guess;
            if (convert(bytes, "windows-1252", guess)) {
                out.utf8 = std::move(guess.utf8);
            } else {
                out.utf8 = repair_utf8(text);
            }
            return out;
        }
        name = "windows-1252";
    }
    if (name == "ks_c_5601-1987") name = "windows-949";
    if (name == "gb2312" || name == "gbk") name = "gb18030";
    if (name == "shift_jis" || name == "shift-jis") name = "windows-31j";
    if (convert(bytes, name, out)) return out;
    out.lossy = true;
    if (is_valid_utf8(text)) {
        out.utf8 = std::string(text);
    } else if (Decoded guess; convert(bytes, "windows-1252", guess)) {
        out.utf8 = std::move(guess.utf8);
    } else {
        out.utf8 = repair_utf8(text);
    }
    return out;
}

namespace {
std::string normalise(const icu::Normalizer2* form, std::string_view utf8) {
    if (form == nullptr) return std::string(utf8);
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString in =
        icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
    const icu::UnicodeString out = form->normalize(in, status);
    if (U_FAILURE(status)) return std::string(utf8);
    std::string text;
    out.toUTF8String(text);
    return text;
}
bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
}  // namespace

std::string nfc(std::string_view utf8) {
    if (is_ascii(utf8)) return std::string(utf8);
    UErrorCode status = U_ZERO_ERROR;
    return normalise(icu::Normalizer2::getNFCInstance(status), utf8);
}

std::string fold(std::string_view utf8) {
    if (is_ascii(utf8)) return lower_ascii(utf8);
    UErrorCode status = U_ZERO_ERROR;
    return normalise(icu::Normalizer2::getNFKCCasefoldInstance(status), utf8);
}

std::vector<Word> split_words(std::string_view utf8) {
    std::vector<Word> words;
    if (utf8.size() > UINT32_MAX) utf8 = utf8.substr(0, UINT32_MAX);
    thread_local std::unique_ptr<icu::BreakIterator> breaker = [] {
        UErrorCode s = U_ZERO_ERROR;
        return std::unique_ptr<icu::BreakIterator>(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), s));
    }();
    if (!breaker) return words;
    UErrorCode status = U_ZERO_ERROR;
    UText* text = utext_openUTF8(nullptr, utf8.data(), static_cast<std::int64_t>(utf8.size()), &status);
    if (U_FAILURE(status)) return words;
    breaker->setText(text, status);
    if (U_SUCCESS(status)) {
        std::int32_t begin = breaker->first();
        for (std::int32_t end = breaker->next(); end != icu::BreakIterator::DONE; begin = end, end = breaker->next()) {
            if (breaker->getRuleStatus() >= UBRK_WORD_NONE_LIMIT) {
                words.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
            }
        }
    }
    utext_close(text);
    return words;
}

std::size_t grapheme_boundary_before(std::string_view utf8, std::size_t at) {
    if (at >= utf8.size()) return utf8.size();
    while (at > 0 && (static_cast<unsigned char>(utf8[at]) & 0xC0) == 0x80) --at;
    thread_local std::unique_ptr<icu::BreakIterator> breaker = [] {
        UErrorCode s = U_ZERO_ERROR;
        return std::unique_ptr<icu::BreakIterator>(
            icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), s));
    }();
    UErrorCode status = U_ZERO_ERROR;
    // A window is enough: clusters are short, and the whole text may be large.
    const std::size_t from = at > 512 ? at - 512 : 0;
    std::size_t start = from;
    while (start > 0 && start < at && (static_cast<unsigned char>(utf8[start]) & 0xC0) == 0x80) ++start;
    const std::string_view window = utf8.substr(start, std::min<std::size_t>(utf8.size() - start, at - start + 512));
    UText* text = utext_openUTF8(nullptr, window.data(), static_cast<std::int64_t>(window.size()), &status);
    if (U_FAILURE(status) || !breaker) return 0;
    breaker->setText(text, status);
    std::int32_t boundary = 0;
    const auto wanted = static_cast<std::int32_t>(at - start);
    if (U_SUCCESS(status)) boundary = breaker->isBoundary(wanted) ? wanted : breaker->preceding(wanted);
    utext_close(text);
    if (boundary < 0) boundary = 0;
    return start + static_cast<std::size_t>(boundary);
}

}  // namespace kustos
