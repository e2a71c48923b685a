#include "audit/report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "audit/report_html.h"
#include "audit/report_text.h"
#include "audit/src/report_words.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::audit;

TEST_CASE("the JSON form has every key, also when there is nothing to say") {
    const auto j = nlohmann::json::parse(Report().to_json());
    CHECK(j["ok"] == true);
    CHECK(j["origin"] == "unknown");
    CHECK(j["time"] == "none");
    CHECK(j["mode"] == "whole");
    for (const char* list : {"not_checked", "remarks", "problems", "anchors"})
        CHECK((j[list].is_array() && j[list].empty()));
    CHECK(j["checked"].is_object());
    CHECK(j["fingerprint"] == "");
    CHECK(!j.contains("proven_since"));
    CHECK(Report().to_json().find('\n') == std::string::npos);
}

TEST_CASE("problems make a report not ok; beyond the limit they are counted") {
    Report r;
    for (int i = 0; i < 250; ++i) r.problem("ledger.tile", "tile " + std::to_string(i), "text");
    CHECK(!r.ok);
    CHECK(r.problems.size() == Report::kMaxProblems);
    CHECK(r.checked["problems_left_out"] == 50);
    const auto j = nlohmann::json::parse(r.to_json());
    CHECK(j["problems"][0]["code"] == "ledger.tile");
    CHECK(j["problems"][0]["where"] == "tile 0");
    CHECK(r.to_text("de").find("Nicht in Ordnung") == 0);
    CHECK(r.to_text("en").find("Not intact") == 0);
    CHECK(r.to_text("en").find("ledger.tile  tile 0: text") != std::string::npos);
}

TEST_CASE("foreign bytes in names don't break the JSON form") {
    Report r;
    r.problem("bundle.manifest", "a\xFF\"\n", "x");
    CHECK(nlohmann::json::parse(r.to_json())["problems"].size() == 1);
}

TEST_CASE("the headline never claims an origin that was not established") {
    Report r;
    r.fingerprint = "abcd";
    CHECK(r.headline("en").find("Origin not established") != std::string::npos);
    CHECK(r.headline("de").find("Herkunft nicht festgestellt") != std::string::npos);
    r.origin = Origin::pinned;
    CHECK(r.headline("en").find("trust file") != std::string::npos);
    r.time = TimeLevel::self;
    CHECK(r.to_text("en").find("proves no time to others") != std::string::npos);
    r.time = TimeLevel::qualified;
    r.proven_since = UtcTime{1'772'445'600'000};
    CHECK(r.to_text("en").find("2026-03-02 10:00:00 UTC") != std::string::npos);
}

TEST_CASE("a fingerprint is the hash of the key's text in groups of four") {
    CHECK(key_fingerprint("").substr(0, 14) == "e3b0 c442 98fc");
    CHECK(key_fingerprint("").size() == 79);
}

namespace {

const ReportedAnchor kOwn{40, "builtin", UtcTime{1'772'445'600'000}, TimeLevel::self};
const ReportedAnchor kGiven{25, "Bundes-TSA", UtcTime{1'772'445'300'000}, TimeLevel::independent};
const ReportedAnchor kBest{10, "QTSP", UtcTime{1'772'445'000'000}, TimeLevel::qualified};

Report archive_report() {
    Report r;
    r.subject = "archive";
    r.fingerprint = "abcd ef01";
    for (const std::string_view key : all_count_keys()) {
        if (key != "problems_left_out" && key != "anchors") r.checked[std::string(key)] = 1'234;
    }
    r.size = 50;
    for (const ReportedAnchor& a : {kBest, kGiven, kOwn}) r.anchor(a);
    for (const RemarkCode code : all_remark_codes()) r.remark(code, {"7", "12"});
    return r;
}

// What only an English sentence of ours has in it.
bool has_english(const std::string& text) {
    static const std::regex words(
        R"(\b(the|of|and|that|were|is|are|not|which|by|from|it|its|with|this|there|what|they|no|have|has)\b)");
    return std::regex_search(text, words);
}

std::string all_of(const ReportText& t) {
    std::string out = t.verdict + "\n" + t.advice + "\n";
    for (const auto* list : {&t.checked, &t.proven, &t.not_proven, &t.time}) {
        for (const std::string& s : *list) out += s + "\n";
    }
    for (const ReportFinding& f : t.findings) {
        out += f.explanation + "\n" + f.next_step + "\n";
        for (const std::string& d : f.details) out += d + "\n";
    }
    return out;
}

}  // namespace

TEST_CASE("every problem code of the page is explained in both languages, with what to do") {
    RealFs fs;
    const std::string page =
        to_text(*read_file(fs, kustos::test::source_dir() / "docs" / "format" / "report.md", 1u << 20));
    std::set<std::string, std::less<>> on_page;
    const std::regex row("\n\\| `([a-z.]+)` \\| (both|bundle|archive|signed report) \\|");
    for (std::sregex_iterator at(page.begin(), page.end(), row), end; at != end; ++at) on_page.insert((*at)[1]);
    const auto codes = all_problem_codes();
    for (const std::string_view code : codes) CHECK_MESSAGE(on_page.count(code) == 1, std::string(code));
    CHECK(on_page.size() == codes.size());
    for (const std::string_view code : codes) {
        CAPTURE(std::string(code));
        for (const auto say : {&explain, &next_step}) {
            const std::string en(say(code, "en")), de(say(code, "de"));
            CHECK(en != de);
            CHECK(en != say("nothing.like.it", "en"));
            CHECK(de != say("nothing.like.it", "de"));
            CHECK(!has_english(de));
        }
    }
    CHECK(!explain("of.a.later.version", "de").empty());
    CHECK(!next_step("of.a.later.version", "de").empty());
}

TEST_CASE("every remark has a sentence in both languages, and its English sentence leads back to it") {
    for (const RemarkCode code : all_remark_codes()) {
        for (const char* last : {"1", "12"}) {
            Remark remark{code, {"ledger/x.tmp", last}};
            const std::string probe = remark_text({code, {"<1>", "<2>"}}, "en");
            if (probe.find("<2>") == probe.npos) remark.values = {last};
            if (probe.find("<1>") == probe.npos) remark.values.clear();
            const std::string en = remark_text(remark, "en"), de = remark_text(remark, "de");
            CAPTURE(en);
            CHECK(en != de);
            CHECK(!has_english(de));
            for (const std::string& text : {en, de}) CHECK(text.find("{}") == text.npos);
            Report r;
            r.remark(en);
            REQUIRE(r.remarks.size() == 1);
            CHECK(r.remarks[0] == remark);
            CHECK(r.not_checked() == std::vector<std::string>{en});
            r.remark(code, remark.values);
            CHECK(r.remarks.size() == 1);  // once
            r.retract(code);
            CHECK(r.remarks.empty());
        }
        CHECK(remark_name(code) != "other");
    }
    Report r;
    r.remark("something of a later version");
    CHECK(r.remarks[0].code == RemarkCode::other);
    CHECK(r.not_checked()[0] == "something of a later version");
}

TEST_CASE("each sentence that a verifier writes about a finding has a German form") {
    RealFs fs;
    std::map<std::string, std::size_t> seen;  // by verifier
    for (const std::string file :
         {"verify_archive.cpp", "verify_begin.cpp", "verify_control.cpp", "verify_files.cpp", "verify_frames.cpp",
          "verify_published.cpp", "verify_stamps.cpp", "verify_walk.cpp", "verify_bundle.cpp"}) {
        std::string source = to_text(*read_file(fs, kustos::test::source_dir() / "audit" / "src" / file, 1u << 20));
        source = std::regex_replace(source, std::regex("\"\\s*\n\\s*\""), "");  // a literal over two lines
        // report_.problem(code, where, "text"): the last argument, if it is a literal alone
        const std::regex call(R"re((?:problem|unreferenced)\([^;]*,\s*"((?:[^"\\]|\\.)+)"\s*\);)re");
        for (std::sregex_iterator at(source.begin(), source.end(), call), end; at != end; ++at) {
            const std::string text = (*at)[1];
            CAPTURE(text);
            const std::string de = problem_text({"x", "y", text}, "de");
            CHECK(de.find("technische Angabe") == de.npos);
            CHECK(!has_english(de));
            ++seen[file == "verify_bundle.cpp" ? "bundle" : "archive"];
        }
    }
    CHECK(seen["archive"] >= 45);
    CHECK(seen["bundle"] > 15);
    CHECK(problem_text({"", "", "has number 7 of its source, 5 is due"}, "de") ==
          "hat die Nummer 7 seiner Quelle, an der Reihe ist 5");
    CHECK(problem_text({"", "", "ledger/checkpoint: the file is missing"}, "de") ==
          "ledger/checkpoint: die Datei fehlt");
    CHECK(problem_text({"", "", "of a library"}, "de") == "technische Angabe: „of a library“");
}

TEST_CASE("counts become sentences, one or many") {
    for (const std::string_view key : all_count_keys()) {
        const std::string name(key);
        CAPTURE(name);
        for (const char* language : {"en", "de"}) {
            const auto one = counted({{name, 1}}, language), many = counted({{name, 12'345}}, language);
            REQUIRE(one.size() == 1);
            REQUIRE(many.size() == 1);
            CHECK(one != many);
            CHECK(many[0].find(std::string(language) == "de" ? "12.345" : "12,345") != std::string::npos);
            CHECK(one[0].find("{}") == std::string::npos);
        }
        CHECK(!has_english(counted({{name, 2}}, "de")[0]));
    }
    CHECK(counted({{"entries", 0}}, "en").empty());
    CHECK(counted({{"things_to_come", 3}}, "en") == std::vector<std::string>{"things_to_come: 3."});
}

TEST_CASE("a German report has no English in it, whatever was verified and whatever came out") {
    for (const char* subject : {"archive", "bundle"}) {
        for (const char* mode : {"whole", "sampled", "since"}) {
            for (const Origin origin : {Origin::unknown, Origin::pinned, Origin::witnessed}) {
                for (const bool broken : {false, true}) {
                    Report r = archive_report();
                    r.subject = subject;
                    r.mode = mode;
                    r.since_size = 1;
                    r.sampled = 20;
                    r.origin = origin;
                    if (broken) {
                        for (const std::string_view code : all_problem_codes())
                            r.problem(std::string(code), "entry 7", "the file is missing");
                    }
                    const std::string de = all_of(describe(r, "de")), en = all_of(describe(r, "en"));
                    CAPTURE(de);
                    CHECK(!has_english(de));
                    CHECK(de.find("{}") == de.npos);
                    CHECK(en.find("{}") == en.npos);
                    CHECK(has_english(en));
                }
            }
        }
    }
}

TEST_CASE("what is not proven is always said, and what was opened is not said to be closed") {
    Report r;
    r.subject = "archive";
    r.fingerprint = "ab";
    const std::string text = r.to_text("en");
    CHECK(text.find("never reached the archive") != text.npos);
    CHECK(text.find("Whose archive this is") != text.npos);
    CHECK(text.find("no time stamp confirms it") != text.npos);
    r.anchor(kOwn);
    CHECK(r.to_text("en").find("only the archive's own word") != text.npos);
    r.anchor(kGiven);
    r.origin = Origin::pinned;
    CHECK(r.to_text("en").find("Since when this has existed") == text.npos);
    CHECK(r.to_text("en").find("Whose archive") == text.npos);
    r.problem("vault.blob", "x", "y");
    CHECK(r.to_text("en").find("Nothing that was sealed has been altered") == text.npos);
}

TEST_CASE("a verdict on a part does not claim the whole") {
    Report r = archive_report();
    r.mode = "sampled";
    r.sampled = 459;
    r.nonce = "12 ab";
    CHECK(r.headline("en").rfind("The sample of 459 entries is intact", 0) == 0);
    std::string text = r.to_text("en");
    CHECK(text.find("Nothing that was sealed has been altered") == text.npos);
    CHECK(text.find("not drawn") != text.npos);
    CHECK(text.find("99.0 percent") != text.npos);  // 1 - 0.99^459 = 0.99008
    CHECK(text.find("12 ab") != text.npos);
    auto j = nlohmann::json::parse(r.to_json());
    CHECK(j["sample"]["count"] == 459);
    CHECK(j["sample"]["nonce"] == "12 ab");
    r.sampled = 1;
    CHECK(r.headline("en").rfind("The sample of 1 entry is intact", 0) == 0);
    CHECK(r.headline("de").rfind("Die Stichprobe von 1 Eintrag ist unversehrt", 0) == 0);
    r.sampled = 1'000;
    CHECK(r.headline("de").rfind("Die Stichprobe von 1.000 Einträgen ist unversehrt", 0) == 0);
    r.mode = "since";
    r.since_size = 30;
    CHECK(r.headline("de").rfind("Unversehrt seit dem Prüfpunkt über 30 Einträge", 0) == 0);
    text = r.to_text("en");
    CHECK(text.find("Nothing that was sealed has been altered") == text.npos);
    CHECK(text.find("the earlier verification stands") != text.npos);
    j = nlohmann::json::parse(r.to_json());
    CHECK(j["since"] == 30);
    CHECK(!j.contains("sample"));
}

TEST_CASE("shares of time stamps add up") {
    const StampShares s = stamp_shares(archive_report());
    CHECK(s.qualified == 10);
    CHECK(s.independent == 15);
    CHECK(s.self == 15);
    CHECK(s.none == 10);
    CHECK(s.size == 50);
    Report r = archive_report();
    r.size = 0;
    CHECK(stamp_shares(r).size == 1'234);  // what was read
    CHECK(stamp_shares(Report()).size == 0);
}

TEST_CASE("foreign text is made harmless: no control, no bidi, well-formed, bounded") {
    CHECK(harmless("a\x01\x7F\xE2\x80\xAE"
                   "b") == "a???b");
    CHECK(harmless("\xFF\xC0\xAF\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
    CHECK(harmless("äöü", 4) == "äö…");
    CHECK(harmless("\xC2\x9B"
                   "1m") == "?1m");
    CHECK(harmless("€😀") == "€😀");
}

TEST_CASE("a hostile name stays text in the HTML form") {
    const std::string evil = "</bdi></script><script>alert(1)</script><img src=x onerror=\"x\" '&\xE2\x80\xAE\xFF";
    Report r = archive_report();
    r.nonce = evil;
    r.mode = "sampled";
    r.fingerprint = evil;
    r.problem("<b>" + evil, evil, evil);
    r.problem("vault.blob", evil, evil);
    r.remark(evil);
    r.remark(RemarkCode::leftover, {evil});
    r.checked[evil] = 3;
    r.anchor({60, evil, UtcTime{1'772'445'900'000}, TimeLevel::self});
    for (const char* language : {"en", "de"}) {
        const std::string html = report_html(r, {evil, evil, UtcTime{0}}, language);
        for (const char* bad : {"<script", "<img", "onerror=\"", "\xE2\x80\xAE", "\xFF", "http:", "https:"})
            CHECK_MESSAGE(html.find(bad) == html.npos, std::string(bad));
        CHECK(html.find("&lt;script&gt;alert(1)") != html.npos);
        // every tag is one of ours
        static const std::regex tag("<(/?[a-z!][a-z0-9]*)");
        const std::set<std::string> ours = {
            "html", "head", "meta",   "title", "style", "body",  "main",  "h1",  "h2",   "h3",  "div",   "strong",
            "p",    "b",    "dl",     "dt",    "dd",    "ul",    "li",    "bdi", "code", "svg", "defs",  "pattern",
            "path", "rect", "circle", "text",  "table", "thead", "tbody", "tr",  "th",   "td",  "footer"};
        for (std::sregex_iterator at(html.begin(), html.end(), tag), end; at != end; ++at) {
            std::string name = (*at)[1];
            if (name[0] == '/') name.erase(0, 1);
            CHECK_MESSAGE((ours.count(name) == 1 || name == "!"), name);
        }
    }
}

TEST_CASE("the HTML form allows its own style sheet and nothing else, in its language, and is bounded") {
    Report r = archive_report();
    for (int i = 0; i < 1'000; ++i) {
        r.problem("vault.segment", std::string(5'000, 'x'), std::string(5'000, 'y'));
        r.remark(RemarkCode::leftover, {std::to_string(i) + std::string(5'000, 'z')});
        r.anchor({1'000u + static_cast<unsigned>(i), std::string(5'000, 'a'), UtcTime{1'772'445'600'000 + i * 60'000},
                  TimeLevel::self});
    }
    const std::string html = report_html(r, {std::string(5'000, 's'), "kustos", UtcTime{0}}, "de");
    CHECK(html.size() < 1u << 20);
    CHECK(html.find("<html lang=\"de\">") != html.npos);
    const std::size_t begin = html.find("<style>") + 7, end = html.find("</style>");
    const std::string hash = base64(sha256(as_bytes(html.substr(begin, end - begin))).view());
    CHECK(html.find("content=\"default-src 'none'; style-src 'sha256-" + hash +
                    "'; base-uri 'none'; form-action 'none'\"") != html.npos);
    for (const char* bad : {" style=\"", " onload", " src=", " href=", "@import", "<script", "xlink"})
        CHECK_MESSAGE(html.find(bad) == html.npos, std::string(bad));
    for (const char* part : {"✘ Nicht in Ordnung", "Befunde", "Zu tun:", "Was geprüft wurde", "Was das beweist",
                             "Was es nicht beweist", "Zeitstempel", "unbestätigt"})
        CHECK_MESSAGE(html.find(part) != html.npos, std::string(part));
    CHECK(report_html(archive_report(), {"x", "y", UtcTime{0}}, "en").find("✔ Intact, origin open") != html.npos);
    Report judged;
    judged.subject = "report";
    judged.origin = Origin::pinned;
    judged.reported = "problems";
    const std::string told = report_html(judged, {"x", "y", UtcTime{0}}, "en");
    CHECK(told.find("it names findings") != told.npos);
    CHECK(told.find("class=\"band good\"") == told.npos);
}
