#include "base/text.h"

#include <doctest/doctest.h>

using namespace kustos;

TEST_CASE("bytes of any charset become well-formed UTF-8") {
    CHECK(decode_charset(as_bytes("Gr\xFC\xDF"
                                  "e"),
                         "iso-8859-1")
              .utf8 == "Grüße");
    CHECK(decode_charset(as_bytes("Grüße"), "iso-8859-1").utf8 == "Grüße");  // a wrong label
    CHECK(decode_charset(as_bytes("Gr\xFC\xDF"
                                  "e"),
                         "utf-8")
              .utf8 == "Grüße");
    CHECK(decode_charset(as_bytes("Gr\xFC\xDF"
                                  "e"),
                         "utf-8")
              .lossy);
    CHECK(decode_charset(as_bytes("\x93x\x94"), "iso-8859-1").utf8 == "“x”");
    CHECK(decode_charset(as_bytes("\xA4"), "iso-8859-15").utf8 == "€");
    CHECK(decode_charset(as_bytes("Hi Mom -+Jjo--!"), "utf-7").utf8 == "Hi Mom -☺-!");
    CHECK(is_valid_utf8(decode_charset(as_bytes("\xFF\xFE\x80"), "no-such-charset").utf8));
    CHECK(decode_charset(as_bytes("x"), "no-such-charset").lossy);
}

TEST_CASE("ill-formed UTF-8 is repaired and well-formed text left alone") {
    CHECK(repair_utf8("a\xC3(") == "a\xEF\xBF\xBD(");
    CHECK(repair_utf8("äöü😀") == "äöü😀");
    CHECK_FALSE(is_valid_utf8("\xED\xA0\x80"));  // a surrogate
    CHECK_FALSE(is_valid_utf8("\xC0\x80"));
}

TEST_CASE("folding makes one of case, width and composition") {
    CHECK(fold("STRASSE") == fold("Straße"));
    CHECK(fold("Mu\xCC\x88ller") == fold("MÜLLER"));
    CHECK(nfc("Mu\xCC\x88ller") == "Müller");
}

TEST_CASE("words are found with their places") {
    const std::string text = "Der Prüfbericht, 3 Seiten – fertig?";
    std::vector<std::string> words;
    for (const Word& w : split_words(text)) words.push_back(text.substr(w.begin, w.end - w.begin));
    CHECK(words == std::vector<std::string>{"Der", "Prüfbericht", "3", "Seiten", "fertig"});
}

TEST_CASE("a cut never divides what people see as one character") {
    const std::string family = "x👨‍👩‍👧y";
    const std::size_t end = family.size() - 1;
    for (std::size_t at = 2; at < end; ++at) CHECK(grapheme_boundary_before(family, at) == 1);
    CHECK(grapheme_boundary_before(family, end) == end);
    CHECK(grapheme_boundary_before("abc", 2) == 2);
}
