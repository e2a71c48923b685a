#include "app/walls.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "app/walls/seccomp_wall.h"

namespace kustos::app {

namespace {

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kChange = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                  LANDLOCK_ACCESS_FS_MAKE_REG;
constexpr std::uint64_t kNever = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE  // since Linux 6.2
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
constexpr long kAbiWithTruncate = 3;

bool allow(int ruleset, const Path& folder, std::uint64_t access) {
    const int fd = open(folder.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return false;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = access;
    rule.parent_fd = fd;
    const bool good = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(fd);
    return good;
}

// False: this kernel has none.
Result<bool> raise_landlock(const WallRules& rules) {
    const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return false;
    const std::uint64_t cut = abi >= kAbiWithTruncate ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = kRead | kChange | kNever | cut;
    const int ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
    bool good = ruleset >= 0;
    for (const Path& folder : rules.readable) good = good && allow(ruleset, folder, kRead);
    for (const Path& folder : rules.writable) good = good && allow(ruleset, folder, kRead | kChange | cut);
    good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    if (ruleset >= 0) close(ruleset);
    if (!good) return Error(Code::environment, "the Landlock wall can't be raised");
    return true;
}

bool refused_to_open(const Path& file, int flags) {
    const int fd = open(file.c_str(), flags | O_CLOEXEC, 0600);
    if (fd < 0) return true;
    close(fd);
    return false;
}

bool refused_to_fork() {
    const pid_t child = fork();
    if (child < 0) return true;
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return false;
}

bool refused_socket(int family) {
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return true;
    close(fd);
    return false;
}

}  // namespace

std::string Walls::describe() const {
    std::string out = no_new_privs ? "no_new_privs" : "no no_new_privs";
    out += landlock ? ", landlock" : ", no landlock (this kernel has none)";
    return out + (seccomp ? ", seccomp (allow list)" : ", no seccomp");
}

Result<Walls> raise_walls(const WallRules& rules) {
    Walls walls;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return Error(Code::environment, "new privileges can't be refused");
    walls.no_new_privs = true;
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return Error(Code::environment, "core dumps can't be switched off");
    walls.landlock = TRY(raise_landlock(rules));
    TRY(raise_seccomp({rules.accepts, !rules.writable.empty()}));
    walls.seccomp = true;
    return walls;
}

std::vector<WallTry> try_walls(const Path& readable_file, const Path& writable_dir) {
    std::vector<WallTry> tries;
    const auto add = [&tries](const char* name, bool holds) { tries.push_back({name, holds}); };
    add("no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    add("not dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    add("no internet socket", refused_socket(AF_INET) && refused_socket(AF_INET6));
    add("no local socket", refused_socket(AF_UNIX));
    add("no netlink socket", refused_socket(AF_NETLINK));
    char program[] = "/bin/true";
    char* const words[] = {program, nullptr};
    add("no other program", execv(program, words) != 0);
    add("no new process", refused_to_fork());
    errno = 0;
    add("no limit of its own is changed", [] {
        const rlimit more{1, 1};
        return setrlimit(RLIMIT_CORE, &more) != 0;
    }());
    add("what is not on the list is refused, and counted", [] {
        const auto times = [] {
            unsigned n = 0;
            for (const RefusedCall& call : refused_calls()) n += call.number == SYS_getppid ? call.times : 0;
            return n;
        };
        const unsigned before = times();
        return syscall(SYS_getppid) == -1 && errno == EPERM && times() == before + 1;
    }());
    add("no look into other processes", ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0);
    add("no new namespace", unshare(CLONE_NEWUSER) != 0);
    add("nothing read elsewhere",
        refused_to_open("/etc/passwd", O_RDONLY) && refused_to_open("/proc/self/mem", O_RDWR));
    add("nothing written elsewhere",
        refused_to_open("/tmp/kustos-wall-" + std::to_string(getpid()), O_CREAT | O_WRONLY));
    add("nothing written in the archive", refused_to_open(readable_file, O_WRONLY));
    add("the archive can be read", !refused_to_open(readable_file, O_RDONLY));
    const Path own = writable_dir / "wall-try";
    add("its own state can be written", !refused_to_open(own, O_CREAT | O_WRONLY) && unlink(own.c_str()) == 0);
    return tries;
}

}  // namespace kustos::app
