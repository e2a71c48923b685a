// kustos hits report: what it prints. JSON names are a contract (docs/format/hit-report.md). Threads: as House.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

bool is_hit_command(const std::string& name);
Result<int> hit_command(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
