#include <doctest/doctest.h>

#include "export/src/html_text.h"
#include "export/src/text_safety.h"
#include "export/src/wording.h"

using namespace kustos;
using namespace kustos::exporting;

TEST_CASE("frame text is one line without anything that reorders or hides") {
    CHECK(frame_text("a\r\nb\tc") == "a b c");
    CHECK(frame_text("rechnung\u202Efdp.exe") == "rechnung⟨U+202E⟩fdp.exe");
    CHECK(frame_text("\u2066x\u2069") == "⟨U+2066⟩x⟨U+2069⟩");
    CHECK(frame_text(std::string_view("\0\x1b", 2)) == "␀␛");
    CHECK(frame_text("\xff\xfe") == "\uFFFD\uFFFD");
    CHECK(frame_text("\uFEFFx\uFFFCy") == "⟨U+FEFF⟩x\uFFFDy");
    CHECK(frame_text("äöü", 4) == "äö…");
    CHECK(frame_text("äöü", 3) == "ä…");
}

TEST_CASE("body text keeps its lines and its direction marks, but no override") {
    CHECK(body_text("a\r\nb\rc\u2028d") == "a\nb\nc\nd");
    CHECK(body_text("\u2067עברית\u2069") == "\u2067עברית\u2069");
    CHECK(body_text("\u202Dx") == "⟨U+202D⟩x");
    CHECK(body_text("a\tb") == "a    b");
}

TEST_CASE("a tower of combining marks is cut and says so") {
    std::string tower = "Z";
    for (int i = 0; i < 40; ++i) tower += "\u0335";
    const std::string out = body_text(tower + "x");
    CHECK(out.size() < 50);
    CHECK(out.find("⟨+28⟩x") != std::string::npos);
}

TEST_CASE("emoji sequences are found whole") {
    const auto whole = [](std::string_view text) { return emoji_length(text, 0) == text.size(); };
    for (const char* emoji : {"😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "1️⃣", "#️⃣",
                              "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☎️", "👩🏽‍💻", "⌚", "✅", "❤️‍🔥"})
        CHECK_MESSAGE(whole(emoji), std::string(emoji));
    for (const char* text : {"a", "1", "#", "❤", "☎", "ä", "你", "→", "€", "❤︎"})
        CHECK_MESSAGE(emoji_length(text, 0) == 0, std::string(text));
    CHECK(emoji_length("👍👎", 0) == 4);
    CHECK(emoji_length("👍\u200Dx", 0) == 4);
}

TEST_CASE("HTML becomes the text that a reader sees") {
    CHECK(html_text("<p>Sch&ouml;ne<br>Gr&uuml;&szlig;e</p>", 1000) == "Schöne\nGrüße");
    CHECK(html_text("<script>alert('</b>')</script>x<style>y</style>z<!-- <b> -->", 1000) == "xz");
    CHECK(html_text("a &amp; b &lt; c &#228;&#xe4; &unbekannt; &", 1000) == "a & b < c ää &unbekannt; &");
    CHECK(html_text("1 < 2 <unclosed", 1000) == "1 < 2");
    CHECK(html_text("&#0;&#xD800;&#99999999;", 1000) == "\uFFFD\uFFFD\uFFFD");
    CHECK(html_text(std::string(100'000, '&'), 1000).size() <= 1000);
    CHECK(html_text(std::string(200'000, '<'), 1000).size() <= 1000);
}

TEST_CASE("numbers, sizes and times are written as people of the language write them") {
    const Wording de(Language::de), en(Language::en);
    CHECK(de.number(1234567) == "1.234.567");
    CHECK(en.number(999) == "999");
    CHECK(de.bytes(812) == "812 Byte");
    CHECK(de.bytes(2345) == "2,3 kB");
    CHECK(en.bytes(999'960) == "1.0 MB");
    CHECK(en.bytes(123'456'789) == "123 MB");
    const Zone berlin("Europe/Berlin", Language::de);
    CHECK(berlin.local(*parse_rfc3339("2026-03-29T00:59:59Z")).stamp() == "29.03.2026 01:59:59 +01:00");
    CHECK(berlin.local(*parse_rfc3339("2026-03-29T01:00:00Z")).stamp() == "29.03.2026 03:00:00 +02:00");
    CHECK(berlin.local(*parse_rfc3339("2026-03-02T10:00:00Z")).long_date == "Montag, 2. März 2026");
    const Zone unknown("Nowhere/None", Language::en);
    CHECK(!unknown.known());
    CHECK(unknown.local(*parse_rfc3339("2026-03-02T10:00:00.999Z")).stamp() == "2026-03-02 10:00:00 +00:00");
    CHECK(unknown.local(*parse_rfc3339("1969-12-31T23:59:59.500Z")).time == "23:59:59");
}
