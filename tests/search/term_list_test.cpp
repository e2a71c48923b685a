// The list of terms of a hit report, as people bring it.
#include "search/term_list.h"

#include <doctest/doctest.h>

#include "tests/support/doc_example.h"

namespace kustos::search::test {
namespace {

std::vector<Term> read(std::string_view text) {
    auto terms = parse_term_list(text);
    if (!terms.ok()) FAIL(terms.error().message());
    return std::move(*terms);
}

std::string refusal(std::string_view text, Language language = Language::en) {
    const auto terms = parse_term_list(text, language);
    REQUIRE_FALSE(terms.ok());
    CHECK_FALSE(terms.error().hint().empty());
    return terms.error().message();
}

}  // namespace

TEST_CASE("the list on the format page is read") {
    const std::vector<Term> terms = read(kustos::test::doc_text("term-list.md", "terms"));
    REQUIRE(terms.size() == 4);
    CHECK(terms[0] == Term{2, "Entwürfe", "Entwurf ODER Fassung"});
    CHECK(terms[1] == Term{3, "", "Vertrag NAHE/5 kündig*"});
    CHECK(terms[2] == Term{5, "", "=MASS"});
    CHECK(terms[3] == Term{6, "Anna", "von:anna@example.org"});
}

TEST_CASE("byte order mark, line ends of every kind, blanks, comments and a missing last line end are taken") {
    const std::vector<Term> wanted = {{1, "", "eins"}, {3, "Zwei", "zwei"}, {5, "", "drei"}};
    CHECK(read("\xEF\xBB\xBF"
               "eins\n\nZwei\tzwei\n# vier\tfünf\ndrei") == wanted);
    CHECK(read("eins\r\n\r\nZwei\tzwei\r\n  # x\r\n  drei \t\r\n") == wanted);
    CHECK(read(" eins\n\t\n  Zwei  \t  zwei\n#\n\t drei") == wanted);
    CHECK(read("\tnur\n").at(0) == Term{1, "", "nur"});
    CHECK(read("name\t\"a b\"\tc").at(0) == Term{1, "name", "\"a b\"\tc"});
}

TEST_CASE("a query's problem is told by its line and its character in that line") {
    CHECK(refusal("gut\n(offen\n").starts_with("line 2: query, character 1"));
    CHECK(refusal("gut\nÄpfel\t (offen\n").starts_with("line 2: query, character 8"));
    CHECK(refusal("  datum:32.13.2026").starts_with("line 1: query, character 9"));
    CHECK(refusal("(offen", Language::de).starts_with("Zeile 1: "));
    CHECK(refusal("geheim (").find("geheim") == std::string::npos);
}

TEST_CASE("what is no list is refused by its line, and nothing of it is repeated") {
    CHECK(refusal("") == "there is no term in the list");
    CHECK(refusal("# nur\n\n") == "there is no term in the list");
    CHECK(refusal("\xFF\xFE"
                  "a\0b") == "the list is UTF-16");
    CHECK(refusal("gut\n\xC3(\n") == "line 2: this is not UTF-8");
    CHECK(refusal(std::string_view("gut\na\0b", 7)) == "line 2: a control character");
    CHECK(refusal("gut\rauch gut\n") == "line 1: a control character");
    CHECK(refusal(std::string(201, 'n') + "\tx").starts_with("line 1: the name"));
    CHECK(read(std::string(200, 'n') + "\tx").size() == 1);
}

TEST_CASE("the limits are those of the page") {
    const auto code = [](const std::string& text) { return parse_term_list(text).error().code(); };
    CHECK(read("x" + std::string(kMaxTermLine - 1, ' ')).size() == 1);
    CHECK(code("x" + std::string(kMaxTermLine, ' ')) == Code::limit);
    std::string many;
    for (std::size_t i = 0; i < kMaxTerms; ++i) many += "wort\n";
    CHECK(read(many).size() == kMaxTerms);
    CHECK(code(many + "wort\n") == Code::limit);
    CHECK(read("x" + std::string(kMaxTermFile - 1, '\n')).size() == 1);
    CHECK(code("x" + std::string(kMaxTermFile, '\n')) == Code::limit);
}

}  // namespace kustos::search::test
