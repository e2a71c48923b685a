// For what, and in whose name, content is opened. All of it goes into the access entry: numbers in its public body,
// query, list and actor sealed in its payload. Threads: values.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "audit/unsearched.h"
#include "base/crypto.h"

namespace kustos::vault {

// sealed, searchable, partial, opaque, deferred, failed, erased
using CoverageCounts = std::array<std::uint64_t, 7>;
using audit::Unsearched;

struct Purpose {
    audit::AccessAction action = audit::AccessAction::open;
    EntryIndex matter;
    std::string actor;        // account or operating-system user
    std::string query;        // as typed; empty where records were named
    std::uint64_t total = 0;  // hits in all; ids.size() is what is opened
    Hash result_set;          // SHA-256 over all hits' entry numbers (u64 each, ascending); zero where none
    std::string within = {};  // a result set that was searched, or exported: "R15"
    std::optional<CoverageCounts> coverage = {};  // of the archive that was searched; filled in by who answers
    std::optional<Unsearched> unsearched = {};    // within the question; likewise
    std::string scope = {};                       // of the matter, as it was; filled in by who answers
    // Cards of address books, looked up to know who is meant: these alone, and the matter's scope does not apply.
    bool cards = false;
    bool scope_decided = false;  // the scope is part of the query that found these; not said to an opener apart
};

// Root of a list of entry numbers as access entries carry it: SHA-256 of the numbers, u64 each, in ascending order.
Hash list_root(std::vector<EntryIndex> ids);

}  // namespace kustos::vault
