// kustos search (with --freeze, --within, save, saved, run, forget), result list | show | compare: what they print.
// JSON names are a contract (docs/operations.md). Threads: as House.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

bool is_result_command(const std::string& name);
Result<int> result_command(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
