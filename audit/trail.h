// The audit trail: control, access and erasure entries of a ledger as rows for people who audit. Without keys and
// without content: public bodies have none (docs/format/ledger.md). Reads the files alone, so it works on a copy, and
// beside a program that writes: up to the checkpoint that is on the disk.
//
// Errors: corrupt (a file is missing or wrong; says which). Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/entry.h"
#include "audit/ledger.h"

namespace kustos::audit {

struct TrailFilter {
    std::optional<Kind> kind;           // absent: all but records and blobs
    std::string action;                 // as entry_names.h writes it; empty: all
    std::optional<std::string> source;  // entries of it, and about it
    EntryIndex from;
    std::optional<EntryIndex> end;        // behind the last; absent: the ledger's
    std::optional<UtcTime> since, until;  // [since, until); entries without a time of their own (records) stay in
};

struct TrailRow {
    EntryIndex index;
    Kind kind = Kind::control;
    std::string action;           // empty: the kind has none
    std::optional<UtcTime> time;  // the archive's clock; records have none
    std::string source;           // its name; empty: the archive itself
    std::uint64_t sequence = 0;
    ClassCode retention_class;
    bool sealed = false;  // there is more in it, for whoever may open it
    std::vector<std::pair<std::string, std::string>> rows;
};

class Trail {
public:
    static Result<Trail> open(Fs& fs, const Path& ledger_dir);
    TreeSize size() const { return reader_->size(); }
    // In order. The callback's error ends it; progress: the entry that is looked at.
    Status each(const TrailFilter& filter, const std::function<Status(const TrailRow&)>& row,
                const std::function<void(EntryIndex)>& progress = {});
    // The last `limit` that fit, in order; looks from the end.
    Result<std::vector<TrailRow>> newest(const TrailFilter& filter, std::size_t limit);

private:
    explicit Trail(std::unique_ptr<LedgerReader> reader) : reader_(std::move(reader)) {}
    Result<std::optional<TrailRow>> look(const TrailFilter& filter, EntryIndex index, ByteView bytes);
    std::string name_of(std::uint64_t source);
    std::unique_ptr<LedgerReader> reader_;
    std::map<std::uint64_t, std::string> names_;
};

}  // namespace kustos::audit
