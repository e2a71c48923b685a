// The commit protocol of an archive (docs/format/staging.md): frames and entries in, a signed checkpoint out, durable.
//
//   add()      one entry and its ciphertext, to the batch that is being made
//   commit()   frames and staging bundle are synced at the same time; then the signer's compare-and-swap of (size,
//   root)
//              is the commit point; tiles are not on the disk yet: the staging log can make them again
//   begin_settling()   in the background tiles are written and synced, and the log is emptied, while batches go on in
//              the other log. commit() begins it when the log is long; the owner from time to time
//   settle()   the same, waited for
//
// Every error ends the committer, one in the background too: nobody knows what the page cache holds. Later calls answer
// Code::read_only; opening again recovers.
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

// Of one log: above, settling begins. At four times that a commit waits for the other log.
struct CommitLimits {  // tests make them small
    std::uint64_t log_bytes = 4u << 20;
    std::uint64_t log_entries = 16'384;
    SegmentLimits segments;
};

// Where rows of duplicates go. They may come again after a crash.
class RowStore {
public:
    virtual ~RowStore() = default;
    virtual Status store(std::span<const DuplicateRow> rows) = 0;  // from the committer's thread
    // What was stored before the call survives a power cut when it returns. From another thread, beside store().
    virtual Status make_durable() = 0;
};

class Committer {
public:
    // Recovers (staging.h). dir: the archive's; ledger/, vault/ and staging/ below it. Code::rolled_back and
    // Code::conflict as plan_recovery; Code::corrupt.
    // rows: outlives the committer; null: nobody wants them.
    static Result<std::unique_ptr<Committer>> open(Fs& fs, const Path& dir, Signer& signer, RowStore* rows,
                                                   CommitLimits limits = {});
    ~Committer();

    const LedgerReader& ledger() const { return *reader_; }
    TreeHead head() const { return state_.head(); }  // of the last commit
    EntryIndex next() const { return next_; }        // number of the entry that add() takes next

    Status add(const Entry& entry, ByteView ciphertext);
    // For a blob whose ciphertext is too large to be held (has_own_file): its file, to be written and finished (any
    // error is final: end the committer), then its entry in its turn. index: next() or a later one.
    Result<SegmentWriter::BlobFile> begin_blob(EntryIndex index, std::uint64_t ciphertext_length);
    Status add_with_file(const Entry& entry);
    void add_row(const DuplicateRow& row) { rows_.push_back(row); }
    // The signed checkpoint. Without an entry: the last one.
    Result<std::string> commit();
    // Nothing, where there is nothing to settle or the other log is not done yet. Its error is what became of that.
    Status begin_settling();
    Status settle();
    // The checkpoint as the signer signs it now: its key may have changed.
    Status sign_again();
    // Between batches, for compaction: SegmentWriter::close_current().
    Result<EntryIndex> close_segment();
    const std::string& note() const { return note_; }
    bool settled() const { return !settling_ && active().log.used() == 0; }

private:
    // A log, and the batches in it.
    struct Round {
        StagingLog log;
        std::uint64_t entries = 0;
        std::set<std::string> base;  // unfinished tiles of the size that it starts from: recovery needs them
    };
    Committer(Fs& fs, Path dir, Signer& signer, RowStore* rows, CommitLimits limits, StagingLog one, StagingLog other);
    Round& active() { return rounds_[active_]; }
    const Round& active() const { return rounds_[active_]; }
    Status recover();
    Status collect(bool wait);  // what became of the log that is being settled
    Status make_room();
    Status alive() const;
    Status dead(Status status);
    Fs& fs_;
    Path dir_;
    Signer& signer_;
    RowStore* row_store_;
    CommitLimits limits_;
    Round rounds_[2];
    std::size_t active_ = 0;
    bool settling_ = false;  // the other one
    std::unique_ptr<LedgerReader> reader_;
    std::unique_ptr<SegmentWriter> segments_;
    LedgerState state_;
    std::string note_;
    bool dead_ = false;

    // The batch that is being made.
    EntryIndex next_;
    std::vector<Bytes> entries_;
    std::vector<DuplicateRow> rows_;

    class Syncer;
    std::unique_ptr<Syncer> syncer_;  // syncs frames while the caller syncs the log
    class Settler;
    std::unique_ptr<Settler> settler_;  // full tiles, which never change again, and whatever a full log stands for
};

}  // namespace kustos::audit
