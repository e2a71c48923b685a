// Several lanes at once: the same index as with one, whatever is interrupted or torn.
#include <doctest/doctest.h>

#include <algorithm>

#include "search/src/index_files.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

constexpr int kRecords = 700;

void fill(SmallArchive& a) {
    a.options.records_per_commit = 60;
    a.options.batch = 32;
    a.options.records_per_part = 50;
    for (int i = 0; i < kRecords; ++i)
        a.add_text("wort" + std::to_string(i % 7) + " sorte" + std::to_string(i % 13) + " Rahmenvertrag nummer " +
                   std::to_string(i));
}

// Until the feed is drained.
Status run_all(SmallArchive& a, Indexer& indexer, EntryIndex from) {
    for (;;) {
        const IndexStep step = TRY(indexer.run_once(a.feed, from));
        from = step.next;
        if (step.drained) return ok_status();
    }
}

// With an indexer of its own, to its end.
void index_with_lanes(SmallArchive& a, bool close = true) {
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    (*indexer)->use_lanes(2);
    REQUIRE(run_all(a, **indexer, EntryIndex(0)).ok());
    if (close) REQUIRE((*indexer)->close_shard(a.feed).ok());
}

// Each record once, by words, beginnings of words, components and conditions.
void expect_whole(SmallArchive& a) {
    CHECK(a.find("*").size() == kRecords);
    CHECK(a.find("wort3").size() == kRecords / 7);
    CHECK(a.find("sort*").size() == kRecords);
    CHECK(a.find("vertrag").size() == kRecords);
    CHECK(a.find("wort0 sorte0").size() == 8);
    CHECK(a.find("\"nummer 512\"").size() == 1);
    const auto answer = a.ask("*");
    REQUIRE(answer.ok());
    CHECK(answer->coverage.searchable == kRecords);
    CHECK(answer->coverage.deferred == 0);
    auto known = accounted_entries(a.fs, a.index(), a.keys);
    REQUIRE(known.ok());
    CHECK(known->size() == kRecords);
    std::sort(known->begin(), known->end());
    CHECK(std::adjacent_find(known->begin(), known->end()) == known->end());
}

}  // namespace

TEST_CASE("several lanes take every record once, each into a shard of its own") {
    for (const std::size_t lanes : {2u, 3u, 8u}) {
        CAPTURE(lanes);
        SmallArchive a;
        fill(a);
        auto indexer = a.open_indexer();
        REQUIRE(indexer.ok());
        (*indexer)->use_lanes(lanes);
        const auto first = (*indexer)->run_once(a.feed, EntryIndex(0));
        REQUIRE(first.ok());
        CHECK(first->taken >= std::min<std::uint64_t>(60 * lanes, kRecords));
        REQUIRE(run_all(a, **indexer, first->next).ok());
        CHECK_FALSE(first->committed);
        CHECK(a.feed.done == EntryIndex(0));  // or keys would be forgotten that are needed again
        const auto early = a.ask("*");
        REQUIRE(early.ok());
        CHECK(early->total == 0);  // whole at the close, and nothing before
        CHECK(early->coverage.deferred == kRecords);
        REQUIRE((*indexer)->commit(a.feed).ok());
        CHECK(a.feed.done == (*indexer)->position());
        CHECK_FALSE((*indexer)->has_open_shard());
        expect_whole(a);
        CHECK(a.keys.forgotten.size() == lanes);
        CHECK(a.feed.done == EntryIndex(a.feed.items.back().index.value + 1));
    }
}

TEST_CASE("lanes may be more and fewer between any two steps") {
    SmallArchive a;
    fill(a);
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    EntryIndex from(0);
    for (std::size_t turn = 0;; ++turn) {
        (*indexer)->use_lanes(1 + turn % 3);
        const auto step = (*indexer)->run_once(a.feed, from);
        REQUIRE(step.ok());
        from = step->next;
        if (step->drained) break;
    }
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    expect_whole(a);
}

TEST_CASE("what one lane could not take now is not said to be done, and comes again once") {
    SmallArchive a;
    fill(a);
    constexpr std::size_t kLate = 45;
    auto& message = *a.feed.items[kLate].message;
    message.attachments.push_back({"a", "test/interrupted", to_bytes("x"), {}, false, {}, {}, {}, {}, 1, {}});
    const EntryIndex late = a.feed.items[kLate].index;
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    (*indexer)->use_lanes(3);
    auto step = (*indexer)->run_once(a.feed, EntryIndex(0));
    REQUIRE(step.ok());
    CHECK(!step->drained);
    CHECK(step->next <= late);
    CHECK(a.feed.done <= late);  // or its key would be forgotten
    message.attachments[0].media_type = "text/plain";
    REQUIRE(run_all(a, **indexer, step->next).ok());
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    expect_whole(a);
    CHECK(a.feed.done == EntryIndex(a.feed.items.back().index.value + 1));
}

TEST_CASE(
    "lanes that a power cut ended before their close leave nothing that counts, and the next start clears it away") {
    SmallArchive a;
    fill(a);
    index_with_lanes(a, false);
    CHECK(a.fs.list(a.index())->size() > 3);
    CHECK(a.ask("*")->coverage.deferred == kRecords);
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    CHECK(a.fs.list(a.index())->size() == 1);  // the lock
    (*indexer)->use_lanes(2);
    REQUIRE(run_all(a, **indexer, EntryIndex(0)).ok());
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    expect_whole(a);
    CHECK(a.fs.list(a.index())->size() == 1 + 2 * 3);  // each a database, its words, its numbers
}

TEST_CASE("every half-done close of a lane's shard is whole or nothing at the next start") {
    for (const char* left : {"making", "joined", "renamed"}) {
        CAPTURE(left);
        SmallArchive a;
        fill(a);
        index_with_lanes(a);
        const ShardFiles files = shard_files(a.index(), find_shards(a.fs, a.index())->front().id);
        const std::string what = left;
        REQUIRE(a.fs.make_dirs(files.making / "0").ok());
        if (what != "renamed") REQUIRE(a.fs.rename(files.glass, files.glass_new).ok());
        if (what == "making") {
            REQUIRE(a.fs.remove(files.glass_new).ok());
            REQUIRE(a.fs.remove(files.state).ok());
        }
        a.searcher_of().forget();
        const auto answer = a.ask("*");
        REQUIRE(answer.ok());
        CHECK(answer->coverage.deferred + answer->total == kRecords);
        CHECK((answer->coverage.deferred == 0) == (what == "renamed"));
        auto indexer = a.open_indexer();
        REQUIRE(indexer.ok());
        CHECK_FALSE(a.fs.exists(files.making));
        (*indexer)->use_lanes(2);
        REQUIRE(run_all(a, **indexer, EntryIndex(0)).ok());
        REQUIRE((*indexer)->close_shard(a.feed).ok());
        expect_whole(a);
    }
}

TEST_CASE("a lane's shard that took nothing leaves no files, and one that is old closes by itself") {
    SmallArchive a;
    a.options.records_per_part = 3;
    for (int i = 0; i < 5; ++i) a.add_text("nummer " + std::to_string(i));
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    (*indexer)->use_lanes(2);
    REQUIRE((*indexer)->run_once(a.feed, EntryIndex(0)).ok());
    CHECK((*indexer)->has_open_shard());
    a.clock.advance_ms(120'000);
    for (int i = 5; i < 10; ++i) a.add_text("nummer " + std::to_string(i));
    const auto step = (*indexer)->run_once(a.feed, (*indexer)->position());
    REQUIRE(step.ok());
    CHECK(step->committed);
    CHECK_FALSE((*indexer)->has_open_shard());
    CHECK(a.find("nummer").size() == 10);
}

TEST_CASE("a lane that had not committed when the power went leaves deferred records, which come again") {
    SmallArchive a;
    fill(a);
    index_with_lanes(a);
    const auto shards = find_shards(a.fs, a.index());
    REQUIRE(shards.ok());
    REQUIRE(shards->size() == 2);
    REQUIRE(remove_shard(a.fs, a.index(), shards->front().id).ok());  // as if nothing of it had been committed
    a.searcher_of().forget();
    const auto answer = a.ask("*");
    REQUIRE(answer.ok());
    CHECK(answer->coverage.deferred > 0);
    CHECK(answer->coverage.deferred + answer->total == kRecords);
    index_with_lanes(a);
    expect_whole(a);
}

TEST_CASE("an error of the feed while lanes work ends the step, and the next indexer goes on") {
    struct Failing final : IndexFeed {
        explicit Failing(IndexFeed& feed) : real(feed) {}
        Result<std::vector<FeedItem>> next(EntryIndex from, std::size_t limit,
                                           const std::function<bool(EntryIndex)>& known) override {
            if (--left < 0) return Error(Code::environment, "the disk is gone");
            return real.next(from, limit, known);
        }
        Status done_up_to(EntryIndex end) override { return real.done_up_to(end); }
        Result<Bytes> attachment(const FeedItem& item, std::size_t number) override {
            return real.attachment(item, number);
        }
        IndexFeed& real;
        int left = 5;
    };
    SmallArchive a;
    fill(a);
    {
        Failing failing(a.feed);
        auto indexer = a.open_indexer();
        REQUIRE(indexer.ok());
        (*indexer)->use_lanes(2);
        EntryIndex from(0);
        Status failed;
        while (failed.ok()) {
            const auto step = (*indexer)->run_once(failing, from);
            if (!step.ok())
                failed = step.error();
            else
                from = step->next;
        }
        CHECK(failed.error().code() == Code::environment);
    }
    index_with_lanes(a);
    expect_whole(a);
}

}  // namespace kustos::search::test
