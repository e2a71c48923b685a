#include "app/walls/seccomp_wall.h"

#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "app/walls.h"

namespace kustos::app {

namespace {

// Memory, threads, time, signals of one's own; files that are open, or that Landlock lets be opened.
constexpr int kAlways[] = {SCMP_SYS(brk),
                           SCMP_SYS(mmap),
                           SCMP_SYS(munmap),
                           SCMP_SYS(mremap),
                           SCMP_SYS(mprotect),
                           SCMP_SYS(madvise),
                           SCMP_SYS(msync),
                           SCMP_SYS(mlock),
                           SCMP_SYS(mlock2),
                           SCMP_SYS(munlock),
                           SCMP_SYS(membarrier),
                           SCMP_SYS(futex),
                           SCMP_SYS(set_robust_list),
                           SCMP_SYS(rseq),
                           SCMP_SYS(set_tid_address),
                           SCMP_SYS(sched_yield),
                           SCMP_SYS(sched_getaffinity),
                           SCMP_SYS(getpid),
                           SCMP_SYS(gettid),
                           SCMP_SYS(getuid),
                           SCMP_SYS(geteuid),
                           SCMP_SYS(getgid),
                           SCMP_SYS(getegid),
                           SCMP_SYS(sysinfo),
                           SCMP_SYS(uname),
                           SCMP_SYS(getrusage),
                           SCMP_SYS(getrandom),
                           SCMP_SYS(clock_gettime),
                           SCMP_SYS(clock_getres),
                           SCMP_SYS(gettimeofday),
                           SCMP_SYS(time),
                           SCMP_SYS(nanosleep),
                           SCMP_SYS(clock_nanosleep),
                           SCMP_SYS(restart_syscall),
                           SCMP_SYS(rt_sigaction),
                           SCMP_SYS(rt_sigprocmask),
                           SCMP_SYS(rt_sigreturn),
                           SCMP_SYS(sigaltstack),
                           SCMP_SYS(exit),
                           SCMP_SYS(exit_group),
                           SCMP_SYS(read),
                           SCMP_SYS(readv),
                           SCMP_SYS(pread64),
                           SCMP_SYS(preadv),
                           SCMP_SYS(write),
                           SCMP_SYS(writev),
                           SCMP_SYS(close),
                           SCMP_SYS(lseek),
                           SCMP_SYS(fcntl),
                           SCMP_SYS(flock),
                           SCMP_SYS(fadvise64),
                           SCMP_SYS(readahead),
                           SCMP_SYS(open),
                           SCMP_SYS(openat),
                           SCMP_SYS(stat),
                           SCMP_SYS(lstat),
                           SCMP_SYS(fstat),
                           SCMP_SYS(newfstatat),
                           SCMP_SYS(statx),
                           SCMP_SYS(statfs),
                           SCMP_SYS(fstatfs),
                           SCMP_SYS(access),
                           SCMP_SYS(faccessat),
                           SCMP_SYS(faccessat2),
                           SCMP_SYS(readlink),
                           SCMP_SYS(readlinkat),
                           SCMP_SYS(getdents64),
                           SCMP_SYS(getcwd),
                           SCMP_SYS(dup),
                           SCMP_SYS(poll),
                           SCMP_SYS(ppoll),
                           SCMP_SYS(select),
                           SCMP_SYS(pselect6),
                           SCMP_SYS(recvfrom),
                           SCMP_SYS(recvmsg),
                           SCMP_SYS(sendto),
                           SCMP_SYS(sendmsg),
                           SCMP_SYS(shutdown),
                           SCMP_SYS(getsockopt),
                           SCMP_SYS(setsockopt),
                           SCMP_SYS(getsockname),
                           SCMP_SYS(getpeername)};
constexpr int kAccepting[] = {SCMP_SYS(accept), SCMP_SYS(accept4)};
constexpr int kWriting[] = {SCMP_SYS(pwrite64),  SCMP_SYS(pwritev),   SCMP_SYS(ftruncate), SCMP_SYS(truncate),
                            SCMP_SYS(fallocate), SCMP_SYS(fsync),     SCMP_SYS(fdatasync), SCMP_SYS(rename),
                            SCMP_SYS(renameat),  SCMP_SYS(renameat2), SCMP_SYS(unlink),    SCMP_SYS(unlinkat),
                            SCMP_SYS(mkdir),     SCMP_SYS(mkdirat),   SCMP_SYS(rmdir),     SCMP_SYS(fchmod),
                            SCMP_SYS(fchmodat),  SCMP_SYS(chmod),     SCMP_SYS(fchown),    SCMP_SYS(utimensat),
                            SCMP_SYS(umask)};
constexpr int kHighest = 1024;
std::atomic<unsigned> refused[kHighest];  // lock-free: counted in a signal handler
static_assert(std::atomic<unsigned>::is_always_lock_free);

// Instead of the system call: counts it, and answers for it.
void answer_refused(int, siginfo_t* info, void* context) {
    if (info->si_code != 1 /* SYS_SECCOMP */) return;
    if (info->si_syscall >= 0 && info->si_syscall < kHighest) ++refused[info->si_syscall];
    auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    machine->gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
    machine->regs[0] = static_cast<unsigned long long>(-EPERM);
#else
#error "how does a system call answer here?"
#endif
}

/// A call is only meant when its argument `at`, seen through `mask`, is `value`. A function, because libseccomp's
/// macros leave a member out, which clang warns of.
scmp_arg_cmp masked(unsigned at, scmp_datum_t mask, scmp_datum_t value) {
    return {at, SCMP_CMP_MASKED_EQ, mask, value};
}

scmp_arg_cmp equal(unsigned at, scmp_datum_t value) {
    return {at, SCMP_CMP_EQ, value, 0};
}

template <std::size_t N>
bool allow(scmp_filter_ctx filter, const int (&calls)[N]) {
    bool good = true;
    for (const int call : calls) good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
    return good;
}

}  // namespace

Status raise_seccomp(const CallRules& rules) {
    const Error failed(Code::environment, "the seccomp wall can't be raised");
    struct sigaction action {};
    action.sa_sigaction = answer_refused;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    if (sigaction(SIGSYS, &action, nullptr) != 0) return failed;
    // Calls of another architecture's table end the thread: libseccomp's own default.
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (filter == nullptr) return failed;
    bool good = allow(filter, kAlways);
    if (rules.accepts) good = good && allow(filter, kAccepting);
    if (rules.writes) good = good && allow(filter, kWriting);
    // Threads, but no processes. glibc takes the older call where clone3 is unknown.
    good = good &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, masked(0, CLONE_THREAD, CLONE_THREAD)) == 0;
    good = good && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
    good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                    equal(0, static_cast<scmp_datum_t>(getpid()))) == 0;  // abort()
    // Asked, never changed: a limit of another process is none of ours (pid 0), and nothing is set (null).
    good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, equal(0, 0), equal(2, 0)) == 0;
    for (const scmp_datum_t asked : {PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_SET_NAME, 0x53564d41 /* PR_SET_VMA */})
        good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, equal(0, asked)) == 0;
    // "Is this a terminal?", and nothing else of what ioctl does.
    good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, equal(1, 0x5401 /* TCGETS */)) == 0;
    good = good && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return good ? ok_status() : failed;
}

std::vector<RefusedCall> refused_calls() {
    std::vector<RefusedCall> calls;
    for (int n = 0; n < kHighest; ++n) {
        if (const unsigned times = refused[n]; times != 0) calls.push_back({n, times});
    }
    return calls;
}

std::string refused_words() {
    std::string words;
    for (const RefusedCall& call : refused_calls()) {
        char* const name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call.number);
        words += (words.empty() ? "" : ", ") + std::to_string(call.number);
        if (name != nullptr) words += std::string(" (") + name + ")";
        std::free(name);
        words += call.times == 1 ? " once" : " " + std::to_string(call.times) + " times";
    }
    return words;
}

}  // namespace kustos::app
