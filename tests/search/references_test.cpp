// File references, telephone numbers and streets: one thing, however it is written.
#include "search/src/references.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "search/analysis.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

using Strings = std::vector<std::string>;

Strings references_in(std::string_view text) {
    std::vector<Reading> readings;
    add_references(text, split_parts(text), readings);
    Strings out;
    for (const Reading& reading : readings) out.push_back(reading.text);
    return out;
}
bool has(const Strings& list, const std::string& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
}
// All of these are one reading of the whole.
void check_same(const Strings& spellings) {
    Strings first = query_word(spellings[0]).same;
    REQUIRE_MESSAGE(!first.empty(), spellings[0]);
    for (const std::string& other : spellings) {
        const Strings found = query_word(other).same;
        const bool common = std::any_of(first.begin(), first.end(), [&](auto& one) { return has(found, one); });
        CHECK_MESSAGE(common, other);
    }
}

}  // namespace

TEST_CASE("a court's file reference is one term with and without spaces") {
    CHECK(references_in("Urteil vom 3. Mai, 12 O 345/21, rechtskräftig") == Strings{"12o345/21"});
    check_same({"12 O 345/21", "12O345/21", "12 O345/21", "12O 345/21", "12 O 345/2021",
                "12\xC2\xA0O\xC2\xA0"
                "345/21"});
    check_same({"1 BvR 2019/16", "1BvR2019/16", "1 bvr 2019/16"});
    check_same({"VI ZR 12/20", "VIZR 12/20", "VIZR12/20"});
    check_same({"5 StR 12/3", "5 StR 12/03"});
    check_same({"11 HK O 12/20", "11 HKO 12/20"});
    check_same({"VIa ZR 335/21", "via zr 335/21"});
    CHECK(references_in("14c O 12/21") == Strings{"14co12/21"});
    CHECK(references_in("BVerwG 6 C 12.20") == Strings{"6c12.20"});
    CHECK(references_in("B 4 AS 10/20 R") == Strings{"4as10/20"});
}

TEST_CASE("ordinary text with numbers and strokes is no file reference") {
    for (const char* text : {"12 Uhr 30/40", "am 12. Mai 3/4 Liter", "und/oder", "24/7", "Größe 38/40", "1/2",
                             "Seite 12 von 345/21", "15.04.2024", "01/02/2024", "8.30-9.45 Uhr",
                             "https://example.org/a-1/b-2/3", "a/b/c", "3 von 4/5", "O 345/21", "192.168.0.1"})
        CHECK_MESSAGE(references_in(text).empty(), std::string(text));
}

TEST_CASE("an office's file reference is one term") {
    CHECK(references_in("Unser Zeichen: III-2/4711-12.") == Strings{"III-2/4711-12"});
    CHECK(references_in("Az. 30.01.02-17/2026") == Strings{"30.01.02-17/2026"});
    CHECK(references_in("Az.30.01.02-17/2026") == Strings{"30.01.02-17/2026"});
    CHECK(references_in("(12-345/26)") == Strings{"12-345/26"});
    check_same({"III-2/4711-12", "III - 2/4711-12", "iii-2 / 4711 - 12"});
    CHECK(has(references_in("12-345/26 - 7 Seiten"), "12-345/26"));
}

TEST_CASE("a telephone number is one term however it is written") {
    check_same({"+49 (0)89 1234-567", "089/1234567", "0049 89 1234567", "+49891234567", "+49 89 / 12 34 567",
                "(089) 1234567", "089 1234 567", "0891234567", "+49-89-1234567", "0049 (0) 89 1234567", "089.1234567",
                "089\xE2\x80\x93"
                "1234567"});
    CHECK(has(references_in("Tel. 089 1234567 12 Leute"), "+49891234567"));
    CHECK(references_in("+43 1 5550123") == Strings{"+4315550123"});
    CHECK(has(references_in("+1 202 555 0123"), "+12025550123"));
    CHECK(has(references_in("0151 23456789"), "+4915123456789"));
    for (const char* text : {"12.089.123", "0", "00", "007", "01.02.2024", "3,0891234567", "2024-01-02", "+5", "0800"})
        CHECK_MESSAGE(references_in(text).empty(), std::string(text));
}

TEST_CASE("street names are found with and without their abbreviation") {
    CHECK(form_of("Musterstr") == form_of("Musterstraße"));
    CHECK(form_of("Str") != form_of("Straße"));
    CHECK(references_in("Berliner Str. 5") == Strings{"Straße"});
    CHECK(references_in("Berliner Str 5") == Strings{"Straße"});
    CHECK(references_in("call str 5 times").empty());
}

TEST_CASE("whatever bytes come, readings name parts that are there") {
    SeededRandom random(5);
    const Strings pieces = {"0", "089", "49", "+",  "/",  "-",   ".",    " ", "(0)",
                            "O", "ZR",  "VI", "12", "Az", "Str", "\xFF", "ä", "\n"};
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::uint64_t n = random.next() % 14; n > 0; --n) text += pieces[random.next() % pieces.size()];
        const std::vector<Part> parts = split_parts(text);
        std::uint32_t before = 0;
        for (const Reading& reading : other_readings(text, parts)) {
            REQUIRE(reading.first >= before);
            REQUIRE(reading.first <= reading.last);
            REQUIRE(reading.last < parts.size());
            before = reading.first;
        }
    }
}

TEST_CASE("references, numbers and addresses are found in an archive by another spelling") {
    SmallArchive archive;
    const auto court = archive.add_text("In der Sache 12 O 345/21 ergeht das Urteil am Montag.").value;
    const auto tight = archive.add_text("Betreff: 12O345/21").value;
    const auto office = archive.add_text("Unser Zeichen III-2/4711-12 vom Mai").value;
    const auto phone = archive.add_text("Sie erreichen mich unter +49 (0)89 1234-567 oder per Mail.").value;
    const auto street = archive.add_text("Otto-Hahn-Straße 5, Ecke Musterstraße 7").value;
    const auto abbreviated = archive.add_text("Otto-Hahn-Str. 5, Ecke Musterstr. 7").value;
    const auto name = archive.add_text("Frau von der Leyen, leyen@example.org").value;
    REQUIRE(archive.index_all().ok());
    using Entries = std::vector<std::uint64_t>;
    CHECK(archive.find("12O345/21") == Entries{court, tight});
    CHECK(archive.find("\"345/21\"") == Entries{court});
    CHECK(archive.find("III-2/4711-12") == Entries{office});
    CHECK(archive.find("089/1234567") == Entries{phone});
    CHECK(archive.find("0891234567") == Entries{phone});
    CHECK(archive.find("Musterstr.") == Entries{street, abbreviated});
    CHECK(archive.find("\"Musterstr. 7\"") == Entries{street, abbreviated});
    CHECK(archive.find("\"Musterstraße 7\"") == Entries{street, abbreviated});
    CHECK(archive.find("\"Otto-Hahn-Str. 5\"") == Entries{street, abbreviated});
    CHECK(archive.find("\"Otto-Hahn-Straße 5\"") == Entries{street, abbreviated});
    CHECK(archive.find("Leyen") == Entries{name});
    CHECK(archive.find("\"von der Leyen\"") == Entries{name});
    CHECK(archive.find("leyen@example.org") == Entries{name});
}

}  // namespace kustos::search::test
