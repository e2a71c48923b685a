// `kustos opener serve|status|unlock|lock|self-test`, and the worker that the opener starts.
#pragma once

#include "app/call.h"
#include "app/commands.h"
#include "vault/key_service.h"

namespace kustos::app {

Result<int> opener_serve(Environment environment, const Call& call, Streams streams);
Result<int> opener_status(Environment environment, const Call& call, Streams streams);
// Straight to the opener: what is brought does not pass through the archive's process.
Result<int> opener_unlock(Environment environment, const Call& call, Streams streams);
Result<int> opener_lock(Environment environment, const Call& call, Streams streams);
// Hidden: a control entry that the opener wants to have, brought by who talks to it (opener_courier.cpp). --body and
// --payload in hex; without them nothing is appended, and the archive finishes what a crash left half done.
class House;
Result<int> opener_note(House& house, const Call& call, Streams streams);
// config.yaml names an opener.socket.
bool keys_are_apart(Environment environment, const Call& call);
// `key rekey` and `key shares` with an opener apart: what is brought and the new shares pass through this process
// alone.
Result<int> opener_rekey(Environment environment, const Call& call, Streams streams);
// Has a draft appended by the running archive, or by opening it; asked for before the opener is asked for the draft.
Result<vault::AppendControl> courier(Environment environment, const Call& call);
// Raises the opener's walls around this process and tries them; exit code 1: one does not hold.
Result<int> opener_self_test(Environment environment, const Call& call, Streams streams);

}  // namespace kustos::app
