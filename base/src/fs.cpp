#include "base/fs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kustos {

namespace {

// Paths of the archive are ours and hold no personal data; paths of imported files may, so callers add their own
// context.
Error system_error(const char* what, int number) {
    const Code code = number == ENOENT ? Code::not_found : number == EEXIST ? Code::conflict : Code::environment;
    return Error(code, std::string(what) + ": " + std::strerror(number));
}

class RealFile final : public File {
public:
    explicit RealFile(int fd) : fd_(fd) {}
    ~RealFile() override { ::close(fd_); }

    Status write_at(std::uint64_t offset, ByteView bytes) override {
        while (!bytes.empty()) {
            const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return system_error("write", n == 0 ? ENOSPC : errno);
            bytes = bytes.subspan(static_cast<std::size_t>(n));
            offset += static_cast<std::uint64_t>(n);
        }
        return {};
    }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t n = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return system_error("read", errno);
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }

    Status sync() override {
        if (::fdatasync(fd_) != 0) return system_error("sync", errno);
        return {};
    }

    Status truncate(std::uint64_t size) override {
        if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return system_error("truncate", errno);
        return {};
    }

    Result<std::uint64_t> size() override {
        struct stat info {};
        if (::fstat(fd_, &info) != 0) return system_error("stat", errno);
        return static_cast<std::uint64_t>(info.st_size);
    }

private:
    int fd_;
};

}  // namespace

Result<RelPath> RelPath::parse(std::string_view text) {
    const Error bad(Code::bad_input, "not a safe relative path");
    if (text.empty() || text.size() > 4096 || text.front() == '/') return bad;
    for (const char c : text) {
        if (c == '\0' || c == '\\') return bad;
    }
    if (text.size() >= 2 && text[1] == ':') return bad;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find('/', begin), text.size());
        const std::string_view part = text.substr(begin, end - begin);
        if (part.empty() || part == "." || part == ".." || part.size() > 255) return bad;
        begin = end + 1;
    }
    return RelPath(std::string(text));
}

Result<std::unique_ptr<File>> RealFs::open(const Path& path, OpenMode mode) {
    int flags = O_CLOEXEC;
    switch (mode) {
        case OpenMode::read:
            flags |= O_RDONLY | O_NONBLOCK;  // a pipe somebody put there must not hold us up; files don't care
            break;
        case OpenMode::create_new:
            flags |= O_RDWR | O_CREAT | O_EXCL;
            break;
        case OpenMode::read_write:
            flags |= O_RDWR;
            break;
        case OpenMode::create_or_open:
            flags |= O_RDWR | O_CREAT;
            break;
    }
    int fd = -1;
    do {
        fd = ::open(path.c_str(), flags, 0600);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return system_error("open", errno);
    auto file = std::make_unique<RealFile>(fd);
    struct stat info {};
    if (mode == OpenMode::read && ::fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISDIR(info.st_mode)))
        return Error(Code::environment, "open: not a file");
    return std::unique_ptr<File>(std::move(file));
}

Status RealFs::make_dirs(const Path& path) {
    if (path.empty() || std::filesystem::is_directory(path)) return {};
    if (path.has_parent_path() && path.parent_path() != path) TRY(make_dirs(path.parent_path()));
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("make folder", errno);
    return {};
}

Status RealFs::rename(const Path& from, const Path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", errno);
    return {};
}

Status RealFs::remove(const Path& path) {
    if (::unlink(path.c_str()) != 0) return system_error("remove", errno);
    return {};
}

Status RealFs::discard(const Path& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return system_error("open", errno);
    struct stat info {};
    if (::fstat(fd, &info) == 0 && info.st_size > 0) {
        // What the file system can't do is left undone.
        (void)!::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, info.st_size);
    }
    ::close(fd);
    return {};
}

Status RealFs::remove_dir(const Path& path) {
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return system_error("remove folder", errno);
    return {};
}

Status RealFs::sync_dir(const Path& path) {
    // the folder of a bare file name is the present one
    const int fd = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_error("open folder", errno);
    const int r = ::fsync(fd);
    const int number = errno;
    ::close(fd);
    if (r != 0) return system_error("sync folder", number);
    return {};
}

bool RealFs::exists(const Path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

Result<std::vector<std::string>> RealFs::list(const Path& path) {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
        names.push_back(it->path().filename().string());
    }
    if (error) return system_error("list folder", error.value());
    std::sort(names.begin(), names.end());
    return names;
}

Result<bool> RealFs::is_dir(const Path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return system_error("stat", errno);
    return S_ISDIR(info.st_mode);
}

bool RealFs::is_link(const Path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

std::uint64_t RealFs::free_bytes(const Path& path) {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) return ~std::uint64_t{0};
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

namespace {
Error too_large(std::uint64_t size, std::uint64_t max_bytes) {
    return Error(Code::limit,
                 "file has " + std::to_string(size) + " bytes, at most " + std::to_string(max_bytes) + " are read");
}
}  // namespace

Result<SecretBytes> read_secret_file(Fs& fs, const Path& path, std::uint64_t max_bytes) {
    auto file = TRY(fs.open(path, OpenMode::read));
    const std::uint64_t size = TRY(file->size());
    if (size > max_bytes) return too_large(size, max_bytes);
    SecretBytes bytes(static_cast<std::size_t>(size));
    const std::size_t got = TRY(file->read_at(0, bytes.writable()));
    return got == size ? std::move(bytes) : SecretBytes(bytes.view().first(got));
}

Result<Bytes> read_file(Fs& fs, const Path& path, std::uint64_t max_bytes) {
    auto file = TRY(fs.open(path, OpenMode::read));
    const std::uint64_t size = TRY(file->size());
    if (size > max_bytes) return too_large(size, max_bytes);
    Bytes bytes(static_cast<std::size_t>(size));
    const std::size_t got = TRY(file->read_at(0, bytes));
    bytes.resize(got);
    return bytes;
}

namespace {
Status write_then_rename(Fs& fs, const Path& path, ByteView bytes) {
    static std::atomic<unsigned> counter{0};
    Path temporary = path;
    temporary += ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    {
        auto file = TRY(fs.open(temporary, OpenMode::create_or_open));
        TRY(file->truncate(0));
        TRY(file->write_at(0, bytes));
        TRY(file->sync());
    }
    TRY(fs.rename(temporary, path));
    return fs.sync_dir(path.parent_path());
}
}  // namespace

Status replace_file(Fs& fs, const Path& path, ByteView bytes) {
    return write_then_rename(fs, path, bytes);
}

Status put_once(Fs& fs, const Path& path, ByteView bytes) {
    if (fs.exists(path)) {
        const Bytes there = TRY(read_file(fs, path, bytes.size() + 1));
        // Its name may be one whose sync failed before.
        if (equal(there, bytes)) return fs.sync_dir(path.parent_path());
        return Error(Code::conflict, "a file of that name exists with other bytes");
    }
    return write_then_rename(fs, path, bytes);
}

Status make_dirs_synced(Fs& fs, const Path& path) {
    std::vector<Path> parents;
    for (Path p = path; !p.empty() && p != p.parent_path() && !fs.exists(p); p = p.parent_path())
        parents.push_back(p.has_parent_path() ? p.parent_path() : Path("."));
    TRY(fs.make_dirs(path));
    for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent) TRY(fs.sync_dir(*parent));
    return {};
}

Result<FileLock> FileLock::acquire(const Path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return system_error("open lock", errno);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        return Error(Code::conflict, "another process holds the lock");
    }
    return FileLock(fd);
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

FileLock::~FileLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace kustos
