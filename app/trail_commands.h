// kustos audit list | export: the audit trail for auditors, without keys, on any copy of an archive's ledger/.
#pragma once

#include "app/call.h"
#include "app/commands.h"

namespace kustos::app {

Result<int> list_trail(Environment environment, const Call& call, Streams streams);
// CSV or JSON lines, by the name of --out; the checkpoint that it belongs to goes beside it, as FILE.checkpoint.
Result<int> export_trail(Environment environment, const Call& call, Streams streams);

}  // namespace kustos::app
