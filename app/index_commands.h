// kustos index: work on the index by hand.
#pragma once

#include "app/call.h"
#include "app/commands.h"

namespace kustos::app {

class House;

// check: compares index and ledger; exit code 1: something is missing or can't be trusted (with --repair: still).
// merge: joins small shards under new keys. Both Code::closed.
Result<int> index_check(House& house, const Call& call, Streams streams);
Result<int> index_rebuild(House& house, const Call& call, Streams streams);
Result<int> index_update(House& house, const Call& call, Streams streams);
Result<int> index_merge(House& house, const Call& call, Streams streams);

// Reads attachments again that could not be read for a reason that may have ended, and makes their records' place in
// the index anew. Code::environment: there is no sandbox; Code::closed.
Result<int> index_retry(House& house, const Call& call, const std::string& actor, Streams streams);

}  // namespace kustos::app
