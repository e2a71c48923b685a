#include <doctest/doctest.h>

#include <set>

#include "audit/entry_names.h"
#include "audit/trail.h"
#include "tests/audit/verify_sample.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

struct World {
    test::TempDir dir;
    RealFs fs;
    test::VerifySample sample{dir.path(), 5};
    Trail trail = Trail::open(fs, sample.archive() / "ledger").value();

    std::vector<TrailRow> all(const TrailFilter& filter) {
        std::vector<TrailRow> rows;
        const Status done = trail.each(filter, [&rows](const TrailRow& row) {
            rows.push_back(row);
            return Status();
        });
        REQUIRE(done.ok());
        return rows;
    }
};

}  // namespace

TEST_CASE("the trail lists control entries with their names, and no record unless asked") {
    World w;
    const auto rows = w.all({});
    REQUIRE(!rows.empty());
    CHECK(rows.front().action == "archive_created");
    CHECK(rows.front().index.value == 0);
    REQUIRE(rows.front().time.has_value());
    for (const TrailRow& row : rows) {
        CHECK(row.kind != Kind::record);
        CHECK(row.kind != Kind::blob);
    }
    TrailFilter records;
    records.kind = Kind::record;
    const auto sealed = w.all(records);
    REQUIRE(!sealed.empty());
    for (const TrailRow& row : sealed) {
        CHECK(row.sealed);
        CHECK(row.rows.empty());
        CHECK(!row.source.empty());
    }
}

TEST_CASE("the newest rows are the last ones of all, in order, for every limit and range") {
    World w;
    const auto everything = w.all({});
    for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, everything.size(), everything.size() + 10}) {
        const auto newest = w.trail.newest({}, limit).value();
        REQUIRE(newest.size() == std::min(limit, everything.size()));
        for (std::size_t i = 0; i < newest.size(); ++i)
            CHECK(newest[i].index == everything[everything.size() - newest.size() + i].index);
    }
    TrailFilter middle;
    middle.from = EntryIndex(1);
    middle.end = EntryIndex(w.trail.size().value - 1);
    const auto inner = w.trail.newest(middle, 1000).value();
    CHECK(inner.size() == w.all(middle).size());
    for (const TrailRow& row : inner) CHECK((row.index >= middle.from && row.index < *middle.end));
}

TEST_CASE("filters by action, source and time leave out everything else and nothing more") {
    World w;
    const auto everything = w.all({});
    TrailFilter by_action;
    by_action.action = "anchor_stored";
    std::size_t expected = 0;
    for (const TrailRow& row : everything) expected += row.action == "anchor_stored" ? 1 : 0;
    CHECK(expected > 0);
    CHECK(w.all(by_action).size() == expected);
    TrailFilter by_source;
    by_source.source = "sample";
    for (const TrailRow& row : w.all(by_source)) CHECK(row.source == "sample");
    TrailFilter later;
    later.since = UtcTime{everything.front().time->ms + 1'000'000'000'000};
    CHECK(w.all(later).empty());
    TrailFilter until;
    until.until = later.since;
    CHECK(w.all(until).size() == everything.size());
}

TEST_CASE("every action and every row of docs/format/ledger.md has the name that lists show") {
    const std::string page = test::doc_page("ledger.md");
    std::set<std::string> missing;
    for (std::uint16_t number = 1;; ++number) {
        Entry entry;
        entry.header.kind = Kind::control;
        entry.body = Body(static_cast<ControlAction>(number)).encode();
        const std::string name = action_name(entry);
        if (name == "action " + std::to_string(number)) {
            CHECK(number > 20);
            break;
        }
        if (page.find("| " + std::to_string(number) + " " + name + " |") == std::string::npos) missing.insert(name);
    }
    for (std::uint16_t tag = 3; tag <= 45; ++tag) {
        Entry entry;
        entry.header.kind = Kind::control;
        entry.body = Body(ControlAction::finding).put_u16(static_cast<Tag>(tag), 0).encode();
        bool named = false;
        for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{'a'}}) {
            for (const std::size_t length : {2u, 4u, 8u, 12u, 16u, 28u, 32u}) {
                const Bytes value(length, byte);
                entry.body = Body(ControlAction::finding).put_bytes(static_cast<Tag>(tag), value).encode();
                for (const auto& [name, text] : describe_body(entry))
                    named = named || page.find("| " + std::to_string(tag) + " | " + name + " |") != std::string::npos;
            }
        }
        if (!named) missing.insert("tag " + std::to_string(tag));
    }
    for (const std::string& name : missing) MESSAGE(name);
    CHECK(missing.empty());
}
