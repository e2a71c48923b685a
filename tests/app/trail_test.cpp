// What the archive says of itself, and that nothing happens which it can't say.
#include <doctest/doctest.h>

#include <sstream>

#include "app/house.h"
#include "app/trail_commands.h"
#include "audit/trail.h"
#include "tests/support/temp_dir.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::app;

namespace {

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<House> house;

    World() {
        vault::CreateOptions options;
        options.unlock = "auto";
        options.with_builtin_authority = true;
        REQUIRE(vault::Archive::create({fs, clock, random}, archive(), state(), std::move(options)).ok());
        configure("builtin");
        open();
    }
    Path archive() const { return dir / "a"; }
    Path state() const { return dir / "s"; }
    void configure(const std::string& authority) {
        REQUIRE(replace_file(fs, archive() / "config.yaml", as_bytes(config_template({authority}))).ok());
    }
    void open() {
        house.reset();
        HouseOptions options;
        options.archive = archive();
        options.state = state();
        options.actor = "tester";
        auto opened = House::open({fs, clock, random}, std::move(options));
        if (!opened.ok()) FAIL(opened.error().message());
        house = std::move(*opened);
    }
    std::vector<audit::TrailRow> trail(const std::string& action) {
        REQUIRE(house->archive().settle().ok());
        audit::TrailFilter filter;
        filter.action = action;
        return audit::Trail::open(fs, archive() / "ledger").value().newest(filter, 100).value();
    }
    std::string row(const audit::TrailRow& r, const std::string& name) {
        for (const auto& [key, text] : r.rows) {
            if (key == name) return text;
        }
        return "";
    }
    // A source of kind http and what it pushes.
    void add_source() {
        const auto source = house->archive().add_source("live", "http", vault::kDefaultClass).value();
        token = house->issue_token(source.id, "tester").value();
    }
    void push(int from, int count) {
        web::PushRequest request;
        request.source = "live";
        request.token = token;
        std::string lines;
        for (int i = from; i < from + count; ++i)
            lines += R"({"id":"m)" + std::to_string(i) +
                     R"(","kind":"chat","sent_at":"2026-03-02T10:00:00Z","sender":{"id":"u"},"body":"Wort"})"
                     "\n";
        request.body = to_bytes(lines);
        const auto answer = house->push(request);
        if (!answer.ok()) FAIL(answer.error().message());
    }
    std::string token;
};

}  // namespace

TEST_CASE("a heartbeat tells what is missing, becomes an entry when that changes, and else once an hour") {
    World w;
    w.add_source();
    w.push(0, 5);
    CHECK(w.house->heartbeat("live", 5)->missing == 0);
    CHECK(w.house->heartbeat("live", 5)->received == 5);
    CHECK(w.trail("source_heartbeat").size() == 1);  // the second within the hour is none
    CHECK(w.house->heartbeat("live", 8)->missing == 3);
    CHECK(w.house->heartbeat("live", 8)->missing == 3);
    CHECK(w.trail("source_heartbeat").size() == 2);
    const auto findings = w.trail("finding");
    REQUIRE(findings.size() == 1);
    CHECK(w.row(findings[0], "code") == "source:missing");
    CHECK(w.row(findings[0], "count") == "3");
    CHECK(findings[0].source == "live");
    w.open();  // what was said is remembered by the ledger, not by the process
    CHECK(w.house->status(web::Language::english)->sources[0].missing == 3);
    CHECK(w.house->heartbeat("live", 8)->missing == 3);
    CHECK(w.trail("source_heartbeat").size() == 2);
    w.push(5, 3);
    CHECK(w.house->heartbeat("live", 8)->missing == 0);
    CHECK(w.trail("source_heartbeat").size() == 3);
    CHECK(w.house->status(web::Language::english)->sources[0].missing == 0);
    CHECK(w.house->archive().catalog_agrees().value());
}

TEST_CASE("a source that counts less than has arrived misses nothing, and repeats don't count") {
    World w;
    w.add_source();
    w.push(0, 4);
    w.push(0, 4);
    CHECK(w.house->heartbeat("live", 4)->received == 4);
    CHECK(w.house->heartbeat("live", 1)->missing == 0);
    CHECK(!w.house->heartbeat("nobody", 1).ok());
}

TEST_CASE("sources are counted by total and by what came since") {
    World w;
    w.add_source();
    w.push(0, 4);
    REQUIRE(w.house->count_sources().ok());
    w.push(4, 2);
    REQUIRE(w.house->count_sources().ok());
    const auto counts = w.trail("source_counted");
    REQUIRE(counts.size() == 2);
    CHECK(w.row(counts[0], "count") == "4");
    CHECK(w.row(counts[1], "count") == "2");
    CHECK(w.row(counts[1], "total") == "6");
}

TEST_CASE("changed settings are an entry before they count: before and after, sealed; the same ones are none") {
    World w;
    CHECK(w.trail("configuration_changed").size() == 1);
    w.open();
    CHECK(w.trail("configuration_changed").size() == 1);
    w.configure("builtin");
    const std::string before = config_template({"builtin"});
    std::string after = before;
    after.replace(after.find("8443"), 4, "9443");
    REQUIRE(replace_file(w.fs, w.archive() / "config.yaml", as_bytes(after)).ok());
    w.open();
    const auto changes = w.trail("configuration_changed");
    REQUIRE(changes.size() == 2);
    CHECK(changes[1].sealed);
    CHECK(changes[1].retention_class == vault::kConfigurationClass);
    CHECK(w.row(changes[1], "list_root") == sha256(as_bytes(before)).hex());
    CHECK(w.row(changes[1], "related_hash") == sha256(as_bytes(after)).hex());
    const auto fields = w.house->read_trail("auditor", "Prüfung 2026", changes[1].index);
    if (!fields.ok()) FAIL(fields.error().message());
    std::map<std::string, std::string> values(fields->begin(), fields->end());
    CHECK(values["actor"] == "tester");
    CHECK(values["configuration_before"] == before);
    CHECK(values["configuration_after"] == after);
    CHECK(w.trail("audit_read").size() == 1);
    CHECK(w.house->archive().catalog_agrees().value());
}

TEST_CASE("who reads a sealed part says why, and it must be a control or access entry") {
    World w;
    w.add_source();
    w.push(0, 1);
    const auto changes = w.trail("configuration_changed");
    CHECK(w.house->read_trail("x", "", changes[0].index).error().code() == Code::denied);
    std::uint64_t record = 0;
    for (std::uint64_t i = 0; i < w.house->archive().head().size.value; ++i) {
        if (w.house->archive().entry(EntryIndex(i))->header.kind == audit::Kind::record) record = i;
    }
    REQUIRE(record != 0);
    CHECK(w.house->read_trail("x", "because", EntryIndex(record)).error().code() == Code::not_found);
    CHECK(w.house->read_trail("x", "because", EntryIndex(0)).error().code() == Code::not_found);
    CHECK(w.trail("audit_read").empty());
}

TEST_CASE("an action whose entry can't be stored does not happen") {
    World w;
    w.add_source();
    w.push(0, 3);
    REQUIRE(w.house->index_all(false).ok());
    const auto matter = w.house->matter_desk().open_new("A 1", "§ 1").value();
    const std::string id = access::matter_id(matter.entry);
    std::uint64_t record = 0;
    {
        const auto found = w.house->search("x", id, "Wort", "date", 0, 5);
        REQUIRE(found.ok());
        REQUIRE(found->hits.size() == 3);
        record = found->hits[0].entry.value;
    }
    const auto settings = w.trail("configuration_changed");
    const auto size = w.house->archive().head().size;
    w.house->archive().end_writing(Error(Code::read_only, "the disk failed"));

    const auto refused = [](const auto& result) { return !result.ok() && result.error().code() == Code::read_only; };
    CHECK(refused(w.house->search("x", id, "Wort", "date", 0, 5)));
    CHECK(refused(w.house->record("x", id, EntryIndex(record), web::Language::english)));
    CHECK(refused(w.house->original("x", id, EntryIndex(record))));
    CHECK(refused(w.house->read_trail("x", "because", settings[0].index)));
    CHECK(refused(w.house->matter_desk().open_new("B 2", "§ 2")));
    CHECK(refused(w.house->matter_desk().close(matter.entry)));
    CHECK(refused(w.house->archive().add_source("second", "import", vault::kDefaultClass)));
    CHECK(refused(w.house->archive().pause_source("live")));
    CHECK(refused(w.house->heartbeat("live", 77)));
    CHECK(refused(w.house->count_sources()));
    CHECK(refused(w.house->rotate_key("")));
    ExportRequest request;
    request.matter = id;
    request.query = "Wort";
    request.out = w.dir / "bundle.pdf";
    request.actor = "x";
    CHECK(refused(w.house->export_records(request)));
    CHECK(!w.fs.exists(w.dir / "bundle.pdf"));

    CHECK(w.house->matter_desk().list()->size() == 1);
    CHECK(!w.house->matter_desk().list()->front().closed);
    CHECK(!w.house->archive().find_source("second"));
    CHECK(!w.house->archive().find_source("live")->paused);
    CHECK(w.house->archive().head().size == size);
    w.open();  // and all of it is as it was
    CHECK(w.house->archive().head().size == size);
}

TEST_CASE("a listing for people holds nothing that steers a terminal or turns its text around") {
    World w;
    REQUIRE(w.house->archive()
                .record_control(audit::ControlAction::finding,
                                [](audit::Body& body) { body.put_text(audit::Tag::code, "x\u009b31m\u202ey"); })
                .ok());
    REQUIRE(w.house->archive().settle().ok());
    Call call;
    call.archive = w.archive();
    call.limit = 5;
    std::ostringstream out, err;
    REQUIRE(list_trail({w.fs, w.clock, w.random}, call, {out, err}).ok());
    INFO(out.str());
    CHECK(out.str().find("code=x?31m?y") != std::string::npos);
}
