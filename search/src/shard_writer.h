// A shard that is being written: takes record drafts, and closes into a single file. An *open* one commits on the way,
// and readers see what it committed. A *bulk* one is for large amounts: it becomes whole at its close and is nothing
// before; a crash leaves no trace of it but files that the next start removes. It is written as small databases that
// are joined at the end, since Xapian's inverter and trees are cheap while they are small. Threads: one. Every error
// but those of bad options is final: throw the object away, its last commit stays.
#pragma once

#include <xapian.h>

#include <memory>
#include <unordered_set>

#include "base/random.h"
#include "search/analysis.h"
#include "search/index.h"
#include "search/src/index_files.h"
#include "search/src/record_draft.h"

namespace kustos::search {

class ShardWriter {
public:
    // records_per_part: of a bulk one; 0: an open one.
    static Result<std::unique_ptr<ShardWriter>> create(Fs& fs, const Path& index_dir, NewShard shard, UtcTime now,
                                                       Analyser& analyser, Random& random,
                                                       std::uint32_t records_per_part = 0);
    // Goes on after the last commit; nullptr if there was none.
    static Result<std::unique_ptr<ShardWriter>> resume(Fs& fs, const Path& index_dir, ShardId id, SecretBytes term_key,
                                                       Analyser& analyser, Random& random);
    ~ShardWriter();

    Status add(const RecordDraft& draft);
    bool is_bulk() const;
    // Durable when it returns: words log, then the index, then the state file. Not of a bulk one.
    Status commit();
    // Commit, compact into one file, remove the folder. The object is spent. Nothing was added: the files go.
    Status close();
    const std::unordered_set<std::uint64_t>& entries() const;  // committed or not
    const ShardState& state() const;                           // with what is not committed yet
    std::uint64_t uncommitted() const;
    void forget_cached_words();  // the analyser was trimmed

private:
    struct State;
    explicit ShardWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// How shards are written: every reader and rewriter relies on it.
inline constexpr int kShardFlags = Xapian::DB_BACKEND_GLASS | Xapian::DB_NO_TERMLIST;
inline constexpr std::size_t kMostReasons = 200;  // of one shard; further ones count as "other"

// Compacts committed database folders, whose documents have numbers apart and of which the last has the state, into
// <id>.glass.new, synced, and writes the state file; false: nothing was committed. Needs no key.
Result<bool> compact_shard(Fs& fs, const ShardFiles& files, const std::vector<Path>& from);

// Compacts an open shard without its key: as it was at its last commit. Without any commit its files are removed.
Status close_as_it_is(Fs& fs, const Path& index_dir, ShardId id);

}  // namespace kustos::search
