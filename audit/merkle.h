// Merkle tree arithmetic of RFC 6962 section 2.1 (= RFC 9162 section 2.1): pure functions, no disk.
//
// A tree of n leaves splits at the largest power of two strictly below n; the left part is perfect. Node (level, index)
// is the root of the perfect subtree over leaves [index << level, (index + 1) << level).
//
// Errors: verify_* answer Code::bad_input when a proof does not hold, whatever the reason. Building a proof for what
// the tree does not have is Code::usage; a NodeSource's error is passed on. Threads: values and pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/ids.h"

namespace kustos::audit {

Hash leaf_hash(ByteView entry);                       // SHA-256(0x00 || entry)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)
Hash empty_root();                                    // SHA-256 of nothing

struct TreeHead {
    TreeSize size;
    Hash root;
    bool operator==(const TreeHead&) const = default;
};
TreeHead empty_head();

// All that an appender must remember: one hash for each set bit of the size, largest subtree first.
class CompactRange {
public:
    CompactRange() = default;
    static Result<CompactRange> from(TreeSize size, std::vector<Hash> hashes);  // Code::usage: count does not fit size
    void append(const Hash& leaf);
    TreeSize size() const { return TreeSize{size_}; }
    Hash root() const;
    const std::vector<Hash>& hashes() const { return hashes_; }

private:
    std::uint64_t size_ = 0;
    std::vector<Hash> hashes_;
};

// Root of a tree whose left part is known by perfect subtrees of 256 leaves (a tile each), `tiles`, and whose right
// part is fewer than 256 leaves.
Hash joined_root(const CompactRange& tiles, const CompactRange& leaves);

Status verify_inclusion(EntryIndex index, TreeSize size, const Hash& leaf, std::span<const Hash> proof,
                        const Hash& root);
// Old size 0 is an error: an empty tree proves nothing (as transparency-dev/merkle; C2SP tlog-witness special-cases
// first contact, and so must its caller).
Status verify_consistency(TreeSize old_size, TreeSize new_size, const Hash& old_root, const Hash& new_root,
                          std::span<const Hash> proof);

// Hash of a perfect subtree (level 0: leaves).
using NodeSource = std::function<Result<Hash>(unsigned level, std::uint64_t index)>;

Result<std::vector<Hash>> inclusion_proof(EntryIndex index, TreeSize size, const NodeSource& nodes);
Result<std::vector<Hash>> consistency_proof(TreeSize old_size, TreeSize new_size, const NodeSource& nodes);
Result<Hash> root_of(TreeSize size, const NodeSource& nodes);
Hash root_of(std::span<const Hash> leaves);

}  // namespace kustos::audit
