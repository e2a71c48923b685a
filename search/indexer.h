// Takes what was sealed and puts it into the open shard. A library object: the app's thread calls run_once() in a loop.
//
// Crash safety: a record counts once its shard's commit is durable (words log synced, then Xapian's commit, then the
// state file); done_up_to() is told only then. After a crash the open shard goes on from its last commit. If its key
// can't be had now (vault closed) it is closed as it is, which needs no key; if the key is gone for good it is removed.
// What was sealed and is in no shard is `deferred`; an opened vault's feed brings it.
// Lanes: with several, each writes a shard of its own in a thread of its own, which is whole at its close and nothing
// before (when it is full, after two minutes, or at the next commit()). A crash leaves what they had taken deferred,
// and so what one lane had closed and another had not: it comes again from an open vault. For large amounts, and while
// the vault is open, therefore; the live stream of a closed one has one lane. Threads: one Indexer, one thread, one
// process per archive (a lock file enforces it). Searchers run beside it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "search/extractor_port.h"
#include "search/index.h"
#include "vault/message.h"

namespace kustos::search {

struct FeedItem {
    EntryIndex index;
    std::string source_name;                // for source:
    std::optional<vault::Message> message;  // none: it could not be opened; `reason` says why, state `failed`
    std::string reason;                     // one word of [a-z0-9-]
};

// Where records come from: the live stream (keys not punctured yet), or an opened vault (deferred records).
// Threads: with several lanes, all but done_up_to() are called from several threads at once.
class IndexFeed {
public:
    virtual ~IndexFeed() = default;
    // Records with index >= from, ascending, at most `limit`, and fewer where they are large; none only when no more
    // are there now. What `known` says yes to is in the index already and may be left out, unopened.
    virtual Result<std::vector<FeedItem>> next(EntryIndex from, std::size_t limit,
                                               const std::function<bool(EntryIndex)>& known) = 0;
    // All records below `end` are durable in the index: their leaves may be punctured.
    virtual Status done_up_to(EntryIndex end) = 0;
    // Content of an attachment that is a blob (Attachment::blob set, content empty).
    virtual Result<Bytes> attachment(const FeedItem& item, std::size_t number) = 0;
    // The same in pieces. Here: held after all.
    virtual Status write_attachment(const FeedItem& item, std::size_t number, const ByteSink& sink) {
        return sink(TRY(attachment(item, number)));
    }
    // Text that was extracted, for the derived cache (snippets read it, never the sandbox). May ignore it.
    virtual Status keep_text(const FeedItem& item, std::size_t number, std::string_view text) {
        static_cast<void>(item), static_cast<void>(number), static_cast<void>(text);
        return ok_status();
    }
    // What else the extractor found out about an attachment (ExtractedText::facts), likewise.
    virtual Status keep_facts(const FeedItem& item, std::size_t number, std::string_view facts) {
        static_cast<void>(item), static_cast<void>(number), static_cast<void>(facts);
        return ok_status();
    }
};

struct IndexerOptions {
    std::uint32_t records_per_commit = 1'000;  // more makes Xapian slower, not faster (its inverter)
    std::uint32_t records_per_shard = kShardRecords;
    std::uint32_t records_per_part = 500;  // of the small databases that a lane's shard is joined from, at least
    std::int64_t shard_ms = kShardMinutes * 60'000;
    std::size_t batch = 256;                          // asked of the feed at once; of several lanes four times as many
    std::size_t max_text_bytes = 16u << 20;           // of one record, all attachments together; more makes it partial
    std::uint64_t max_attachment_bytes = 512u << 20;  // larger ones are not extracted
    Path word_list;                                   // German word list, may be empty or absent
};

struct IndexStep {
    std::uint64_t taken = 0;  // records put into the shard
    EntryIndex next;          // ask from here next time
    bool drained = false;     // the feed had no more
    bool committed = false;   // what was taken so far is durable
};

inline constexpr std::size_t kMostLanes = 8;

class Indexer {
public:
    // Takes the lock (Code::conflict: another indexer runs), removes leftovers, goes on with the open shard if there is
    // one.
    static Result<std::unique_ptr<Indexer>> open(Fs& fs, const Path& index_dir, ShardKeys& keys,
                                                 TextExtractor& extractor, const Clock& clock, Random& random,
                                                 IndexerOptions options = {});
    ~Indexer();  // without a commit: what was not committed is asked for again

    // How many records are taken at a time, from the next run_once() on: 1 to kMostLanes.
    void use_lanes(std::size_t count);
    std::size_t lanes() const;

    EntryIndex position() const;  // one past the largest entry in the index: where the live feed goes on

    // One batch from `from`: at most Options::batch records; commits when records_per_commit are waiting, and closes
    // the shard when it is full or old. With several lanes: batches until each could have records_per_commit, none of
    // them committed before all lanes close; stop is asked between batches. A record that a shard already accounts for
    // is skipped (below position() this needs the keys of all shards: Code::closed). stop is asked between records;
    // true: returns early with what it has. An error other than closed, overloaded, interrupted from the feed or the
    // disk is final for this object.
    Result<IndexStep> run_once(IndexFeed& feed, EntryIndex from, const std::function<bool()>& stop = {});

    // Makes what was taken durable and tells the feed; closes the shards of several lanes. Call when the feed is
    // drained or the time is right.
    Status commit(IndexFeed& feed);
    // Commit, compact into a single file, forget the key. Call before erasures, at shutdown, or let run_once do it.
    Status close_shard(IndexFeed& feed);
    // Closed shards were rewritten or removed (search/rewrite.h): what was known of them is looked up again.
    Status shards_changed();
    // The words of what was indexed, which are kept to be fast. Call when nothing more comes: they are content.
    void forget_words();
    bool has_open_shard() const;
    std::uint64_t uncommitted() const;

private:
    struct State;
    explicit Indexer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kustos::search
