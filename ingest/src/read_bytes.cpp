#include "ingest/read_bytes.h"

#include <sys/mman.h>
#include <unistd.h>

namespace kustos::ingest {

namespace {

class FileInMemory {
public:
    FileInMemory() : fd_(::memfd_create("kustos-read", MFD_CLOEXEC)) {}
    FileInMemory(const FileInMemory&) = delete;
    FileInMemory& operator=(const FileInMemory&) = delete;
    ~FileInMemory() {
        if (fd_ >= 0) ::close(fd_);
    }
    Status fill(ByteView bytes) const {
        while (fd_ >= 0 && !bytes.empty()) {
            const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
            if (put <= 0) break;
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        if (fd_ < 0 || !bytes.empty()) return Error(Code::environment, "there is no memory to read from");
        return {};
    }
    Path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
    int fd_;
};

}  // namespace

Status read_bytes(ByteView bytes, const FormatInfo* format, const ReadContext& context, ItemSink& sink) {
    const FileInMemory file;
    TRY(file.fill(bytes));
    return read(file.path(), format, context, sink);
}

}  // namespace kustos::ingest
