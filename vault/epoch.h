// Where e_n lives: the one secret of a keyring generation that must really be forgotten (docs/format/keys.md,
// "Where e_n lies"). On a disk that is best effort: a file that is overwritten, punched out and removed; SSDs and
// copy-on-write file systems may keep what was there. A TPM's NV index or an object of a PKCS #11 token really forgets.
//
// Durability: store() and destroy() are durable when they return. Threads: the owner locks.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/environment.h"
#include "base/ids.h"
#include "base/secret.h"

namespace kustos::vault {

// Where the next generation's e is to lie: what an administrator says once.
struct EpochOrder {
    std::string medium;   // "file", "tpm", "pkcs11"
    std::string address;  // of a TPM (base/tpm.h); a token's URI (base/pkcs11.h)
    SecretBytes owner;    // the storage hierarchy's authorisation of a TPM, mostly empty; kept nowhere
};
// "file", "tpm", "tpm:ADDRESS", "pkcs11:token=...?module-path=...&pin-source=file:..."
Result<EpochOrder> parse_epoch_order(std::string_view text);

class EpochStore {
public:
    virtual ~EpochStore() = default;
    // Where the generation before lies. Overwrites what an interrupted run left under this number. Read back before it
    // returns.
    virtual Status store(std::uint32_t generation, ByteView epoch32) = 0;
    // Somewhere else from this generation on.
    virtual Status store_in(std::uint32_t generation, ByteView epoch32, const EpochOrder& order);
    // Code::not_found: destroyed, or never there. Others: its chip or token does not give it (the hint says what to
    // do).
    virtual Result<SecretBytes> load(std::uint32_t generation) = 0;
    virtual Status destroy(std::uint32_t generation) = 0;  // absent is fine
    // "file", "tpm", "pkcs11"
    virtual std::string medium(std::uint32_t generation) const = 0;
    // Whether the next generation could be stored and those that are here destroyed: asked before a run that can't go
    // back is begun. May write and remove a trial object.
    virtual Status ready(std::uint32_t present) = 0;
};

// keys/generation-<n>/e: 32 bytes, then zeros up to 4,096: a block of its own.
std::unique_ptr<EpochStore> file_epochs(Environment environment, const Path& keys_dir);

// Each generation where its record says it is (epoch_place.h); without one, in a file.
using EpochMaker = std::function<std::unique_ptr<EpochStore>(Environment, const Path& keys_dir, const VaultId&)>;
std::unique_ptr<EpochStore> recorded_epochs(Environment environment, const Path& keys_dir, const VaultId& vault);

// Puts e_n back that an escrow has kept: into the chip or token that the record names where that answers, else into a
// file. True: into a file although a record named a chip or token, which may still hold it.
Result<bool> put_back_epoch(Environment environment, const Path& keys_dir, std::uint32_t generation, ByteView epoch32);

}  // namespace kustos::vault
