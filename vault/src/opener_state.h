// Behind OpenerService: opener_service.cpp (state, generations), opener_grants.cpp (dispatch,
// openings), opener_acts.cpp (what changes the opener itself).
#pragma once

#include <map>
#include <mutex>

#include "audit/segment.h"
#include "vault/ledger_view.h"
#include "vault/opener_protocol.h"
#include "vault/opener_service.h"
#include "vault/src/keyholder.h"
#include "vault/src/opener_mark.h"

namespace kustos::vault {

struct OpenerService::State {
    State(Environment e, OpenerServiceOptions o)
        : environment(e), options(std::move(o)), rates(e.clock, options.rules) {}

    Environment environment;
    OpenerServiceOptions options;
    std::mutex search_mutex;           // the finder's; never taken while `mutex` is held
    std::uint64_t finder_opening = 0;  // guarded by search_mutex
    std::mutex mutex;                  // guards everything below
    RateLimits rates;
    std::unique_ptr<LedgerView> view;
    std::shared_ptr<Keyholder> holder;
    std::unique_ptr<audit::SegmentReader> segments;
    std::optional<Keyholder::Next> next;  // prepared, and not adopted
    std::uint64_t opening = 0;            // counts locks: grants of an earlier opening are void
    std::int64_t until_monotonic = 0, until_wall = 0;
    std::map<std::uint64_t, std::int64_t> served;  // access entries that a grant stands on, and when (monotonic ms)
    std::uint64_t grants = 0, sessions = 0;        // since the start; now
    TreeSize flushed;
    std::optional<OpeningMark> mark;  // of an opening without its closing's entry; none of slot `auto`

    Status load();
    void expire();
    void lock_now(std::string_view why);
    // A keyholder beside the one that counts, opened with what was brought. Code::denied.
    Result<std::shared_ptr<Keyholder>> opened_anew(const UnlockSecret& secret);
    Status take_opened(const std::shared_ptr<Keyholder>& candidate, EntryIndex entry, std::uint32_t seconds);
    Status forget_mark();
    void forget_finder(std::uint64_t now);  // without any lock held: its keys are those of an opening before `now`
    // Follows the ledger, and goes on to the generation that it names.
    Status look();
    Status take_generation();
    Result<GenerationInfo> present_generation() const;
    // Of an entry that is proven to be there, and not forgotten. Code::erased, Code::closed.
    Result<SecretBytes> dek(const audit::EntryHeader& header) const;
    Result<OpenedPayload> open_entry(EntryIndex index, const audit::Entry& entry, ByteView dek);
    Result<audit::Entry> content_entry(EntryIndex index) const;  // Code::not_found: nothing is sealed in it
    Status check_record(EntryIndex index);
    Result<EntrySet> erased_records();
    Finder::ShardKey shard_keys();  // takes `mutex` for each key

    EntrySet erased;  // of the first erased_runs runs
    std::size_t erased_runs = 0;

    Result<Bytes> describe();
    Result<Bytes> ahead(const OpenerRequest& request);
    Result<Bytes> prepare(const OpenerRequest& request);
    Status adopt();
    Status destroy();
    Result<Bytes> matter(EntryIndex index);
    // Of an opening or search for a matter, as the ledger has it; empty: the whole archive, or it does not apply.
    Result<std::string> scope_of(const Purpose& purpose);
    Result<Bytes> status();
    Result<GenerationPlan> plan(const OpenerRequest& request) const;
};

// What one connection has asked for and been granted.
class OpenerCaller final : public OpenerService::Caller {
public:
    OpenerCaller(std::shared_ptr<OpenerService::State> state, std::optional<std::uint32_t> peer);
    ~OpenerCaller() override;
    Bytes answer(ByteView request) override;

private:
    using Effect = std::function<Result<Bytes>(EntryIndex entry)>;
    struct Pending {
        audit::Kind kind = audit::Kind::access;
        std::shared_ptr<Keyholder> opens;  // the entry's payload; null: the one that counts
        Effect effect;                     // none: a grant
        Purpose purpose;
        std::vector<EntryIndex> ids;
        AccessDraft draft;
        TreeSize from;  // of the ledger when it was made: the entry is newer
        std::uint64_t opening = 0;
        std::int64_t made_ms = 0;
        std::optional<SearchReply> reply;
    };
    struct Grant {
        Purpose purpose;
        std::vector<EntryIndex> ids;  // sorted
        std::uint64_t opening = 0;
        EntryIndex opened;  // whose blobs these are
        std::vector<BlobRef> blobs;
    };
    Result<Bytes> dispatch(OpenerRequest& request);
    std::string named(const std::string& actor) const;
    audit::Body dated(audit::ControlAction action) const;
    Bytes propose_control(audit::Body body, std::optional<Composed> content, std::shared_ptr<Keyholder> opens,
                          Effect effect);
    Result<Bytes> unlock(const OpenerRequest& request);
    Result<Bytes> lock(const OpenerRequest& request);
    Result<Bytes> owed();
    Result<Bytes> rekey(const OpenerRequest& request);
    Result<Bytes> leave(const OpenerRequest& request);
    Result<Bytes> cover(std::uint32_t tree) const;
    Result<Bytes> escrow(const OpenerRequest& request);
    Result<Bytes> rewrite(const OpenerRequest& request);  // these three without the state's lock
    Result<Bytes> rewrite_on(std::optional<Finder::Rewriting::NewShard> made);
    Result<Bytes> shard_stored(EntryIndex entry);
    Result<Bytes> want_shard();
    Result<Bytes> shards();
    Result<Bytes> begin(const OpenerRequest& request);  // these two without the state's lock
    Result<Bytes> search(const OpenerRequest& request);
    Status may_begin(const Purpose& purpose, const std::vector<EntryIndex>& ids);
    Result<Bytes> accounted();
    Bytes propose(Purpose purpose, std::vector<EntryIndex> ids, std::optional<SearchReply> reply);
    Result<Bytes> stored(EntryIndex index);
    Status is_what_was_asked(const Pending& asked, EntryIndex index);
    Result<Grant*> grant();
    Status listed(const Grant& grant, EntryIndex index, const audit::Entry& entry) const;
    Result<Bytes> key(EntryIndex index);
    Result<Bytes> blob_key(const OpenerRequest& request);

    std::shared_ptr<OpenerService::State> kept_;
    OpenerService::State& state_;
    bool greeted_ = false;
    std::optional<Pending> pending_;
    std::optional<Grant> grant_;
    std::shared_ptr<Keyholder> leaves_;  // behind the entry exit_exported
    std::unique_ptr<Finder::Rewriting> rewriting_;
    std::optional<Finder::Rewriting::NewShard> made_;  // whose entry is awaited
    std::optional<std::uint32_t> peer_;                // user id of who speaks
};

}  // namespace kustos::vault
