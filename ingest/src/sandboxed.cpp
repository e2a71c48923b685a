#include "ingest/src/sandboxed.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "base/sanitized.h"
#include "ingest/src/extract_wire.h"

namespace kustos::ingest {

namespace {

constexpr const char* kInside = "/kustos-extract";
constexpr const char* kItem = "/item";

// dup2 onto itself would keep close-on-exec, so what goes to the child must lie above the descriptors it lands on.
class Lifted {
public:
    explicit Lifted(int fd) : fd_(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 16)) {}
    Lifted(const Lifted&) = delete;
    Lifted& operator=(const Lifted&) = delete;
    ~Lifted() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }

private:
    int fd_;
};

}  // namespace

std::vector<std::string> sandboxed(const ExtractorOptions& options, const std::vector<std::string>& words, bool item) {
    std::vector<std::string> out = {options.bubblewrap,
                                    "--unshare-all",
                                    "--die-with-parent",
                                    "--new-session",
                                    "--clearenv",
                                    "--setenv",
                                    "LC_ALL",
                                    "C.UTF-8",
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
                                    options.program,
                                    kInside,
                                    "--chdir",
                                    "/"};
#ifdef KUSTOS_SANITIZED  // which reads its own memory map
    out.insert(out.end(), {"--proc", "/proc"});
#endif
    if (item) out.insert(out.end(), {"--ro-bind-data", std::to_string(wire::kArchiveDescriptor), kItem});
    out.insert(out.end(), {"--", kInside});
    out.insert(out.end(), words.begin(), words.end());
    return out;
}

Result<int> spawn_sandboxed(const std::vector<std::string>& words, const ChildEnds& ends) {
    const Lifted input(ends.input), output(ends.output), third(ends.third);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input.fd(), 0);
    posix_spawn_file_actions_adddup2(&actions, output.fd(), 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const bool has_third = third.fd() >= 0;
    if (has_third) posix_spawn_file_actions_adddup2(&actions, third.fd(), wire::kArchiveDescriptor);
    posix_spawn_file_actions_addclosefrom_np(&actions, has_third ? wire::kArchiveDescriptor + 1 : 3);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    char locale[] = "LC_ALL=C.UTF-8";
    char* environment[] = {locale, nullptr};
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return Error(Code::environment, "bubblewrap can't be started");
    return pid;
}

void kill_sandboxed(int pid) {
    ::kill(-pid, SIGKILL);
}

}  // namespace kustos::ingest
