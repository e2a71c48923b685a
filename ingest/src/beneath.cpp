#include "ingest/src/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

Result<Bytes> read_all(int fd, std::uint64_t size) {
    Bytes out(size);
    std::size_t at = 0;
    while (at < out.size()) {
        const ssize_t got = ::read(fd, out.data() + at, out.size() - at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Error(Code::environment, "named file can't be read");
        if (got == 0) break;
        at += static_cast<std::size_t>(got);
    }
    out.resize(at);
    return out;
}

}  // namespace

Result<Bytes> read_beneath(const Path& folder, std::string_view relative, std::uint64_t most) {
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
    if (static_cast<std::uint64_t>(info.st_size) > most) return Error(Code::limit, "named file is too large");
    return read_all(at.get(), static_cast<std::uint64_t>(info.st_size));
}

}  // namespace kustos::ingest
