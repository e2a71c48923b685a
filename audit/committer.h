// The commit protocol of an archive (docs/format/staging.md): frames and entries in, a signed checkpoint out, durable.
//
//   add()      one entry and its ciphertext, to the batch that is being made
//   commit()   frames and staging bundle are synced at the same time; then the signer's compare-and-swap of (size,
//   root)
//              is the commit point; tiles are installed, not yet synced: the staging log can make them again
//   settle()   tiles synced, the log emptied. commit() does it when the log is long; the owner when nothing happens
//
// Every error of add(), commit() and settle() ends the committer: nobody knows what the page cache holds. Later calls
// answer Code::read_only; opening again recovers. One exception: Code::environment from room() changes nothing.
// Durability: what commit() has answered survives a power cut. Threads: one; ledger() may be read from any.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "audit/ledger.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "audit/staging.h"

namespace kustos::audit {

struct CommitLimits {  // tests make them small
    std::uint64_t log_bytes = 4u << 20;
    std::uint64_t log_entries = 16'384;
    SegmentLimits segments;
};

// Where rows of duplicates go; `durable`: what was stored so far must survive a power cut when it returns. Rows may
// come again after a crash.
using StoreRows = std::function<Status(std::span<const DuplicateRow> rows, bool durable)>;

class Committer {
public:
    // Recovers (staging.h). dir: the archive's; ledger/, vault/ and staging/ below it. Code::rolled_back and
    // Code::conflict as plan_recovery; Code::corrupt.
    static Result<std::unique_ptr<Committer>> open(Fs& fs, const Path& dir, Signer& signer, StoreRows rows,
                                                   CommitLimits limits = {});
    ~Committer();

    const LedgerReader& ledger() const { return *reader_; }
    TreeHead head() const { return state_.head(); }  // of the last commit
    EntryIndex next() const { return next_; }        // number of the entry that add() takes next

    Status add(const Entry& entry, ByteView ciphertext);
    void add_row(const DuplicateRow& row) { rows_.push_back(row); }
    // The signed checkpoint. Without an entry: the last one.
    Result<std::string> commit();
    Status settle();
    // The checkpoint as the signer signs it now: its key may have changed.
    Status sign_again();
    const std::string& note() const { return note_; }
    bool settled() const { return log_.used() == 0; }

private:
    Committer(Fs& fs, Path dir, Signer& signer, StoreRows rows, CommitLimits limits, StagingLog log);
    Status recover();
    Status alive() const;
    Status dead(Status status);
    Fs& fs_;
    Path dir_;
    Signer& signer_;
    StoreRows store_rows_;
    CommitLimits limits_;
    StagingLog log_;
    std::unique_ptr<LedgerReader> reader_;
    std::unique_ptr<SegmentWriter> segments_;
    LedgerState state_;
    std::string note_;
    bool dead_ = false;

    // The batch that is being made.
    EntryIndex next_;
    std::vector<Bytes> entries_;
    std::vector<DuplicateRow> rows_;

    // Since the last settle().
    std::uint64_t unsettled_entries_ = 0;
    std::set<std::string> base_;  // unfinished tiles of the size that the log starts from: recovery needs them
    std::set<Path> removed_in_;   // folders of removed tiles; synced by the next settle()

    class Syncer;
    std::unique_ptr<Syncer> syncer_;  // syncs frames while the caller syncs the log
    class TileWriter;
    std::unique_ptr<TileWriter> tiles_;  // writes and syncs full tiles: they never change again
};

}  // namespace kustos::audit
