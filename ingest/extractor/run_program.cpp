// `kustos-extract run`: puts walls around another program and becomes it.
#include "ingest/extractor/run_program.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/sanitized.h"
#include "ingest/extractor/sandbox.h"
#include "ingest/src/extract_wire.h"

namespace kustos::extractor {

namespace {

// What a program needs that reads files under /usr, its item and nothing else, and writes to the descriptors it got.
constexpr int kAllowed[] = {SCMP_SYS(read),
                            SCMP_SYS(write),
                            SCMP_SYS(readv),
                            SCMP_SYS(writev),
                            SCMP_SYS(pread64),
                            SCMP_SYS(lseek),
                            SCMP_SYS(close),
                            SCMP_SYS(mmap),
                            SCMP_SYS(munmap),
                            SCMP_SYS(mremap),
                            SCMP_SYS(mprotect),
                            SCMP_SYS(brk),
                            SCMP_SYS(madvise),
                            SCMP_SYS(futex),
                            SCMP_SYS(exit),
                            SCMP_SYS(exit_group),
                            SCMP_SYS(getrandom),
                            SCMP_SYS(clock_gettime),
                            SCMP_SYS(clock_getres),
                            SCMP_SYS(gettimeofday),
                            SCMP_SYS(rt_sigreturn),
                            SCMP_SYS(rt_sigaction),
                            SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(sigaltstack),
                            SCMP_SYS(sched_yield),
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
                            SCMP_SYS(getdents64),
                            SCMP_SYS(uname),
                            SCMP_SYS(sysinfo),
                            SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(getpid),
                            SCMP_SYS(gettid),
                            SCMP_SYS(getuid),
                            SCMP_SYS(geteuid),
                            SCMP_SYS(getgid),
                            SCMP_SYS(getegid),
                            SCMP_SYS(arch_prctl),
                            SCMP_SYS(set_tid_address),
                            SCMP_SYS(set_robust_list),
                            SCMP_SYS(rseq),
                            SCMP_SYS(fadvise64),
                            SCMP_SYS(restart_syscall)};

// Functions, because libseccomp's macros leave a member out, which clang warns of.
scmp_arg_cmp equal(unsigned at, scmp_datum_t value) {
    return {at, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp only_reads(unsigned at) {
    return {at, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY};
}

bool only_if(scmp_filter_ctx filter, int call, scmp_arg_cmp condition) {
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, condition) == 0;
}

// Everything else is answered with EPERM, sockets, processes, name spaces and tracing among it.
bool add_rules(scmp_filter_ctx filter, const char* program) {
    for (const int call : kAllowed)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) return false;
    return only_if(filter, SCMP_SYS(open), only_reads(1)) && only_if(filter, SCMP_SYS(openat), only_reads(2)) &&
           only_if(filter, SCMP_SYS(prlimit64), equal(2, 0)) &&
           // One more program: this one. The address is of a string here, which the next one does not have.
           only_if(filter, SCMP_SYS(execve), equal(0, reinterpret_cast<scmp_datum_t>(program)));
}

bool limit(int resource, rlim_t value) {
    const rlimit both{value, value};
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0;
}

bool raise_walls_around(const char* program, std::uint64_t memory_bytes, std::uint64_t cpu_seconds) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) return false;
    const bool limited = limit(RLIMIT_CPU, cpu_seconds) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) &&
                         limit(RLIMIT_NOFILE, 64) && limit(RLIMIT_STACK, 16u << 20);
    if (!limited || !add_rules(filter, program)) return false;
#ifndef KUSTOS_SANITIZED  // which could not take another page until the other program is there
    if (!limit(RLIMIT_AS, memory_bytes)) return false;
#else
    static_cast<void>(memory_bytes);
#endif
    return seccomp_load(filter) == 0;
}

}  // namespace

void run_program(char** words, int count) {
    if (count < 3 || look_around() == 0) ::_exit(ingest::wire::kNoWalls);
    // One item, one thread: a pool of threads would ask for what is forbidden.
    static char locale[] = "LC_ALL=C.UTF-8", threads[] = "OMP_THREAD_LIMIT=1", home[] = "HOME=/";
    char* environment[] = {locale, threads, home, nullptr};
    const char* program = words[2];
    if (!raise_walls_around(program, std::strtoull(words[0], nullptr, 10), std::strtoull(words[1], nullptr, 10)))
        ::_exit(ingest::wire::kNoWalls);
    ::execve(program, words + 2, environment);
    ::_exit(ingest::wire::kNoWalls);
}

}  // namespace kustos::extractor
