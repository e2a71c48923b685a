// Slots on the root key, as in LUKS: each holds the root key under a key of its own (docs/format/keys.md, keys/slots).
//
//   auto        a key file beside it: whoever has the disk can open everything
//   passphrase  Argon2id (RFC 9106), 256 MiB, 3 passes; the cost stands in the slot
#pragma once

#include "base/crypto.h"
#include "base/environment.h"

namespace kustos::vault {

enum class SlotKind : std::uint8_t { automatic = 1, passphrase = 2 };

struct Slot {
    SlotKind kind = SlotKind::automatic;
    std::array<std::uint8_t, 16> salt{};
    Argon2Cost cost{0, 0};
    Bytes wrapped;  // AES-256-GCM of the root key, zero nonce, under a key that the salt makes unique
};

Bytes encode(const std::vector<Slot>& slots);
Result<std::vector<Slot>> decode_slots(ByteView bytes);

Result<Slot> make_slot(SlotKind kind, ByteView secret, Argon2Cost cost, ByteView root_key, const VaultId& vault,
                       Random& random);
// Code::denied: wrong secret.
Result<SecretBytes> open_slot(const Slot& slot, ByteView secret, const VaultId& vault);

}  // namespace kustos::vault
