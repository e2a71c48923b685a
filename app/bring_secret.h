// What the caller of a command brings to open the vault: read from files, standard input or the terminal, never from
// arguments. Shares are checked against the archive's own slots as they come, so that a holder hears at once that his
// is wrong, and why.
#pragma once

#include <optional>

#include "app/call.h"
#include "app/commands.h"
#include "vault/share_set.h"
#include "vault/unlock.h"

namespace kustos::app {

// The command's secrets, as they also go to the running server: what opens the vault, and what a new slot gets.
struct CallSecrets {
    std::optional<vault::UnlockSecret> unlock;
    SecretBytes new_passphrase, new_pin;
};
// Code::usage: not to be read, or two ways at once. Code::denied: wrong shares, each named.
// `unlock` without options: what the archive's slots ask for, if the terminal can be asked.
Result<CallSecrets> bring_secrets(Environment environment, const Call& call, Streams streams);
SecretBytes encode(const CallSecrets& secrets);
Result<CallSecrets> decode_call_secrets(ByteView bytes);

// One line typed on a terminal without echo, or read from what is no terminal. Nothing: the input has ended, or nobody
// typed for so long.
std::optional<SecretBytes> read_quietly(int fd, std::int64_t patience_ms);

// Holders come one after another until enough are there. Empty: it was broken off, or nobody typed for `patience_ms`.
inline constexpr std::int64_t kCeremonyPatience = 10LL * 60 * 1000;
std::optional<vault::ShareSecrets> hold_ceremony(vault::ShareDesk& desk, int fd, std::int64_t patience_ms, bool german,
                                                 std::ostream& out);

}  // namespace kustos::app
