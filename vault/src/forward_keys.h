// What the sealer holds: of each open key tree the part that lies ahead and what the indexer still needs, the term key
// of the open index shard, the intake public key, the key of the duplicates' fingerprints. With these it seals and
// indexes while the vault is closed, and nothing that is indexed can be opened with them.
//
// Nothing in here reaches a disk but sealed boxes. With a ForwardMemory it survives a crash of the process: every
// change is in it before the function that made it returns. Threads: safe (own mutex).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/environment.h"
#include "vault/boxes.h"
#include "vault/forward_memory.h"
#include "vault/key_tree.h"

namespace kustos::vault {

class ForwardKeys {
public:
    // The fingerprints' key is read, or made where `make` says so.
    static Result<std::unique_ptr<ForwardKeys>> open(Environment environment, const Path& keys_dir);
    static Status create(Environment environment, const Path& keys_dir);

    // The intake key that new boxes are sealed to, as the generation's control entry names it.
    void set_generation(std::uint32_t generation, const X25519Public& intake);
    std::uint32_t generation() const;

    struct NewTree {
        Hash box_hash, key_check;
    };
    // The box is written twice, synced and read back before this returns; the caller names it in a control entry.
    Result<NewTree> new_tree(KeyTreeId tree);
    // Goes on with a tree of an earlier run: what the keyholder gave away of it, or what survived in memory. next: its
    // first unused leaf.
    void resume_tree(KeyTreeId tree, KeyCover cover, std::uint32_t next);
    void forget_tree(KeyTreeId tree);
    bool has_tree(KeyTreeId tree) const;
    // The key of a leaf that is being sealed or not indexed yet. Code::closed: it is punctured here.
    Result<SecretBytes> dek(KeyTreeId tree, LeafNumber leaf) const;
    void puncture(KeyTreeId tree, LeafNumber first, LeafNumber last);
    struct Leaf {
        KeyTreeId tree;
        LeafNumber leaf;
    };
    // Many at once; nothing below `oldest` waits for the indexer any more.
    void puncture(std::span<const Leaf> leaves, EntryIndex oldest);
    // Before a batch is committed: how far the trees are used then, and since when its entries wait (monotonic ms).
    void note_batch(const std::map<KeyTreeId, std::uint32_t>& next, EntryIndex first, std::int64_t now_ms);

    struct NewShard {
        SecretBytes term_key;
        Hash box_hash;
    };
    Result<NewShard> new_shard(std::uint32_t shard);
    std::optional<SecretBytes> shard_key(std::uint32_t shard) const;
    void forget_shard(std::uint32_t shard);

    void resume_shard(std::uint32_t shard, SecretBytes term_key);

    // From now on in this memory, too. What it holds of an earlier run: the caller takes over what fits the ledger and
    // then calls save(); until then the memory stays as it is.
    std::optional<ForwardState> keep_in(std::unique_ptr<ForwardMemory> memory, const VaultId& vault);
    void resume_waiting(EntryIndex oldest, std::vector<ForwardState::Mark> marks);
    void save();
    const ForwardMemory* memory() const;  // null: a crash counts as a power loss

    Hash duplicate_mac(SourceId source, ByteView native_identity) const;

private:
    ForwardKeys(Environment environment, Path keys_dir) : environment_(environment), dir_(std::move(keys_dir)) {}

    Environment environment_;
    Path dir_;
    mutable std::mutex mutex_;
    std::uint32_t generation_ = 1;  // guarded by mutex_, as all below
    X25519Public intake_;
    void save_locked();  // under mutex_
    ForwardState state_;
    std::unique_ptr<ForwardMemory> memory_;
    bool saving_ = false, too_large_ = false;
    VaultId vault_;
    SecretBytes mac_key_;
    SecretBytes duplicates_key_;  // set once
};

}  // namespace kustos::vault
