// What is derived from one record (extracted text, later OCR and thumbnails): sealed under a key that comes from the
// record's own DEK, so that forgetting the record forgets it too (docs/format/keys.md).
//
//   object    = 16 random bytes || AES-256-GCM(padded, zero nonce, no associated data)
//   padded    = u64 plain size || u64 stored size || zstd(plain) || zeros up to padded_size() (vault/seal.h)
//   key       = HKDF-Expand(PRK, "kustos1/derived" || u8 length of purpose || purpose || the 16 bytes, 32), new for
//               every write
#pragma once

#include <deque>
#include <mutex>
#include <string>

#include "base/crypto.h"
#include "base/entry_set.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/sqlite.h"

namespace kustos::vault {

inline constexpr std::size_t kMaxDerived = 16u << 20;

Bytes seal_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView object, Random& random);
Result<Bytes> open_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView sealed);

// vault/derived.db: such objects by entry and purpose. A cache: nothing is lost with it but time.
// Durability: put() holds back up to 8 MiB; flush() writes in one transaction;
// what can't be written is dropped. Threads: safe (own lock).
class DerivedStore {
public:
    static Result<std::unique_ptr<DerivedStore>> open(const Path& file);
    Status put(EntryIndex entry, std::string_view purpose, Bytes sealed);
    Result<Bytes> get(EntryIndex entry, std::string_view purpose);  // Code::not_found
    Status flush();
    // Forgets all that was derived from these entries, also what still waits in memory. Durable when it returns: freed
    // pages are overwritten with zeros (secure_delete), and there is no write-ahead log that could keep them. The
    // rollback journal, which does while this runs, is a file that is unlinked. How many objects were in the file.
    Result<std::uint64_t> remove(const EntrySet& entries);

private:
    struct Row {
        EntryIndex entry;
        std::string purpose;
        Bytes sealed;
    };
    explicit DerivedStore(Database database) : database_(std::move(database)) {}
    Status write();  // under mutex_, as the next
    Status write_waiting();
    void forget_waiting(const EntrySet& entries);

    std::mutex mutex_;
    Database database_;
    std::deque<Row> waiting_;
    std::size_t waiting_bytes_ = 0;
};

}  // namespace kustos::vault
