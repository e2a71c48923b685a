// The hash tree whose root is time-stamped: RFC 4998 section 4.2 over the published checkpoint note and the entries
// since the last anchor (docs/format/anchors.md).
//
//   first group   { SHA-256(note) }                            the note as first published, the archive's signature
//   only then          { SHA-256(header || body), ciphertext hash }  one group for each entry in [previous size, size)
//             or  { SHA-256(header || body) }                   where there is no ciphertext
//
// A group's value is its only member itself, or SHA-256 of the members sorted in binary ascending order and
// concatenated. Values are combined two by two, level by level, by the same rule; an odd node moves up unchanged. So
// one token stamps the checkpoint and yields a standard evidence record for each entry. Beware: RFC 4998 does not
// separate leaves from nodes. A 64-byte "object" could stand for an inner node; so whoever verifies must know the
// object's format (magic, length), which our entries and notes have.
//
// Threads: values, one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit {

// One leaf group. For an entry: entry = SHA-256(header || body) (no prefix byte, unlike the ledger's leaf hash).
struct ImprintGroup {
    Hash object;
    std::optional<Hash> ciphertext;
};

// RFC 4998 section 4.2 step 4: sort, concatenate, hash; a single member stays as it is. At least one member.
Hash group_value(std::span<const Hash> members);
Hash group_value(const ImprintGroup& group);

// The root only, in one pass, with memory for 64 hashes.
class ImprintBuilder {
public:
    explicit ImprintBuilder(const Hash& note_digest);
    void add(const ImprintGroup& group) { add(group_value(group)); }
    void add(const Hash& group_value);
    std::uint64_t leaves() const { return leaves_; }  // the note counts
    Hash root() const;

private:
    std::uint64_t leaves_ = 0;
    std::vector<Hash> pending_;  // one value for each set bit of leaves_, the largest subtree first
};

Hash imprint_root(const Hash& note_digest, std::span<const ImprintGroup> groups);

// Reduced hash tree (RFC 4998 section 4.3): the leaf's own group, then the sibling at each level where there is one.
using ReducedTree = std::vector<std::vector<Hash>>;
inline constexpr std::size_t kMaxReducedTree = 65;  // groups; members of the first: at most 16

// Keeps every level: 64 bytes a leaf while it lives. Give it the groups in entry order.
class ImprintTree {
public:
    explicit ImprintTree(const Hash& note_digest);
    void add(const ImprintGroup& group);
    void finish();  // no more add(); root and paths after this
    const Hash& root() const;
    std::uint64_t leaves() const { return levels_.front().size(); }
    ReducedTree path_of_note() const;
    // offset: entry index - previous anchored size. Code::usage if there is no such entry or the group is not the one
    // that was added there.
    Result<ReducedTree> path_of_entry(std::uint64_t offset, const ImprintGroup& group) const;

private:
    ReducedTree path(std::uint64_t leaf, std::vector<Hash> first) const;
    std::vector<std::vector<Hash>> levels_;
    Hash note_;
    bool finished_ = false;
};

// Where the path leads. Code::bad_input: no group, an empty one, or more than the limits.
Result<Hash> reduced_tree_root(const ReducedTree& tree);
// RFC 4998 section 4.3: every digest must stand in the first group, and the path must lead to the imprint.
// Strict: the first group holds these digests and nothing else, as our own records have it.
Status verify_reduced_tree(const ReducedTree& tree, std::span<const Hash> digests, const Hash& imprint);

}  // namespace kustos::audit
