// Forgetting in the index, and joining small shards: closed shards are written anew under a new term key, without
// opening a record and without what was erased (docs/format/index.md, "Rewriting"). Nobody reads the old files again
// once their term keys are dropped at the next keyring generation.
//
// Crash safety: the old shards stay until the new one is whole and durable; from that very moment they are no more for
// every reader, and what is left of them is removed at the next start or the next call. A crash before leaves rubbish
// that the same two remove.
// Threads and processes: the caller holds the index lock (it is the one who has the Indexer) and lets no Indexer run
// meanwhile. Searchers may. Afterwards: Indexer::shards_changed() and Searcher::forget(), which drop what they know of
// the old shards.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/entry_set.h"
#include "base/random.h"
#include "search/index.h"

namespace kustos::search {

struct RewriteOptions {
    // Records that stay, but whose documents must go, because an attachment of theirs was erased: they become deferred,
    // to be indexed again without it.
    EntrySet reindex;
    bool merge = true;                 // also join small shards
    std::uint32_t merge_at_least = 8;  // so many neighbours of about one size
    // Of a joined shard: larger ones find nothing faster, are asked by one thread alone, and are written anew as a
    // whole when one record of them is erased.
    std::uint64_t most_records = 500'000;
    std::uint64_t words_in_memory = 6'000'000;  // occurrences read into memory at once: about 20 bytes each
    std::function<bool()> stop;                 // asked between shards; true: Code::interrupted, what is done stays
    // Called after each step that reaches the disk; for drills.
    std::function<void(std::string_view step)> on_step;
};

struct RewriteReport {
    std::uint64_t looked_at = 0;          // closed shards
    std::uint64_t rewritten = 0;          // of these, shards that held something erased, and are no more
    std::uint64_t joined = 0;             // small ones that were joined, and are no more
    std::uint64_t written = 0;            // new shards
    std::uint64_t documents_dropped = 0;  // of erased records, and of those to be indexed again
    std::uint64_t words_dropped = 0;      // words and other texts of the words logs that nobody else had
    // Shards that held something erased and could not be rewritten (damaged, or written by a program that did not keep
    // all their texts). They were removed: their records are deferred, to be indexed again from an open vault.
    std::vector<ShardId> given_up;
    // All old shards that are no more: rewritten, joined, given up, or left over by a crash. Their term keys are to be
    // forgotten (what a crash kept from this list, shards_with_files() still tells).
    std::vector<ShardId> gone;
    std::int64_t ms = 0;
};

// Every closed shard that holds an entry of `erased` is rewritten without it. Code::closed: the vault is closed.
// Code::conflict: the open shard may hold one; close it first (Indexer::close_shard). Other errors (disk full): what
// was done so far stays, the rest is as it was.
Result<RewriteReport> rewrite_shards(Fs& fs, const Path& index_dir, ShardKeys& keys, const EntrySet& erased,
                                     const Clock& clock, Random& random, const RewriteOptions& options = {});

// Shards that have files, ascending: whatever else ever had a term key needs it no more. Under the same lock.
Result<std::vector<ShardId>> shards_with_files(Fs& fs, const Path& index_dir);

}  // namespace kustos::search
