// A shard written anew answers as one that never held what was erased, under a key of its own.
#include "search/rewrite.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "search/src/index_files.h"
#include "search/src/merge_plan.h"
#include "search/src/shard_reader.h"
#include "search/src/words_log.h"
#include "tests/search/random_corpus.h"

namespace kustos::search::test {
namespace {

EntrySet set_of(const std::vector<EntryIndex>& entries) {
    return EntrySet(entries);
}

void erase(SmallArchive& a, const EntrySet& entries) {
    a.census.census.erased = std::make_shared<EntrySet>(entries);
    a.census.census.erased_records = entries.count();
}

Result<RewriteReport> rewrite(SmallArchive& a, const EntrySet& erased, RewriteOptions options = {}) {
    return rewrite_shards(a.fs, a.index(), a.keys, erased, a.clock, a.random, options);
}

RewriteOptions without_merge() {
    RewriteOptions options;
    options.merge = false;
    return options;
}

// All answers, by date and by relevance.
std::vector<std::vector<EntryIndex>> answers(SmallArchive& a, const std::vector<std::string>& queries) {
    std::vector<std::vector<EntryIndex>> out;
    for (const std::string& query : queries) {
        for (const Sort sort : {Sort::date, Sort::relevance}) {
            SearchOptions options;
            options.sort = sort;
            const auto answer = a.ask(query, options);
            if (!answer.ok()) MESSAGE(query << ": " << answer.error().message());
            REQUIRE(answer.ok());
            const Coverage& c = answer->coverage;
            CHECK(c.sealed == c.searchable + c.partial + c.opaque + c.deferred + c.failed + c.erased);
            out.push_back(answer->entries);
        }
    }
    return out;
}

std::set<std::string> words_of(SmallArchive& a) {
    std::set<std::string> out;
    const auto shards = find_shards(a.fs, a.index());
    for (const FoundShard& shard : *shards) {
        if (!shard.closed) continue;
        const auto file = read_file(a.fs, shard_files(a.index(), shard.id).words, 100'000'000);
        const auto read = read_words(*file, a.keys.keys[shard.id.value].view(), shard.id, 0);
        REQUIRE(read.ok());
        out.insert(read->words.begin(), read->words.end());
        for (const LoggedText& text : read->texts) out.insert(text.text);
    }
    return out;
}

// Two archives with the same records in the same shards; the second never had what is erased in the first.
struct Twins {
    Twins(std::uint64_t seed, std::size_t shards, std::size_t records) : random(seed) {
        for (std::size_t shard = 0; shard < shards; ++shard) {
            for (std::size_t i = 0; i < records; ++i) {
                const vault::Message message = random_message(random);
                const std::string source = random_source(random);
                const EntryIndex entry = whole.add(message, source);
                CHECK(spared.add(message, source) == entry);
                if (random.next() % 5 == 0) gone.push_back(entry);
            }
            std::erase_if(spared.feed.items, [this](const FeedItem& item) {
                return std::find(gone.begin(), gone.end(), item.index) != gone.end();
            });
            REQUIRE(whole.index_all().ok());
            REQUIRE(spared.index_all().ok());
        }
        erase(spared, set_of(gone));
    }
    SeededRandom random;
    SmallArchive whole, spared;
    std::vector<EntryIndex> gone;
};

}  // namespace

TEST_CASE("a rewritten shard answers every query as one that never held what was erased") {
    for (const std::uint64_t seed : {11, 12, 13}) {
        Twins t(seed, 3, 120);
        const auto queries = broad_queries(t.random, 40);
        auto before = answers(t.whole, queries);
        for (auto& list : before) std::erase_if(list, [&t](EntryIndex e) { return set_of(t.gone).contains(e); });
        const auto wanted = answers(t.spared, queries);
        erase(t.whole, set_of(t.gone));
        RewriteOptions options = without_merge();
        options.words_in_memory = 1'500;  // many pieces
        const auto report = rewrite(t.whole, set_of(t.gone), options);
        REQUIRE(report.ok());
        CHECK(report->looked_at == 3);
        CHECK(report->rewritten == 3);
        CHECK(report->written == 3);
        CHECK(report->documents_dropped == t.gone.size());
        CHECK(report->gone == std::vector<ShardId>{ShardId(7), ShardId(8), ShardId(9)});
        CHECK(std::set<ShardId>(t.whole.keys.forgotten.begin(), t.whole.keys.forgotten.end()).size() ==
              6);  // the keys of closed shards, and of rewritten ones
        CHECK(*shards_with_files(t.whole.fs, t.whole.index()) ==
              std::vector<ShardId>{ShardId(10), ShardId(11), ShardId(12)});
        CHECK(report->words_dropped > 0);
        CHECK(report->given_up.empty());
        const auto after = answers(t.whole, queries);
        REQUIRE(after.size() == wanted.size());
        std::size_t found = 0;
        for (std::size_t i = 0; i < after.size(); ++i) {
            CHECK_MESSAGE(after[i] == wanted[i], queries[i / 2]);
            if (i % 2 == 0) CHECK_MESSAGE(after[i] == before[i], queries[i / 2]);  // by date
            found += after[i].size();
        }
        CHECK(found > 5'000);
        const auto mine = summarise(t.whole.fs, t.whole.index()), other = summarise(t.spared.fs, t.spared.index());
        CHECK(mine->counts == other->counts);
        CHECK(mine->reasons == other->reasons);
        CHECK(!mine->reasons.empty());
        // what only erased records said stands in no words log; spellings of what stays may
        const auto left = words_of(t.whole), needed = words_of(t.spared);
        CHECK(std::includes(left.begin(), left.end(), needed.begin(), needed.end()));
        for (const std::string& word : left) {
            if (word.rfind("selten", 0) == 0 || word.rfind("einmalig", 0) == 0)
                CHECK_MESSAGE(needed.count(word) == 1, word);
        }
        CHECK(rewrite(t.whole, set_of(t.gone), without_merge())->rewritten == 0);
    }
}

TEST_CASE("many small shards become one, and again without what was erased") {
    Twins t(21, 10, 25);
    const auto queries = broad_queries(t.random, 20);
    erase(t.whole, set_of(t.gone));
    const auto report = rewrite(t.whole, set_of(t.gone));
    REQUIRE(report.ok());
    CHECK(report->rewritten == 10);
    CHECK(report->written == 1);
    REQUIRE(rewrite(t.spared, {})->joined == 10);
    CHECK(summarise(t.whole.fs, t.whole.index())->shards.size() == 1);
    CHECK(t.whole.fs.list(t.whole.index())->size() == 4);  // lock, glass, words, state
    CHECK(answers(t.whole, queries) == answers(t.spared, queries));
    CHECK(summarise(t.whole.fs, t.whole.index())->reasons == summarise(t.spared.fs, t.spared.index())->reasons);
    CHECK(rewrite(t.whole, set_of(t.gone))->written == 0);
}

TEST_CASE("shards are joined with neighbours of their size, up to a limit") {
    const auto shard = [](std::uint64_t id, std::uint64_t records) {
        ShardState state;
        state.id = ShardId(id);
        state.first = EntryIndex(id * 10);
        state.end = EntryIndex(id * 10 + 10);
        state.counts.searchable = records;
        return state;
    };
    const auto sizes = [](const std::vector<std::vector<ShardState>>& groups) {
        std::vector<std::size_t> out;
        for (const auto& group : groups) out.push_back(group.size());
        return out;
    };
    RewriteOptions options;
    std::vector<ShardState> shards;
    for (std::uint64_t i = 0; i < 96; ++i) shards.push_back(shard(i, 700));
    CHECK(sizes(plan_merges(shards, options)) == std::vector<std::size_t>{96});
    shards.insert(shards.begin(), shard(1'000, 67'000));  // yesterday's, from its entries a later neighbour
    CHECK(sizes(plan_merges(shards, options)) == std::vector<std::size_t>{96});
    for (std::size_t i = 1; i < shards.size(); ++i) shards[i].counts.searchable = i % 2 == 0 ? 990 : 1'010;
    CHECK(sizes(plan_merges(shards, options)) == std::vector<std::size_t>{96});  // no edge between sizes runs through
    for (std::size_t i = 1; i < shards.size(); ++i) shards[i].counts.searchable = 700;
    options.most_records = 10'000;
    CHECK(sizes(plan_merges(shards, options)) == std::vector<std::size_t>{14, 14, 14, 14, 14, 14, 12});
    shards[40].analysis = 2;
    shards.resize(46);
    CHECK(sizes(plan_merges(shards, options)) == std::vector<std::size_t>{14, 14, 11});
    CHECK(plan_merges({shard(1, 5), shard(2, 5)}, options).empty());
    CHECK(plan_merges({}, options).empty());
}

TEST_CASE("coverage adds up before, between and after, and says so without keys once it can") {
    SmallArchive a;
    std::vector<EntryIndex> entries;
    for (int i = 0; i < 10; ++i) entries.push_back(a.add_text("wort" + std::to_string(i)));
    REQUIRE(a.index_all().ok());
    ++a.census.census.sealed;  // deferred
    CHECK(*a.searcher_of().coverage(a.census) == Coverage{11, 10, 0, 0, 1, 0, 0});
    erase(a, set_of({entries[2], entries[9], EntryIndex(entries[3].value + 1)}));  // the last is no record
    a.census.census.erased_records = 2;
    const Coverage wanted{11, 8, 0, 0, 1, 0, 2};
    a.keys.closed = true;
    CHECK(a.searcher_of().coverage(a.census).error().code() == Code::closed);  // not known, and never wrong
    a.keys.closed = false;
    CHECK(*a.searcher_of().coverage(a.census) == wanted);
    CHECK(a.ask("*")->coverage == wanted);
    a.searcher->forget();
    a.keys.closed = true;
    CHECK(*a.searcher->coverage(a.census) == wanted);  // it has looked into it
    a.keys.closed = false;
    REQUIRE(rewrite(a, *a.census.census.erased).ok());
    a.searcher = nullptr;
    a.keys.closed = true;
    CHECK(*a.searcher_of().coverage(a.census) == wanted);
    a.keys.closed = false;
    CHECK(a.ask("*")->coverage == wanted);
    CHECK(a.find("wort2").empty());
    CHECK(a.find("wort*").size() == 8);
    // erased, but in no shard: the shard learns that without being written anew
    erase(a, set_of({entries[2], entries[9], EntryIndex(entries[3].value + 1), EntryIndex(entries[5].value + 1)}));
    a.census.census.erased_records = 2;
    CHECK(rewrite(a, *a.census.census.erased)->rewritten == 0);
    a.searcher = nullptr;
    a.keys.closed = true;
    CHECK(*a.searcher_of().coverage(a.census) == wanted);
}

TEST_CASE("a shard of which all is erased is gone, and one that is open must be closed first") {
    SmallArchive a;
    const auto one = a.add_text("eins");
    REQUIRE(a.index_all().ok());
    const auto two = a.add_text("zwei");
    REQUIRE(a.index_all(false).ok());
    CHECK(rewrite(a, set_of({two})).error().code() == Code::conflict);
    const auto report = rewrite(a, set_of({one}));
    REQUIRE(report.ok());
    CHECK(report->rewritten == 1);
    CHECK(report->written == 0);
    CHECK(a.keys.keys.size() == 2);  // no new key for nothing
    erase(a, set_of({one}));
    CHECK(a.find("eins").empty());
    CHECK(a.find("zwei").size() == 1);
    REQUIRE(a.index_all().ok());
    CHECK(rewrite(a, set_of({one, two}))->documents_dropped == 1);
    CHECK(a.fs.list(a.index())->size() == 1);
}

TEST_CASE("records whose attachment was erased are dropped and come again") {
    SmallArchive a;
    vault::Message message;
    message.body = "Brief";
    message.attachments.push_back({"a.txt", "text/plain", to_bytes("Geheimnis"), {}, false, {}, {}, {}, {}, 9, {}});
    const auto one = a.add(message);
    a.add_text("anderes");
    REQUIRE(a.index_all().ok());
    auto indexer = a.open_indexer();
    REQUIRE((*indexer)->run_once(a.feed, EntryIndex(0))->taken == 0);
    RewriteOptions options;
    options.reindex.add(one);
    CHECK(rewrite(a, {}, options)->documents_dropped == 1);
    CHECK(a.find("geheimnis").empty());
    CHECK(a.ask("*")->coverage.deferred == 1);
    a.feed.items[0].message->attachments[0].content.clear();
    a.feed.items[0].message->attachments[0].missing = true;
    REQUIRE((*indexer)->shards_changed().ok());
    CHECK((*indexer)->run_once(a.feed, EntryIndex(0))->taken == 1);
    REQUIRE((*indexer)->close_shard(a.feed).ok());
    CHECK(a.find("brief").size() == 1);
    CHECK(a.find("geheimnis").empty());
    CHECK(a.ask("*")->coverage == Coverage{2, 1, 1, 0, 0, 0, 0});
}

TEST_CASE("a shard whose texts are not all known, or that is damaged, goes and its records are deferred") {
    for (const char* what : {"old words log", "damaged", "key gone"}) {
        SmallArchive a;
        const auto one = a.add_text("eins");
        a.add_text("zwei");
        REQUIRE(a.index_all().ok());
        const auto three = a.add_text("drei");
        REQUIRE(a.index_all().ok());
        const ShardFiles files = shard_files(a.index(), ShardId(7));
        if (what == std::string("old words log")) {
            // as long as the log that its state names
            const std::uint64_t length = read_state_file(a.fs, files.state, {})->words_bytes;
            constexpr std::size_t kFrame = 12 + 4 + 16 + 16, kWords = 5 + 5;
            const std::string filler(length - kFrame - kWords - 1, 'x');
            Bytes log = encode_words_header(ShardId(7), 1);
            put(log, seal_words(a.keys.keys[7].view(), ShardId(7), 0,
                                {{Space::text, "eins"}, {Space::text, "zwei"}, {Space::text, filler}}, a.random, 1));
            REQUIRE(log.size() == length);
            REQUIRE(replace_file(a.fs, files.words, log).ok());
            CHECK(a.find("zwe*").size() == 1);  // it still answers
        } else if (what == std::string("damaged")) {
            auto file = a.fs.open(files.words, OpenMode::read_write);
            REQUIRE((*file)->truncate(20).ok());
        } else {
            a.keys.keys.erase(7);
        }
        CHECK(rewrite(a, {})->given_up.empty());  // nothing in it must go
        const auto report = rewrite(a, set_of({one}));
        REQUIRE(report.ok());
        CHECK(report->given_up == std::vector<ShardId>{ShardId(7)});
        CHECK(report->gone == report->given_up);
        erase(a, set_of({one}));
        CHECK(a.ask("*")->coverage == Coverage{3, 1, 0, 0, 1, 0, 1});
        CHECK(a.find("drei") == std::vector<std::uint64_t>{three.value});
    }
}

TEST_CASE("a closed vault rewrites nothing, and a stop leaves whole shards") {
    SmallArchive a;
    std::vector<EntryIndex> gone;
    for (int i = 0; i < 3; ++i) {
        gone.push_back(a.add_text("weg"));
        a.add_text("bleibt");
        REQUIRE(a.index_all().ok());
    }
    a.keys.closed = true;
    CHECK(rewrite(a, set_of(gone)).error().code() == Code::closed);
    a.keys.closed = false;
    RewriteOptions options = without_merge();
    int asked = 0;
    options.stop = [&asked] { return ++asked > 2; };
    CHECK(rewrite(a, set_of(gone), options).error().code() == Code::interrupted);
    erase(a, set_of(gone));
    CHECK(a.find("weg").empty());
    CHECK(a.find("bleibt").size() == 3);
    CHECK(rewrite(a, set_of(gone), without_merge())->rewritten == 1);
}

}  // namespace kustos::search::test
