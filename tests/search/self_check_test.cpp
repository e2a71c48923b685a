#include "search/self_check.h"

#include <doctest/doctest.h>

#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

struct Checked : SmallArchive {
    Checked() {
        options.records_per_shard = 4;
        for (int n = 0; n < 12; ++n) expected.add(add_text("Nummer " + std::to_string(n)));
        REQUIRE(index_all().ok());
    }
    SelfCheck check() {
        auto found = check_shards(fs, index(), keys, expected);
        REQUIRE(found.ok());
        return std::move(*found);
    }
    Path file(std::uint64_t shard, const char* end) const {
        char name[40];
        std::snprintf(name, sizeof name, "%016llx.%s", static_cast<unsigned long long>(shard), end);
        return index() / name;
    }
    EntrySet expected;
};

}  // namespace

TEST_CASE("an index that is whole accounts for every record") {
    Checked a;
    const SelfCheck found = a.check();
    CHECK(found.shards == 3);
    CHECK(found.records == 12);
    CHECK(found.damaged.empty());
    CHECK(found.doubtful.empty());
    CHECK(found.accounted.count() == a.expected.count());
}

TEST_CASE("a shard of which any file was changed or lost is named, and its records are not accounted for") {
    for (const char* end : {"glass", "words"}) {
        for (const bool gone : {false, true}) {
            Checked a;
            Bytes bytes = *read_file(a.fs, a.file(8, end), 16u << 20);
            if (gone) {
                REQUIRE(a.fs.remove(a.file(8, end)).ok());
            } else {
                for (std::size_t at = bytes.size() / 2; at < bytes.size() / 2 + 64 && at < bytes.size(); ++at)
                    bytes[at] ^= 0x5A;
                REQUIRE(replace_file(a.fs, a.file(8, end), bytes).ok());
            }
            const SelfCheck found = a.check();
            const bool away = gone && std::string(end) == "glass";  // then it is no shard at all
            CHECK(found.damaged == (away ? std::vector<ShardId>() : std::vector<ShardId>{ShardId(8)}));
            CHECK(found.accounted.count() == 8);
        }
    }
}

TEST_CASE("a shard that holds what is no record, or what another one holds, is doubtful") {
    Checked a;
    EntrySet fewer;
    for (const EntrySet::Interval& i : a.expected.intervals())
        if (i.first.value > 3) fewer.add(i.first, i.last);
    a.expected = fewer;
    CHECK(a.check().doubtful == std::vector<ShardId>{ShardId(7)});

    Checked twice;
    auto again = Indexer::open(twice.fs, twice.dir / "other", twice.keys, twice.extractor, twice.clock, twice.random,
                               twice.options);
    REQUIRE(again.ok());
    REQUIRE((*again)->run_once(twice.feed, EntryIndex(0)).ok());
    REQUIRE((*again)->close_shard(twice.feed).ok());
    for (const char* end : {"glass", "words", "state"})  // shard 10: the first four once more
        REQUIRE(twice.fs.rename(twice.dir / "other" / twice.file(10, end).filename(), twice.file(10, end)).ok());
    CHECK(twice.check().doubtful == std::vector<ShardId>{ShardId(7), ShardId(10)});
    CHECK(twice.check().accounted.count() == 8);
}

TEST_CASE("without the keys nothing is said") {
    Checked a;
    a.keys.closed = true;
    const auto found = check_shards(a.fs, a.index(), a.keys, a.expected);
    REQUIRE(!found.ok());
    CHECK(found.error().code() == Code::closed);
}

}  // namespace kustos::search::test
