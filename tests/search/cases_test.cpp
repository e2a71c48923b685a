#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "tests/search/archive_of.h"
#include "tests/support/shared.h"

namespace kustos::search::test {
namespace {

struct Case {
    std::string type, document, query, wanted;
};

std::vector<Case> read_cases(const Path& path) {
    RealFs fs;
    const auto file = read_file(fs, path, 1'000'000);
    std::vector<Case> out;
    if (!file.ok()) return out;
    std::istringstream lines(to_text(*file));
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream cells(line);
        Case c;
        std::getline(cells, c.type, '\t');
        std::getline(cells, c.document, '\t');
        std::getline(cells, c.query, '\t');
        std::getline(cells, c.wanted, '\t');
        if (const auto at = c.document.find("\\n"); at != std::string::npos) c.document.replace(at, 2, "\n");
        out.push_back(std::move(c));
    }
    return out;
}

}  // namespace

TEST_CASE("German search cases give the wanted result") {
    const auto shared = kustos::test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const std::vector<Case> cases = read_cases(*shared / "corpora" / "german" / "search_cases_de.tsv");
    REQUIRE(cases.size() > 40);
    SmallArchive archive;
    std::error_code ignored;
    SUBCASE("with our own words for compounds alone") {}
    SUBCASE("with Debian's dictionary") {
        archive.options.word_list = "/usr/share/hunspell/de_DE.dic";
        if (!std::filesystem::exists(archive.options.word_list, ignored)) {
            MESSAGE("skipped: hunspell-de-de is not installed");
            return;
        }
    }
    std::vector<std::uint64_t> entries;
    for (const Case& c : cases) entries.push_back(archive.add_text(c.document).value);
    REQUIRE(archive.index_all().ok());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const Case& c = cases[i];
        const auto hits = archive.find(c.query);
        const bool found = std::find(hits.begin(), hits.end(), entries[i]) != hits.end();
        if (c.wanted == "ja" || c.wanted == "nein") {
            CHECK_MESSAGE(found == (c.wanted == "ja"), c.type, ": '", c.query, "' in '", c.document, "' wanted ",
                          c.wanted);
        } else {
            MESSAGE("open: ", c.type, ": '", c.query, "' in '", c.document,
                    "': ", std::string(found ? "found" : "not found"));
        }
    }
}

TEST_CASE("lemma queries over real German sentences find most of what a linguist would") {
    const auto shared = kustos::test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    const auto sentences = read_file(fs, *shared / "corpora" / "german" / "pud_sentences.tsv", 10'000'000);
    const auto queries = read_file(fs, *shared / "corpora" / "german" / "pud_lemma_queries.tsv", 10'000'000);
    REQUIRE(sentences.ok());
    REQUIRE(queries.ok());
    SmallArchive archive;
    std::map<std::string, std::uint64_t> entry_of;
    std::istringstream lines(to_text(*sentences));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t tab = line.find('\t');
        if (line[0] != '#' && tab != std::string::npos)
            entry_of[line.substr(0, tab)] = archive.add_text(line.substr(tab + 1)).value;
    }
    REQUIRE(archive.index_all().ok());
    std::size_t asked = 0, wanted = 0, found = 0, extra = 0;
    std::istringstream rows(to_text(*queries));
    for (std::string line; std::getline(rows, line);) {
        if (line.empty() || line[0] == '#' || line.rfind("lemma_query\t", 0) == 0) continue;
        std::istringstream cells(line);
        std::string query, forms, id;
        std::getline(cells, query, '\t');
        std::getline(cells, forms, '\t');
        if (!parse(query).query) continue;
        std::vector<std::uint64_t> right;
        std::string rest;
        std::getline(cells, rest);
        for (char& c : rest) c = c == '\t' || c == ',' ? ' ' : c;
        std::istringstream ids(rest);
        while (ids >> id) {
            if (entry_of.count(id) != 0) right.push_back(entry_of[id]);
        }
        ++asked;
        const auto hits = archive.find(query);
        for (const std::uint64_t entry : right) found += std::find(hits.begin(), hits.end(), entry) != hits.end();
        for (const std::uint64_t entry : hits) extra += std::find(right.begin(), right.end(), entry) == right.end();
        wanted += right.size();
    }
    const double recall = static_cast<double>(found) / static_cast<double>(wanted);
    const double precision = static_cast<double>(found) / static_cast<double>(found + extra);
    MESSAGE(asked, " lemma queries: ", found, " of ", wanted, " wanted sentences found, ", extra, " others: recall ",
            recall, ", precision ", precision);
    CHECK(asked == 649);
    CHECK(recall >= 0.90);
}

}  // namespace kustos::search::test
