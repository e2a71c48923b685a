// One pass over the ledger's headers: the facts of each record that the planner needs. No keys, no content.
//
// The day of sealing does not stand in a record's entry. It is bracketed by the timed entries before and behind it, and
// narrowed by the year of its key tree where a turn of the year lies between (docs/architecture/retention.md).
//
// Errors: corrupt, environment. Threads: free functions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "audit/ledger.h"
#include "base/entry_set.h"
#include "vault/retention_book.h"

namespace kustos::vault {

struct RecordFacts {
    struct Leaf {
        EntryIndex entry;
        KeyTreeId tree;
    };
    EntryIndex record;
    ClassCode sealed_class;
    SourceId source;
    std::vector<Leaf> leaves;             // the record's, and of its attachments that are entries
    CivilDate sealed_from, sealed_until;  // of the first in its line of predecessors
};

struct TreeFacts {
    ClassCode retention_class;
    std::uint16_t year = 0;
    std::uint64_t entries = 0;  // with a payload, erased ones not counted
};
using TreeTable = std::map<KeyTreeId, TreeFacts>;

// Calls back for each record below `size` that is not in `erased`, in order. `now`: the latest that something was
// sealed.
Result<TreeTable> survey(const audit::LedgerReader& ledger, TreeSize size, const RetentionBook& book,
                         const EntrySet& erased, UtcTime now, const std::function<Status(const RecordFacts&)>& record);

// The planner's input, without standing holds.
PlanInput plan_input(const RetentionBook& book, const RecordFacts& facts);

}  // namespace kustos::vault
