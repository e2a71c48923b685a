#include "ingest/src/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace kustos::ingest {

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

private:
    int fd_;
};

Error open_error() {
    if (errno == ENOENT) return Error(Code::not_found, "named file is absent");
    if (errno == ELOOP || errno == ENOTDIR) return Error(Code::bad_input, "named file lies behind a link");
    return Error(Code::not_found, "named file can't be opened");
}

}  // namespace

NamedFile::~NamedFile() {
    if (fd_ >= 0) ::close(fd_);
}

Status NamedFile::read_all(const ByteSink& sink) const {
    Bytes piece(std::min<std::uint64_t>(size_, 256u << 10));
    for (std::uint64_t left = size_; left != 0;) {
        const ssize_t got =
            ::read(fd_, piece.data(), static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left)));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Error(Code::environment, "named file can't be read");
        if (got == 0) break;
        TRY(sink(ByteView(piece).first(static_cast<std::size_t>(got))));
        left -= static_cast<std::uint64_t>(got);
    }
    return ok_status();
}

Result<NamedFile> open_beneath(const Path& folder, std::string_view relative) {
    const RelPath path = TRY(RelPath::parse(relative));
    // One component after the other with O_NOFOLLOW: a link anywhere on the way ends it.
    Descriptor at(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (at.get() < 0) return open_error();
    std::string_view rest = path.text();
    for (;;) {
        const std::size_t slash = rest.find('/');
        const std::string name(rest.substr(0, slash));
        const bool last = slash == std::string_view::npos;
        if (!name.empty() && name != ".") {
            const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (last ? 0 : O_DIRECTORY);
            const int next = ::openat(at.get(), name.c_str(), flags);
            if (next < 0) return open_error();
            at.reset(next);
        }
        if (last) break;
        rest.remove_prefix(slash + 1);
    }
    struct stat info {};
    if (::fstat(at.get(), &info) != 0 || !S_ISREG(info.st_mode))
        return Error(Code::bad_input, "named file is not a regular one");
    return NamedFile(at.release(), static_cast<std::uint64_t>(info.st_size));
}

}  // namespace kustos::ingest
