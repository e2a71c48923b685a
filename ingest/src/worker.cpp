#include "ingest/src/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "ingest/src/extract_wire.h"

namespace kustos::ingest {

namespace {

constexpr std::int64_t kHelloTimeoutMs = 10'000;

std::vector<std::string> command(const ExtractorOptions& options, bool bubblewrap, const char* mode) {
    std::vector<std::string> words;
    std::string program = options.program;
    if (bubblewrap) {
        // Own user, network, process, mount and host name spaces; nothing to see but /usr and the program.
        words = {"/usr/bin/bwrap",
                 "--unshare-all",
                 "--die-with-parent",
                 "--new-session",
                 "--clearenv",
                 "--ro-bind",
                 "/usr",
                 "/usr",
                 "--symlink",
                 "usr/lib",
                 "/lib",
                 "--symlink",
                 "usr/lib64",
                 "/lib64",
                 "--ro-bind-try",
                 "/etc/ld.so.cache",
                 "/etc/ld.so.cache",
                 "--ro-bind",
                 program,
                 "/kustos-extract",
                 "--chdir",
                 "/",
                 "--"};
        program = "/kustos-extract";
    }
    words.push_back(program);
    words.emplace_back(mode);
    words.push_back(std::to_string(options.memory_bytes));
    words.push_back(std::to_string(options.cpu_seconds));
    return words;
}

// Descriptors 0 and 1 are the socket, 2 is /dev/null (parsers quote content in their warnings), 3 the archive if any.
Result<int> spawn(const std::vector<std::string>& words, int socket, int archive) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, socket, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (archive >= 0) posix_spawn_file_actions_adddup2(&actions, archive, wire::kArchiveDescriptor);
    posix_spawn_file_actions_addclosefrom_np(&actions, archive >= 0 ? wire::kArchiveDescriptor + 1 : 3);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    char locale[] = "LC_ALL=C.UTF-8";
    char* environment[] = {locale, nullptr};
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return Error(Code::environment, "cannot start kustos-extract");
    return pid;
}

// dup2 onto itself would keep close-on-exec, so what goes to the child must lie above the descriptors it lands on.
int lift(int fd) {
    return ::fcntl(fd, F_DUPFD_CLOEXEC, 16);
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(const ExtractorOptions& options, bool bubblewrap, const char* mode,
                                              int archive) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return Error(Code::environment, "no socket pair");
    const int theirs = lift(pair[1]), lifted = archive >= 0 ? lift(archive) : -1;
    ::close(pair[1]);
    const auto pid = spawn(command(options, bubblewrap, mode), theirs, lifted);
    ::close(theirs);
    if (lifted >= 0) ::close(lifted);
    if (!pid) {
        ::close(pair[0]);
        return Error(pid.error());
    }
    ::fcntl(pair[0], F_SETFL, O_NONBLOCK);
    std::unique_ptr<Worker> worker(new Worker(pair[0], *pid));
    const Bytes hello = TRY_IN("kustos-extract does not answer", worker->receive(16, kHelloTimeoutMs));
    if (hello.size() != 3 || hello[0] != 'H' || hello[1] != wire::kVersion)
        return Error(Code::environment, "kustos-extract is of another version");
    worker->layers_ = {bubblewrap, (hello[2] & wire::kLimits) != 0, (hello[2] & wire::kNoNewPrivs) != 0,
                       (hello[2] & wire::kSeccomp) != 0};
    return worker;
}

Worker::~Worker() {
    ::close(socket_);
    ::kill(pid_, SIGKILL);
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
