// Walls around a process that holds keys (docs/architecture/opener.md): no new privileges, not dumpable, Landlock for
// files, seccomp for the rest: a list of what is allowed. What is open stays usable: sockets that were made before go
// on listening.
//
// Raised once, when everything that needs more is done. Threads: one; before others are started (each thread that was
// started before stays outside).
#pragma once

#include <string>
#include <vector>

#include "base/fs.h"
#include "base/result.h"

namespace kustos::app {

struct WallRules {
    std::vector<Path> readable;  // folders
    std::vector<Path> writable;  // folders; readable, too; none: no call that changes files is on the list
    bool accepts = false;        // callers at a socket that listens already
};

struct Walls {
    bool no_new_privs = false, landlock = false, seccomp = false;
    std::string describe() const;  // "no_new_privs, landlock, seccomp", or what is missing
};
// Code::environment: a wall that this kernel has could not be raised. A kernel without Landlock is told by describe().
Result<Walls> raise_walls(const WallRules& rules);

// What the list has refused so far. From any thread.
struct RefusedCall {
    int number = 0;  // as the kernel's table of this machine has it
    unsigned times = 0;
};
std::vector<RefusedCall> refused_calls();
std::string refused_words();  // "41 (socket) 2 times, 59 (execve) once"; empty: none

// Tries what must not be possible. Name of each try, and whether it was refused.
struct WallTry {
    std::string name;
    bool holds = false;
};
std::vector<WallTry> try_walls(const Path& readable_file, const Path& writable_dir);

}  // namespace kustos::app
