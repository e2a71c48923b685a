// What the German stemmer and the word lists behind it bring together, and what they must leave apart.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "search/analysis.h"
#include "search/src/german_stem.h"
#include "search/src/lemma.h"
#include "search/src/stemmer.h"
#include "tests/support/shared.h"

namespace kustos::search {
namespace {

bool finds(const char* query, const char* written) {
    const Stemmer stemmer;
    const std::string form = form_of(query);
    std::vector<std::string> wanted = stemmer.stems(form, plain_form(query));
    wanted.push_back(form);
    Analyser analyser;
    const WordForms& forms = analyser.forms(written);
    const auto has = [&wanted](const std::string& one) {
        return std::find(wanted.begin(), wanted.end(), one) != wanted.end();
    };
    return has(forms.form) || std::any_of(forms.stems.begin(), forms.stems.end(), has) ||
           std::any_of(forms.components.begin(), forms.components.end(), has);
}

}  // namespace

TEST_CASE("the German stemmer agrees with every pair of Snowball's own vectors") {
    const auto shared = kustos::test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    const Path dir = *shared / "corpora" / "german" / "snowball";
    const auto words = read_file(fs, dir / "voc.txt", 10'000'000);
    const auto stems = read_file(fs, dir / "output.txt", 10'000'000);
    REQUIRE(words.ok());
    REQUIRE(stems.ok());
    std::istringstream left(to_text(*words)), right(to_text(*stems));
    std::size_t pairs = 0, wrong = 0;
    for (std::string word, stem; std::getline(left, word) && std::getline(right, stem); ++pairs)
        wrong += german_stem(word, true) != stem;
    MESSAGE(pairs, " pairs, ", wrong, " wrong");
    CHECK(pairs == 35'033);
    CHECK(wrong == 0);
}

TEST_CASE("an ill-formed or odd word has a stem all the same") {
    for (const char* word : {"", "a", "ab", "\xFF\xFE", "\xC3", "äöü", "niss", "\xF0\x9F\x98\x80s", "'s"})
        CHECK(german_stem(word, true).size() <= 8);
}

TEST_CASE("every form of a verb is found by its infinitive") {
    for (const char* form :
         {"schließen", "schließt", "schloss", "schlossen", "geschlossen", "geschlossene", "schließend"})
        CHECK_MESSAGE(finds("schließen", form), std::string(form));
    for (const char* form : {"abschließt", "abschloss", "abgeschlossen", "abzuschließen", "abgeschlossenen"})
        CHECK_MESSAGE(finds("abschließen", form), std::string(form));
    for (const char* form : {"kündigt", "kündigte", "kündigten", "gekündigt", "gekündigter"})
        CHECK_MESSAGE(finds("kündigen", form), std::string(form));
    CHECK(finds("prüfen", "geprüft"));
    CHECK(finds("überprüfen", "überprüfte"));
    CHECK(finds("übernehmen", "übernommen"));
    CHECK(finds("wiederaufnehmen", "wiederaufgenommen"));
    CHECK(finds("handeln", "gehandelt"));
    CHECK(finds("finanzieren", "finanziertes"));
    CHECK(finds("veröffentlichen", "veröffentlichten"));
    CHECK(finds("verschränken", "verschränkten"));  // known by its prefix alone
    CHECK(finds("beziffern", "bezifferte"));
    CHECK(finds("geprüft", "prüfen"));
    CHECK(finds("gab", "gegeben"));
}

TEST_CASE("plurals and degrees that no rule gives are found") {
    CHECK(finds("Datum", "Daten"));
    CHECK(finds("Konto", "Konten"));
    CHECK(finds("Ministerium", "Ministerien"));
    CHECK(finds("Frau", "Frauen"));
    CHECK(finds("Freundin", "Freundinnen"));
    CHECK(finds("Regel", "Regeln"));
    CHECK(finds("hoch", "höhere"));
    CHECK(finds("gut", "besser"));
}

TEST_CASE("a noun is not taken for the verb whose past looks like it") {
    CHECK(finds("stehen", "stand"));
    CHECK(!finds("stehen", "Stand"));
    CHECK(!finds("Stand", "steht"));
    CHECK(!finds("Schloss", "schließt"));
    CHECK(!finds("Banken", "binden"));
}

TEST_CASE("words that only look alike stay apart") {
    CHECK(!finds("sicher", "sich"));
    CHECK(!finds("ändern", "und"));
    CHECK(!finds("ändern", "andere"));
    CHECK(finds("Änderung", "ändern"));
    CHECK(!finds("Bank", "Banane"));
    CHECK(!finds("Plan", "Planet"));
    CHECK(lemmas_of("").empty());
    CHECK(lemmas_of("ver").empty());
}

}  // namespace kustos::search
