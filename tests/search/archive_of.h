// A small archive in memory for search's tests: messages in, an index on disk, answers out.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "search/indexer.h"
#include "search/searcher.h"
#include "tests/support/temp_dir.h"

namespace kustos::search::test {

class MemoryKeys final : public ShardKeys {
public:
    Result<NewShard> open_shard() override;
    Result<SecretBytes> key_of(ShardId id) override;
    void forget(ShardId id) override;
    bool closed = false;
    std::vector<ShardId> forgotten;
    std::map<std::uint64_t, SecretBytes> keys;

private:
    std::mutex mutex_;  // guards keys while an indexer and a searcher run beside each other
    std::uint64_t next_ = 7;
    SeededRandom random_{17};
};

class MemoryFeed final : public IndexFeed {
public:
    Result<std::vector<FeedItem>> next(EntryIndex from, std::size_t limit,
                                       const std::function<bool(EntryIndex)>& known) override;
    Status done_up_to(EntryIndex end) override;
    Result<Bytes> attachment(const FeedItem& item, std::size_t number) override;
    Status keep_text(const FeedItem& item, std::size_t number, std::string_view text) override;
    std::vector<FeedItem> items;
    std::map<std::uint64_t, Bytes> blobs;  // by blob entry
    std::vector<std::string> kept;
    EntryIndex done;

private:
    std::mutex mutex_;  // guards kept where there are several lanes
};

// text/plain is its own text; "partial" and "broken" types do what they say; all else is opaque.
class PlainExtractor final : public TextExtractor {
public:
    Result<ExtractedText> text(ByteView content, std::string_view name, std::string_view media_type) override;
    std::atomic<std::size_t> calls{0};
};

class MemoryCensus final : public RecordCensus {
public:
    Result<CensusNow> now() override { return census; }
    CensusNow census;
};

struct SmallArchive {
    SmallArchive() : clock(UtcTime{1'772'000'000'000}) {}
    // The index of the entry that it becomes.
    EntryIndex add(vault::Message message, const std::string& source = "chat-server");
    EntryIndex add_text(const std::string& body, UtcTime sent = {1'772'000'000'000});
    Result<std::unique_ptr<Indexer>> open_indexer();
    Status index_all(bool close = true);  // through an indexer that is opened and closed again
    Result<Answer> ask(const std::string& query, SearchOptions search_options = {});
    Searcher& searcher_of();
    // Entries that match, ascending. CHECKs that the query is good and the coverage adds up.
    std::vector<std::uint64_t> find(const std::string& query);

    kustos::test::TempDir dir;
    RealFs fs;
    FixedClock clock;
    SeededRandom random{4};
    MemoryKeys keys;
    MemoryFeed feed;
    PlainExtractor extractor;
    MemoryCensus census;
    IndexerOptions options;
    std::unique_ptr<Searcher> searcher;
    Path index() const { return dir / "index"; }

private:
    std::uint64_t next_entry_ = 3;
};

}  // namespace kustos::search::test
