// kustos person import | list | find | show | join | split: what they print. JSON names are a contract
// (docs/format/persons.md). Threads: as House.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

bool is_person_command(const std::string& name);
Result<int> person_command(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
