#include "ingest/extractor/sandbox.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

#include "base/sanitized.h"
#include "ingest/src/extract_wire.h"

namespace kustos::extractor {

namespace {

bool limit(int resource, rlim_t value) {
    const rlimit both{value, value};
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0;
}

constexpr int kAllowed[] = {
    SCMP_SYS(read),         SCMP_SYS(write),          SCMP_SYS(pread64),       SCMP_SYS(lseek),
    SCMP_SYS(close),        SCMP_SYS(mmap),           SCMP_SYS(munmap),        SCMP_SYS(mremap),
    SCMP_SYS(brk),          SCMP_SYS(madvise),        SCMP_SYS(futex),         SCMP_SYS(exit),
    SCMP_SYS(exit_group),   SCMP_SYS(getrandom),      SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sched_yield),   SCMP_SYS(restart_syscall)};

// Answered with EACCES.
[[maybe_unused]] constexpr int kRefused[] = {SCMP_SYS(open),
                                             SCMP_SYS(openat),
                                             SCMP_SYS(stat),
                                             SCMP_SYS(lstat),
                                             SCMP_SYS(fstat),
                                             SCMP_SYS(newfstatat),
                                             SCMP_SYS(statx),
                                             SCMP_SYS(access),
                                             SCMP_SYS(faccessat),
                                             SCMP_SYS(faccessat2),
                                             SCMP_SYS(readlink),
                                             SCMP_SYS(readlinkat),
                                             SCMP_SYS(getcwd),
                                             SCMP_SYS(ioctl),
                                             SCMP_SYS(fcntl),
                                             SCMP_SYS(uname),
                                             SCMP_SYS(sysinfo),
                                             SCMP_SYS(getdents64),
                                             SCMP_SYS(sched_getaffinity),
                                             SCMP_SYS(prlimit64),
                                             SCMP_SYS(getpid),
                                             SCMP_SYS(gettid),
                                             SCMP_SYS(getuid),
                                             SCMP_SYS(geteuid)};

bool add_rules(scmp_filter_ctx filter) {
    for (const int call : kAllowed)
        if (call == SCMP_SYS(mmap)) {
            // No executable memory.
            if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
                return false;
        } else if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) {
            return false;
        }
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
        return false;
#ifdef KUSTOS_SANITIZED  // its exit handling asks for the signal stack
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sigaltstack), 0) != 0) return false;
#endif
#ifndef KUSTOS_SANITIZED  // there the same answer is the default, and such a rule is refused
    for (const int call : kRefused)
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 0) != 0) return false;
#endif
    return true;
}

// Of the machine, beyond loopback.
bool sees_network() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return true;
    bool seen = false;
    for (const ifaddrs* one = list; one; one = one->ifa_next) {
        const bool address =
            one->ifa_addr && (one->ifa_addr->sa_family == AF_INET || one->ifa_addr->sa_family == AF_INET6);
        seen |= address && (one->ifa_flags & IFF_LOOPBACK) == 0;
    }
    ::freeifaddrs(list);
    return seen;
}

}  // namespace

std::uint8_t look_around() {
    // In a process name space of its own bubblewrap's keeper is 1 and starts no other.
    if (::getppid() != 1 || ::getpid() > 16) return 0;
    for (const char* path : {"/etc/passwd", "/etc/hostname", "/home", "/root", "/var", "/run", "/tmp", "/srv"})
        if (::access(path, F_OK) == 0) return 0;
    return sees_network() ? 0 : ingest::wire::kApart;
}

std::uint8_t limit_resources(std::uint64_t memory_bytes, std::uint32_t cpu_seconds) {
    bool all = limit(RLIMIT_CPU, cpu_seconds) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) &&
               limit(RLIMIT_STACK, 64u << 20);
#ifndef KUSTOS_SANITIZED
    all = all && limit(RLIMIT_AS, memory_bytes);
#else
    static_cast<void>(memory_bytes);  // the sanitizer reserves terabytes
#endif
    return all ? ingest::wire::kLimits : 0;
}

std::uint8_t raise_walls() {
    std::uint8_t layers = 0;
    // Descriptors that are open stay usable; a new one is impossible.
    limit(RLIMIT_NOFILE, 0);
    limit(RLIMIT_NPROC, 0);
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return layers;
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return layers;
    layers |= ingest::wire::kNoNewPrivs;
#ifndef KUSTOS_SANITIZED
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
#else
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EACCES));
#endif
    if (!filter) return layers;
    if (add_rules(filter) && seccomp_load(filter) == 0) layers |= ingest::wire::kSeccomp;
    seccomp_release(filter);
    return layers;
}

}  // namespace kustos::extractor
