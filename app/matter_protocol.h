// The protocol of a matter: what was searched, opened, exported and decided for it, by whom, from the ledger.
//
// Threads: values.
#pragma once

#include <optional>
#include <string>

#include "vault/purpose.h"

namespace kustos::app {

struct ProtocolRow {
    EntryIndex entry;
    UtcTime time;
    std::string action;  // search, open, export, audit_read, matter_opened, matter_scoped, results_frozen, ...
    // Sealed, and opened for this:
    std::string actor, query, scope, within, label, reason;
    std::optional<std::uint64_t> total, opened;  // hits in all; records that were opened
    std::optional<vault::CoverageCounts> coverage;
    std::optional<vault::Unsearched> unsearched;
};

}  // namespace kustos::app
