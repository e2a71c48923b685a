// The keyring of one generation (docs/format/keys.md): the root page holds the intake key's private half and the page
// keys; a page per tree holds what survives of it; one page holds the term keys of index shards.
//
//   keys/generation-<n>/root     AES-256-GCM under HKDF(root key, e_n) with a salt of its own: no key seals twice
//   keys/pages/<kind>-<id>-<..>  AES-256-GCM under a random page key, which stands in the root page alone
// and e_n in an EpochStore. Destroying e_n destroys the generation: without it no copy of the root page opens, and
// without a root page no page and no box that was sealed to its intake key.
// Threads: values.
#pragma once

#include <optional>

#include "base/crypto.h"
#include "base/environment.h"

namespace kustos::vault {

enum class PageKind : std::uint8_t { tree = 1, shards = 2 };

struct KeyringPage {
    PageKind kind = PageKind::tree;
    std::uint32_t id = 0;  // of the tree; 0 for shards
    SecretBytes key;
    Hash hash;  // of the file; names it, too
};

struct Keyring {
    std::uint32_t generation = 1;
    X25519Key intake;
    std::vector<KeyringPage> pages;  // by kind and id
    const KeyringPage* find(PageKind kind, std::uint32_t id) const;
};

// The root page, synced and read back. Its SHA-256, for the control entry.
Result<Hash> store_keyring(Environment environment, const Path& keys_dir, const VaultId& vault, ByteView root_key,
                           ByteView epoch, const Keyring& keyring);
// Code::corrupt: damaged, or not of this root key.
Result<Keyring> load_keyring(Fs& fs, const Path& keys_dir, const VaultId& vault, ByteView root_key, ByteView epoch,
                             std::uint32_t generation);

// A page under a new random key, durable when it returns.
Result<KeyringPage> store_page(Environment environment, const Path& keys_dir, const VaultId& vault, PageKind kind,
                               std::uint32_t id, ByteView plain);
Result<SecretBytes> load_page(Fs& fs, const Path& keys_dir, const VaultId& vault, const KeyringPage& page);
Path generation_dir(const Path& keys_dir, std::uint32_t generation);
std::optional<std::uint32_t> generation_of(const std::string& folder);  // "generation-7"; none: another name
Path page_file(const Path& keys_dir, PageKind kind, std::uint32_t id, const Hash& hash);
// Removes page files that this keyring does not name: noise of earlier generations.
Status remove_old_pages(Fs& fs, const Path& keys_dir, const Keyring& keyring);

}  // namespace kustos::vault
