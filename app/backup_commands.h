// kustos backup, backup verify, restore: what they print. Threads: as House.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

Result<int> back_up(House& house, const Call& call, Streams streams);
Result<int> verify_backup(Environment environment, const Call& call, Streams streams);
// --drill: into a temporary folder that is removed again; keys stand in memory alone.
Result<int> restore(Environment environment, const Call& call, const Path& state, Streams streams);

// The escrow as `status` and `key status` show it: one line for people, and what to do if there is something.
struct EscrowWords {
    std::string line, next_step;
};
EscrowWords status_of_escrow(const vault::EscrowState& state, UtcTime now, bool german);

}  // namespace kustos::app
