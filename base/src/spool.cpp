#include "base/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <string>

#include "base/crypto.h"

namespace kustos {

namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::uint64_t kOnDisk = kPiece + kGcmTag;

Error failed(const char* what) {
    return Error(Code::environment, std::string("a temporary file can't be ") + what);
}

// Without a name from the start, or (file systems that can't) without one at once.
int open_nameless(const Path& folder) {
    int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd;
    std::string name = (folder / ".spool-XXXXXX").string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(name.c_str());
    return fd;
}

Status write_all(int fd, std::uint64_t at, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return failed("written");
        bytes = bytes.subspan(static_cast<std::size_t>(n));
        at += static_cast<std::uint64_t>(n);
    }
    return {};
}

Status read_all(int fd, std::uint64_t at, std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("read");
        if (n == 0) return Error(Code::corrupt, "a temporary file was cut");
        out = out.subspan(static_cast<std::size_t>(n));
        at += static_cast<std::uint64_t>(n);
    }
    return {};
}

}  // namespace

struct Spool::State {
    State(int descriptor, Random& random) : fd(descriptor), key(SecretBytes::random(random, 32)), cipher(key.view()) {
        pending.reserve(kPiece);
    }
    ~State() {
        wipe(pending);
        wipe(chunk);
        ::close(fd);
    }

    static std::array<std::uint8_t, 12> nonce(std::uint64_t number) {
        std::array<std::uint8_t, 12> n{};
        store_u64(n.data() + 4, number);
        return n;
    }

    Status put_chunk() {
        sealed.clear();
        cipher.seal(nonce(written), {}, pending, sealed);
        TRY(write_all(fd, written * kOnDisk, sealed));
        ++written;
        pending.clear();
        return {};
    }

    // The chunk that was asked for last stays in memory: readers go from front to back.
    Status load(std::uint64_t number) {
        if (loaded == number) return {};
        loaded = kNone;
        const std::uint64_t begin = number * kPiece;
        sealed.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - begin) + kGcmTag));
        TRY(kustos::read_all(fd, number * kOnDisk, sealed));
        chunk.clear();
        TRY(cipher.open(nonce(number), {}, sealed, chunk));
        loaded = number;
        return {};
    }

    static constexpr std::uint64_t kNone = ~std::uint64_t{0};
    int fd;
    SecretBytes key;
    std::uint64_t size = 0, written = 0;  // bytes; chunks
    std::uint64_t part = 0;               // where the current one begins
    Bytes pending;
    Sha256 hash;  // of the current part
    bool finished = false;
    std::mutex mutex;  // guards what follows, from finish() on
    Gcm cipher;
    Bytes sealed, chunk;
    std::uint64_t loaded = kNone;
};

Spool::Spool(std::unique_ptr<State> state) : state_(std::move(state)) {}
Spool::~Spool() = default;

Result<std::shared_ptr<Spool>> Spool::create(const Path& folder, Random& random) {
    const int fd = open_nameless(folder);
    if (fd < 0) return failed("made");
    return std::shared_ptr<Spool>(new Spool(std::make_unique<State>(fd, random)));
}

Status Spool::write(ByteView piece) {
    State& s = *state_;
    CHECK(!s.finished);
    s.hash.update(piece);
    s.size += piece.size();
    while (!piece.empty()) {
        const std::size_t n = std::min(piece.size(), kPiece - s.pending.size());
        put(s.pending, piece.first(n));
        piece = piece.subspan(n);
        if (s.pending.size() == kPiece) TRY(s.put_chunk());
    }
    return {};
}

Spool::Sum Spool::end_part() {
    State& s = *state_;
    Sum sum{s.part, s.size - s.part, s.hash.finish()};
    s.part = s.size;
    return sum;
}

Status Spool::finish() {
    State& s = *state_;
    CHECK(!s.finished);
    if (!s.pending.empty()) TRY(s.put_chunk());
    s.finished = true;
    return {};
}

std::uint64_t Spool::size() const {
    return state_->size;
}

Status Spool::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
    State& s = *state_;
    CHECK(s.finished && offset <= s.size && out.size() <= s.size - offset);
    const std::lock_guard guard(s.mutex);
    while (!out.empty()) {
        TRY(s.load(offset / kPiece));
        const std::size_t at = static_cast<std::size_t>(offset % kPiece);
        const std::size_t n = std::min(out.size(), s.chunk.size() - at);
        std::copy_n(s.chunk.begin() + static_cast<std::ptrdiff_t>(at), n, out.begin());
        out = out.subspan(n);
        offset += n;
    }
    return {};
}

SpoolPart end_part(const std::shared_ptr<Spool>& spool) {
    const Spool::Sum sum = spool->end_part();
    return {spool, sum.offset, sum.size, sum.sha256};
}

Status SpoolPart::read(std::uint64_t at, std::span<std::uint8_t> out) const {
    CHECK(spool != nullptr && at <= size && out.size() <= size - at);
    return spool->read(offset + at, out);
}

Status SpoolPart::read_all(const ByteSink& sink) const {
    Bytes piece;
    for (std::uint64_t at = 0; at < size; at += piece.size()) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - at)));
        TRY(read(at, piece));
        TRY(sink(piece));
    }
    return {};
}

}  // namespace kustos
