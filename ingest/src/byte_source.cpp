#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ingest/format.h"

namespace kustos::ingest {

namespace {

class MemorySource final : public ByteSource {
public:
    explicit MemorySource(ByteView bytes) : bytes_(bytes) {}
    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        const std::size_t size = std::min(out.size(), bytes_.size());
        if (size > 0) std::memcpy(out.data(), bytes_.data(), size);
        bytes_ = bytes_.subspan(size);
        return size;
    }

private:
    ByteView bytes_;
};

class FileSource final : public ByteSource {
public:
    explicit FileSource(int fd) : fd_(fd) {}
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;
    ~FileSource() override { ::close(fd_); }
    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        for (;;) {
            const ssize_t got = ::read(fd_, out.data(), out.size());
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EINTR)
                return Error(Code::environment, std::string("cannot read input: ") + std::strerror(errno));
        }
    }

private:
    int fd_;
};

}  // namespace

std::unique_ptr<ByteSource> memory_source(ByteView bytes) {
    return std::make_unique<MemorySource>(bytes);
}

Result<std::unique_ptr<ByteSource>> file_source(const Path& path) {
    // O_NONBLOCK: opening a pipe must not wait; it is refused below.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        const Code code = errno == ENOENT ? Code::not_found : Code::environment;
        return Error(code, std::string("cannot open input: ") + std::strerror(errno));
    }
    std::unique_ptr<ByteSource> source = std::make_unique<FileSource>(fd);
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return Error(Code::usage, "input is not a regular file");
    return source;
}

}  // namespace kustos::ingest
