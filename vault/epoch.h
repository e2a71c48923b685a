// Where e_n lives: the one secret of a keyring generation that must really be forgotten (docs/format/keys.md,
// "Forgetting"). On a disk that is best effort: a file that is overwritten, punched out and removed; SSDs and
// copy-on-write file systems may keep what was there. A TPM's NV index or an object of a PKCS #11 token really forgets.
//
// Durability: store() and destroy() are durable when they return. Threads: the owner locks.
#pragma once

#include <memory>
#include <string>

#include "base/environment.h"
#include "base/secret.h"

namespace kustos::vault {

class EpochStore {
public:
    virtual ~EpochStore() = default;
    // Overwrites what an interrupted run left under this number. Read back before it returns.
    virtual Status store(std::uint32_t generation, ByteView epoch32) = 0;
    // Code::not_found: destroyed, or never there.
    virtual Result<SecretBytes> load(std::uint32_t generation) = 0;
    virtual Status destroy(std::uint32_t generation) = 0;  // absent is fine
    virtual std::string medium() const = 0;                // "file", "tpm", "pkcs11"
};

// keys/generation-<n>/e: 32 bytes, then zeros up to 4,096: a block of its own.
std::unique_ptr<EpochStore> file_epochs(Environment environment, const Path& keys_dir);

}  // namespace kustos::vault
