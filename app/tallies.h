// Counts of each source by machine word, since it was added: sealed by kind, duplicates, quarantined, what the capture
// profile left out and why. They become part of the ledger with the daily count (source_counted,
// docs/format/sources.md).
//
// Durability: what was left out is on the disk before the source gets its answer, since nothing else remembers it. The
// other counts are saved every few seconds and at the end: a power cut may take the last ones. Threads: safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "vault/archive.h"
#include "vault/stream_memory.h"

namespace kustos::app {

class Tallies {
public:
    using Counts = std::map<std::string, std::uint64_t>;
    Tallies(vault::Archive& archive, vault::StreamMemory& memory) : archive_(archive), memory_(memory) {}
    // Status: of the disk, where `left_out` says that something of it must be there.
    Status add(SourceId source, const Counts& counts, bool left_out);
    Result<Counts> of(SourceId source);
    Status save();

private:
    struct Row {
        Counts counts;
        bool changed = false;
    };
    Result<Row*> row(SourceId source);  // under mutex_
    Status save(SourceId source, Row& row);
    vault::Archive& archive_;
    vault::StreamMemory& memory_;
    std::mutex mutex_;
    std::map<SourceId, Row> rows_;
};

}  // namespace kustos::app
