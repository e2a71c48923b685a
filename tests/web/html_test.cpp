#include <doctest/doctest.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "web/push_json.h"
#include "web/src/html.h"
#include "web/src/sessions.h"

using namespace kustos;
using namespace kustos::web;

namespace {

const std::string kEvil = "<script>alert('x')</script>\"&\x01";

// What a page must never hold, whatever came in.
void check_harmless(const std::string& name, const std::string& page) {
    CAPTURE(name);
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("alert('x')") == std::string::npos);
    CHECK(page.find('\x01') == std::string::npos);
    CHECK(page.find("&lt;script&gt;") != std::string::npos);
}

PageContext context(Language language = Language::english) {
    return {language, kEvil, "form"};
}

}  // namespace

TEST_CASE("escaped text is text, in content and in attributes") {
    CHECK(escape_html("<a href=\"x\" b='y'>&") == "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    CHECK(escape_html("Prüfung 🙂") == "Prüfung 🙂");
    CHECK(escape_html(std::string("a\0b", 3)) == "a\uFFFDb");
    CHECK(url_encode("ä b&c=d/+?") == "%C3%A4%20b%26c%3Dd%2F%2B%3F");
}

TEST_CASE("no page lets what was sent become markup") {
    StatusReport status;
    status.origin = status.fingerprint = status.vault = status.sandbox = status.anchored_by = kEvil;
    SourceReport source;
    source.name = source.kind = source.problem = kEvil;
    source.open_findings = 2;
    status.sources.push_back(source);
    status.next_steps = {kEvil};
    check_harmless("status", status_page(context(), status));

    SearchReport found;
    Hit hit;
    hit.sender = hit.subject = hit.conversation = hit.snippet = hit.found_in = hit.kind = kEvil;
    hit.marks = {{0, 8}, {4, 900}, {20, 10}};  // one good, one beyond the end, one backwards
    found.hits = {hit};
    found.total = 100;
    MatterReport matter;
    matter.id = matter.reference = matter.ground = kEvil;
    const Error problem = Error(Code::usage, kEvil).with_hint(kEvil);
    check_harmless("search", search_page(context(), {matter}, {kEvil, kEvil, kEvil, 0}, &found, &problem));

    RecordReport record;
    record.source = kEvil;
    record.labels = record.codes = {kEvil, kEvil};
    vault::Message& m = record.message;
    m.native_id = m.subject = m.body = m.body_html = m.previous_body = m.reply_to = m.thread = m.target = m.format =
        m.feed_position = kEvil;
    m.sender = {kEvil, kEvil, kEvil, kEvil, true};
    m.recipients = {{vault::Role::to, m.sender}};
    m.headers = m.notes = {kEvil};
    m.conversation = {kEvil, kEvil, vault::ConversationType::group};
    vault::Attachment a;
    a.name = a.media_type = kEvil;
    m.attachments.push_back(a);
    check_harmless("record", record_page(context(), record, kEvil, nullptr));
    SearchReport counted;
    counted.facets = {{"month", {{"2025-11", 2}, {"2026-02", 8}, {kEvil, 1}}, 3, 0}};
    counted.pairs = {{kEvil, kEvil, 3}};
    check_harmless("figures", page(context(), "x", figures_section(Language::german, counted)));
    Result<ContextReport> around = ContextReport();
    around->conversation = kEvil;
    ContextMessage near;
    near.kind = near.sender = near.subject = near.text = kEvil;
    near.room.basis = RoomThen::Basis::events;
    near.room.people = near.room.later = {kEvil};
    around->messages = around->guessed = {near};
    check_harmless("context", record_page(context(), record, kEvil, &around));
    around = Error(Code::usage, kEvil);
    check_harmless("context", record_page(context(), record, kEvil, &around));

    audit::Report report;
    report.problem(kEvil, kEvil, kEvil);
    report.remark(kEvil);
    check_harmless("verify", verify_page(context(), &report));
    check_harmless("error", error_page(context(), problem));
    check_harmless("page", page(context(), kEvil, ""));
}

TEST_CASE("pages speak German and English") {
    StatusReport status;
    CHECK(status_page(context(Language::german), status).find("lang=\"de\"") != std::string::npos);
    CHECK(status_page(context(Language::english), status).find("lang=\"en\"") != std::string::npos);
    CHECK(login_page({Language::german, "", ""}, true).find("Passwort") != std::string::npos);
}

TEST_CASE("a remembered answer of a push is given back as it was") {
    PushAnswer answer;
    PushReceipt r;
    r.line = 3;
    r.entry = EntryIndex(17);
    r.record.bytes[0] = 7;
    r.leaf.bytes[31] = 9;
    r.quarantined = true;
    answer.receipts = {r, r};
    answer.receipts[1].duplicate = true;
    answer.unknown_keys = 2;
    answer.checkpoint_size = TreeSize(99);
    const std::string text = push_answer_json(answer);
    auto again = parse_push_answer(text);
    REQUIRE(again.ok());
    CHECK(push_answer_json(*again) == text);
    for (const char* bad : {"", "[]", "{}", "{\"receipts\":[1]}", "{\"receipts\":[{\"record\":\"zz\"}]}"})
        CHECK_FALSE(parse_push_answer(bad).ok());
}

TEST_CASE("a session ends after half an hour without use, or when it is closed") {
    FixedClock clock{UtcTime{1'000'000}};
    SeededRandom random{1};
    Sessions sessions(clock, random);
    const std::string id = sessions.open("admin");
    REQUIRE(sessions.find(id));
    CHECK(sessions.find(id)->actor == "admin");
    CHECK(sessions.find(id)->form_token.size() == 43);
    CHECK_FALSE(sessions.find(""));
    CHECK_FALSE(sessions.find(id + "x"));
    clock.advance_ms(29 * 60'000);
    CHECK(sessions.find(id));
    clock.advance_ms(29 * 60'000);
    CHECK(sessions.find(id));
    clock.advance_ms(31 * 60'000);
    CHECK_FALSE(sessions.find(id));
    const std::string other = sessions.open("admin");
    CHECK(other != id);
    sessions.close(other);
    CHECK_FALSE(sessions.find(other));
}

TEST_CASE("hits are drawn by month with the months that have none, and told as a table") {
    SearchReport report;
    CHECK(figures_section(Language::english, report).empty());
    report.facets = {{"month", {{"2025-11", 2}, {"2026-02", 8}}, 2, 0}};
    std::string drawn = figures_section(Language::english, report);
    for (const char* title : {"2025-11: 2", "2025-12: 0", "2026-01: 0", "2026-02: 8"})
        CHECK(drawn.find("<title>" + std::string(title) + "</title>") != std::string::npos);
    CHECK(drawn.find("<th scope=\"row\">2026-02</th><td class=\"n\">8</td>") != std::string::npos);
    CHECK(drawn.find("height=\"25\"") != std::string::npos);  // a quarter of the highest
    // Too many months to draw are years, of any that a source may claim.
    report.facets.front().values = {{"0001-01", 1}, {"2026-02", 8}, {"9999-12", 1}};
    drawn = figures_section(Language::english, report);
    for (const char* title : {"0001: 1", "2026: 8", "9999: 1"})
        CHECK(drawn.find("<title>" + std::string(title) + "</title>") != std::string::npos);
    CHECK(drawn.find("<title>2025") == std::string::npos);
}

TEST_CASE("of many participants the twelve most frequent of each side are shown") {
    SearchReport report;
    for (int i = 0; i < 30; ++i)
        report.pairs.push_back({"s" + std::to_string(i) + "@x", "r" + std::to_string(i) + "@x", std::uint64_t(40 - i)});
    const std::string table = figures_section(Language::english, report);
    CHECK(table.find("s11@x") != std::string::npos);
    CHECK(table.find("s12@x") == std::string::npos);
    CHECK(table.find("r12@x") == std::string::npos);
    CHECK(table.find("<td class=\"n\">40</td>") != std::string::npos);
}

TEST_CASE("five attempts a minute, right ones not counted, those on their way counted") {
    FixedClock clock{UtcTime{1'000'000}};
    SeededRandom random{1};
    Sessions sessions(clock, random);
    for (int i = 0; i < 50; ++i) {
        CHECK(sessions.may_try());
        sessions.succeeded();
    }
    for (int i = 0; i < 5; ++i) CHECK(sessions.may_try());
    CHECK_FALSE(sessions.may_try());
    clock.advance_ms(61'000);
    CHECK(sessions.may_try());
}
