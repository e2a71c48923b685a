#include "app/forward_keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/log.h"

namespace kustos::app {

namespace {

constexpr const char* kSocketName = "forward.sock";
constexpr const char* kStoreName = "kustos-forward";
constexpr std::uint8_t kTake = 'T', kHere = 'F';
constexpr int kMemory = 3, kReady = 4, kFirstListen = 3;

bool send_descriptor(int socket, ByteView text, int descriptor, const sockaddr_un* to = nullptr,
                     socklen_t to_size = 0) {
    std::uint8_t control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{const_cast<std::uint8_t*>(text.data()), text.size()};  // NOLINT: sendmsg only reads it
    sockaddr_un address{};
    if (to != nullptr) address = *to;
    msghdr message{};
    message.msg_name = to == nullptr ? nullptr : &address;
    message.msg_namelen = to_size;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// -1: none came.
int receive_descriptor(int socket) {
    std::uint8_t control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || byte != kHere) return -1;
    const cmsghdr* const head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int))) return -1;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
    return descriptor;
}

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// sd_listen_fds_with_names(3); those of other names are closed, too: nobody here knows them. -1: none.
int descriptor_from_systemd() {
    const std::string pid = variable("LISTEN_PID"), count = variable("LISTEN_FDS");
    std::string names = variable("LISTEN_FDNAMES");
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(name);
    if (pid != std::to_string(getpid())) return -1;
    int found = -1;
    const int end = kFirstListen + std::atoi(count.c_str());
    for (int descriptor = kFirstListen; descriptor < end; ++descriptor) {
        const std::string name = names.substr(0, names.find(':'));
        names.erase(0, name.size() + 1);
        if (name == kStoreName && found < 0) {
            found = descriptor;
        } else {
            close(descriptor);
        }
    }
    return found;
}

// sd_notify(3): a datagram to $NOTIFY_SOCKET.
bool give_to_systemd(int descriptor) {
    const std::string path = variable("NOTIFY_SOCKET");
    sockaddr_un to{};
    if (path.size() < 2 || path.size() >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@')) return false;
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    if (path[0] == '@') to.sun_path[0] = '\0';
    const LocalSocket socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const std::string text = std::string("FDSTORE=1\nFDPOLL=0\nFDNAME=") + kStoreName;
    return socket.open() && send_descriptor(socket.fd(), as_bytes(text), descriptor, &to,
                                            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size()));
}

class Actions {
public:
    Actions() { posix_spawn_file_actions_init(&actions_); }
    ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    posix_spawn_file_actions_t* get() { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
};

// True when it listens.
bool start_keeper(const Path& socket, int memory, std::int64_t minutes) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) return false;
    // Out of the way of 3 and 4, which are theirs in the new process.
    const int from = fcntl(memory, F_DUPFD_CLOEXEC, 10), to = fcntl(ready[1], F_DUPFD_CLOEXEC, 10);
    close(ready[1]);
    const LocalSocket reader(ready[0]), own_memory(from);
    LocalSocket writer(to);  // closes what it holds
    Actions actions;
    for (int standard = 0; standard <= 2; ++standard)
        posix_spawn_file_actions_addopen(actions.get(), standard, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(actions.get(), from, kMemory);
    posix_spawn_file_actions_adddup2(actions.get(), to, kReady);
    posix_spawn_file_actions_addclosefrom_np(actions.get(), kReady + 1);
    std::string name = "kustos", command = "keep", path = socket.string(), time = std::to_string(minutes);
    char* const arguments[] = {name.data(), command.data(), path.data(), time.data(), nullptr};
    char* const environment[] = {nullptr};
    pid_t pid = 0;
    if (posix_spawn(&pid, "/proc/self/exe", actions.get(), nullptr, arguments, environment) != 0) return false;
    writer = LocalSocket();
    int status = 0;
    waitpid(pid, &status, 0);  // it leaves a child of its own behind
    pollfd wait{reader.fd(), POLLIN, 0};
    char byte = 0;
    return poll(&wait, 1, 10'000) == 1 && read(reader.fd(), &byte, 1) == 1;
}

}  // namespace

std::unique_ptr<vault::ForwardMemory> ForwardKeeper::find(const Path& state) {
    int descriptor = descriptor_from_systemd();
    if (descriptor >= 0) keeper_ = "systemd";
    if (descriptor < 0 && call(state / kSocketName).ok()) {
        descriptor = receive_descriptor(lifeline_.fd());
        if (descriptor >= 0) keeper_ = "keeper";
    }
    if (descriptor < 0) return nullptr;
    auto memory = vault::ForwardMemory::adopt(descriptor);
    if (memory.ok()) return std::move(*memory);
    keeper_.clear();
    log(LogLevel::warning, "what was kept is no forward state", {{"code", memory.error().code()}});
    return nullptr;
}

Status ForwardKeeper::call(const Path& socket) {
    lifeline_ = TRY(LocalSocket::connect(socket));
    if (lifeline_.peer() != geteuid() || !lifeline_.send({&kTake, 1})) {
        lifeline_ = LocalSocket();
        return Error(Code::denied, "the keeper is another user's");
    }
    return {};
}

Status ForwardKeeper::entrust(const Path& state, const vault::ForwardMemory& memory, std::int64_t minutes) {
    if (give_to_systemd(memory.descriptor())) {
        keeper_ = "systemd";
        return {};
    }
    if (!start_keeper(state / kSocketName, memory.descriptor(), minutes))
        return Error(Code::environment, "the process that keeps the forward state can't start");
    TRY(call(state / kSocketName));
    const int same = receive_descriptor(lifeline_.fd());
    if (same < 0) return Error(Code::environment, "the process that keeps the forward state does not answer");
    close(same);
    keeper_ = "keeper";
    return {};
}

// --- the keeper ------------------------------------------------------------------------------------------

namespace {

volatile sig_atomic_t told_to_end = 0;

void note_signal(int) {
    told_to_end = 1;
}

bool same_file(const Path& path, const struct stat& as) {
    struct stat now {};
    return lstat(path.c_str(), &now) == 0 && now.st_ino == as.st_ino && now.st_dev == as.st_dev;
}

// Answers one caller; false: not one of ours.
bool answer(const LocalSocket& caller, int memory) {
    std::uint8_t word = 0;
    const uid_t who = caller.peer();
    if ((who != geteuid() && who != 0) || !caller.receive({&word, 1}) || word != kTake) return false;
    return send_descriptor(caller.fd(), {&kHere, 1}, memory);
}

void keep(const LocalSocket& listening, const Path& socket, int memory, std::int64_t minutes) {
    constexpr int kLook = 2'000;  // ms
    const SystemClock clock;
    struct stat own {};
    lstat(socket.c_str(), &own);
    std::vector<LocalSocket> callers;
    std::int64_t alone_since = clock.monotonic_ms();
    while (told_to_end == 0 && same_file(socket, own)) {
        auto caller = listening.accept(kLook);
        if (caller.ok() && answer(*caller, memory)) callers.push_back(std::move(*caller));
        std::erase_if(callers, [](const LocalSocket& c) { return c.ended(); });
        if (!callers.empty()) alone_since = clock.monotonic_ms();
        if (clock.monotonic_ms() - alone_since > minutes * 60'000) break;
    }
    if (same_file(socket, own)) unlink(socket.c_str());
}

}  // namespace

int run_keeper(const Path& socket, std::int64_t minutes) {
    // A session and a parent of its own: it outlives the server, whose child it must not be.
    if (setsid() < 0) return 70;
    const pid_t pid = fork();
    if (pid != 0) return pid < 0 ? 70 : 0;
    struct sigaction action {};
    action.sa_handler = note_signal;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    signal(SIGPIPE, SIG_IGN);
    auto memory = vault::ForwardMemory::adopt(kMemory);
    if (!memory.ok()) return 70;
    const auto listening = LocalSocket::listen(socket);
    if (!listening.ok()) return 70;
    const char ready = 1;
    if (write(kReady, &ready, 1) != 1) return 70;
    close(kReady);
    keep(*listening, socket, kMemory, minutes);
    (*memory)->wipe_all();
    return 0;
}

}  // namespace kustos::app
