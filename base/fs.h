// The disk, as a seam: production uses RealFs; crash and fault drills use one that fails or forgets at the k-th call.
//
// Durability: write() reaches the disk only after sync(); a new or renamed name only after sync_dir() of its folder.
// put_once() and replace() do the whole dance (temporary name, write, sync, rename, sync of the folder).
// A failed sync is final: the page cache may lie afterwards. The caller becomes read-only and never syncs that
// descriptor again (Code::environment from sync() must end the writer).
// Threads: an Fs may be used from many threads; a File from one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace kustos {

using Path = std::filesystem::path;

// A relative path from outside (a zip entry, a stream file's attachment): no "..", no absolute part, no NUL, no
// backslash, no drive, at most 4,096 bytes. The only way to turn foreign text into a path.
class RelPath {
public:
    static Result<RelPath> parse(std::string_view text);
    const std::string& text() const { return text_; }
    Path under(const Path& base) const { return base / text_; }

private:
    explicit RelPath(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

class File {
public:
    virtual ~File() = default;
    virtual Status write_at(std::uint64_t offset, ByteView bytes) = 0;  // all or an error
    virtual Result<std::size_t> read_at(std::uint64_t offset,
                                        std::span<std::uint8_t> out) = 0;  // short only at the end
    virtual Status sync() = 0;                                             // data and size
    virtual Status truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() = 0;
};

enum class OpenMode { read, create_new, read_write, create_or_open };

class Fs {
public:
    virtual ~Fs() = default;
    virtual Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) = 0;  // new files: mode 0600
    virtual Status make_dirs(const Path& path) = 0;                                   // mode 0700, parents too
    virtual Status rename(const Path& from, const Path& to) = 0;
    virtual Status remove(const Path& path) = 0;  // a file; absent is Code::not_found
    virtual Status sync_dir(const Path& path) = 0;
    virtual bool exists(const Path& path) = 0;
    virtual Result<std::vector<std::string>> list(const Path& path) = 0;  // names, sorted, without . and ..
    virtual Result<bool> is_dir(const Path& path) = 0;                    // of a symbolic link: what it leads to
    virtual bool is_link(const Path&) { return false; }
    // Tells the disk that a file's blocks are not needed any more, as far as it can be told. A hint: nothing to rely
    // on.
    virtual Status discard(const Path&) { return {}; }
    virtual Status remove_dir(const Path&) { return {}; }  // an empty folder; a disk without folders has nothing to do
    // What this process may still write on the disk of a folder; where nobody can tell: as much as there can be.
    virtual std::uint64_t free_bytes(const Path&) { return ~std::uint64_t{0}; }
};

class RealFs final : public Fs {
public:
    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override;
    Status make_dirs(const Path& path) override;
    Status rename(const Path& from, const Path& to) override;
    Status remove(const Path& path) override;
    Status sync_dir(const Path& path) override;
    bool exists(const Path& path) override;
    Result<std::vector<std::string>> list(const Path& path) override;
    Result<bool> is_dir(const Path& path) override;
    bool is_link(const Path& path) override;
    Status discard(const Path& path) override;
    Status remove_dir(const Path& path) override;
    std::uint64_t free_bytes(const Path& path) override;
};

// Whole file, refused above max_bytes (Code::limit); absent is Code::not_found.
Result<Bytes> read_file(Fs& fs, const Path& path, std::uint64_t max_bytes);
// The same, straight into locked memory.
Result<SecretBytes> read_secret_file(Fs& fs, const Path& path, std::uint64_t max_bytes);
// Durable when it returns. replace() may overwrite; put_once() answers Code::conflict if the name exists with other
// bytes.
Status replace_file(Fs& fs, const Path& path, ByteView bytes);
Status put_once(Fs& fs, const Path& path, ByteView bytes);
// make_dirs(), and the names of the folders that were missing are durable when it returns.
Status make_dirs_synced(Fs& fs, const Path& path);

// A process-wide exclusive lock on a file (flock); held until destroyed. Code::conflict if somebody else has it.
class FileLock {
public:
    static Result<FileLock> acquire(const Path& path);
    FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace kustos
