// `kustos context`: what stood around a record (web/context.h).
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "base/ids.h"

namespace kustos::app {

class House;

// Errors: those of House::context().
Result<int> context_command(House& house, const Call& call, EntryIndex record, const std::string& actor,
                            Streams streams);

}  // namespace kustos::app
