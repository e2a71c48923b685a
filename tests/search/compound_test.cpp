// Words inside compounds: by our own list, by a word list, by a Hunspell dictionary.
#include "search/src/compound.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/hunspell_marks.h"
#include "tests/search/archive_of.h"
#include "tests/support/temp_dir.h"

namespace kustos::search::test {
namespace {

using Strings = std::vector<std::string>;
const Path kDebian = "/usr/share/hunspell/de_DE.dic";

bool has(const CompoundSplitter& splitter, const char* word, const char* inside) {
    const Strings found = splitter.split(form_of(word));
    return std::find(found.begin(), found.end(), form_of(inside)) != found.end();
}

}  // namespace

TEST_CASE("compounds come apart where the longest last word ends them") {
    const CompoundSplitter splitter(nullptr, {});
    CHECK(has(splitter, "Haftungsausschluss", "Haftung"));
    CHECK(has(splitter, "Haftungsausschluss", "Ausschluss"));
    CHECK(has(splitter, "Staubecken", "Becken"));
    CHECK(!has(splitter, "Staubecken", "Ecken"));
    CHECK(has(splitter, "Wachstube", "Stube"));
    CHECK(!has(splitter, "Wachstube", "Tube"));
    CHECK(has(splitter, "Mietverträge", "Vertrag"));
    CHECK(has(splitter, "Rahmenvertragsentwurf", "Vertrag"));
    CHECK(has(splitter, "Finanzämter", "Amt"));
    CHECK(splitter.split("vertrag").empty());
    CHECK(splitter.split("understanding").empty());
    CHECK(splitter.split(std::string(64, 'a')).empty());
}

TEST_CASE("a prefix is no word, and an ending neither") {
    const CompoundSplitter splitter(nullptr, {});
    for (const char* word : {"Einfluss", "Gegenstand", "Unternehmen", "Handlungen", "Vorfall", "Antwort", "Verstand"})
        CHECK_MESSAGE(splitter.split(form_of(word)).empty(), std::string(word));
}

TEST_CASE("a word list found at run time adds to the words inside compounds") {
    kustos::test::TempDir dir;
    RealFs fs;
    REQUIRE(replace_file(fs, dir / "de.dic", as_bytes("3\nKarotte/N\nM\xF6hre/N\nSuppe/N\n")).ok());
    CHECK(CompoundSplitter(&fs, dir / "absent").split("karottensuppe").empty());
    CHECK(CompoundSplitter(&fs, dir / "de.dic").split("karottensuppe") == Strings{"karotte", "suppe"});
    CHECK(CompoundSplitter(&fs, dir / "de.dic").split("möhrensuppe") == Strings{"möhre", "suppe"});
}

TEST_CASE("a dictionary's marks say which word begins a compound and which ends one") {
    constexpr std::string_view kAff =
        "SET UTF-8\nCOMPOUNDBEGIN x\nCOMPOUNDMIDDLE y\nCOMPOUNDEND z\nSFX j Y 1\nSFX j 0 0/xoc .\nSFX S Y 1\nSFX S 0 s "
        ".\n";
    const CompoundMarks marks = compound_marks(kAff);
    CHECK(marks.head == "xyj");
    CHECK(marks.end == "z");
    CHECK(!compound_marks("FLAG long\nCOMPOUNDBEGIN xx\n").usable());
    CHECK(!compound_marks("").usable());

    kustos::test::TempDir dir;
    RealFs fs;
    REQUIRE(replace_file(fs, dir / "de.aff", as_bytes(kAff)).ok());
    REQUIRE(replace_file(fs, dir / "de.dic", as_bytes("4\nKarotten/j\nsuppe/Sz\nKarotte/S\nteller/Sz\n")).ok());
    const CompoundSplitter splitter(&fs, dir / "de.dic");
    CHECK(splitter.split("karottensuppe") == Strings{"karotten", "suppe"});
    CHECK(splitter.split("karottensuppen") == Strings{"karotten", "suppe"});
    CHECK(splitter.split("suppenkarotten").empty());
    CHECK(splitter.split("tellersuppe").empty());
}

TEST_CASE("Debian's dictionary finds the words inside, and not those that are there by chance") {
    RealFs fs;
    std::error_code ignored;
    if (!std::filesystem::exists(kDebian, ignored)) {
        MESSAGE("skipped: hunspell-de-de is not installed");
        return;
    }
    SmallArchive archive;
    archive.options.word_list = kDebian;
    struct Wanted {
        const char *word, *query;
        bool found;
    };
    const std::vector<Wanted> wanted = {{"Rahmenvertragsentwurf", "Vertrag", true},
                                        {"Rahmenvertragsentwurf", "Rahmen", true},
                                        {"Rahmenvertragsentwürfe", "Entwurf", true},
                                        {"Akteneinsichtsgesuch", "Akte", true},
                                        {"Akteneinsichtsgesuch", "Einsicht", true},
                                        {"Bebauungsplanverfahren", "Bebauung", true},
                                        {"Wohnortwechsel", "Ort", true},
                                        {"Landratsämter", "Amt", true},
                                        {"Arbeitsamt", "Amt", true},
                                        {"Gewerbesteuerbescheide", "Bescheid", true},
                                        {"Tomatensuppe", "Suppe", true},
                                        {"Dienstaufsichtsbeschwerden", "Beschwerde", true},
                                        {"Straßenbaumaßnahme", "Maßnahme", true},
                                        {"Staubecken", "Ecken", false},
                                        {"Wachstube", "Tube", false},
                                        {"Blumentopferde", "Pferde", false},
                                        {"Landratsämter", "Samt", false},
                                        {"Handlungen", "Lunge", false},
                                        {"Amerikanische", "Nische", false},
                                        {"Aufenthaltsorte", "Sorte", false},
                                        {"Einfluss", "Fluss", false},
                                        {"Gegenstand", "Stand", false},
                                        {"Antwort", "Ort", false},
                                        {"Arbeitende", "Ende", false},
                                        {"Ebenfalls", "Fall", false},
                                        {"erfolgreiche", "Reich", false}};
    std::vector<std::uint64_t> entries;
    for (const Wanted& one : wanted) entries.push_back(archive.add_text(one.word).value);
    REQUIRE(archive.index_all().ok());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto hits = archive.find(wanted[i].query);
        const bool found = std::find(hits.begin(), hits.end(), entries[i]) != hits.end();
        CHECK_MESSAGE(found == wanted[i].found, std::string(wanted[i].query), " in ", std::string(wanted[i].word));
    }
}

}  // namespace kustos::search::test
