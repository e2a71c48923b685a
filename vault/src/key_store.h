// All keys of an open archive in one place: forward states of the sealer, and, once a key holder has unlocked, the
// keyring.
//
// Threads: safe (own mutex). Nothing in here is ever written but sealed boxes and the keyring's files.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/environment.h"
#include "vault/boxes.h"
#include "vault/catalog.h"
#include "vault/key_tree.h"
#include "vault/keyring.h"
#include "vault/unlock.h"

namespace kustos::vault {

class KeyStore {
public:
    // Generation 1: root key, unlock slot, e_1, intake pair, keyring. What the generation_opened entry says.
    struct Founded {
        std::uint32_t generation = 1;
        X25519Public intake;
        Hash keyring_hash;
    };
    static Result<Founded> create(Environment environment, const Path& keys_dir, const VaultId& vault,
                                  const std::string& unlock, ByteView passphrase);
    // Opens the keyring at once where the slot is `auto` or a passphrase is given; a wrong passphrase is Code::denied.
    static Result<std::unique_ptr<KeyStore>> open(Environment environment, const Path& keys_dir, const VaultId& vault,
                                                  const std::optional<SecretBytes>& passphrase);

    bool is_open() const;
    std::string state() const;  // "open (auto)", "open (passphrase)", "closed"
    Status unlock(ByteView passphrase);
    void lock();
    // The intake key that new boxes are sealed to: the generation's as its control entry names it.
    void set_generation(std::uint32_t generation, const X25519Public& intake);

    struct NewTree {
        Hash box_hash, key_check;
    };
    // The box is written twice, synced and read back before this returns; the caller names it in a control entry.
    Result<NewTree> new_tree(KeyTreeId tree);
    // With an open vault: go on with a tree of an earlier run.
    Status resume_tree(const TreeInfo& tree);
    bool has_forward(KeyTreeId tree) const;

    // The key of one leaf: from the forward state where it is not punctured yet, else from the keyring. Code::closed.
    Result<SecretBytes> dek(KeyTreeId tree, LeafNumber leaf) const;
    // From the forward state alone, for sealing.
    Result<SecretBytes> forward_dek(KeyTreeId tree, LeafNumber leaf) const;
    void puncture(KeyTreeId tree, LeafNumber leaf);

    struct NewShard {
        SecretBytes term_key;
        Hash box_hash;
    };
    Result<NewShard> new_shard(std::uint32_t shard);
    Result<SecretBytes> shard_key(std::uint32_t shard) const;
    void forget_shard(std::uint32_t shard);

    Hash duplicate_mac(SourceId source, ByteView native_identity) const;

private:
    KeyStore(Environment environment, Path keys_dir, const VaultId& vault)
        : environment_(environment), dir_(std::move(keys_dir)), vault_(vault) {}
    Result<SecretBytes> tree_seed(KeyTreeId tree) const;

    Environment environment_;
    Path dir_;
    VaultId vault_;
    mutable std::mutex mutex_;
    std::uint32_t generation_ = 1;
    X25519Public intake_;
    std::map<KeyTreeId, KeyCover> forward_;           // guarded by mutex_; never written anywhere
    mutable std::map<KeyTreeId, KeyCover> opened_;    // whole trees, while the vault is open; guarded by mutex_
    std::map<std::uint32_t, SecretBytes> shards_;     // guarded by mutex_
    mutable std::map<KeyTreeId, SecretBytes> seeds_;  // opened boxes, guarded by mutex_; dropped at lock
    std::unique_ptr<Keyring> keyring_;                // guarded by mutex_
    std::string method_;
    SecretBytes duplicates_key_;
};

}  // namespace kustos::vault
