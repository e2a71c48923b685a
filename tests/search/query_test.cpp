#include "search/query.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "search/persons.h"
#include "vault/message.h"

namespace kustos::search {
namespace {

std::string tree(std::string_view text) {
    const ParsedQuery parsed = parse(text);
    return parsed.query ? query_text(parsed.query->root) : "problem";
}

Node::Kind kind(std::string_view text) {
    const ParsedQuery parsed = parse(text);
    REQUIRE_MESSAGE(parsed.query, text);
    return parsed.query->root.kind;
}

QueryProblem problem(std::string_view text) {
    const ParsedQuery parsed = parse(text);
    REQUIRE_MESSAGE(parsed.problem, text);
    REQUIRE(!parsed.query);
    return *parsed.problem;
}

using What = QueryProblem::What;

}  // namespace

TEST_CASE("words side by side must all be there") {
    CHECK(tree("vertrag müller") == "(vertrag AND müller)");
    CHECK(tree("vertrag AND müller") == "(vertrag AND müller)");
    CHECK(tree("vertrag UND müller") == "(vertrag AND müller)");
    CHECK(tree("  vertrag\tmüller\n") == "(vertrag AND müller)");
}

TEST_CASE("AND binds tighter than OR, and parentheses tighter than both") {
    CHECK(tree("a1 b1 OR c1") == "((a1 AND b1) OR c1)");
    CHECK(tree("a1 (b1 ODER c1)") == "(a1 AND (b1 OR c1))");
    CHECK(tree("a1 OR b1 OR c1") == "(a1 OR b1 OR c1)");
}

TEST_CASE("NOT, NICHT and a minus sign leave out") {
    CHECK(tree("vertrag -entwurf") == "(vertrag AND NOT entwurf)");
    CHECK(tree("vertrag NOT entwurf") == "(vertrag AND NOT entwurf)");
    CHECK(tree("vertrag NICHT (entwurf ODER muster)") == "(vertrag AND NOT (entwurf OR muster))");
    CHECK(tree("NOT NOT entwurf") == "entwurf");
    CHECK(tree("-von:anna") == "NOT from:anna");
    CHECK(tree("E-Mail") == "E-Mail");
    CHECK(tree("a1 - b1") == "(a1 AND b1)");
}

TEST_CASE("small letters are words, not operators") {
    CHECK(tree("salz und pfeffer") == "(salz AND und AND pfeffer)");
    CHECK(tree("not or and") == "(not AND or AND and)");
}

TEST_CASE("phrases take any kind of quotation marks") {
    CHECK(tree("\"nicht verkündet\"") == "\"nicht verkündet\"");
    CHECK(tree("„nicht verkündet“") == "\"nicht verkündet\"");
    CHECK(tree("“not announced”") == "\"not announced\"");
    CHECK(tree("»nicht verkündet«") == "\"nicht verkündet\"");
    CHECK(tree("\"a1 b1\" c1") == "(\"a1 b1\" AND c1)");
}

TEST_CASE("fields have English and German names") {
    CHECK(tree("from:anna von:anna absender:anna") == "(from:anna AND from:anna AND from:anna)");
    CHECK(tree("to:bert an:bert Empfänger:bert") == "(to:bert AND to:bert AND to:bert)");
    CHECK(tree("Betreff:\"Angebot 7\"") == "subject:\"Angebot 7\"");
    CHECK(tree("datei:bericht.pdf") == "file:bericht.pdf");
    CHECK(tree("quelle:chat-server") == "source:\"chat-server\"");
    CHECK(tree("coverage:no-sandbox abdeckung:OCR") == "(coverage:no-sandbox AND coverage:ocr)");
    CHECK(tree("hat:anhang has:attachment") == "(has:attachment AND has:attachment)");
    CHECK(tree("art:anruf kind:mail") == "(kind:call AND kind:mail)");
    CHECK(tree("unterhaltung:vertrieb") == "conversation:vertrieb");
    CHECK(tree("von: anna") == "from:anna");
    CHECK(tree("von:(anna ODER bert)") == "(from:anna OR from:bert)");
    CHECK(tree("von:anna.mueller@example.org") == "from:anna.mueller@example.org");
}

TEST_CASE("a person may be named alone, and inside from and to") {
    CHECK(tree("person:\"Anna Müller\" vertrag") == "(person:\"Anna Müller\" AND vertrag)");
    CHECK(tree("person:P12") == "person:\"P12\"");
    CHECK(tree("von:person:anna@example.org") == "from:person:\"anna@example.org\"");
    CHECK(tree("an:(person:\"Anna Müller\" ODER bert)") == "(to:person:\"Anna Müller\" OR to:bert)");
    CHECK(problem("betreff:(person:P12)").what == What::operator_in_field);
    CHECK(problem("person:").what == What::empty_value);
    CHECK(tree("from:person:\"P12\"") == "from:person:\"P12\"");
}

TEST_CASE("a person's addresses take its place, each in its time") {
    const auto resolve = [](const std::string& who) -> Result<std::vector<PersonHandle>> {
        if (who == "nobody") return std::vector<PersonHandle>();
        if (who == "many") return std::vector<PersonHandle>(200, {"a.b@example.org", {}});
        DateRange days;
        days.last = CivilDate{2025, 2, 1};
        return std::vector<PersonHandle>{{"anna@example.org", {}}, {"le\"itung", days}, {"***", {}}};
    };
    const auto run = [&](std::string_view text) { return with_persons(*parse(text).query, resolve); };
    CHECK(run("vertrag person:P1").value().text ==
          "(vertrag AND ((from:\"anna@example.org\" OR to:\"anna@example.org\") OR "
          "((from:\"le itung\" OR to:\"le itung\") AND date:..2025-02-01)))");
    CHECK(run("von:person:P1").value().text ==
          "(from:\"anna@example.org\" OR (from:\"le itung\" AND date:..2025-02-01))");
    CHECK(run("NOT an:person:P1").value().text ==
          "NOT (to:\"anna@example.org\" OR (to:\"le itung\" AND date:..2025-02-01))");
    CHECK(run("vertrag").value().text == "vertrag");
    CHECK(run("person:nobody").error().code() == Code::usage);
    CHECK(run("person:many").error().code() == Code::usage);
}

TEST_CASE("every kind that a query may name is a kind of message") {
    for (const char* written : {"mail", "chat", "datei", "anruf", "voice", "status", "edit", "löschung", "reaktion",
                                "beitritt", "leave", "quarantäne", "notiz"}) {
        const ParsedQuery parsed = parse(std::string("kind:") + written);
        REQUIRE(parsed.query);
        CHECK(vault::parse_kind(parsed.query->root.text));
    }
}

TEST_CASE("dates are days, months, years and ranges, in both orders") {
    CHECK(tree("date:2026-03-02") == "date:2026-03-02..2026-03-02");
    CHECK(tree("datum:2.3.2026") == "date:2026-03-02..2026-03-02");
    CHECK(tree("datum:02.03.2026") == "date:2026-03-02..2026-03-02");
    CHECK(tree("date:2026-02") == "date:2026-02-01..2026-02-28");
    CHECK(tree("date:2024-02") == "date:2024-02-01..2024-02-29");
    CHECK(tree("datum:03.2026") == "date:2026-03-01..2026-03-31");
    CHECK(tree("date:2026") == "date:2026-01-01..2026-12-31");
    CHECK(tree("date:2026-03-01..2026-03-31") == "date:2026-03-01..2026-03-31");
    CHECK(tree("datum:01.03.2026..31.03.2026") == "date:2026-03-01..2026-03-31");
    CHECK(tree("date:2025..2026-03") == "date:2025-01-01..2026-03-31");
    CHECK(tree("date:2026-03..") == "date:2026-03-01..");
    CHECK(tree("date:..2026-03") == "date:..2026-03-31");
    CHECK(tree("date:>=2026-03") == "date:2026-03-01..");
    CHECK(tree("date:<=2026-03") == "date:..2026-03-31");
    CHECK(tree("date:>2026-03") == "date:2026-04-01..");
    CHECK(tree("date:<2026-03") == "date:..2026-02-28");
    CHECK(tree("seit:01.03.2026 bis:2026") == "(date:2026-03-01.. AND date:..2026-12-31)");
    for (const char* bad :
         {"date:2026-13", "date:2026-02-30", "date:31.02.2026", "date:yesterday", "date:26", "date:..",
          "date:>=", "date:2026-1-1", "date:2026-03-02-01", "date:>9999-12-31", "date:0000"})
        CHECK(problem(bad).what == What::bad_date);
    CHECK(problem("date:2026-03..2026-02").what == What::date_order);
}

TEST_CASE("a star at the end is a prefix, any other wildcard a pattern, of at least three letters") {
    CHECK(tree("vertr*") == "vertr*");
    CHECK(kind("vertr*") == Node::Kind::prefix);
    CHECK(kind("vertr**") == Node::Kind::prefix);
    CHECK(tree("von:mül*") == "from:mül*");
    CHECK(tree("*") == "*");
    CHECK(tree("(vertr*), 'auftr*'") == "(vertr* AND auftr*)");
    CHECK(kind("ver*rag") == Node::Kind::pattern);
    CHECK(tree("ver*rag *trag me?er Ha?s* a*b*c*d") == "(ver*rag AND *trag AND me?er AND Ha?s* AND a*b*c*d)");
    CHECK(kind("vertr*?") == Node::Kind::pattern);
    CHECK(problem("ve*").what == What::prefix_too_short);
    CHECK(problem("mü*").what == What::prefix_too_short);
    CHECK(problem("*m?*ü*").what == What::prefix_too_short);
    CHECK(problem("**").what == What::prefix_too_short);
    CHECK(problem("von:*").what == What::prefix_too_short);
    CHECK(problem("12-34*").what == What::star_inside);
    CHECK(problem("anna*@example.org").what == What::star_inside);
    CHECK(problem("=ver*").what == What::star_inside);
    CHECK(parse("a*b*c*d*e*f*g*h*").query);
    CHECK(problem("a*b*c*d*e*f*g*h*i*").what == What::star_inside);
}

TEST_CASE("a question mark is one letter, and ends a question where it can't be one") {
    CHECK(kind("meie?") == Node::Kind::pattern);
    CHECK(tree("wann kommt er?") == "(wann AND kommt AND er?)");
    CHECK(kind("er?") == Node::Kind::word);
    CHECK(kind("E-Mail?") == Node::Kind::word);
    CHECK(tree("wirklich ?") == "wirklich");
    CHECK(problem("12-345/2?").what == What::star_inside);
    CHECK(kind("https://example.org/a?b=c") == Node::Kind::word);
    CHECK(kind("\"wer kommt?\"") == Node::Kind::phrase);
}

TEST_CASE("a tilde lets letters differ") {
    CHECK(tree("meyer~ meyer~1 betreff:meyer~2") == "(meyer~1 AND meyer~1 AND subject:meyer~2)");
    CHECK(tree("(müller~),") == "müller~1");
    for (const char* bad : {"meyer~3", "meyer~0", "meyer~12", "meyer~0.8", "my~", "12-345~1", "mey*r~", "\"a b\"~5"})
        CHECK(problem(bad).what == What::bad_fuzzy);
    CHECK(kind("~/verzeichnis") == Node::Kind::word);
    CHECK(kind("a~b") == Node::Kind::word);
    CHECK(kind("~5") == Node::Kind::word);
}

TEST_CASE("an equals sign takes words exactly as typed") {
    CHECK(tree("=Angebot") == "=\"Angebot\"");
    CHECK(tree("=\"Müller GmbH\" a1") == "(=\"Müller GmbH\" AND a1)");
    CHECK(tree("=„Müller GmbH“") == "=\"Müller GmbH\"");
    CHECK(tree("subject:=Angebot") == "subject:=\"Angebot\"");
    CHECK(tree("betreff:(=Angebot ODER =\"Angebot 7\")") == "(subject:=\"Angebot\" OR subject:=\"Angebot 7\")");
    CHECK(tree("-=Angebot") == "NOT =\"Angebot\"");
    CHECK(tree("a = b") == "(a AND b)");
    CHECK(tree("a=b") == "a=b");
    CHECK(problem("=\"!\"").what == What::nothing_to_find);
}

TEST_CASE("problems say where, in characters, and what to do, in both languages") {
    const QueryProblem found = problem("größe date:nie");
    CHECK(found.what == What::bad_date);
    CHECK(found.begin == 13);
    CHECK(found.end == 16);
    CHECK(found.character == 12);
    CHECK(describe(found, Language::en).message == "query, character 12: this is not a date");
    CHECK(describe(found, Language::de).message == "Anfrage, Zeichen 12: das ist kein Datum");
    CHECK(!describe(found, Language::de).hint.empty());
    const auto error = parse_query("geheim \"offen");
    REQUIRE(!error.ok());
    CHECK(error.error().code() == Code::usage);
    CHECK(error.error().message() == "query, character 8: a quotation mark is not closed");
    CHECK(error.error().message().find("geheim") == std::string::npos);
}

TEST_CASE("what can't be meant is refused, never guessed") {
    CHECK(problem("").what == What::empty);
    CHECK(problem("   ").what == What::empty);
    CHECK(problem("(a1 b1").what == What::open_parenthesis);
    CHECK(problem("(").what == What::open_parenthesis);
    CHECK(problem("a1) b1").what == What::extra_parenthesis);
    CHECK(problem(")").what == What::extra_parenthesis);
    CHECK(problem("()").what == What::operand_missing);
    CHECK(problem("a1 OR").what == What::operand_missing);
    CHECK(problem("OR a1").what == What::operand_missing);
    CHECK(problem("a1 AND AND b1").what == What::operand_missing);
    CHECK(problem("a1 UND").what == What::operand_missing);
    CHECK(problem("NOT").what == What::operand_missing);
    CHECK(problem("from:").what == What::empty_value);
    CHECK(problem("from: OR a1").what == What::empty_value);
    CHECK(problem("absendr:anna").what == What::unknown_field);
    CHECK(problem("has:colour").what == What::bad_has);
    CHECK(problem("kind:fax").what == What::bad_kind);
    CHECK(problem("!!!").what == What::nothing_to_find);
    CHECK(problem("\"!!\"").what == What::nothing_to_find);
    CHECK(problem("a1 \xF0\x9F\x98\x80").what == What::nothing_to_find);
    CHECK(problem("from:(to:anna)").what == What::operator_in_field);
    CHECK(problem("a1 \xC3").what == What::bad_utf8);
    CHECK(problem("a1 \xC3").begin == 3);
}

TEST_CASE("signs between words are left out, and colons of other kinds belong to words") {
    CHECK(tree("Mueller & Söhne") == "(Mueller AND Söhne)");
    CHECK(tree("https://example.org/a") == "https://example.org/a");
    CHECK(tree("12:30") == "12:30");
}

TEST_CASE("length, depth and number of parts have limits") {
    CHECK(problem(std::string(kMaxQueryBytes + 1, 'a')).what == What::too_long);
    CHECK(parse(std::string(kMaxQueryBytes, 'a')).query);
    const auto nested = [](std::size_t depth) { return std::string(depth, '(') + "a1" + std::string(depth, ')'); };
    CHECK(parse(nested(kMaxQueryDepth)).query);
    CHECK(problem(nested(kMaxQueryDepth + 1)).what == What::too_deep);
    CHECK(problem(std::string(100, '-') + "a1").what == What::too_deep);
    std::string many;
    for (std::size_t i = 0; i < kMaxQueryLeaves; ++i) many += "a ";
    CHECK(parse(many).query);
    CHECK(problem(many + "b").what == What::too_many_parts);
    std::string chain = "a";
    for (std::size_t i = 0; i < kMaxQueryLeaves; ++i) chain += "-a";
    CHECK(problem(chain).what == What::too_many_parts);
}

TEST_CASE("any bytes give a query or a problem, and a query's own text gives the same query") {
    SeededRandom random(5);
    const std::vector<std::string> pieces = {
        "a",         "vertrag", " ",          "(",     ")",         "\"",      "-",       "*",      "AND ",
        "OR ",       "NOT ",    "from:",      "von:",  "date:",     "2026",    "..",      "31.12.", "\xC3\xBC",
        "\xC3",      "„",       "“",          "has:",  "kind:mail", "\n",      "NEAR/3 ", "W/5 ",   "=",
        "?",         "~",       "~1",         "size:", ">1k",       "thread:", "hash:@",  "cc:",    "x",
        "edited:no", ".",       "filetype:.", "abc",   ","};
    for (int round = 0; round < 60'000; ++round) {
        std::string text;
        for (std::uint64_t n = random.next() % 12; n > 0; --n) text += pieces[random.next() % pieces.size()];
        const ParsedQuery parsed = parse(text);
        REQUIRE(parsed.query.has_value() != parsed.problem.has_value());
        if (parsed.problem) {
            REQUIRE(parsed.problem->begin <= text.size());
            REQUIRE(parsed.problem->end <= text.size());
            continue;
        }
        const std::string canonical = query_text(parsed.query->root);
        const ParsedQuery again = parse(canonical);
        REQUIRE_MESSAGE(again.query, text, " -> ", canonical);
        REQUIRE(query_text(again.query->root) == canonical);
        REQUIRE(same_tree(again.query->root, parsed.query->root));
    }
}

}  // namespace kustos::search
