// kustos unlock, lock, key status, key rekey, key shares; and what `init` needs of the same.
#pragma once

#include <functional>

#include "app/bring_secret.h"
#include "app/call.h"
#include "app/commands.h"
#include "base/config.h"
#include "vault/archive.h"

namespace kustos::app {

class House;

Result<int> unlock_vault(House& house, const Call& call, const CallSecrets& secrets, Streams streams);
Result<int> lock_vault(House& house, const Call& call, Streams streams);
Result<int> key_status(House& house, const Call& call, Streams streams);
// Where slots are changed: in the archive of this process, or at an opener apart.
struct SlotPlace {
    Environment environment;
    const Config& config;
    std::function<Result<std::vector<vault::SlotFacts>>()> slots;
    std::function<Status(std::vector<vault::SlotOrder> add, const std::vector<vault::SlotKind>& remove,
                         const vault::HandOut& hand_out)>
        rekey;
};
Result<int> key_rekey(const SlotPlace& place, const Call& call, const CallSecrets& secrets, Streams streams);
Result<int> key_shares(const SlotPlace& place, const Call& call, const CallSecrets& secrets, Streams streams);
Result<int> key_rekey(House& house, const Call& call, const CallSecrets& secrets, Streams streams);
Result<int> key_shares(House& house, const Call& call, const CallSecrets& secrets, Streams streams);

// key rotate --epoch: another medium for what has to be forgotten (vault/epoch.h), with a new generation of the
// keyring.
Result<int> move_keys(House& house, const Call& call, const CallSecrets& secrets, Streams streams);

// unlock, passphrase, PIN and where the shares go, as `init` was told. Code::usage: something is missing.
Result<vault::CreateOptions> create_options(Environment environment, const Call& call);

// Who must do what to open this archive, one sentence for each way; for status and for refusals.
std::vector<std::string> ways_to_open(const std::vector<vault::SlotFacts>& slots, bool german);

}  // namespace kustos::app
