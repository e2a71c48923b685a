// What stands behind an Archive: its threads, locks and keys. Split over archive_open.cpp (create, open, recover),
// archive_batch.cpp (the committer: numbers, seals, appends), archive_keys.cpp (what needs keys), archive_forget.cpp
// (erasure runs) and archive.cpp (the rest of the public face).
#pragma once

#include <atomic>
#include <chrono>
#include <shared_mutex>

#include "audit/committer.h"
#include "base/log.h"
#include "base/workers.h"
#include "vault/archive.h"
#include "vault/derived.h"
#include "vault/duplicates.h"
#include "vault/erasure.h"
#include "vault/key_service.h"
#include "vault/src/forward_keys.h"

namespace kustos::vault {

inline constexpr std::uint64_t kMaxInMemory = 1u << 30;  // ciphertext of one entry

struct Request {
    std::vector<Draft> drafts;
    bool settle = false;  // afterwards
    // Runs on the committer's thread between two batches, and may commit batches of its own. Its error ends the writer.
    std::function<Status()> task;
    std::uint64_t bytes = 0;
    std::promise<Result<std::vector<Receipt>>> promise;
};

std::uint64_t size_of(const Draft& draft);
// Of an entry generation_opened.
audit::Body generation_body(std::uint32_t generation, ByteView intake, const Hash& keyring, const std::string& medium);

class ArchiveImpl {
public:
    ArchiveImpl(Environment e, Path d, Path s) : env(e), dir(std::move(d)), state(std::move(s)) {}
    ~ArchiveImpl() { stop(); }

    Environment env;
    Path dir, state;
    std::optional<FileLock> lock;
    std::unique_ptr<audit::Signer> signer;
    VaultId vault;
    std::string origin, vkey;
    std::uint32_t continuation = 0;
    audit::Suite suite = audit::Suite::aes256_gcm;  // of what is sealed
    const audit::LedgerReader* reader = nullptr;    // the committer's
    std::unique_ptr<audit::SegmentReader> segments;
    std::unique_ptr<ForwardKeys> forward;
    std::unique_ptr<KeyService> holder;
    // Of an entry with a payload, from whoever has it. Code::closed, Code::erased.
    Result<SecretBytes> own_epoch(std::uint32_t generation) const;
    Result<Keyholder*> own_keys() const;  // Code::not_in_version: an opener apart has them
    Result<SecretBytes> dek(EntryIndex index, const audit::EntryHeader& header) const;
    std::unique_ptr<DerivedStore> derived;
    mutable std::mutex escrow_mutex;
    std::unique_ptr<EscrowTarget> escrow;  // guarded by escrow_mutex; null: none
    std::optional<Archive::Adopted> adopted;
    bool noted_opening = true;

    // --- the committer's own ---
    std::map<std::pair<ClassCode, std::uint16_t>, KeyTreeId> open_trees;
    std::map<KeyTreeId, std::uint32_t> next_leaf;
    std::uint32_t newest_tree = 0;
    std::optional<DuplicateStore> duplicates;
    Workers workers{std::min(4u, std::max(1u, std::thread::hardware_concurrency())) - 1};  // seal with it
    std::unique_ptr<audit::Committer> log;                                                 // uses duplicates

    // --- shared ---
    mutable std::mutex catalog_mutex;
    std::optional<Catalog> catalog;  // guarded by catalog_mutex
    audit::TreeHead head_value;      // guarded by catalog_mutex
    std::string head_note;           // guarded by catalog_mutex

    std::mutex queue_mutex;
    std::condition_variable queue_filled;
    std::deque<Request> queue;      // guarded by queue_mutex
    std::size_t queued_drafts = 0;  // guarded by queue_mutex
    bool stopping = false;          // guarded by queue_mutex
    std::atomic<bool> failed{false};
    std::thread committer;
    std::mutex publish_mutex;
    bool forgotten_named = false;  // guarded by publish_mutex
    std::mutex source_mutex;
    std::mutex rekey_mutex;
    // Shared: while a box that was sealed to the intake key is not named by an entry yet. Alone: while a new generation
    // adopts the boxes of the present one.
    std::shared_mutex generation_mutex;
    std::mutex compact_mutex;
    std::mutex erased_mutex;
    std::size_t erased_runs = 0;                     // of the ledger's erasures, resolved; guarded by erased_mutex
    std::shared_ptr<const EntrySet> erased;          // records and blobs; likewise
    std::shared_ptr<const EntrySet> erased_records;  // likewise

    // Leaves in use by entries that the indexer has not finished with.
    struct Unindexed {
        EntryIndex index;
        KeyTreeId tree;
        LeafNumber leaf;
        std::int64_t sealed_ms;
    };
    std::mutex unindexed_mutex;
    std::deque<Unindexed> unindexed;   // guarded by unindexed_mutex, by index
    std::uint64_t committed_size = 0;  // guarded by unindexed_mutex: what has been put into it, or needs not
    // --- archive_forward.cpp ---
    Status take_over_forward(std::unique_ptr<ForwardMemory> memory);
    void forget_waiting(std::size_t count);

    Status load(const UnlockSecret* secret, std::unique_ptr<ForwardMemory> memory = nullptr);
    Result<SecretBytes> load_catalog_key();
    void start() {
        committer = std::thread([this] { run(); });
    }
    void stop() {
        {
            const std::lock_guard guard(queue_mutex);
            stopping = true;
        }
        queue_filled.notify_all();
        if (committer.joinable()) committer.join();
        const std::lock_guard guard(catalog_mutex);
        if (failed) return;
        if (catalog) (void)catalog->flush().ok();
        if (log) (void)log->settle().ok();  // the next start has nothing to finish
    }
    void run();
    std::mutex why_mutex;
    std::optional<Error> why_failed;  // guarded by why_mutex
    void end(const Error& why) {
        {
            const std::lock_guard guard(why_mutex);
            if (!why_failed) why_failed = why;
        }
        if (failed.exchange(true)) return;
        kustos::log(LogLevel::error, "the writer has ended", {{"code", why.code()}});
    }
    Result<std::vector<std::vector<Receipt>>> commit(std::vector<Request>& requests);
    // One batch of entries without a queue, from the committer's thread.
    Result<std::vector<Receipt>> commit_now(std::vector<Draft> drafts);

    // The caller waits while `task` runs on the committer's thread.
    Status in_turn(std::function<Status()> task);

    // --- archive_forget.cpp ---
    // Called with a new generation that is on the disk and counts for nothing yet: its escrow. Its error ends the run.
    std::function<Status(std::uint32_t)> before_generation;
    struct Run;

    // --- archive_escrow.cpp ---
    void take_escrow(const EscrowMaker& maker);
    bool has_escrow() const { return escrow != nullptr; }
    Status escrow_ready() const;  // Code::environment
    std::uint32_t escrowed() const;
    Draft escrow_entry(std::uint32_t generation, const Hash& keyring) const;
    Status adopt_restored();  // the entry of the restored generation, and what was erased before
    Result<ForgetOrder> erased_elsewhere() const;

    // --- archive_epoch.cpp ---
    EpochMaker epoch_maker;  // null: recorded_epochs
    Status note_medium();
    Result<std::string> medium_of(const audit::ErasureRun& run) const;

    bool is_forgotten(const audit::EntryHeader& header) const;
    Result<std::vector<EntryIndex>> blobs_of(EntryIndex record, const audit::EntryHeader& header) const;
    Result<Run> plan_run(const ForgetOrder& order) const;
    Result<Run> read_run(const audit::ErasureRun& begun) const;
    Status begin_run(Run& run, Composed reason);
    Status carry_out(Run& run);
    Status carry_out_if_open(Run& run);
    Status show_ledger();  // its files are as far as what was committed; from the committer's thread
    Status forget_again(ForgetOrder order, std::uint64_t& count);
    bool runs_wait() const;     // begun, not done
    Status finish_open_runs();  // what can be finished now
    // refused: takes the error of a generation that could not be prepared, where there is no need to go on.
    Status advance_generation(const Run* run, const std::set<std::uint32_t>& dropped_shards,
                              const EpochOrder* move_to = nullptr, Status* refused = nullptr);
    Result<std::vector<audit::LeafRange>> ranges_of_run(const audit::ErasureRun& run) const;
    Status resolve_erased();  // under erased_mutex

    // Numbered, and not handed to the committer yet. dek: empty without a payload; blob: null for the draft's own
    // entry.
    struct Numbered {
        audit::Entry entry;
        SecretBytes dek;
        const Draft* draft = nullptr;
        const BlobDraft* blob = nullptr;
        std::array<std::uint8_t, 32> b{};
        Receipt* receipt = nullptr;
        Bytes ciphertext = {};
        bool in_file = false;  // the ciphertext is in a file of its own already
        Status sealed = {};
    };
    struct Batch;
    Status add_drafts(Batch& batch, std::span<Draft> drafts, std::span<Receipt> receipts);
    Status number(Batch& batch, Draft& draft, Receipt& receipt);
    Status seal_and_append(Batch& batch);
    Status seal_spooled(Numbered& n, EntryIndex index);
    Result<std::pair<KeyTreeId, LeafNumber>> take_leaf(Batch& batch, ClassCode retention_class);
};

// One batch on its way: nothing of it counts until the signer has agreed.
struct ArchiveImpl::Batch {
    EntryIndex next;
    std::vector<audit::Entry> entries;           // for the catalog
    std::map<SourceId, std::uint64_t> sequence;  // next numbers
    std::map<std::pair<SourceId, Hash>, EntryIndex> seen;
    std::vector<Unindexed> leaves;
    std::vector<ForwardKeys::Leaf> done_leaves;  // of entries that are never indexed

    std::vector<Numbered> numbered;
    std::uint64_t numbered_bytes = 0;
};

}  // namespace kustos::vault
