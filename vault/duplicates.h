// Which native identities are sealed already: keyed fingerprints, so that the table tells nothing to who reads the disk
// (docs/format/duplicates.md). The row of an erased record stays, as a suppression mark.
//
// Durability: a power cut may take the newest rows: they stand in the staging log as well, which is emptied only after
// make_durable(). Threads: one (the committer), but for make_durable().
#pragma once

#include "audit/committer.h"
#include "base/sqlite.h"

namespace kustos::vault {

class DuplicateStore final : public audit::RowStore {
public:
    static Result<DuplicateStore> open(const Path& file);
    Result<std::optional<EntryIndex>> find(SourceId source, const Hash& mac);
    Status store(std::span<const audit::DuplicateRow> rows) override;
    Status make_durable() override;

    // Rows that point at lost entries (a continuation): what they name must come in again.
    Status forget_from(EntryIndex first);
    Result<DatabaseCopy> begin_copy(const Path& file) { return database_.begin_copy(file); }

private:
    Status insert_rows(std::span<const audit::DuplicateRow> rows);
    DuplicateStore(Path file, Database database, Statement find, Statement insert)
        : file_(std::move(file)), database_(std::move(database)), find_(std::move(find)), insert_(std::move(insert)) {}
    Path file_;
    Database database_;
    Statement find_, insert_;
};

// HMAC-SHA-256(HKDF-Expand(key, "kustos1/duplicates" || u32 source, 32), identity)
Hash duplicate_mac(ByteView key32, SourceId source, ByteView native_identity);

}  // namespace kustos::vault
