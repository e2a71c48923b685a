// Unicode by ICU: charsets, normalisation, folding, words, grapheme boundaries.
// Threads: free functions, safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos {

// ASCII: space, tab, line feed, vertical tab, form feed, carriage return.
constexpr bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
std::string_view trimmed(std::string_view text);  // without spaces before and behind
bool is_valid_utf8(std::string_view text);
// For HTML text and attributes: & < > " ' as references; control characters but line feed and tab become U+FFFD.
std::string escape_html(std::string_view text);
// Every ill-formed sequence becomes U+FFFD (Unicode 3.9, best practice).
std::string repair_utf8(std::string_view text);

struct Decoded {
    std::string utf8;
    bool lossy =
        false;  // a byte had no meaning in the charset, or the charset is unknown (then: UTF-8, else windows-1252)
};
// charset: a MIME name ("iso-8859-15", "utf-7", "gb18030"), any case; labels are often wrong, so "us-ascii" and
// "iso-8859-1" are read as windows-1252 (WHATWG encoding standard), and valid UTF-8 wins over a wrong single-byte
// label.
Decoded decode_charset(ByteView bytes, std::string_view charset);

std::string nfc(std::string_view utf8);
// For the index: NFKC, case folding (Unicode, so that eszett becomes ss), nothing else removed.
std::string fold(std::string_view utf8);

struct Word {
    std::uint32_t begin = 0;  // byte offsets into the text
    std::uint32_t end = 0;
};
// Unicode word segmentation (UAX 29), words with at least one letter or digit; CJK by dictionary or single characters.
std::vector<Word> split_words(std::string_view utf8);
// The largest grapheme boundary at or before `at` (UAX 29); 0 if none.
std::size_t grapheme_boundary_before(std::string_view utf8, std::size_t at);

}  // namespace kustos
