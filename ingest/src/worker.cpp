#include "ingest/src/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "ingest/src/extract_wire.h"
#include "ingest/src/sandboxed.h"

namespace kustos::ingest {

namespace {

constexpr std::int64_t kHelloTimeoutMs = 10'000;

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(const ExtractorOptions& options, const char* mode, int file) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return Error(Code::environment, "no socket pair");
    const std::vector<std::string> words =
        sandboxed(options, {mode, std::to_string(options.memory_bytes), std::to_string(options.cpu_seconds)});
    const auto pid = spawn_sandboxed(words, {pair[1], pair[1], file});
    ::close(pair[1]);
    if (!pid) {
        ::close(pair[0]);
        return Error(pid.error());
    }
    ::fcntl(pair[0], F_SETFL, O_NONBLOCK);
    std::unique_ptr<Worker> worker(new Worker(pair[0], *pid));
    const Bytes hello = TRY_IN("kustos-extract does not answer", worker->receive(16, kHelloTimeoutMs));
    if (hello.size() != 3 || hello[0] != 'H' || hello[1] != wire::kVersion)
        return Error(Code::environment, "kustos-extract is of another version");
    worker->layers_ = {(hello[2] & wire::kApart) != 0, (hello[2] & wire::kLimits) != 0,
                       (hello[2] & wire::kNoNewPrivs) != 0, (hello[2] & wire::kSeccomp) != 0};
    return worker;
}

Worker::~Worker() {
    ::close(socket_);
    kill_sandboxed(pid_);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Status Worker::wait_for(short events, std::int64_t deadline_ms) {
    for (;;) {
        const std::int64_t left = deadline_ms - clock_.monotonic_ms();
        if (left <= 0) return Error(Code::interrupted, "kustos-extract took too long");
        pollfd entry{socket_, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000)));
        if (ready > 0) return ok_status();
        if (ready < 0 && errno != EINTR) return Error(Code::environment, "poll failed");
    }
}

Status Worker::send_part(ByteView part, std::int64_t deadline_ms) {
    while (!part.empty()) {
        const ssize_t sent = ::send(socket_, part.data(), part.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            part = part.subspan(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            TRY(wait_for(POLLOUT, deadline_ms));
        } else if (errno != EINTR) {
            return Error(Code::corrupt, "kustos-extract ended");
        }
    }
    return ok_status();
}

Status Worker::begin(std::uint64_t size, std::int64_t timeout_ms) {
    if (size > 0xFFFF'FFFFu) return Error(Code::limit, "frame too large");
    std::array<std::uint8_t, 4> length{};
    store_u32(length.data(), static_cast<std::uint32_t>(size));
    piece_timeout_ms_ = timeout_ms;
    return go_on(length);
}

Status Worker::go_on(ByteView piece) {
    return send_part(piece, clock_.monotonic_ms() + piece_timeout_ms_);
}

Status Worker::send(std::initializer_list<ByteView> parts, std::int64_t timeout_ms) {
    std::uint64_t total = 0;
    for (const ByteView part : parts) total += part.size();
    const std::int64_t deadline = clock_.monotonic_ms() + timeout_ms;
    TRY(begin(total, timeout_ms));
    for (const ByteView part : parts) TRY(send_part(part, deadline));
    return ok_status();
}

Status Worker::read_fully(std::span<std::uint8_t> out, std::int64_t deadline_ms) {
    while (!out.empty()) {
        // Asked also while bytes are there: what drips must not outlast it.
        if (clock_.monotonic_ms() >= deadline_ms) return Error(Code::interrupted, "kustos-extract took too long");
        const ssize_t got = ::recv(socket_, out.data(), out.size(), 0);
        if (got > 0) {
            out = out.subspan(static_cast<std::size_t>(got));
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            return Error(Code::corrupt, "kustos-extract ended");
        } else if (errno == EAGAIN) {
            TRY(wait_for(POLLIN, deadline_ms));
        }
    }
    return ok_status();
}

Result<Bytes> Worker::receive(std::uint64_t most, std::int64_t timeout_ms) {
    const std::int64_t deadline = clock_.monotonic_ms() + timeout_ms;
    std::array<std::uint8_t, 4> length{};
    TRY(read_fully(length, deadline));
    const std::uint32_t size = load_u32(length.data());
    if (size == 0 || size > most) return Error(Code::corrupt, "kustos-extract sent no frame");
    Bytes frame(size);
    TRY(read_fully(frame, deadline));
    return frame;
}

}  // namespace kustos::ingest
