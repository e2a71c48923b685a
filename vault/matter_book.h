// What the ledger says about matters beyond that they are open: which entry has the scope that counts, frozen result
// sets, saved searches, lists of attachments' sums, labels and codes (docs/format/result-sets.md). Derived entry by
// entry, by the catalog; numbers only: what people typed is sealed in those entries.
//
// Errors of apply: corrupt, where an entry lacks what it must have. Threads: a value; the archive hands out snapshots.
#pragma once

#include <map>
#include <vector>

#include "audit/entry.h"
#include "base/time.h"

namespace kustos::vault {

// A result set, a saved search, a list of sums, a decision of the review: named by its entry.
struct MatterNote {
    EntryIndex entry, matter;
    UtcTime time;
    audit::ControlAction action{};
    std::uint64_t count = 0;  // records found, labelled or coded; sums
    Hash list_root{};         // of such records
    TreeSize size;            // of the ledger, when it was searched
    bool gone = false;        // forgotten, removed
    bool operator==(const MatterNote&) const = default;
};

class MatterBook {
public:
    static bool concerns(audit::ControlAction action);
    Status apply(EntryIndex index, const audit::Entry& entry);
    // Entries that changed a matter's scope, oldest first. None: what it was opened with counts.
    const std::vector<EntryIndex>& scopes(EntryIndex matter) const;
    // By entry, of all matters.
    const std::map<EntryIndex, MatterNote>& results() const { return results_; }
    const std::map<EntryIndex, MatterNote>& saved() const { return saved_; }
    const std::map<EntryIndex, MatterNote>& hash_lists() const { return hash_lists_; }
    // Labels and codes, given and taken, of one matter; ascending. What is so now is their replay (app/review_state.h).
    const std::vector<MatterNote>& reviews(EntryIndex matter) const;
    bool operator==(const MatterBook&) const = default;

private:
    std::map<EntryIndex, std::vector<EntryIndex>> scopes_;
    std::map<EntryIndex, MatterNote> results_, saved_, hash_lists_;
    std::map<EntryIndex, std::vector<MatterNote>> reviews_;
};

// Control entries in which something of a matter is sealed: an opener apart gives their keys while it is open.
bool is_of_matter(audit::ControlAction action);

}  // namespace kustos::vault
