// Frozen result sets of a matter: what a search found then, to be opened, compared, searched within and exported later
// (docs/format/result-sets.md).
//
// Errors: usage (no such one), denied (of another matter), limit, closed (what it holds is sealed), corrupt (it is not
// what its entry says). Threads: as Archive.
#pragma once

#include <string>
#include <vector>

#include "vault/archive.h"
#include "vault/entry_set_code.h"

namespace kustos::app {

inline constexpr std::size_t kMaxLabel = 200;  // bytes of UTF-8

struct FreezeOrder {
    EntryIndex matter;
    std::string actor, name, query, scope;
    EntrySet records;
    TreeSize size;                     // of the ledger when it was searched
    EntryIndex index_end;              // one past the largest entry that the index accounted for then
    vault::CoverageCounts coverage{};  // of the archive
    vault::Unsearched unsearched;      // within the question
};

struct FrozenSet {
    vault::MatterNote note;
    bool open = false;                      // else nothing of the rest is known
    std::string name, actor, query, scope;  // the query's canonical form; the scope as it was
    EntrySet records;
    EntryIndex index_end;
    vault::CoverageCounts coverage{};
    std::optional<vault::Unsearched> unsearched;  // within the question; absent: older sets did not say it
};

struct ResultComparison {
    EntrySet added, removed, both;  // of what is not erased: in the second alone, in the first alone, in both
    EntrySet erased;                // since then, of either
};
ResultComparison compare(const EntrySet& first, const EntrySet& second, const EntrySet& erased);

Status check_label(const std::string& name, bool required);  // Code::usage

class ResultDesk {
public:
    explicit ResultDesk(vault::Archive& archive) : archive_(archive) {}
    static Status expect_not_too_many(std::uint64_t records);
    Result<EntryIndex> freeze(const FreezeOrder& order);
    Result<std::vector<FrozenSet>> list(EntryIndex matter) const;  // oldest first; with a closed vault numbers alone
    Result<FrozenSet> open(EntryIndex result) const;
    Result<FrozenSet> of_matter(EntryIndex result, EntryIndex matter) const;
    Result<EntryIndex> matter_of(EntryIndex result) const;

private:
    Result<FrozenSet> read(const vault::MatterNote& note) const;
    vault::Archive& archive_;
};

}  // namespace kustos::app
