// The keyring of one generation (docs/format/keys.md): the root page holds the intake key's private half and the page
// keys; a page per tree holds what survives of it. In this version generation 1 is the only one and has no pages yet:
// boxes are opened with the intake key.
//
//   keys/generation-<n>/root   AES-256-GCM under HKDF(root key, e_n) with a salt of its own: no key seals twice
//   keys/generation-<n>/e      e_n, 32 bytes in a preallocated file; destroying it destroys the generation
// Threads: values.
#pragma once

#include "base/crypto.h"
#include "base/environment.h"

namespace kustos::vault {

struct Keyring {
    std::uint32_t generation = 1;
    X25519Key intake;
    struct Page {
        std::uint32_t tree = 0;
        SecretBytes key;
        Hash hash;
    };
    std::vector<Page> pages;
};

// Both files, synced. The SHA-256 of the root page, for the control entry.
Result<Hash> store_keyring(Environment environment, const Path& keys_dir, const VaultId& vault, ByteView root_key,
                           const Keyring& keyring);
// Code::corrupt: damaged, or not of this root key.
Result<Keyring> load_keyring(Fs& fs, const Path& keys_dir, const VaultId& vault, ByteView root_key,
                             std::uint32_t generation);

}  // namespace kustos::vault
