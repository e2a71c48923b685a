// `kustos opener serve|status|unlock|lock|self-test`, and the worker that the opener starts.
#pragma once

#include "app/call.h"
#include "app/commands.h"

namespace kustos::app {

Result<int> opener_serve(Environment environment, const Call& call, Streams streams);
Result<int> opener_status(Environment environment, const Call& call, Streams streams);
// Straight to the opener: what is brought does not pass through the archive's process.
Result<int> opener_unlock(Environment environment, const Call& call, Streams streams);
Result<int> opener_lock(Environment environment, const Call& call, Streams streams);
// Raises the opener's walls around this process and tries them; exit code 1: one does not hold.
Result<int> opener_self_test(Environment environment, const Call& call, Streams streams);

}  // namespace kustos::app
