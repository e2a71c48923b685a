#include "app/hold_desk.h"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.h"
#include "vault/retention.h"
#include "vault/retention_desk.h"

using namespace kustos;
using namespace kustos::app;

namespace {

// An index that answers what the test says.
class SayingSearch final : public RecordSearch {
public:
    EntrySet found, all;
    search::Uncertain unsure;
    std::string asked;
    Result<EntrySet> hits(const std::string& query) override {
        asked = query;
        return found;
    }
    Result<search::Uncertain> uncertain() override { return unsure; }
    Result<EntrySet> records() override { return all; }
};

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<vault::Archive> archive;
    SayingSearch search;
    std::vector<EntryIndex> records;

    World() {
        REQUIRE(vault::Archive::create({fs, clock, random}, dir / "a", dir / "state", {}).ok());
        vault::OpenOptions options;
        options.state = dir / "state";
        archive = vault::Archive::open({fs, clock, random}, dir / "a", std::move(options)).value();
        const auto source = archive->add_source("chat", "import", vault::kDefaultClass).value();
        std::vector<vault::Draft> drafts;
        for (int n = 0; n < 6; ++n) {
            vault::Message m;
            m.body = "text";
            m.raw = to_bytes("raw " + std::to_string(n));
            vault::Draft d;
            d.source = source.id;
            d.retention_class = vault::kDefaultClass;
            d.content = vault::compose(std::move(m)).value();
            drafts.push_back(std::move(d));
        }
        const std::vector<vault::Receipt> receipts = archive->seal(std::move(drafts)).value();
        for (const vault::Receipt& r : receipts) records.push_back(r.index);
        search.all = search.unsure.accounted = of({0, 1, 2, 3, 4, 5});
    }
    EntrySet of(std::initializer_list<std::size_t> numbers) const {
        EntrySet set;
        for (const std::size_t n : numbers) set.add(records[n]);
        return set;
    }
    HoldDesk desk() { return {*archive, search, "clerk"}; }
    EntrySet held(std::initializer_list<std::size_t> of_these) { return desk().check(of(of_these)).value().held(); }
    static HoldOrder order(const std::string& query, bool frozen = false) {
        HoldOrder o;
        o.scope.matter = EntryIndex(3);
        o.scope.query = query;
        o.frozen = frozen;
        o.ground = "Klage";
        return o;
    }
};

}  // namespace

TEST_CASE("a standing hold covers its list, what its query finds now, and what could not be searched") {
    World w;
    w.search.found = w.of({0});
    const auto hold = w.desk().add(World::order("vertrag"));
    REQUIRE(hold.ok());
    CHECK(hold->records == 1);
    w.search.found = w.of({1});  // later; what it found first stays held
    CHECK(w.held({0, 1, 2, 3, 4, 5}) == w.of({0, 1}));
    w.search.unsure.partial = w.of({2});
    w.search.unsure.unread = w.of({3});
    w.search.unsure.accounted = w.of({0, 1, 2, 3, 5});  // 4 is deferred
    const auto answer = w.desk().check(w.of({0, 1, 2, 3, 4, 5})).value();
    CHECK(answer.held() == w.of({0, 1, 2, 3, 4}));
    REQUIRE(answer.by.size() == 1);
    CHECK(answer.by[0].undecided == w.of({2, 3, 4}));
    CHECK(answer.on(w.records[5]).empty());
    CHECK(w.held({5}).empty());
    // A person decides on each; only on what is open.
    CHECK(w.desk().decide(hold->hold, w.of({0}), false, "why").error().code() == Code::usage);
    REQUIRE(w.desk().decide(hold->hold, w.of({2, 4}), false, "looked at").ok());
    REQUIRE(w.desk().decide(hold->hold, w.of({3}), true, "it is the contract").ok());
    CHECK(w.held({0, 1, 2, 3, 4, 5}) == w.of({0, 1, 3}));
    // What is freed is found after all: it is held.
    w.search.found = w.of({1, 2});
    CHECK(w.held({2, 4}) == w.of({2}));
    // Another scope voids the decisions.
    REQUIRE(w.desk().change(hold->hold, World::order("auftrag")).ok());
    CHECK(w.held({4}) == w.of({4}));
    REQUIRE(w.desk().release(hold->hold, "settled").ok());
    CHECK(w.held({0, 1, 2, 3, 4, 5}).empty());
    CHECK(w.desk().release(hold->hold, "settled").error().code() == Code::usage);
}

TEST_CASE("a query of people and days is sure about partly indexed records") {
    World w;
    w.search.unsure.partial = w.of({2});
    for (const char* query :
         {"from:anna", "date:2026", "(from:anna OR to:anna) AND date:2026-01..2026-03", "subject:x kind:mail"})
        CHECK(w.desk().add(World::order(query))->undecided == 0);
    for (const char* query : {"vertrag", "from:anna vertrag", "file:bericht", "from:anna NOT vertrag"})
        CHECK(w.desk().add(World::order(query))->undecided == 1);
}

TEST_CASE("holds overlap, and each counts until it is released") {
    World w;
    HoldOrder list;
    list.scope.records = w.of({0, 1});
    list.ground = "one";
    const EntryIndex first = w.desk().add(list)->hold;
    list.scope.records = w.of({1, 2});
    const EntryIndex second = w.desk().add(list)->hold;
    CHECK(w.desk().check(w.of({1}))->on(w.records[1]) == std::vector{first, second});
    REQUIRE(w.desk().release(first, "done").ok());
    CHECK(w.held({0, 1, 2}) == w.of({1, 2}));
}

TEST_CASE("what a hold needs, and how people, conversations and periods become a query") {
    World w;
    HoldOrder o;
    o.ground = "why";
    CHECK(w.desk().add(o).error().code() == Code::usage);  // which records?
    o.scope.person = "anna@example.org";
    CHECK(w.desk().add(o).error().code() == Code::usage);  // for which matter?
    o.scope.matter = EntryIndex(3);
    REQUIRE(w.desk().add(o).ok());
    CHECK(w.search.asked == "(from:\"anna@example.org\" OR to:\"anna@example.org\")");
    o.scope.conversation = "room 7";
    o.scope.from = "2026-01-01";
    REQUIRE(w.desk().add(o).ok());
    CHECK(w.search.asked ==
          "date:2026-01-01.. AND conversation:\"room 7\" AND (from:\"anna@example.org\" OR to:\"anna@example.org\")");
    CHECK(search::parse_query(w.search.asked).ok());
    for (const char* bad : {"a\" OR *", "a\nb"}) {
        o.scope.person = bad;
        CHECK(w.desk().add(o).error().code() == Code::usage);
    }
    o.scope.person = "anna";
    o.scope.from = "2026-02-30";
    CHECK(w.desk().add(o).error().code() == Code::usage);
    o.scope.from.clear();
    o.scope.query = "vertrag";
    CHECK(w.desk().add(o).error().code() == Code::usage);                              // two ways
    CHECK(w.desk().add(World::order("vertrag", true)).error().code() == Code::usage);  // frozen, and nothing found
    HoldOrder no_reason = World::order("vertrag");
    no_reason.ground.clear();
    CHECK(w.desk().add(no_reason).error().code() == Code::usage);
}
