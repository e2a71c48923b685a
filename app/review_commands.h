// kustos tag add | remove | list, code set | clear | list: what they print. JSON names are a promise
// (docs/operations.md).
#pragma once

#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

bool is_review_command(const std::string& name);
Result<int> review_command(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
