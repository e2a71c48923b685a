#include "tests/support/emulators.h"

#include <arpa/inet.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <vector>

extern char** environ;

namespace kustos::test {

namespace {

pid_t spawn(const std::vector<std::string>& words) {
    std::vector<char*> argv;
    for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
    pid_t process = 0;
    const int failed = posix_spawnp(&process, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    CHECK(failed == 0);  // not installed: ./run test installs what the tests need
    return process;
}

int bound(std::uint16_t port) {  // a socket on it, or -1
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    here.sin_port = htons(port);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0) return fd;
    ::close(fd);
    return -1;
}

int free_pair() {  // swtpm takes the next port for its controls
    for (;;) {
        const int fd = bound(0);
        sockaddr_in here{};
        socklen_t size = sizeof here;
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size);
        const int port = ntohs(here.sin_port);
        const int next = port < 65535 ? bound(static_cast<std::uint16_t>(port + 1)) : -1;
        ::close(fd);
        if (next < 0) continue;
        ::close(next);
        return port;
    }
}

int connected(int port) {  // or -1
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    here.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0) return fd;
    ::close(fd);
    return -1;
}

bool answers(int port) {
    const int fd = connected(port);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
}

}  // namespace

SoftTpm::SoftTpm() : port_(free_pair()) {
    start();
}
SoftTpm::~SoftTpm() {
    stop();
}
// TPM2_StartAuthSession (TCG TPM 2.0 part 3, 11.1): HMAC, neither salted nor bound.
bool SoftTpm::leave_session() {
    std::uint8_t command[43] = {0x80, 0x01, 0, 0, 0, sizeof command, 0, 0, 0x01, 0x76, 0x40, 0, 0, 7, 0x40,
                                0,    0,    7, 0, 16};
    command[40] = 0x10;  // behind 16 bytes of nonce, no salt and the kind (0): no cipher
    command[42] = 0x0B;  // SHA-256
    const int fd = connected(port_);
    CHECK(fd >= 0);
    CHECK(::send(fd, command, sizeof command, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof command));
    std::uint8_t answer[512] = {};
    const bool whole = ::recv(fd, answer, sizeof answer, 0) >= 10;
    ::close(fd);
    return whole && answer[6] == 0 && answer[7] == 0 && answer[8] == 0 && answer[9] == 0;
}

void SoftTpm::restart() {
    stop();
    start();
}

void SoftTpm::start() {
    process_ = spawn({"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + dir_.path().string(), "--server",
                      "type=tcp,port=" + std::to_string(port_), "--ctrl", "type=tcp,port=" + std::to_string(port_ + 1),
                      "--flags", "not-need-init,startup-clear"});
    for (int i = 0; i < 200; ++i) {  // its controls answer once all is there
        if (answers(port_ + 1)) return;
        usleep(25'000);
    }
    CHECK(!"swtpm answers");
}

void SoftTpm::stop() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
}

SoftToken::SoftToken() {
    RealFs fs;
    CHECK(fs.make_dirs(dir_ / "tokens").ok());
    const std::string config =
        "directories.tokendir = " + (dir_ / "tokens").string() + "\nobjectstore.backend = file\nlog.level = ERROR\n";
    CHECK(replace_file(fs, dir_ / "softhsm2.conf", as_bytes(config)).ok());
    CHECK(replace_file(fs, pin_file(), as_bytes("4711-0815\n")).ok());
    ::setenv("SOFTHSM2_CONF", (dir_ / "softhsm2.conf").c_str(), 1);
    const pid_t process = spawn({"softhsm2-util", "--init-token", "--free", "--label", "kustos test", "--pin",
                                 "4711-0815", "--so-pin", "12345678"});
    int status = 0;
    ::waitpid(process, &status, 0);
    CHECK(status == 0);
}

const SoftToken& shared_token() {
    static const SoftToken token;
    return token;
}

std::string SoftToken::uri(const std::string& object) const {
    return "pkcs11:token=kustos%20test;object=" + object +
           "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:" + pin_file().string();
}

}  // namespace kustos::test
