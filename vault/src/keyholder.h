// What the opener holds: the root key once somebody has unlocked it, the keyring, what was opened with it. It alone can
// open what is indexed, and it alone can forget it: a new generation of the keyring leaves out what was punctured.
//
// Threads: safe (own mutex). Nothing but the keyring's own files is ever written.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/environment.h"
#include "vault/boxes.h"
#include "vault/catalog.h"
#include "vault/epoch.h"
#include "vault/key_service.h"
#include "vault/key_tree.h"
#include "vault/keyring.h"
#include "vault/slots.h"

namespace kustos::vault {

class Keyholder {
public:
    // Generation 1: root key, unlock slot, e_1, intake pair, keyring. What the generation_opened entry says.
    struct Founded {
        std::uint32_t generation = 1;
        X25519Public intake;
        Hash keyring_hash;
        std::vector<Share> shares;  // where the order says so: to be handed out
    };
    static Result<Founded> create(Environment environment, const Path& keys_dir, const VaultId& vault,
                                  const SlotOrder& order);
    // Opens the keyring of `generation` at once where there is a slot `auto`, or with the secret; a wrong one is
    // Code::denied. epochs: null: recorded_epochs().
    static Result<std::unique_ptr<Keyholder>> open(Environment environment, const Path& keys_dir, const VaultId& vault,
                                                   std::uint32_t generation, const UnlockSecret* secret,
                                                   std::unique_ptr<EpochStore> epochs = nullptr);

    bool is_open() const;
    std::string state() const;   // "open (auto)", "open (shares 3/5: 1 2 4)", "closed"
    std::string method() const;  // what stands in the brackets; empty: closed
    std::uint32_t generation() const;
    std::string medium() const;  // of e_n
    // For the escrow: e_n of a generation that is on this disk. Needs no key. Code::not_found.
    Result<SecretBytes> epoch(std::uint32_t generation) const;
    // Of the generation that is open. Code::closed.
    Result<X25519Public> intake() const;
    static Result<bool> has_epoch(EpochStore& epochs, std::uint32_t generation);
    // A generation above `generation` that lies here while that one's key is gone: restored from an escrow. 0: none.
    static Result<std::uint32_t> newer_than(Fs& fs, const Path& keys_dir, EpochStore& epochs, std::uint32_t generation);
    Status unlock(const UnlockSecret& secret);
    void lock();
    // The slots as they will be, with the root key that stays. Code::closed. Nothing is stored yet.
    struct Rekeyed {
        std::vector<Slot> slots, dropped;
        std::vector<Share> shares;
        SecretBytes key_file;
    };
    Result<Rekeyed> rekey(const std::vector<SlotOrder>& add, const std::vector<SlotKind>& remove) const;

    // Code::closed: not unlocked. Code::erased: the leaf was punctured, or its tree dropped.
    Result<SecretBytes> dek(KeyTreeId tree, LeafNumber leaf) const;
    Result<SecretBytes> shard_key(std::uint32_t shard) const;
    // Whether a leaf can be derived; false where its tree is gone. Code::closed.
    Result<bool> holds(KeyTreeId tree, LeafNumber leaf) const;
    // What survives of a tree (KeyCover::encode), for who takes everything away. Code::closed, Code::erased.
    Result<SecretBytes> surviving(KeyTreeId tree) const;
    // For the sealer to go on with: what lies ahead of the tree's used leaves.
    Result<KeyCover> ahead(const TreeInfo& tree) const;
    // In memory, at once; the disk follows with the next generation.
    void puncture(KeyTreeId tree, const std::vector<KeyCover::Leaves>& leaves);

    // --- a new generation ---
    using Plan = GenerationPlan;
    struct Next {
        Keyring keyring;
        std::map<std::uint32_t, SecretBytes> shard_keys;
        Hash keyring_hash;
        std::string medium;  // where its e lies
    };
    // Adopts every box of the present generation, less what is punctured, under a new intake pair; all of it is on the
    // disk and read back when this returns, and counts for nothing before adopt(). The caller lets nobody seal boxes
    // meanwhile. A try that was interrupted is written over.
    // plan.move_to: e_(n+1) lies there; else where e_n does.
    Result<Next> prepare(const Plan& plan);
    void adopt(Next next);
    // Before a run that can't go back: whether e_n can be destroyed and e_(n+1) kept (EpochStore::ready). Needs no key.
    Status ready() const;
    // Destroys e_n and the folder of every generation below `generation`. Needs no key. Again is fine.
    Status destroy_before(std::uint32_t generation);
    // The files of pages that no root page names any more. Code::closed.
    Status remove_noise();

private:
    Keyholder(Environment environment, Path keys_dir, const VaultId& vault, std::uint32_t generation,
              std::unique_ptr<EpochStore> epochs)
        : environment_(environment),
          dir_(std::move(keys_dir)),
          vault_(vault),
          generation_(generation),
          epochs_(std::move(epochs)) {}
    Status open_with(SecretBytes root_key, const std::string& method);
    // Under mutex_, all of them.
    Result<KeyCover*> cover(KeyTreeId tree) const;
    Result<KeyCover> load_cover(KeyTreeId tree) const;
    Result<SecretBytes> open_box(BoxPurpose purpose, std::uint32_t id) const;
    Status load_shards() const;
    Result<std::vector<KeyringPage>> next_tree_pages(const Plan& plan);
    Result<std::map<std::uint32_t, SecretBytes>> next_shards(const Plan& plan);

    Environment environment_;
    Path dir_;
    VaultId vault_;
    mutable std::mutex mutex_;
    std::uint32_t generation_;  // guarded by mutex_, as all below
    std::unique_ptr<EpochStore> epochs_;
    SecretBytes root_key_;
    std::unique_ptr<Keyring> keyring_;
    std::string method_;
    mutable std::map<KeyTreeId, KeyCover> covers_;  // opened; dropped at lock
    mutable std::map<std::uint32_t, SecretBytes> shards_;
    mutable bool shards_loaded_ = false;
    std::map<KeyTreeId, std::vector<KeyCover::Leaves>> doomed_;  // punctured since this generation began
};

}  // namespace kustos::vault
