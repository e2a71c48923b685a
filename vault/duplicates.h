// Which native identities are sealed already: keyed fingerprints, so that the table tells nothing to who reads the disk
// (docs/format/duplicates.md). The row of an erased record stays, as a suppression mark.
//
// Durability: a power cut may take the newest rows: they stand in the staging log as well, which is emptied only after
// store(..., true). Threads: one (the committer).
#pragma once

#include "audit/staging.h"
#include "base/sqlite.h"

namespace kustos::vault {

class DuplicateStore {
public:
    static Result<DuplicateStore> open(const Path& file);
    Result<std::optional<EntryIndex>> find(SourceId source, const Hash& mac);
    // May come again after a crash. durable: everything stored so far survives a power cut when it returns.
    Status store(std::span<const audit::DuplicateRow> rows, bool durable);

    // Rows that point at lost entries (a continuation): what they name must come in again.
    Status forget_from(EntryIndex first);

private:
    Status insert_rows(std::span<const audit::DuplicateRow> rows);
    DuplicateStore(Database database, Statement find, Statement insert)
        : database_(std::move(database)), find_(std::move(find)), insert_(std::move(insert)) {}
    Database database_;
    Statement find_, insert_;
};

// HMAC-SHA-256(HKDF-Expand(key, "kustos1/duplicates" || u32 source, 32), identity)
Hash duplicate_mac(ByteView key32, SourceId source, ByteView native_identity);

}  // namespace kustos::vault
