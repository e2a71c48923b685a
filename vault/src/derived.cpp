#include "vault/derived.h"

#include <algorithm>
#include <limits>

#include "base/compress.h"
#include "vault/seal.h"

namespace kustos::vault {

namespace {
constexpr std::uint8_t kZeroNonce[12] = {};
constexpr std::size_t kSizes = 16;
constexpr std::size_t kMostWaiting = 8u << 20;

SecretBytes object_key(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView salt16) {
    CHECK(purpose.size() < 256);
    const SecretBytes prk = hkdf_extract(vault.view(), dek);
    Bytes info = to_bytes(std::string_view("kustos1/derived"));
    put_u8(info, static_cast<std::uint8_t>(purpose.size()));
    put(info, purpose);
    put(info, salt16);
    return hkdf_expand(prk.view(), info, 32);
}
}  // namespace

Bytes seal_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView object, Random& random) {
    CHECK(object.size() <= kMaxDerived);
    Bytes stored = zstd_compress(object, 3);
    Bytes padded;
    put_u64(padded, object.size());
    put_u64(padded, stored.size());
    put(padded, stored);
    padded.resize(static_cast<std::size_t>(padded_size(padded.size())), 0);
    Bytes out(16);
    random.fill(out);
    const Bytes salt = out;
    Gcm(object_key(vault, dek, purpose, salt).view()).seal(kZeroNonce, {}, padded, out);
    wipe(padded);
    wipe(stored);
    return out;
}

Result<Bytes> open_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView sealed) {
    if (sealed.size() < 16 + kGcmTag + kSizes) return Error(Code::corrupt, "a derived object is cut");
    Bytes padded;
    TRY(Gcm(object_key(vault, dek, purpose, sealed.first(16)).view()).open(kZeroNonce, {}, sealed.subspan(16), padded));
    const std::uint64_t size = load_u64(padded.data());
    const std::uint64_t stored = load_u64(padded.data() + 8);
    if (size > kMaxDerived || stored > padded.size() - kSizes) return Error(Code::corrupt, "a derived object is cut");
    return zstd_decompress(ByteView(padded).subspan(kSizes, static_cast<std::size_t>(stored)), size);
}

Result<std::unique_ptr<DerivedStore>> DerivedStore::open(const Path& file) {
    Database database = TRY(Database::open(file, DatabaseMode::create_or_open));
    TRY(
        database.execute("CREATE TABLE IF NOT EXISTS derived(entry INTEGER NOT NULL, purpose TEXT NOT NULL, object "
                         "BLOB NOT NULL, PRIMARY KEY(entry, purpose)) WITHOUT ROWID"));
    return std::unique_ptr<DerivedStore>(new DerivedStore(std::move(database)));
}

Status DerivedStore::put(EntryIndex entry, std::string_view purpose, Bytes sealed) {
    const std::lock_guard guard(mutex_);
    waiting_bytes_ += sealed.size();
    waiting_.push_back({entry, std::string(purpose), std::move(sealed)});
    return waiting_bytes_ > kMostWaiting ? write() : ok_status();
}

Status DerivedStore::flush() {
    const std::lock_guard guard(mutex_);
    return write();
}

Status DerivedStore::write() {
    if (waiting_.empty()) return {};
    const Status written = write_waiting();
    waiting_.clear();  // what can't be written is not kept: this is a cache, and memory is not
    waiting_bytes_ = 0;
    return written;
}

Status DerivedStore::write_waiting() {
    auto transaction = TRY(Transaction::begin(database_));
    {
        auto insert = TRY(database_.prepare("INSERT OR REPLACE INTO derived(entry, purpose, object) VALUES(?, ?, ?)"));
        for (const Row& row : waiting_) {
            TRY(insert.bind(1, static_cast<std::int64_t>(row.entry.value))
                    .bind(2, std::string_view(row.purpose))
                    .bind(3, ByteView(row.sealed))
                    .run());
        }
    }
    return transaction.commit();
}

void DerivedStore::forget_waiting(const EntrySet& entries) {
    std::erase_if(waiting_, [&](Row& row) {
        if (!entries.contains(row.entry)) return false;
        waiting_bytes_ -= row.sealed.size();
        wipe(row.sealed);
        return true;
    });
}

Result<std::uint64_t> DerivedStore::remove(const EntrySet& entries) {
    constexpr auto kLast = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const std::lock_guard guard(mutex_);
    forget_waiting(entries);
    std::uint64_t removed = 0;
    auto transaction = TRY(Transaction::begin(database_));
    {
        auto statement = TRY(database_.prepare("DELETE FROM derived WHERE entry BETWEEN ? AND ?"));
        for (const EntrySet::Interval& run : entries.intervals()) {
            TRY(statement.bind(1, static_cast<std::int64_t>(std::min(run.first.value, kLast)))
                    .bind(2, static_cast<std::int64_t>(std::min(run.last.value, kLast)))
                    .run());
            removed += static_cast<std::uint64_t>(database_.changes());
        }
    }
    TRY(transaction.commit());
    return removed;
}

Result<Bytes> DerivedStore::get(EntryIndex entry, std::string_view purpose) {
    const std::lock_guard guard(mutex_);
    const auto found = std::find_if(waiting_.rbegin(), waiting_.rend(),
                                    [&](const Row& row) { return row.entry == entry && row.purpose == purpose; });
    if (found != waiting_.rend()) return found->sealed;
    auto select = TRY(database_.prepare("SELECT object FROM derived WHERE entry = ? AND purpose = ?"));
    select.bind(1, static_cast<std::int64_t>(entry.value)).bind(2, purpose);
    if (!TRY(select.step())) return Error(Code::not_found, "nothing derived is kept here");
    return select.column_blob(0);
}

}  // namespace kustos::vault
