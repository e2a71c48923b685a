#include <doctest/doctest.h>

#include <sstream>

#include "base/fs.h"
#include "search/persons.h"
#include "search/query.h"
#include "search/src/file_types.h"
#include "search/uncertain.h"
#include "tests/support/shared.h"

namespace kustos::search {
namespace {

std::string tree(std::string_view text) {
    const ParsedQuery parsed = parse(text);
    return parsed.query ? query_text(parsed.query->root) : "problem";
}

QueryProblem problem(std::string_view text) {
    const ParsedQuery parsed = parse(text);
    REQUIRE_MESSAGE(parsed.problem, text);
    return *parsed.problem;
}

Node root(std::string_view text) {
    const ParsedQuery parsed = parse(text);
    REQUIRE_MESSAGE(parsed.query, text);
    return parsed.query->root;
}

// The code spans in the first two columns of the tables, but the sign "?", and names of fields alone ("sender:") and
// what is shortened ("9f86d0...").
std::vector<std::string> examples_in_tables(const std::string& page) {
    std::vector<std::string> out;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("| `", 0) != 0) continue;
        const std::size_t last = line.find(" | ", line.find(" | ") + 3);
        for (std::size_t at = 0; (at = line.find('`', at)) < last;) {
            const std::size_t end = line.find('`', at + 1);
            std::string span = line.substr(at + 1, end - at - 1);
            at = end + 1;
            if (span != "?" && span.back() != ':' && span.find("...") == std::string::npos)
                out.push_back(std::move(span));
        }
    }
    return out;
}

using What = QueryProblem::What;

}  // namespace

TEST_CASE("NEAR and W join words of one field, tighter than AND") {
    CHECK(tree("a1 NEAR/5 b1") == "(a1 NEAR/5 b1)");
    CHECK(tree("a1 NAHE/5 b1") == "(a1 NEAR/5 b1)");
    CHECK(tree("a1 W/5 b1") == "(a1 W/5 b1)");
    CHECK(tree("a1 FOLGT/5 b1") == "(a1 W/5 b1)");
    CHECK(tree("a1 PRE/5 b1") == "(a1 W/5 b1)");
    CHECK(tree("a1 NEAR b1") == "(a1 NEAR/10 b1)");
    CHECK(tree("a1 FOLGT b1") == "(a1 W/10 b1)");
    CHECK(tree("x1 a1 NEAR/5 b1 y1") == "(x1 AND (a1 NEAR/5 b1) AND y1)");
    CHECK(tree("NOT a1 NEAR/5 b1 OR c1") == "(NOT (a1 NEAR/5 b1) OR c1)");
    CHECK(tree("a1 NEAR/5 b1 NEAR/5 c1") == "(a1 NEAR/5 b1 NEAR/5 c1)");
    CHECK(root("a1 NEAR/5 b1 NEAR/5 c1").children.size() == 3);
    CHECK(root("a1 W/7 b1").ordered);
    CHECK(root("a1 W/7 b1").number == 7);
    CHECK(!root("a1 NEAR/500 b1").ordered);
}

TEST_CASE("beside NEAR stand words of any kind, phrases, and OR groups of them") {
    CHECK(tree("\"a b\" NEAR/3 vertr*") == "(\"a b\" NEAR/3 vertr*)");
    CHECK(tree("me?er NEAR/3 müller~1") == "(me?er NEAR/3 müller~1)");
    CHECK(tree("12-345/26 NEAR/3 akte") == "(12-345/26 NEAR/3 akte)");
    CHECK(tree("vertrag NEAR/5 (kündigung ODER (ende ODER \"nicht mehr\"))") ==
          "(vertrag NEAR/5 (kündigung OR ende OR \"nicht mehr\"))");
    CHECK(tree("(vertrag) NEAR/5 b1") == "(vertrag NEAR/5 b1)");
    CHECK(tree("betreff:(a1 NEAR/3 b1)") == "(subject:a1 NEAR/3 subject:b1)");
    CHECK(root("betreff:(a1 NEAR/3 b1)").field == Field::subject);
    CHECK(tree("body:a1 NEAR/3 body:(b1 OR c1)") == "(body:a1 NEAR/3 (body:b1 OR body:c1))");
}

TEST_CASE("what NEAR can't join is refused where it stands") {
    for (const char* bad :
         {"a1 NEAR/3 =b1", "a1 NEAR/3 (b1 c1)", "a1 NEAR/3 -b1", "a1 NEAR/3 NOT b1", "a1 NEAR/3 subject:b1",
          "subject:a1 NEAR/3 b1", "a1 NEAR/3 *", "a1 NEAR/3 date:2026", "a1 NEAR/3 (b1 OR c1 d1)",
          "(a1 NEAR/3 b1) NEAR/3 c1", "a1 NEAR/3 (b1 OR subject:c1)", "a1 NEAR/3 person:P1"})
        CHECK_MESSAGE(problem(bad).what == What::near_operand, bad);
    CHECK(problem("a1 NEAR/3 =b1").begin == 10);
    CHECK(problem("a1 NEAR/3 b1 NEAR/4 c1").what == What::near_mixed);
    CHECK(problem("a1 NEAR/3 b1 W/3 c1").what == What::near_mixed);
    CHECK(problem("a1 NEAR/3 b1 W/3 c1").character == 14);
    for (const char* bad : {"a1 NEAR/0 b1", "a1 NEAR/501 b1", "a1 NEAR/ b1", "a1 NEAR/x b1", "a1 W/0 b1",
                            "a1 NEAR/99999999999999999999 b1", "a1 NEAR/-3 b1"})
        CHECK_MESSAGE(problem(bad).what == What::bad_distance, bad);
    for (const char* bad : {"NEAR/3 b1", "a1 NEAR/3", "a1 NEAR/3 OR b1", "a1 NEAR/3 NEAR/3 b1", "(a1 NEAR)",
                            "NOT NEAR b1", "a1 AND NEAR b1", "& NEAR/3 b1"})
        CHECK_MESSAGE(problem(bad).what == What::operand_missing, bad);
    CHECK(problem("a1 NEAR/3 &").what == What::nothing_to_find);
    CHECK(problem("from: NEAR/3 b1").what == What::empty_value);
}

TEST_CASE("W and PRE without a number, and small letters, are words") {
    CHECK(tree("George W Bush") == "(George AND W AND Bush)");
    CHECK(tree("coffee W/O milk") == "(coffee AND W/O AND milk)");
    CHECK(tree("near far") == "(near AND far)");
}

TEST_CASE("each of NEAR's words counts") {
    std::string many = "a";
    for (std::size_t i = 1; i < kMaxQueryLeaves; ++i) many += " NEAR/3 a";
    CHECK(parse(many).query);
    CHECK(problem(many + " NEAR/3 a").what == What::too_many_parts);
}

TEST_CASE("the people of a message have fields of their own") {
    CHECK(tree("cc:a1 kopie:a1") == "(cc:a1 AND cc:a1)");
    CHECK(tree("bcc:a1 blindkopie:a1") == "(bcc:a1 AND bcc:a1)");
    CHECK(tree("participant:a1 beteiligt:a1 Teilnehmer:a1") ==
          "(participant:a1 AND participant:a1 AND participant:a1)");
    CHECK(tree("cc:person:P1 beteiligt:(person:P1 OR bert)") ==
          "(cc:person:\"P1\" AND (participant:person:\"P1\" OR participant:bert))");
    const auto resolve = [](const std::string&) -> Result<std::vector<PersonHandle>> {
        return std::vector<PersonHandle>{{"anna@example.org", {}}};
    };
    const auto run = [&](std::string_view text) { return with_persons(*parse(text).query, resolve).value().text; };
    CHECK(run("cc:person:P1") == "cc:\"anna@example.org\"");
    CHECK(run("bcc:person:P1") == "bcc:\"anna@example.org\"");
    CHECK(run("participant:person:P1") == "participant:\"anna@example.org\"");
    CHECK(run("to:person:P1") == "to:\"anna@example.org\"");
    CHECK(run("person:P1 größe:>1k") == "((from:\"anna@example.org\" OR to:\"anna@example.org\") AND size:1001..)");
}

TEST_CASE("the text of a message and of its attachments have fields of their own") {
    CHECK(tree("body:a1 text:a1 inhalt:a1") == "(body:a1 AND body:a1 AND body:a1)");
    CHECK(tree("attachment:a1 anhang:a1 Anhänge:a1") == "(attachment:a1 AND attachment:a1 AND attachment:a1)");
    CHECK(tree("filename:a1 dateiname:a1") == "(file:a1 AND file:a1)");
}

TEST_CASE("file types are extensions and groups of them") {
    CHECK(tree("filetype:pdf dateityp:PDF") == "(filetype:pdf AND filetype:pdf)");
    CHECK(tree("filetype:jpeg filetype:.jpg") == "(filetype:jpg AND filetype:jpg)");
    CHECK(tree("dateityp:tabelle dateityp:Bild dateityp:präsentation") ==
          "(filetype:excel AND filetype:image AND filetype:powerpoint)");
    CHECK(tree("dateityp:archiv filetype:mail filetype:word filetype:text") ==
          "(filetype:archive AND filetype:mail AND filetype:word AND filetype:text)");
    CHECK(tree("filetype:.q7z") == "filetype:.q7z");
    CHECK(root("filetype:.q7z").text == "q7z");
    CHECK(problem("filetype:q7z").what == What::bad_filetype);
    CHECK(problem("filetype:pfd").what == What::bad_filetype);
    CHECK(problem("filetype:präsentatoin").suggestion == "präsentation");
    CHECK(file_types_of("excel").front() == "xls");
    CHECK(file_types_of("pdf") == std::vector<std::string>{"pdf"});
    CHECK(file_type("jpeg") == "jpg");
    for (const char* group : {"word", "text", "excel", "powerpoint", "image", "audio", "video", "archive", "mail"}) {
        CHECK(file_types_of(group).size() > 4);
        for (const std::string& type : file_types_of(group)) {
            CHECK(parse_file_type(type) == type);
            CHECK(file_type(type) == type);
        }
    }
}

TEST_CASE("sums are of one attachment or a list of the matter") {
    const std::string sum(64, 'a');
    CHECK(tree("hash:" + sum) == "sha256:" + sum);
    CHECK(tree("prüfsumme:" + std::string(64, 'A')) == "sha256:" + sum);
    CHECK(tree("hash:@Liste") == "hash:@\"Liste\"");
    CHECK(tree("hash:liste:Liste") == "hash:@\"Liste\"");
    CHECK(tree("hash:@\"Liste 7\"") == "hash:@\"Liste 7\"");
    CHECK(tree("hash:\"@Liste 7\"") == "hash:@\"Liste 7\"");
    CHECK(tree("hash:list:„Liste 7“ a1") == "(hash:@\"Liste 7\" AND a1)");
    CHECK(root("hash:@Liste").kind == Node::Kind::content_list);
    CHECK(problem("hash:@").what == What::empty_value);
    CHECK(problem("hash:abc").what == What::bad_sha256);
}

TEST_CASE("languages are named by code, in German or in English") {
    CHECK(tree("language:de sprache:Deutsch sprache:german") == "(language:de AND language:de AND language:de)");
    CHECK(tree("sprache:türkisch sprache:tuerkisch language:eu") == "(language:tr AND language:tr AND language:eu)");
    CHECK(problem("language:xx").what == What::bad_language);
    CHECK(problem("language:deutsh").suggestion == "deutsch");
}

TEST_CASE("sizes are numbers with units, compared or ranges") {
    const auto sizes = [](std::string_view text) { return tree("size:" + std::string(text)); };
    CHECK(sizes("500") == "size:500..500");
    CHECK(sizes(">1M") == "size:1000001..");
    CHECK(sizes(">=1M") == "size:1000000..");
    CHECK(sizes("<500KB") == "size:..499999");
    CHECK(sizes("<=500kb") == "size:..500000");
    CHECK(sizes("10k..2M") == "size:10000..2000000");
    CHECK(sizes("1Ki..1MiB") == "size:1024..1048576");
    CHECK(sizes("1.5M..") == "size:1500000..");
    CHECK(sizes("..1,25G") == "size:..1250000000");
    CHECK(sizes("=0") == "size:0..0");
    CHECK(sizes("0.5KiB") == "size:512..512");
    CHECK(tree("größe:>1M groesse:>1M GRÖSSE:>1M") == "(size:1000001.. AND size:1000001.. AND size:1000001..)");
    for (const char* bad : {"x", "1x", "..", ">", "1.5", "1.000k", "1.k", "-1", "<0", "1kk", "99999999T", "k",
                            "1234567890123456", "1..x", "1M 2"}) {
        const ParsedQuery parsed = parse("size:\"" + std::string(bad) + "\"");
        REQUIRE_MESSAGE(parsed.problem, bad);
        CHECK(parsed.problem->what == What::bad_size);
    }
    CHECK(problem("size:2M..1M").what == What::size_order);
    CHECK(problem("size:2M..1M").begin == 5);
}

TEST_CASE("what the archive and the matter know of a record can be asked for") {
    CHECK(tree("sealed:2026-03 versiegelt:>=01.03.2026") == "(sealed:2026-03-01..2026-03-31 AND sealed:2026-03-01..)");
    CHECK(problem("sealed:nie").what == What::bad_date);
    CHECK(problem("sealed:2026..2025").what == What::date_order);
    CHECK(tree("class:7 klasse:\"Akten 10 Jahre\"") == "(class:\"7\" AND class:\"Akten 10 Jahre\")");
    CHECK(tree("tag:wichtig schlagwort:wichtig markierung:wichtig") ==
          "(tag:\"wichtig\" AND tag:\"wichtig\" AND tag:\"wichtig\")");
    CHECK(tree("code:relevant bewertung:relevant") == "(code:\"relevant\" AND code:\"relevant\")");
    CHECK(tree("code:privileg=ja a1") == "(code:\"privileg=ja\" AND a1)");
    CHECK(tree("code:privileg=\"zum Teil\" a1") == "(code:\"privileg=zum Teil\" AND a1)");
    CHECK(tree("bewertung:„privileg=zum Teil“") == "code:\"privileg=zum Teil\"");
    CHECK(tree("code:a=b=„c d“") == "code:\"a=b=c d\"");
    CHECK(tree("edited:yes bearbeitet:nein") == "(edited:yes AND NOT edited:yes)");
    CHECK(tree("NOT gelöscht:nein geloescht:JA") == "(deleted:yes AND deleted:yes)");
    CHECK(problem("edited:maybe").what == What::bad_yes);
    CHECK(tree("thread:4711 strang:4711 verlauf:<a.b@example.org>") ==
          "(thread:\"4711\" AND thread:\"4711\" AND thread:\"a.b@example.org\")");
    CHECK(tree("thread:\"<a@b>\"") == "thread:\"a@b\"");
}

TEST_CASE("a slip in a name is answered with the name that was probably meant") {
    const auto hint = [](std::string_view text, Language language) { return describe(problem(text), language).hint; };
    CHECK(problem("betref:a1").suggestion == "betreff");
    CHECK(problem("absendr:a1").suggestion == "absender");
    CHECK(problem("Empfanger:a1").suggestion == "empfänger");
    CHECK(problem("vom:a1").suggestion == "von");
    CHECK(problem("grösße:a1").suggestion == "größe");
    CHECK(problem("quatsch:a1").suggestion.empty());
    CHECK(problem("xy:a1").suggestion.empty());
    CHECK(problem(std::string(500, 'b') + ":a1").suggestion.empty());
    CHECK(problem("kind:caht").suggestion == "chat");
    CHECK(hint("betref:a1", Language::de).rfind("vielleicht betreff:? Felder:", 0) == 0);
    CHECK(hint("betref:a1", Language::en).rfind("did you mean betreff:? fields:", 0) == 0);
    CHECK(hint("kind:mial", Language::en).rfind("did you mean mail? ", 0) == 0);
}

TEST_CASE("every example of the page about the query language is a query") {
    RealFs fs;
    const auto page = read_file(fs, test::source_dir() / "docs" / "query-language.md", 1'000'000);
    REQUIRE(page.ok());
    const std::vector<std::string> examples = examples_in_tables(to_text(*page));
    CHECK(examples.size() > 60);
    for (const std::string& example : examples) CHECK_MESSAGE(parse(example).query, example);
}

TEST_CASE("a partial record is certain about people, subject and sets, not about words of its text") {
    const auto certain = [](std::string_view text) { return certain_for_partial(root(text)); };
    for (const char* text : {"from:a1", "cc:ann*", "participant:=Anna", "subject:(a1 NEAR/3 b1)", "betreff:meyer~",
                             "size:>1M", "sealed:2026", "class:7", "tag:x", "thread:4711", "edited:no", "hash:@Liste",
                             "filetype:pdf", "date:2026 -von:a1"})
        CHECK_MESSAGE(certain(text), text);
    for (const char* text : {"a1", "body:a1", "attachment:a1", "file:a1", "a1 NEAR/3 b1", "=Anna", "ver*g", "meyer~",
                             "language:de", "from:a1 b1"})
        CHECK_MESSAGE(!certain(text), text);
}

TEST_CASE("every problem has words in both languages") {
    for (int what = 0; what <= static_cast<int>(What::bad_yes); ++what) {
        QueryProblem found;
        found.what = static_cast<What>(what);
        for (const Language language : {Language::en, Language::de}) {
            const ProblemText text = describe(found, language);
            CHECK(text.message.size() > 25);
            CHECK(text.message.find("not a query") == std::string::npos);
            CHECK(text.message.find("keine Anfrage") == std::string::npos);
            CHECK(!text.hint.empty());
        }
    }
}

}  // namespace kustos::search
