// The list of system calls that a process behind walls may make. Everything else is answered with EPERM and remembered:
// refused_calls() (app/walls.h) tells the numbers, so that a list that is too short is seen at once, and an attack,
// too. Threads: raise once, before others are started; refused_calls from any.
#pragma once

#include "base/result.h"

namespace kustos::app {

struct CallRules {
    bool accepts = false;  // callers at a socket that listens already
    bool writes = false;   // makes, renames and removes files
};
Status raise_seccomp(const CallRules& rules);  // Code::environment

}  // namespace kustos::app
