// A copy of the index folder at each step of a rewriting is what a crash would leave there.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "search/rewrite.h"
#include "search/src/index_files.h"
#include "tests/search/random_corpus.h"

namespace kustos::search::test {
namespace {

void copy_folder(const Path& from, const Path& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

struct Drill {
    Drill() {
        for (int shard = 0; shard < 3; ++shard) {
            for (int i = 0; i < 8; ++i) {
                const EntryIndex entry = a.add_text("wort nummer" + std::to_string(shard * 8 + i));
                if (i % 4 == 1) gone.add(entry);
            }
            REQUIRE(a.index_all().ok());
        }
        a.census.census.erased = std::make_shared<EntrySet>(gone);
        a.census.census.erased_records = gone.count();
    }
    // Rewrites, and keeps the folder as it was at each step.
    void run(bool merge) {
        RewriteOptions options;
        options.merge = merge;
        options.merge_at_least = 2;
        options.words_in_memory = 40;
        options.on_step = [this](std::string_view step) {
            images.push_back(a.dir / ("image" + std::to_string(images.size())));
            steps.insert(std::string(step));
            copy_folder(a.index(), images.back());
        };
        REQUIRE(rewrite_shards(a.fs, a.index(), a.keys, gone, a.clock, a.random, options).ok());
    }
    void expect_right() {
        a.searcher = nullptr;
        CHECK(a.find("wort").size() == 18);
        CHECK(a.find("nummer1").empty());
        CHECK(a.find("nummer*").size() == 18);
        CHECK(a.ask("*")->coverage == Coverage{24, 18, 0, 0, 0, 0, 6});
        CHECK(a.searcher->coverage(a.census)->searchable == 18);
    }
    SmallArchive a;
    EntrySet gone;
    std::vector<Path> images;
    std::set<std::string> steps;
};

}  // namespace

TEST_CASE("after a crash at any step of a rewriting the index is right, before and after the next start") {
    for (const bool merge : {false, true}) {
        Drill d;
        d.run(merge);
        CHECK(d.steps == std::set<std::string>{"begun", "pass", "words", "committed", "compacted", "whole", "removed"});
        CHECK(d.images.size() >= 10);
        for (const Path& image : d.images) {
            copy_folder(image, d.a.index());
            d.expect_right();  // a reader beside the crash
            const auto accounted = accounted_entries(d.a.fs, d.a.index(), d.a.keys);
            REQUIRE(accounted.ok());
            CHECK(std::set<EntryIndex>(accounted->begin(), accounted->end()).size() == accounted->size());
            {
                auto indexer = d.a.open_indexer();
                REQUIRE(indexer.ok());
                CHECK((*indexer)->run_once(d.a.feed, (*indexer)->position()).ok());
                REQUIRE((*indexer)->close_shard(d.a.feed).ok());
            }
            d.expect_right();
            const auto names = d.a.fs.list(d.a.index());
            for (const std::string& name : *names) {
                CHECK(name.find(".making") == std::string::npos);
                CHECK(name.find(".new") == std::string::npos);
            }
            const auto again = rewrite_shards(d.a.fs, d.a.index(), d.a.keys, d.gone, d.a.clock, d.a.random);
            REQUIRE(again.ok());
            d.expect_right();
            // whatever the crash left, the shards of before are no more, and only living ones have files
            const auto files = shards_with_files(d.a.fs, d.a.index());
            for (const std::uint64_t old : {7, 8, 9}) CHECK(files->front() > ShardId(old));
            CHECK(files->size() == summarise(d.a.fs, d.a.index())->shards.size());
            CHECK(rewrite_shards(d.a.fs, d.a.index(), d.a.keys, d.gone, d.a.clock, d.a.random)->rewritten == 0);
        }
    }
}

TEST_CASE("once the new shard is whole the old one's key is not needed any more") {
    Drill d;
    d.run(false);
    const auto image = std::find_if(d.images.begin(), d.images.end(), [&d](const Path& path) {
        return d.a.fs.exists(shard_files(path, ShardId(7)).glass) &&
               d.a.fs.exists(shard_files(path, ShardId(10)).glass);
    });
    REQUIRE(image != d.images.end());
    copy_folder(*image, d.a.index());
    d.a.keys.keys.erase(7);
    d.expect_right();
}

TEST_CASE("searches beside a rewriting see the old or the new, never both or neither") {
    Drill d;
    d.a.searcher = std::make_unique<Searcher>(d.a.fs, d.a.index(), d.a.keys);
    RewriteOptions options;
    options.merge_at_least = 2;
    int asked = 0;
    options.on_step = [&](std::string_view) {
        ++asked;
        CHECK(d.a.find("wort").size() == 18);
        CHECK(d.a.searcher->coverage(d.a.census)->deferred == 0);
        Searcher fresh(d.a.fs, d.a.index(), d.a.keys);
        CHECK(fresh.run(*parse("wort").query, {}, d.a.census)->total == 18);
    };
    REQUIRE(rewrite_shards(d.a.fs, d.a.index(), d.a.keys, d.gone, d.a.clock, d.a.random, options).ok());
    CHECK(asked > 6);
    d.expect_right();
}

TEST_CASE("a rewriting that runs out of disk leaves the old shards as they are") {
    Drill d;
    class NoKeys final : public ShardKeys {
    public:
        explicit NoKeys(ShardKeys& keys) : keys_(keys) {}
        Result<NewShard> open_shard() override { return Error(Code::environment, "the disk is full"); }
        Result<SecretBytes> key_of(ShardId id) override { return keys_.key_of(id); }

        void forget(ShardId id) override { keys_.forget(id); }

    private:
        ShardKeys& keys_;
    } keys(d.a.keys);
    CHECK(rewrite_shards(d.a.fs, d.a.index(), keys, d.gone, d.a.clock, d.a.random).error().code() == Code::environment);
    d.expect_right();
}

}  // namespace kustos::search::test
