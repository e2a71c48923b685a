#include "vault/stream_memory.h"

#include "base/crypto.h"
#include "vault/derived.h"

namespace kustos::vault {

namespace {

constexpr std::string_view kPurpose = "stream-memory";

Bytes row_name(ByteView key32, std::string_view name) {
    return to_bytes(hmac_sha256(key32, as_bytes("kustos1/stream-memory/" + std::string(name))).view());
}

}  // namespace

Result<std::unique_ptr<StreamMemory>> StreamMemory::open(const Path& file, const VaultId& vault, Random& random) {
    Database database = TRY(Database::open(file, DatabaseMode::create_or_open));
    TRY(database.execute(
        "CREATE TABLE IF NOT EXISTS memory(source INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT "
        "NULL, PRIMARY KEY(source, name)) WITHOUT ROWID"));
    return std::unique_ptr<StreamMemory>(new StreamMemory(std::move(database), vault, random));
}

Result<std::optional<std::string>> StreamMemory::recall(ByteView key32, SourceId source, std::string_view name) {
    const std::lock_guard guard(mutex_);
    Statement find = TRY(database_.prepare("SELECT value FROM memory WHERE source = ? AND name = ?"));
    const Bytes row = row_name(key32, name);
    find.bind(1, static_cast<std::int64_t>(source.value)).bind(2, ByteView(row));
    if (!TRY(find.step())) return std::optional<std::string>();
    const Bytes value = TRY(open_derived(vault_, key32, kPurpose, find.column_blob(0)));
    return std::optional<std::string>(as_text(value));
}

Status StreamMemory::remember(ByteView key32, SourceId source, std::string_view name, std::string_view value) {
    if (value.size() > kMaxValue) return Error(Code::limit, "a stream may remember at most 64 KiB under one name");
    const std::lock_guard guard(mutex_);
    const Bytes sealed = seal_derived(vault_, key32, kPurpose, as_bytes(value), random_);
    Statement put = TRY(database_.prepare("INSERT OR REPLACE INTO memory(source, name, value) VALUES(?, ?, ?)"));
    const Bytes row = row_name(key32, name);
    put.bind(1, static_cast<std::int64_t>(source.value)).bind(2, ByteView(row)).bind(3, ByteView(sealed));
    return put.run();
}

Status StreamMemory::forget(ByteView key32, SourceId source, std::string_view name) {
    const std::lock_guard guard(mutex_);
    Statement drop = TRY(database_.prepare("DELETE FROM memory WHERE source = ? AND name = ?"));
    const Bytes row = row_name(key32, name);
    drop.bind(1, static_cast<std::int64_t>(source.value)).bind(2, ByteView(row));
    return drop.run();
}

}  // namespace kustos::vault
