// Slots on the root key, as in LUKS: each holds the root key under a key of its own, each opens alone
// (docs/format/keys.md, keys/slots).
//
//   auto        a key file beside it: whoever has the disk can open everything
//   passphrase  Argon2id (RFC 9106), 256 MiB, 3 passes; the cost stands in the slot
//   shares      k of n people (shares.h); a wrong share is named before anything is opened (share_set.h)
//   tpm         a secret that one chip alone unseals (base/tpm.h), with a PIN or without
//   pkcs11      a secret that an AES key in a token alone opens (base/pkcs11.h)
//
// Threads: values and free functions, safe from any thread.
#pragma once

#include <variant>

#include "base/crypto.h"
#include "base/environment.h"

namespace kustos::vault {

enum class SlotKind : std::uint8_t { automatic = 1, passphrase = 2, shares = 3, tpm = 4, pkcs11 = 5 };
std::string_view slot_kind_name(SlotKind kind);  // "auto", "passphrase", "shares", "tpm", "pkcs11"
std::optional<SlotKind> slot_kind_by_name(std::string_view name);

struct Slot {
    SlotKind kind = SlotKind::automatic;
    UtcTime made;  // 0: not known (a file of the first version)
    std::array<std::uint8_t, 16> salt{};
    Argon2Cost cost{0, 0};
    Bytes details;  // of the kind; empty for auto and passphrase; authenticated with the root key
    Bytes wrapped;  // AES-256-GCM of the root key, zero nonce, under a key that the salt makes unique
};

inline constexpr std::size_t kMostSlots = 16;
Bytes encode(const std::vector<Slot>& slots);
// Both versions of the file. Code::not_in_version: a kind that this version does not know.
Result<std::vector<Slot>> decode_slots(ByteView bytes);

// secret: auto 32 bytes; passphrase as typed; else the 32 bytes that the kind's device or people give.
Result<Slot> make_slot(SlotKind kind, ByteView secret, Argon2Cost cost, ByteView root_key, const VaultId& vault,
                       Random& random, UtcTime made = {}, Bytes details = {});
// Code::denied: wrong secret.
Result<SecretBytes> open_slot(const Slot& slot, ByteView secret, const VaultId& vault);

// --- what somebody brings to open --------------------------------------------------------------------------------
struct AutomaticSecret {};
struct PassphraseSecret {
    SecretBytes passphrase;
};
struct ShareSecrets {
    std::vector<SecretBytes> texts;  // as they were typed
};
struct TpmSecret {
    SecretBytes pin;    // empty: none
    SecretBytes owner;  // the storage hierarchy's authorisation, mostly empty
};
struct TokenSecret {
    std::string pin_file;  // empty: the one that the slot names
};
using UnlockSecret = std::variant<AutomaticSecret, PassphraseSecret, ShareSecrets, TpmSecret, TokenSecret>;
SlotKind slot_kind_for(const UnlockSecret& secret);
UnlockSecret clone(const UnlockSecret& secret);
// Over a socket or pipe of the same machine; at most 4 KiB. The bytes are as secret as what is in them.
SecretBytes encode_secret(const UnlockSecret& secret);
Result<UnlockSecret> decode_secret(ByteView bytes);

}  // namespace kustos::vault
