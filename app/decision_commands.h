// `kustos retention`, `hold`, `restrict` and `disposition`: what people decide about keeping and destroying.
// JSON names are a contract (docs/operations.md shows them).
#pragma once

#include <string>

#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

bool is_decision_command(const std::string& name);
// One at a time in a house.
Result<int> decide(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
