#include "vault/duplicates.h"

#include "base/crypto.h"

namespace kustos::vault {

Result<DuplicateStore> DuplicateStore::open(const Path& file) {
    Database database = TRY(Database::open(file, DatabaseMode::create_or_open));
    // Never corrupt after a power cut, but the newest rows may be gone; no sync for each batch. Nobody else opens it
    // while the archive is open: without locks a look at it costs no system call.
    TRY(
        database.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA "
                         "wal_autocheckpoint=8000"));
    TRY(
        database.execute("CREATE TABLE IF NOT EXISTS duplicate(source INTEGER NOT NULL, mac BLOB NOT NULL, entry "
                         "INTEGER NOT NULL, PRIMARY KEY(source, mac)) WITHOUT ROWID"));
    Statement find = TRY(database.prepare("SELECT entry FROM duplicate WHERE source = ? AND mac = ?"));
    Statement insert = TRY(database.prepare("INSERT OR REPLACE INTO duplicate(source, mac, entry) VALUES(?, ?, ?)"));
    return DuplicateStore(file, std::move(database), std::move(find), std::move(insert));
}

Result<std::optional<EntryIndex>> DuplicateStore::find(SourceId source, const Hash& mac) {
    find_.reset();
    find_.bind(1, std::int64_t{source.value}).bind(2, mac.view());
    std::optional<EntryIndex> found;
    if (TRY(find_.step())) found = EntryIndex(static_cast<std::uint64_t>(find_.column_int(0)));
    find_.reset();
    return found;
}

Status DuplicateStore::store(std::span<const audit::DuplicateRow> rows) {
    return rows.empty() ? Status() : insert_rows(rows);
}

// A transaction that is complete in the write-ahead log on the disk counts, so that file is all that must be synced;
// moving rows from there to the table can wait. The locks of SQLite are on other files: a descriptor of our own does no
// harm to them. While it is not there, every row is in the table, which was synced before.
Status DuplicateStore::make_durable() {
    RealFs fs;
    Path log = file_;
    log += "-wal";
    auto file = fs.open(log, OpenMode::read);
    if (!file.ok() && file.error().code() == Code::not_found) return {};
    if (!file.ok()) return std::move(file).error();
    TRY_IN("duplicates", (*file)->sync());
    return fs.sync_dir(file_.parent_path());
}

Status DuplicateStore::forget_from(EntryIndex first) {
    auto statement = TRY(database_.prepare("DELETE FROM duplicate WHERE entry >= ?"));
    return statement.bind(1, static_cast<std::int64_t>(first.value)).run();
}

Status DuplicateStore::insert_rows(std::span<const audit::DuplicateRow> rows) {
    auto transaction = TRY(Transaction::begin(database_));
    for (const audit::DuplicateRow& row : rows) {
        TRY(insert_.bind(1, std::int64_t{row.source.value})
                .bind(2, row.mac.view())
                .bind(3, static_cast<std::int64_t>(row.entry.value))
                .run());
    }
    return transaction.commit();
}

Hash duplicate_mac(ByteView key32, SourceId source, ByteView native_identity) {
    Bytes info = to_bytes(std::string_view("kustos1/duplicates"));
    put_u32(info, source.value);
    return hmac_sha256(hkdf_expand(key32, info, 32).view(), native_identity);
}

}  // namespace kustos::vault
