// What a crash leaves behind, at every step.
#include <doctest/doctest.h>

#include "search/src/index_files.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

void copy_folder(const Path& from, const Path& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

}  // namespace

TEST_CASE("after a crash the open shard goes on from its last commit") {
    SmallArchive a;
    for (int i = 0; i < 5; ++i) a.add_text("erst");
    {
        auto indexer = a.open_indexer();
        REQUIRE(indexer.ok());
        REQUIRE((*indexer)->run_once(a.feed, EntryIndex(0)).ok());
        REQUIRE((*indexer)->commit(a.feed).ok());
        for (int i = 0; i < 5; ++i) a.add_text("dann unerhört");
        REQUIRE((*indexer)->run_once(a.feed, (*indexer)->position()).ok());
        CHECK((*indexer)->uncommitted() == 5);
    }  // gone without a commit
    CHECK(a.find("dann").empty());
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    CHECK((*indexer)->has_open_shard());
    CHECK((*indexer)->position() == EntryIndex(12));
    REQUIRE((*indexer)->run_once(a.feed, (*indexer)->position()).ok());
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    CHECK(a.keys.keys.size() == 1);
    CHECK(a.find("erst").size() == 5);
    CHECK(a.find("dann").size() == 5);
    CHECK(a.find("unerh*").size() == 5);
}

TEST_CASE("a torn words log behind the last commit is cut back") {
    SmallArchive a;
    a.add_text("erst");
    REQUIRE(a.index_all(false).ok());
    const Path words = shard_files(a.index(), ShardId(7)).words;
    auto file = a.fs.open(words, OpenMode::read_write);
    REQUIRE(file.ok());
    const auto size = (*file)->size();
    REQUIRE((*file)->write_at(*size, Bytes(77, 0xAB)).ok());
    a.add_text("dann");
    REQUIRE(a.index_all().ok());
    CHECK(a.find("ers*").size() == 1);
    CHECK(a.find("dan*").size() == 1);
}

TEST_CASE("a words log that lost committed bytes costs the open shard, and the records are deferred") {
    SmallArchive a;
    a.add_text("erst");
    REQUIRE(a.index_all(false).ok());
    auto file = a.fs.open(shard_files(a.index(), ShardId(7)).words, OpenMode::read_write);
    REQUIRE((*file)->truncate(20).ok());
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    CHECK(!(*indexer)->has_open_shard());
    CHECK((*indexer)->position() == EntryIndex(0));
    CHECK(a.ask("erst")->coverage.deferred == 1);
    REQUIRE((*indexer)->run_once(a.feed, EntryIndex(0)).ok());
    REQUIRE((*indexer)->commit(a.feed).ok());
    CHECK(a.find("erst").size() == 1);
}

TEST_CASE("every half-done close is finished at the next start") {
    SmallArchive a;
    a.add_text("wort");
    REQUIRE(a.index_all(false).ok());
    const Path open_only = a.dir / "open";
    copy_folder(a.index(), open_only);
    REQUIRE(a.index_all(true).ok());
    const ShardFiles closed = shard_files(a.index(), ShardId(7));
    const Path closed_copy = a.dir / "closed";
    copy_folder(a.index(), closed_copy);
    const ShardFiles before = shard_files(open_only, ShardId(7)), after = shard_files(closed_copy, ShardId(7));

    SUBCASE("compaction begun") {
        copy_folder(open_only, a.index());
        REQUIRE(replace_file(a.fs, closed.glass_new, as_bytes("half")).ok());
    }
    SUBCASE("compaction done, not renamed") {
        copy_folder(open_only, a.index());
        std::filesystem::copy_file(after.glass, closed.glass_new);
    }
    SUBCASE("renamed, folder still there") {
        copy_folder(before.open_dir, closed.open_dir);
    }
    SUBCASE("renamed, folder half removed") {
        copy_folder(before.open_dir, closed.open_dir);
        std::filesystem::remove(closed.open_dir / "postlist.glass");
    }
    SUBCASE("state file one commit behind") {
        copy_folder(open_only, a.index());
        std::filesystem::remove(closed.state);
    }
    if (a.fs.exists(closed.state)) CHECK(a.find("wort").size() == 1);
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    CHECK((*indexer)->position() == EntryIndex(4));
    CHECK(a.find("wort").size() == 1);
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    indexer->reset();
    CHECK(a.find("wort").size() == 1);
    CHECK(a.fs.list(a.index())->size() == 4);
}

TEST_CASE("an open shard without any commit leaves nothing behind") {
    SmallArchive a;
    a.add_text("wort");
    {
        auto indexer = a.open_indexer();
        REQUIRE((*indexer)->run_once(a.feed, EntryIndex(0)).ok());
    }
    CHECK(a.find("wort").empty());
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    CHECK(a.fs.list(a.index())->size() == 1);  // the lock
}

TEST_CASE("while the vault is closed an open shard is closed as it is, without its key") {
    SmallArchive a;
    a.add_text("wort");
    REQUIRE(a.index_all(false).ok());
    a.keys.closed = true;
    {
        auto indexer = a.open_indexer();
        REQUIRE(indexer.ok());
        CHECK(!(*indexer)->has_open_shard());
        CHECK((*indexer)->position() == EntryIndex(4));
        a.add_text("später");
        REQUIRE((*indexer)->run_once(a.feed, (*indexer)->position()).ok());  // new shards need no open vault
        REQUIRE((*indexer)->close_shard(a.feed).ok());
    }
    CHECK(a.ask("wort").error().code() == Code::closed);
    a.keys.closed = false;
    CHECK(a.find("wort OR später").size() == 2);
    CHECK(a.find("wor*").size() == 1);
}

TEST_CASE("an open shard whose key is gone for good is removed") {
    SmallArchive a;
    a.add_text("wort");
    REQUIRE(a.index_all(false).ok());
    a.keys.keys.clear();
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    CHECK((*indexer)->position() == EntryIndex(0));
    CHECK(a.ask("wort")->coverage.deferred == 1);
}

TEST_CASE("bytes changed in any file of a shard never give a wrong answer in silence") {
    SmallArchive a;
    for (int i = 0; i < 30; ++i) a.add_text("wort nummer" + std::to_string(i));
    REQUIRE(a.index_all().ok());
    const ShardFiles files = shard_files(a.index(), ShardId(7));
    SeededRandom random(3);
    for (const Path& path : {files.words, files.state}) {
        const auto good = read_file(a.fs, path, 10'000'000);
        for (int round = 0; round < 60; ++round) {
            Bytes bad = *good;
            bad[random.next() % bad.size()] ^= static_cast<std::uint8_t>(1 + random.next() % 255);
            REQUIRE(replace_file(a.fs, path, bad).ok());
            Searcher fresh(a.fs, a.index(), a.keys);
            const auto answer = fresh.run(*parse("nummer*").query, {}, a.census);
            const bool refused = !answer.ok() && answer.error().code() == Code::corrupt;
            const bool right =
                answer.ok() && answer->total == 30;  // the state file's copy inside the shard is what counts
            CHECK((refused || right));
        }
        REQUIRE(replace_file(a.fs, path, *good).ok());
    }
    CHECK(a.find("nummer*").size() == 30);
}

}  // namespace kustos::search::test
