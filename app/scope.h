// Which records somebody means who sets a hold, enters an event, restricts or reclassifies: a list, a query, a person,
// a conversation, a period, or everything that was opened for a matter.
//
// Errors: usage; closed (anything but a list needs an open vault). Threads: free functions.
#pragma once

#include <optional>
#include <string>

#include "base/entry_set.h"
#include "search/uncertain.h"
#include "vault/archive.h"

namespace kustos::app {

// The index, for decisions: no record is opened, and the decision itself is the entry.
class RecordSearch {
public:
    virtual ~RecordSearch() = default;
    virtual Result<EntrySet> hits(const std::string& query) = 0;
    virtual Result<search::Uncertain> uncertain() = 0;
    virtual Result<EntrySet> records() = 0;  // all that are sealed and not erased
};

struct ScopeOrder {
    std::optional<EntryIndex> matter;
    EntrySet records;                            // or
    std::string query;                           // or one or several of
    std::string person, conversation, from, to;  // days, both included; or
    bool of_matter = false;
};

struct Scope {
    std::string method;  // records, query, person, conversation, period, matter
    std::string query;   // what is run; empty for a list and for a matter
    std::string asked;   // person, conversation or period as it was asked for
    EntrySet records;
};

Result<Scope> resolve(const vault::Archive& archive, RecordSearch& search, const ScopeOrder& order);

// What access entries of this matter list: seen in searches, opened, exported.
Result<EntrySet> records_of_matter(const vault::Archive& archive, EntryIndex matter);

}  // namespace kustos::app
