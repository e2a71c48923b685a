// The hash tree of RFC 4998 section 4.2 over any digest: leaves are data groups' values; two by two, sorted and
// concatenated, level by level; an odd node moves up unchanged. Imprints of anchors (imprint.h) and of renewals
// (renewal.h) are such trees.
//
// Memory: twice the leaves' digests. Threads: one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "audit/digest.h"

namespace kustos::audit {

// Reduced hash tree (RFC 4998 section 4.3): the leaf's own group, then the sibling at each level where there is one.
using HashGroups = std::vector<std::vector<Bytes>>;

// RFC 4998 section 4.2 step 4: sort, concatenate, hash; a single member stays as it is. At least one member (CHECKed).
Bytes group_value(DigestAlgorithm algorithm, std::vector<Bytes> members);
// Where a reduced tree leads. No group, or an empty one, is Code::bad_input.
Result<Bytes> groups_root(DigestAlgorithm algorithm, const HashGroups& groups);

class DigestTree {
public:
    explicit DigestTree(DigestAlgorithm algorithm);
    void add(ByteView value);  // digest_size(algorithm) bytes (CHECKed)
    void finish();             // no more add(); root and siblings after this
    std::uint64_t leaves() const { return levels_.front().size() / size_; }
    ByteView leaf(std::uint64_t number) const { return node(0, number); }
    Bytes root() const;  // at least one leaf (CHECKed)
    // From the leaf's level upwards, each a group of one; the leaf's own group goes before them.
    HashGroups siblings(std::uint64_t leaf) const;

private:
    ByteView node(std::size_t level, std::uint64_t number) const {
        return ByteView(levels_[level]).subspan(static_cast<std::size_t>(number) * size_, size_);
    }
    DigestAlgorithm algorithm_;
    std::size_t size_;
    std::vector<Bytes> levels_;
    bool finished_ = false;
};

}  // namespace kustos::audit
