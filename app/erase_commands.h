// kustos erase, erase status, erase list, compact: what they print. Threads: as House.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

Result<int> erase_records(House& house, const Call& call, const std::string& actor, Streams streams);
Result<int> erase_status(House& house, const Call& call, const std::string& actor, Streams streams);
Result<int> erase_list(House& house, const Call& call, Streams streams);
Result<int> compact(House& house, const Call& call, Streams streams);

}  // namespace kustos::app
