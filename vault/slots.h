// Making slots of each kind, and opening the root key with whatever somebody brings.
//
// A slot whose chip or token is away does not stop the others. Errors: denied (wrong secret, wrong share: which and
// why), usage (no slot of this kind; shares are missing), environment and conflict as base/tpm.h and base/pkcs11.h.
// Threads: free functions, safe from any thread.
#pragma once

#include <vector>

#include "vault/share_set.h"
#include "vault/unlock.h"

namespace kustos::vault {

// "auto", "passphrase", "shares:3/5", "tpm", "tpm:device:/dev/tpm0", "tpm:swtpm:host=127.0.0.1,port=2321",
// "pkcs11:token=...;object=...?module-path=...&pin-source=..."
struct SlotOrder {
    SlotKind kind = SlotKind::automatic;
    unsigned threshold = 0, count = 0;  // of shares
    std::string address;                // of a TPM; or the token's URI
    SecretBytes passphrase;             // of a passphrase
    SecretBytes pin, owner;             // of a TPM; pin may be empty
};
Result<SlotOrder> parse_slot_order(std::string_view text);

struct NewSlot {
    Slot slot;
    std::vector<Share> shares;  // to be handed out; nowhere else
    SecretBytes key_file;       // of `auto`: what keys/auto.key becomes
};
// old: the set that this one replaces, if any.
Result<NewSlot> make_slot(Environment environment, const SlotOrder& order, ByteView root_key, const VaultId& vault,
                          const std::optional<ShareSetInfo>& old = std::nullopt);
// What the slot leaves in a chip or token goes away with it; a token's AES key is destroyed.
Status forget_slot(Environment environment, const Slot& slot);

struct OpenedRoot {
    SecretBytes root;
    std::string method;  // "passphrase", "shares 3/5: 1 2 4", ...: what the entry of the opening says
};
Result<OpenedRoot> open_root(Environment environment, const Path& keys_dir, const std::vector<Slot>& slots,
                             const UnlockSecret& secret, const VaultId& vault);

// --- the file keys/slots ---------------------------------------------------------------------------------------------
Result<std::vector<Slot>> load_slots(Fs& fs, const Path& keys_dir);
Status store_slots(Fs& fs, const Path& keys_dir, const std::vector<Slot>& slots);  // atomically
// A slot of each kind at most: a new one takes the place of the one there was.
std::vector<Slot> with_slot(std::vector<Slot> slots, Slot slot);
// Code::usage: there is none of this kind. Code::conflict: it is the last.
Result<std::vector<Slot>> without_slot(std::vector<Slot> slots, SlotKind kind);

// What opens a slot that was just made by this order.
UnlockSecret secret_of(const SlotOrder& order, const std::vector<Share>& shares);

// What may be said of a slot to anybody, for status and for who wants to open.
struct SlotFacts {
    SlotKind kind = SlotKind::automatic;
    UtcTime made;
    std::optional<ShareSetInfo> shares;
    std::string address;    // of a TPM; of a token without its PIN file
    bool with_pin = false;  // of a TPM
};
Result<SlotFacts> slot_facts(const Slot& slot);
// Of an archive's folder, without opening anything.
Result<std::vector<SlotFacts>> read_slot_facts(Fs& fs, const Path& archive);

}  // namespace kustos::vault
