// kustos index: work on the index by hand.
#pragma once

#include "app/call.h"
#include "app/commands.h"

namespace kustos::app {

class House;

// Reads attachments again that could not be read for a reason that may have ended, and makes their records' place in
// the index anew. Code::environment: there is no sandbox; Code::closed.
Result<int> index_retry(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
