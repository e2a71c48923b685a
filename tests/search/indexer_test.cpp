#include "search/indexer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "search/rewrite.h"
#include "search/src/index_files.h"
#include "search/src/words_log.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {

TEST_CASE("a record can be found once it is committed, and its key may go then") {
    SmallArchive a;
    for (int i = 0; i < 10; ++i) a.add_text("Nachricht " + std::to_string(i));
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    const auto step = (*indexer)->run_once(a.feed, (*indexer)->position());
    REQUIRE(step.ok());
    CHECK(step->taken == 10);
    CHECK(!step->committed);
    CHECK(a.feed.done == EntryIndex(0));
    CHECK(a.find("nachricht").empty());
    REQUIRE((*indexer)->commit(a.feed).ok());
    CHECK(a.feed.done == EntryIndex(22));
    CHECK(a.find("nachricht").size() == 10);
    a.add_text("Nachricht 10");
    REQUIRE((*indexer)->run_once(a.feed, step->next).ok());
    REQUIRE((*indexer)->commit(a.feed).ok());
    CHECK(a.find("nachricht").size() == 11);  // the searcher sees the open shard grow
    CHECK(a.find("nachr*").size() == 11);
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    CHECK(!(*indexer)->has_open_shard());
    CHECK(a.find("nachricht").size() == 11);  // and become a file
}

TEST_CASE("whoever keeps the term keys hears of each shard that is closed, when it is and at the next start") {
    SmallArchive a;
    a.options.records_per_shard = 10;
    for (int i = 0; i < 25; ++i) a.add_text("wort");
    {
        auto indexer = a.open_indexer();
        REQUIRE(indexer.ok());
        EntryIndex from = (*indexer)->position();
        for (bool drained = false; !drained;) {
            const auto step = (*indexer)->run_once(a.feed, from);
            REQUIRE(step.ok());
            from = step->next;
            drained = step->drained;
        }
        CHECK(a.keys.forgotten == std::vector<ShardId>{ShardId(7), ShardId(8)});
        REQUIRE((*indexer)->commit(a.feed).ok());
    }
    a.keys.forgotten.clear();
    {
        auto indexer = a.open_indexer();  // it may have stopped between closing a shard and saying so
        REQUIRE(indexer.ok());
        CHECK(a.keys.forgotten == std::vector<ShardId>{ShardId(7), ShardId(8)});
        REQUIRE((*indexer)->close_shard(a.feed).ok());
        CHECK(a.keys.forgotten == std::vector<ShardId>{ShardId(7), ShardId(8), ShardId(9)});
    }
    a.keys.forgotten.clear();
    REQUIRE(a.open_indexer().ok());
    CHECK(a.keys.forgotten == std::vector<ShardId>{ShardId(7), ShardId(8), ShardId(9)});
}

TEST_CASE("words may be forgotten between any two records, and each still stands once in the shard's list") {
    SmallArchive a;
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    EntryIndex from = (*indexer)->position();
    for (int i = 0; i < 3; ++i) {
        a.add_text("Haftungsausschluss wort" + std::to_string(i));
        const auto step = (*indexer)->run_once(a.feed, from);
        REQUIRE(step.ok());
        from = step->next;
        REQUIRE((*indexer)->commit(a.feed).ok());
        (*indexer)->forget_words();
    }
    CHECK(a.find("haftungsausschluss").size() == 3);
    CHECK(a.find("haftungs*").size() == 3);
    const auto log = read_file(a.fs, shard_files(a.index(), ShardId(7)).words, 1u << 20);
    const auto words = read_words(log.value(), a.keys.keys.at(7).view(), ShardId(7), 0);
    REQUIRE(words.ok());
    CHECK(std::count(words->words.begin(), words->words.end(), "haftungsausschluss") == 1);
}

TEST_CASE("commits come every so many records, shards close when they are full or old") {
    SmallArchive a;
    a.options.records_per_commit = 4;
    a.options.records_per_shard = 10;
    a.options.batch = 7;
    for (int i = 0; i < 25; ++i) a.add_text("wort");
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    EntryIndex from = (*indexer)->position();
    for (int i = 0; i < 4; ++i) {
        const auto step = (*indexer)->run_once(a.feed, from);
        REQUIRE(step.ok());
        from = step->next;
    }
    auto summary = summarise(a.fs, a.index());
    REQUIRE(summary.ok());
    REQUIRE(summary->shards.size() == 3);
    CHECK(summary->shards[0].counts.searchable == 10);
    CHECK(summary->shards[0].closed);
    CHECK(!summary->shards[2].closed);
    CHECK(summary->counts.searchable == 24);
    a.clock.advance_ms(15 * 60'000);
    REQUIRE((*indexer)->run_once(a.feed, from).ok());
    CHECK(!(*indexer)->has_open_shard());
    summary = summarise(a.fs, a.index());
    CHECK(summary->counts.searchable == 25);
    CHECK(a.find("wort").size() == 25);
}

TEST_CASE("a closed shard is one Xapian file, a words log and a state file") {
    SmallArchive a;
    a.add_text("wort");
    REQUIRE(a.index_all().ok());
    const auto names = a.fs.list(a.index());
    REQUIRE(names.ok());
    CHECK(*names == std::vector<std::string>{"0000000000000007.glass", "0000000000000007.state",
                                             "0000000000000007.words", "lock"});
}

TEST_CASE("only one indexer writes") {
    SmallArchive a;
    auto first = a.open_indexer();
    REQUIRE(first.ok());
    const auto second = a.open_indexer();
    REQUIRE(!second.ok());
    CHECK(second.error().code() == Code::conflict);
}

TEST_CASE("asked to stop, it stops between records and goes on there") {
    SmallArchive a;
    for (int i = 0; i < 10; ++i) a.add_text("wort");
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    int asked = 0;
    const auto step = (*indexer)->run_once(a.feed, EntryIndex(0), [&asked] { return ++asked > 4; });
    REQUIRE(step.ok());
    CHECK(step->taken == 4);
    CHECK(!step->drained);
    const auto rest = (*indexer)->run_once(a.feed, step->next);
    REQUIRE(rest.ok());
    CHECK(rest->taken == 6);
}

TEST_CASE("an interrupted extraction leaves its record for later") {
    SmallArchive a;
    a.add_text("eins");
    vault::Message message;
    message.body = "zwei";
    message.attachments.push_back({"a", "test/interrupted", to_bytes("x"), {}, false, {}, {}, {}, {}, 1, {}});
    a.add(std::move(message));
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    const auto step = (*indexer)->run_once(a.feed, EntryIndex(0));
    REQUIRE(step.ok());
    CHECK(step->taken == 1);
    CHECK(!step->drained);
    CHECK(step->next == EntryIndex(4));
    a.feed.items[1].message->attachments[0].media_type = "text/plain";
    CHECK((*indexer)->run_once(a.feed, step->next)->taken == 1);
}

TEST_CASE("attachments' text comes through the extractor, blobs through the feed, and is kept for snippets") {
    SmallArchive a;
    vault::Message message;
    message.attachments.push_back({"a.txt", "text/plain", to_bytes("klein"), {}, false, {}, {}, {}, {}, 5, {}});
    message.attachments.push_back({"b.txt", "text/plain", {}, {}, false, {}, {}, {}, EntryIndex(2), 100'000, {}});
    message.attachments.push_back({"c.txt", "test/partial", to_bytes("anfang"), {}, false, {}, {}, {}, {}, 5, {}});
    a.feed.blobs[2] = to_bytes("gross");
    const auto entry = a.add(std::move(message)).value;
    REQUIRE(a.index_all().ok());
    using Entries = std::vector<std::uint64_t>;
    CHECK(a.find("klein gross anfang") == Entries{entry});
    CHECK(a.feed.kept == std::vector<std::string>{"klein", "gross", "anfang"});
    const auto answer = a.ask("*");
    CHECK(answer->coverage == Coverage{1, 0, 1, 0, 0, 0, 0});
}

TEST_CASE("every reason of a record and every remark is counted, can be asked for, and survives a rewriting") {
    SmallArchive a;
    vault::Message message;
    message.body = "Brief";
    message.attachments.push_back({"a.tif", "test/remarked", to_bytes("gelesen"), {}, false, {}, {}, {}, {}, 7, {}});
    message.attachments.push_back({"b.bin", "test/opaque", to_bytes("xyz"), {}, false, {}, {}, {}, {}, 3, {}});
    const EntryIndex record = a.add(message);
    a.add_text("ohne Anhang");
    const EntryIndex other = a.add(message);
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    REQUIRE((*indexer)->run_once(a.feed, (*indexer)->position()).ok());
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    const auto expect = [&](const std::vector<std::uint64_t>& entries) {
        const auto summary = summarise(a.fs, a.index());
        REQUIRE(summary.ok());
        const std::uint64_t n = entries.size();
        CHECK(summary->reasons ==
              std::map<std::string, std::uint64_t>{{"encrypted", n}, {"ocr", n}, {"type-mismatch", n}});
        for (const char* word : {"ocr", "encrypted", "type-mismatch"})
            CHECK(a.find("coverage:" + std::string(word)) == entries);
    };
    expect({record.value, other.value});
    CHECK(a.find("abdeckung:no-sandbox").empty());
    CHECK(a.ask("*")->coverage.partial == 2);
    EntrySet gone;
    gone.add(other);
    RewriteOptions options;
    options.reindex = gone;
    REQUIRE(rewrite_shards(a.fs, a.index(), a.keys, {}, a.clock, a.random, options).ok());
    a.searcher_of().forget();
    expect({record.value});
}

TEST_CASE("text beyond the limit makes a record partial, not lost") {
    SmallArchive a;
    a.options.max_text_bytes = 10;
    a.add_text("anfang mitte ende");
    REQUIRE(a.index_all().ok());
    CHECK(a.find("anfang").size() == 1);
    CHECK(a.find("ende").empty());
    CHECK(a.ask("*")->coverage.partial == 1);
}

TEST_CASE("what cannot be read is opaque: quarantined, encrypted, missing") {
    SmallArchive a;
    vault::Message unreadable;
    unreadable.kind = vault::MessageKind::unreadable;
    a.add(std::move(unreadable));
    vault::Message encrypted;
    encrypted.subject = "geheim";
    encrypted.notes = {"encrypted:smime"};
    a.add(std::move(encrypted));
    vault::Message missing;
    missing.body = "siehe Anhang";
    missing.attachments.push_back({"a", "text/plain", {}, {}, true, {}, {}, {}, {}, 0, {}});
    a.add(std::move(missing));
    REQUIRE(a.index_all().ok());
    CHECK(a.find("geheim").size() == 1);  // its subject is clear
    CHECK(a.ask("*")->coverage == Coverage{3, 0, 1, 2, 0, 0, 0});
}

TEST_CASE("an encrypted mail is opaque whatever armour or cover text it has; an encrypted part makes it partial") {
    SmallArchive a;
    vault::Message all, part, signed_only;
    all.body = "-----BEGIN PGP MESSAGE-----";
    all.notes = {"pgp:encrypted"};
    part.body = "Anbei das Geheime.";
    part.notes = {"smime:encrypted-part"};
    signed_only.body = "Lesbar.";
    signed_only.notes = {"smime:signature-valid"};
    for (vault::Message* m : {&all, &part, &signed_only}) a.add(std::move(*m));
    REQUIRE(a.index_all().ok());
    CHECK(a.ask("*")->coverage == Coverage{3, 1, 1, 1, 0, 0, 0});
}

TEST_CASE("deferred records come in later, once, from an opened vault") {
    SmallArchive a;
    for (int i = 0; i < 6; ++i) a.add_text("wort " + std::to_string(i));
    const auto all = a.feed.items;
    a.feed.items = {all[0], all[1], all[5]};  // the keys of the others were gone in time
    REQUIRE(a.index_all().ok());
    CHECK(a.ask("*")->coverage.deferred == 3);
    const auto known = accounted_entries(a.fs, a.index(), a.keys);
    REQUIRE(known.ok());
    CHECK(*known == std::vector<EntryIndex>{all[0].index, all[1].index, all[5].index});

    a.feed.items = all;
    auto indexer = a.open_indexer();
    REQUIRE(indexer.ok());
    CHECK((*indexer)->position() == EntryIndex(all[5].index.value + 1));
    const auto step = (*indexer)->run_once(a.feed, EntryIndex(0));
    REQUIRE(step.ok());
    CHECK(step->taken == 3);
    REQUIRE((*indexer)->commit(a.feed).ok());
    CHECK((*indexer)->run_once(a.feed, EntryIndex(0))->taken == 0);
    CHECK(a.find("wort").size() == 6);
    CHECK(a.ask("*")->coverage.deferred == 0);
}

TEST_CASE("nothing of the content stands in the index folder") {
    SmallArchive a;
    vault::Message message;
    message.kind = vault::MessageKind::mail;
    message.subject = "Kanarienvogel";
    message.body = "Zaunkoenig Donnerstagsgesellschaft 4711-0815";
    message.sender = {"sperling-id", "Sperling", "rotkehlchen@example.org", "", false};
    message.conversation = {"amselraum", "Amsel", vault::ConversationType::group};
    message.sent_at = UtcTime{1'771'234'567'890};
    message.attachments.push_back(
        {"goldammer.txt", "text/plain", to_bytes("Nachtigall"), {}, false, {}, {}, {}, {}, 10, {}});
    a.add(std::move(message), "habichtquelle");
    const auto look = [&a] {
        std::string everything;
        for (const auto& file : std::filesystem::recursive_directory_iterator(a.index())) {
            everything += file.path().string();
            if (!file.is_regular_file()) continue;
            const auto bytes = read_file(a.fs, file.path(), 100'000'000);
            REQUIRE(bytes.ok());
            everything += to_text(*bytes);
        }
        for (char& c : everything) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        CHECK(everything.size() > 1'000);
        for (const char* canary :
             {"kanarienvogel", "zaunk", "donnerstag", "gesellschaft", "sperling", "rotkehlchen", "amsel", "goldammer",
              "nachtigal", "habicht", "4711", "0815", "2026", "mail", "attachment", "example"})
            CHECK_MESSAGE(everything.find(canary) == std::string::npos, canary);
        // nor the time in any of the ways in which numbers are written, nor UTF-16
        Bytes time;
        put_u64(time, 1'771'234'567'890);
        CHECK(everything.find(to_text(ByteView(time).subspan(2))) == std::string::npos);
        std::reverse(time.begin(), time.end());
        CHECK(everything.find(to_text(ByteView(time).first(6))) == std::string::npos);
        CHECK(everything.find(std::string("z\0a\0u\0n", 7)) == std::string::npos);
    };
    REQUIRE(a.index_all(false).ok());
    look();
    REQUIRE(a.index_all(true).ok());
    look();
    CHECK(a.find("kanarienvogel zaunkönig sperling amsel goldammer nachtigall").size() == 1);
}

TEST_CASE("searches beside the indexer see whole commits and never fail") {
    SmallArchive a;
    a.options.records_per_commit = 20;
    a.options.records_per_shard = 50;
    a.options.batch = 10;
    for (int i = 0; i < 600; ++i) a.add_text("wort nummer" + std::to_string(i));
    std::atomic<bool> finished{false};
    Status indexed = ok_status();
    std::thread writer([&] {
        indexed = a.index_all();
        finished = true;
    });
    std::uint64_t last = 0, asked = 0;
    bool good = true;
    const Query query = *parse("wort").query;
    {
        RealFs fs;
        Searcher searcher(fs, a.index(), a.keys);
        while (!finished || asked < 3) {
            const auto answer = searcher.run(query, {}, a.census);
            ++asked;
            good = good && answer.ok() && answer->total >= last && answer->coverage.searchable == answer->total;
            if (!good) {
                if (!answer.ok())
                    MESSAGE(answer.error().message());
                else
                    MESSAGE(answer->total, " after ", last, ", searchable ", answer->coverage.searchable);
                break;
            }
            last = answer->total;
        }
    }
    writer.join();
    REQUIRE(indexed.ok());
    CHECK(good);
    CHECK(a.find("wort").size() == 600);
}

TEST_CASE("two shards hold one word under different terms") {
    SmallArchive a;
    a.add_text("gleich");
    REQUIRE(a.index_all().ok());
    a.add_text("gleich");
    REQUIRE(a.index_all().ok());
    REQUIRE(a.keys.keys.size() == 2);
    const auto words = [&a](std::uint64_t id) {
        const auto file = read_file(a.fs, shard_files(a.index(), ShardId(id)).words, 1'000'000);
        REQUIRE(file.ok());
        const auto read = read_words(*file, a.keys.keys[id].view(), ShardId(id), 0);
        REQUIRE(read.ok());
        return read->words;
    };
    CHECK(words(7) == std::vector<std::string>{"gleich"});
    CHECK(words(8) == words(7));
    CHECK(a.find("gleich").size() == 2);
}

}  // namespace kustos::search::test
