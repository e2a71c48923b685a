#include "search/analysis.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "search/src/parts.h"
#include "tests/search/archive_of.h"

namespace kustos::search {
namespace {

std::vector<std::string> parts_of(std::string_view text) {
    std::vector<std::string> out;
    for (const Part& part : split_parts(text)) out.emplace_back(text.substr(part.begin, part.end - part.begin));
    return out;
}

std::vector<std::string> readings_of(std::string_view text) {
    std::vector<std::string> out;
    for (const Reading& reading : other_readings(text, split_parts(text))) out.push_back(reading.text);
    return out;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("spellings of one name have one form") {
    const std::string wanted = form_of("Müller");
    CHECK(form_of("Mueller") == wanted);
    CHECK(form_of("MÜLLER") == wanted);
    CHECK(form_of("MUELLER") == wanted);
    CHECK(form_of("Mu\xCC\x88ller") == wanted);  // NFD
    CHECK(form_of("Muller") != wanted);
    CHECK(form_of("Straße") == form_of("STRASSE"));
    CHECK(form_of("Café") == form_of("Cafe"));
    CHECK(form_of("Ver\xC2\xADtrag") == form_of("Vertrag"));  // soft hyphen
    CHECK(form_of("ﬁnden") == form_of("finden"));             // ligature
}

TEST_CASE("ae, oe and ue that are none stay what they are") {
    CHECK(form_of("neue") != form_of("neü"));
    CHECK(form_of("Statue") != form_of("Statü"));
    CHECK(form_of("Poesie") != form_of("Pösie"));
    CHECK(form_of("Bauer") == "bauer");
    CHECK(form_of("Quelle") == "quelle");
}

TEST_CASE("a long word is cut at a character, and what is left is found by its prefix") {
    std::string longest;
    for (int i = 0; i < 50; ++i) longest += "ü";
    CHECK(form_of(longest).size() <= kMaxFormBytes);
    CHECK(is_valid_utf8(form_of("a" + longest)));
    CHECK(form_of(std::string(100'000, 'x')) == std::string(kMaxFormBytes, 'x'));
}

TEST_CASE("addresses, file names and file references come apart into parts") {
    CHECK(parts_of("anna.mueller@example.org") == Strings{"anna", "mueller", "example", "org"});
    CHECK(parts_of("Bericht_2026-final.PDF") == Strings{"Bericht", "2026", "final", "PDF"});
    CHECK(parts_of("Az. 12-345/26") == Strings{"Az", "12", "345", "26"});
    CHECK(parts_of("don't Müller's") == Strings{"don", "t", "Müller", "s"});
    CHECK(parts_of("§ 26 BDSG – ℕ") == Strings{"26", "BDSG", "ℕ"});
    CHECK(parts_of("…") == Strings{});
}

TEST_CASE("the fast way of cutting agrees with Unicode's") {
    SeededRandom random(11);
    const Strings pieces = {"a", "Z",         "9", ".", ",", "-", "_", "'", " ",        "\n", "ä", "ß",
                            "é", "u\xCC\x88", "–", "“", "(", "@", "/", "ø", "\xC2\xAD", ":",  "·", "€"};
    for (int round = 0; round < 5'000; ++round) {
        std::string text;
        for (std::uint64_t n = random.next() % 16; n > 0; --n) text += pieces[random.next() % pieces.size()];
        const Strings fast = parts_of(text);
        // U+2603 sends each stretch it touches to ICU and is no part of a word itself
        std::string slow_text;
        for (const char c : text) {
            if (c == ' ' || c == '\n') slow_text += "\xE2\x98\x83";
            slow_text += c;
        }
        slow_text += "\xE2\x98\x83";
        const auto shown = [](const Strings& list) {
            std::string out;
            for (const std::string& one : list) out += "[" + one + "]";
            return out;
        };
        REQUIRE_MESSAGE(parts_of(slow_text) == fast, text, " ", shown(parts_of(slow_text)), " ", shown(fast));
    }
}

TEST_CASE("hyphens, line ends, numbers, dates and account numbers have second readings") {
    CHECK(readings_of("E-Mail") == Strings{"EMail"});
    CHECK(readings_of("E-Mail-Archivierung") == Strings{"EMailArchivierung", "EMail"});
    CHECK(readings_of("Ver-\ntrag") == Strings{"Vertrag"});
    CHECK(readings_of("Ver-\r\n  trag") == Strings{"Vertrag"});
    CHECK(readings_of("Ein-\nund Ausgabe") == Strings{});
    CHECK(readings_of("Nord-\nSüd") == Strings{});
    CHECK(readings_of("1.234.567,89") == Strings{"1234567"});
    CHECK(readings_of("1,234,567.89") == Strings{"1234567"});
    CHECK(readings_of("3.14") == Strings{});
    CHECK(readings_of("15.04.2024") == Strings{"20240415"});
    CHECK(readings_of("5.4.2024") == Strings{"20240405"});
    CHECK(readings_of("2024-04-15") == Strings{"20240415"});
    CHECK(readings_of("IBAN DE02 1203 0000 0000 2020 51.") == Strings{"DE02120300000000202051"});
    CHECK(readings_of("DE02 nicht") == Strings{});
}

TEST_CASE("both halves of a broken word stand at one place, so that phrases go on") {
    Analyser analyser;
    std::vector<std::pair<std::string, std::uint32_t>> seen;
    const std::uint32_t used = analyser.each(
        "den Ver-\ntrag prüfen", [&](const Occurrence& o) { seen.emplace_back(o.forms->form, o.position); });
    using Seen = std::vector<std::pair<std::string, std::uint32_t>>;
    CHECK(seen == Seen{{"den", 0}, {"ver", 1}, {"vertrag", 1}, {"trag", 1}, {"prüfen", 2}});
    CHECK(used == 3);
}

TEST_CASE("scripts without spaces come apart into words, others at their spaces") {
    CHECK(parts_of("สัญญาเช่าบ้าน") == Strings{"สัญญา", "เช่า", "บ้าน"});  // lease, house
    CHECK(parts_of("请签署租赁合同。") == Strings{"请", "签署", "租赁", "合同"});
    CHECK(parts_of("契約書に署名") == Strings{"契約", "書", "に", "署名"});
    CHECK(parts_of("عقد الإيجار") == Strings{"عقد", "الإيجار"});
    CHECK(parts_of("Договор подписан") == Strings{"Договор", "подписан"});
    CHECK(parts_of("το συμβόλαιο") == Strings{"το", "συμβόλαιο"});
    CHECK(parts_of("임대 계약서") == Strings{"임대", "계약서"});
}

TEST_CASE("other alphabets fold their own capitals; Turkish keeps no dotless i") {
    CHECK(form_of("ДОГОВОР") == form_of("договор"));
    CHECK(form_of("ΣΥΜΒΟΛΑΙΟΣ") == form_of("συμβολαιος"));  // final sigma
    CHECK(form_of("İSTANBUL") == form_of("istanbul"));
    CHECK(form_of("ISPARTA") == form_of("ısparta"));
    CHECK(form_of("ISPARTA") == form_of("isparta"));
    CHECK(form_of("Ｖｅｒｔｒａｇ") == form_of("Vertrag"));  // full width
}

TEST_CASE("a word inside a run of Thai or Chinese is found in an archive") {
    test::SmallArchive archive;
    const auto thai = archive.add_text("กรุณาส่งสัญญาเช่าบ้าน").value;
    const auto chinese = archive.add_text("请签署租赁合同。").value;
    const auto russian = archive.add_text("Договор подписан вчера").value;
    REQUIRE(archive.index_all().ok());
    CHECK(archive.find("สัญญา") == std::vector<std::uint64_t>{thai});
    CHECK(archive.find("合同") == std::vector<std::uint64_t>{chinese});
    CHECK(archive.find("ДОГОВОР") == std::vector<std::uint64_t>{russian});
}

TEST_CASE("HTML gives its text, and nothing of scripts") {
    CHECK(text_of_html("<p>Gr&ouml;&szlig;e <b>Ver</b>trag&nbsp;&#228;</p>") == "\nGröße Vertrag ä\n");
    CHECK(text_of_html("a<script>var b='</p>';</script>c<!-- d --><style>e</style>f").find("var") == std::string::npos);
    CHECK(text_of_html("1 < 2 & 3 > 2") == "1 < 2 & 3 > 2");
    CHECK(text_of_html("<").size() == 1);
    CHECK(text_of_html(std::string(200'000, '<')).size() == 200'000);
    CHECK(text_of_html("<a" + std::string(200'000, '<') + "<b").size() > 200'000);
    CHECK(text_of_html("&#xFFFFFFFF;&#0;&;&#;") == "\xEF\xBF\xBD\xEF\xBF\xBD&;&#;");
}

}  // namespace kustos::search
