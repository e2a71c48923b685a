// kustos matter new | list | close | scope | protocol, hashes add | list | remove: what they print. JSON names are a
// contract (docs/operations.md). Threads: as House.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

bool is_matter_command(const std::string& name);
Result<int> matter_command(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
