// Keys that can be forgotten: a GGM tree of fixed height 20 (Goldreich, Goldwasser, Micali 1986).
//
//   child = HMAC-SHA-256(node, 0x00 or 0x01)
//   DEK   = HMAC-SHA-256(leaf node, "kustos1/leaf" || u32 tree id || u32 leaf)
//
// A cover is the set of nodes from which exactly the surviving leaves can be derived. Puncturing a leaf replaces the
// node above it by the siblings along the path: that leaf can never be derived again from this cover. Threads: the
// owner locks.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/secret.h"
#include "vault/key_nodes.h"

namespace kustos::vault {

inline constexpr unsigned kTreeHeight = 20;
inline constexpr std::uint32_t kTreeLeaves = 1u << kTreeHeight;
static_assert(NodePlace::kHeight == kTreeHeight);

class KeyCover {
public:
    KeyCover() = default;
    static KeyCover whole(ByteView seed32);
    // Only leaves from `first` on: what a forward state keeps when it resumes.
    static KeyCover from_leaf(ByteView seed32, LeafNumber first);

    bool covers(LeafNumber leaf) const;
    // The leaf's DEK; nothing where it was punctured.
    std::optional<SecretBytes> derive(KeyTreeId tree, LeafNumber leaf) const;
    void puncture(LeafNumber leaf);  // again is fine
    void puncture(LeafNumber first, LeafNumber last);
    // Many at once, ascending and apart: one pass over the nodes.
    struct Leaves {
        LeafNumber first, last;
    };
    void puncture(std::span<const Leaves> leaves);
    KeyCover clone() const;
    std::size_t nodes() const { return nodes_.size(); }
    std::size_t memory() const { return nodes_.memory(); }  // bytes
    bool empty() const { return nodes_.empty(); }

    // u32 count, then for each node in leaf order: u8 depth (0: root), u32 index at that depth, 32 bytes.
    static constexpr std::size_t kEncodedNode = 37;
    SecretBytes encode() const;
    std::size_t encoded_size() const { return 4 + nodes_.size() * kEncodedNode; }
    void encode_into(std::span<std::uint8_t> out) const;  // exactly encoded_size() bytes
    static Result<KeyCover> decode(ByteView bytes);       // Code::corrupt: overlapping, out of order or beyond the tree

private:
    // In leaf order, not overlapping.
    KeyNodes nodes_;
    // The way down to the last derived leaf, so that leaves in order cost two hashes, not twenty.
    mutable KeyNodes path_;

    static constexpr std::size_t kNone = ~std::size_t{0};
    std::size_t find(std::uint32_t leaf) const;  // kNone: not covered
    static void keep_rest(NodePlace node, ByteView key, std::span<const Leaves> leaves, KeyNodes& kept);
};

// Proves to an opener that it holds the right seed: HMAC-SHA-256(seed, "kustos1/check" || u32 tree id).
Hash key_check_value(ByteView seed32, KeyTreeId tree);

}  // namespace kustos::vault
