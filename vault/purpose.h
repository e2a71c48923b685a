// For what, and in whose name, content is opened. All of it goes into the access entry: numbers in its public body,
// query, list and actor sealed in its payload. Threads: values.
#pragma once

#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/crypto.h"

namespace kustos::vault {

struct Purpose {
    audit::AccessAction action = audit::AccessAction::open;
    EntryIndex matter;
    std::string actor;        // account or operating-system user
    std::string query;        // as typed; empty where records were named
    std::uint64_t total = 0;  // hits in all; ids.size() is what is opened
    Hash result_set;          // SHA-256 over all hits' entry numbers (u64 each, ascending); zero where none
};

// Root of a list of entry numbers as access entries carry it: SHA-256 of the numbers, u64 each, in ascending order.
Hash list_root(std::vector<EntryIndex> ids);

}  // namespace kustos::vault
