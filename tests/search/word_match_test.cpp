#include "search/src/word_match.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "search/analysis.h"

namespace kustos::search {
namespace {

bool glob(std::string_view text, std::string_view word) {
    return WordPattern::glob(text).matches(plain_form(word), form_of(word));
}

bool fuzzy(std::string_view text, std::uint32_t distance, std::string_view word) {
    return WordPattern::fuzzy(text, distance).matches(plain_form(word), form_of(word));
}

// As the definition says it, without any cleverness. ASCII.
bool naive_glob(std::string_view wanted, std::string_view word) {
    if (wanted.empty()) return word.empty();
    if (wanted[0] == '*')
        return naive_glob(wanted.substr(1), word) || (!word.empty() && naive_glob(wanted, word.substr(1)));
    return !word.empty() && (wanted[0] == '?' || wanted[0] == word[0]) && naive_glob(wanted.substr(1), word.substr(1));
}

std::size_t naive_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t k = 0; k <= b.size(); ++k) {
            if (i == 0 || k == 0) {
                table[i][k] = i + k;
            } else {
                table[i][k] = std::min(
                    {table[i - 1][k] + 1, table[i][k - 1] + 1, table[i - 1][k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1)});
            }
        }
    }
    return table[a.size()][b.size()];
}

std::string random_word(SeededRandom& random, std::string_view letters, std::size_t most) {
    std::string out;
    for (std::uint64_t n = random.next() % (most + 1); n > 0; --n) out += letters[random.next() % letters.size()];
    return out;
}

std::vector<std::string> exact(std::string_view utf8, std::string_view text) {
    std::vector<std::string> out;
    for (const ExactWords::Place& place : ExactWords(text).places(utf8))
        out.emplace_back(utf8.substr(place.begin, place.end - place.begin));
    CHECK(exact_matches(utf8, text) == !out.empty());
    return out;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("a star is any letters or none, a question mark exactly one") {
    CHECK(glob("ver*trag", "Vertrag"));
    CHECK(glob("ver*trag", "Verkaufsvertrag"));
    CHECK(!glob("ver*trag", "Vertrags"));
    CHECK(glob("*trag", "Auftrag"));
    CHECK(glob("me?er", "Meyer"));
    CHECK(glob("me?er", "MEIER"));
    CHECK(!glob("me?er", "Meer"));
    CHECK(!glob("meie?", "Meie"));
    CHECK(glob("meie?", "Meier"));
    CHECK(glob("*haft*schluss*", "Haftungsausschlussklausel"));
}

TEST_CASE("an umlaut is one letter however it is written, and an eszett is two") {
    CHECK(glob("m?ller", "Müller"));
    CHECK(glob("m?ller", "Mueller"));
    CHECK(glob("m?ller", "Möller"));
    CHECK(glob("mü*r", "Mueller"));
    CHECK(glob("mue*r", "Müller"));
    CHECK(glob("*ueller", "Müller"));
    CHECK(glob("*üller", "Mueller"));
    CHECK(glob("stat*ue", "Statue"));
    CHECK(glob("q*elle", "Quelle"));
    CHECK(glob("stra??e", "Straße"));
    CHECK(!glob("stra?e", "Straße"));
    CHECK(glob("caf?", "Café"));
    CHECK(glob("漢?", "漢字"));
}

TEST_CASE("globs are what their definition says") {
    SeededRandom random(3);
    for (int round = 0; round < 200'000; ++round) {
        const std::string wanted = random_word(random, "bcd*?", 8), word = random_word(random, "bcd", 9);
        REQUIRE_MESSAGE(WordPattern::glob(wanted).matches(word, word) == naive_glob(wanted, word), wanted, " ", word);
    }
}

TEST_CASE("many stars cost little") {
    std::string wanted;
    for (int i = 0; i < 500; ++i) wanted += "a*";
    CHECK(!WordPattern::glob(wanted + "b").matches(std::string(64, 'a'), std::string(64, 'a')));
}

TEST_CASE("every word that matches begins with the pattern's own beginning") {
    CHECK(WordPattern::glob("vertr*g").literal_prefix() == "vertr");
    CHECK(WordPattern::glob("Müll*r").literal_prefix() == "m");
    CHECK(WordPattern::glob("Muell*r").literal_prefix() == "m");
    CHECK(WordPattern::glob("*trag").literal_prefix().empty());
    CHECK(WordPattern::glob("Ča?a").literal_prefix() == "ca");
    CHECK(WordPattern::fuzzy("vertrag", 1).literal_prefix().empty());
    SeededRandom random(11);
    for (int round = 0; round < 100'000; ++round) {
        const WordPattern pattern = WordPattern::glob(random_word(random, "mueoa*?q", 6));
        const std::string word = plain_form(random_word(random, "mueoaq", 7));
        if (pattern.matches(word, form_of_plain(word))) REQUIRE(word.rfind(pattern.literal_prefix(), 0) == 0);
    }
}

TEST_CASE("letters that differ, are too many or missing count one each") {
    CHECK(fuzzy("vertrag", 1, "Vertrag"));
    CHECK(fuzzy("vertrag", 1, "Vertrags"));
    CHECK(fuzzy("vertrag", 1, "Vetrag"));
    CHECK(fuzzy("vertrag", 1, "Vartrag"));
    CHECK(!fuzzy("vertrag", 1, "Vetrrag"));
    CHECK(fuzzy("vertrag", 2, "Vetrrag"));
    CHECK(fuzzy("Müller", 1, "Mueller"));
    CHECK(fuzzy("Müller", 1, "Möller"));
    CHECK(fuzzy("Müller", 1, "Moeller"));
    CHECK(!fuzzy("Müller", 1, "Mahler"));
    CHECK(!fuzzy("vertrag", 2, std::string(100, 'v')));
    CHECK(!WordPattern::fuzzy("vertrag", 2).matches(std::string(100, 'v'), std::string(100, 'v')));
}

TEST_CASE("distances are what their definition says") {
    SeededRandom random(4);
    for (int round = 0; round < 200'000; ++round) {
        const std::string wanted = random_word(random, "bcd", 8), word = random_word(random, "bcd", 8);
        const auto most = static_cast<std::uint32_t>(1 + random.next() % 2);
        REQUIRE_MESSAGE(WordPattern::fuzzy(wanted, most).matches(word, word) == (naive_distance(wanted, word) <= most),
                        wanted, " ", word, " ", most);
    }
}

TEST_CASE("exact words stand whole, with their capitals and umlauts") {
    CHECK(exact("Angebot und angebot", "Angebot") == Strings{"Angebot"});
    CHECK(exact("Angebote, Angebot.", "Angebot") == Strings{"Angebot"});
    CHECK(exact("Mueller MÜLLER", "Müller").empty());
    CHECK(exact("Frau Mu\xCC\x88ller", "Müller") == Strings{"Mu\xCC\x88ller"});
    CHECK(exact("Frau Müller", "Mu\xCC\x88ller") == Strings{"Müller"});
    CHECK(exact("Straße STRASSE", "Straße") == Strings{"Straße"});
    CHECK(exact("das Müller-Archiv", "Müller") == Strings{"Müller"});
    CHECK(exact("per E-Mail, Email", "E-Mail") == Strings{"E-Mail"});
    CHECK(exact("Az. 12-345/26 und 12-345/27", "12-345/26") == Strings{"12-345/26"});
    CHECK(exact("", "x").empty());
    CHECK(exact("x", "").empty());
    CHECK(exact("§ %", "§").empty());
}

TEST_CASE("a row of exact words stands side by side, over any white space") {
    CHECK(exact("Die Müller  GmbH", "Müller GmbH") == Strings{"Müller  GmbH"});
    CHECK(exact("Die Müller\r\n\tGmbH", " Müller   GmbH ") == Strings{"Müller\r\n\tGmbH"});
    CHECK(exact("Die Müller\xC2\xA0GmbH", "Müller GmbH") == Strings{"Müller\xC2\xA0GmbH"});
    CHECK(exact("Müller, GmbH", "Müller GmbH").empty());
    CHECK(exact("Müller GMBH", "Müller GmbH").empty());
    CHECK(exact("Müller Müller GmbH", "Müller GmbH") == Strings{"Müller GmbH"});
    CHECK(exact("nach § 5 und 5", "§ 5") == Strings{"5"});
    CHECK(exact("die Yahoo! AG, Yahoo AG", "Yahoo! AG") == Strings{"Yahoo! AG"});
    CHECK(exact("C++ und C", "C++") == Strings{"C"});
}

TEST_CASE("a word divided at a line's end or by a soft hyphen is one word") {
    CHECK(exact("Der Ver-\ntrag", "Vertrag") == Strings{"Ver-\ntrag"});
    CHECK(exact("Der Ver-\n trag gilt", "Vertrag gilt") == Strings{"Ver-\n trag gilt"});
    CHECK(exact("Der Ver\xC2\xADtrag", "Vertrag") == Strings{"Ver\xC2\xADtrag"});
}

}  // namespace kustos::search
