// Labels and codes of a matter's review: each decision is an entry of the ledger (docs/format/result-sets.md); what is
// so now is their replay, kept in memory while the vault is open, so that a search opens only what came since.
//
// Errors: usage (no such label, group or value; nothing to take away), limit, closed, corrupt (a set is not what its
// entry says). Threads: safe; one decision at a time.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "app/call.h"
#include "app/review_state.h"
#include "vault/archive.h"

namespace kustos::app {

inline constexpr std::size_t kMaxReviewRunsKept = 16'000'000;  // of all matters together, between searches

// Which records somebody means; in one way.
struct ReviewChoice {
    EntryIndex matter;
    std::string actor;
    EntrySet records;                  // or
    std::optional<EntryIndex> result;  // or
    std::string query;
    Language language = Language::english;
};
struct ChosenRecords {
    EntrySet records;
    std::uint64_t restricted = 0, erased = 0;  // found, and left out
};

struct ReviewDone {
    EntryIndex entry;
    std::uint64_t records = 0, changed = 0;
};

class ReviewDesk {
public:
    explicit ReviewDesk(vault::Archive& archive) : archive_(archive) {}
    // Durable when it returns. Whether the records may be labelled for this matter is the caller's to know. A name that
    // there is keeps its first spelling.
    Result<ReviewDone> decide(EntryIndex matter, const std::string& actor, const ReviewDecision& decision);
    Result<EntrySet> tagged(EntryIndex matter, const std::string& label);
    Result<EntrySet> coded(EntryIndex matter, const std::string& code);  // GROUP, or GROUP=VALUE
    // The state as it is now, for as long as the call lasts.
    Status look(EntryIndex matter, const std::function<void(const ReviewState&)>& take);
    void forget();  // before the vault closes

private:
    struct Kept {
        ReviewState state;
        std::size_t applied = 0;  // of the matter's decisions
        std::uint64_t used = 0;
    };
    Result<const ReviewState*> current(EntryIndex matter);  // under mutex_
    Result<ReviewDecision> read(const vault::MatterNote& note) const;
    void make_room(EntryIndex but_for);

    vault::Archive& archive_;
    std::mutex mutex_;
    std::map<EntryIndex, Kept> kept_;  // guarded by mutex_, as used_
    std::uint64_t used_ = 0;
};

}  // namespace kustos::app
