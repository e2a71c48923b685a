// The objects of a backup: pieces of files, named by their SHA-256. An object that has its name is whole and durable.
// Threads: one.
#pragma once

#include <set>

#include "vault/backup.h"

namespace kustos::vault {

inline constexpr std::uint64_t kPieceBytes = 64ULL << 20;

Path object_file(const Path& dir, const Hash& hash);

// Where a file's bytes come from: `length` of them, however long the file is.
struct ByteSource {
    std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::uint8_t> out)> read;
    std::uint64_t length = 0;
};
ByteSource source_of(ByteView bytes);
ByteSource source_of(File& file, std::uint64_t length);

class BackupStore {
public:
    BackupStore(Fs& fs, Path dir, std::function<bool()> stop) : fs_(fs), dir_(std::move(dir)), stop_(std::move(stop)) {}
    // Pieces of `before` whose bytes are still the same are kept: a file that has grown costs what was added.
    Result<BackupFile> put(const ByteSource& source, const BackupFile* before);
    Status make_durable();  // the names of what was put
    std::uint64_t bytes_written() const { return written_; }
    // Called with bytes that were looked at.
    std::function<void(std::uint64_t)> advanced;
    // Removes objects that `named` does not have; their number.
    Result<std::uint64_t> remove_others(const std::set<std::string>& named);

private:
    Result<Hash> hash_of(const ByteSource& source, std::uint64_t from, std::uint64_t length, Sha256& whole);
    Status write_object(const ByteSource& source, std::uint64_t from, const BackupPiece& piece);
    Fs& fs_;
    Path dir_;
    std::function<bool()> stop_;
    std::set<Path> folders_;
    std::uint64_t written_ = 0;
    Bytes buffer_ = Bytes(1u << 20);
};

}  // namespace kustos::vault
