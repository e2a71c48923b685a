// Building: roots and proofs. Checking them: merkle_verify.cpp.
#include "audit/merkle.h"

#include <bit>
#include <cstring>

namespace kustos::audit {

Hash leaf_hash(ByteView entry) {
    constexpr std::uint8_t tag = 0x00;
    return sha256({ByteView(&tag, 1), entry});
}

Hash node_hash(const Hash& left, const Hash& right) {
    std::uint8_t bytes[1 + 2 * Hash::kSize] = {0x01};
    std::memcpy(bytes + 1, left.bytes.data(), Hash::kSize);
    std::memcpy(bytes + 1 + Hash::kSize, right.bytes.data(), Hash::kSize);
    return sha256(ByteView(bytes));
}

Hash empty_root() {
    return sha256(ByteView{});
}

TreeHead empty_head() {
    return {TreeSize{0}, empty_root()};
}

Result<CompactRange> CompactRange::from(TreeSize size, std::vector<Hash> hashes) {
    if (hashes.size() != static_cast<std::size_t>(std::popcount(size.value))) {
        return Error(Code::usage, "compact range: number of hashes does not fit the size");
    }
    CompactRange range;
    range.size_ = size.value;
    range.hashes_ = std::move(hashes);
    return range;
}

void CompactRange::append(const Hash& leaf) {
    Hash hash = leaf;
    for (std::uint64_t carry = size_; (carry & 1) != 0; carry >>= 1) {
        hash = node_hash(hashes_.back(), hash);
        hashes_.pop_back();
    }
    hashes_.push_back(hash);
    ++size_;
}

namespace {
// Perfect subtrees from left to right, largest first: the smaller right side is folded up.
Hash fold(const std::vector<Hash>& hashes) {
    if (hashes.empty()) return empty_root();
    Hash root = hashes.back();
    for (std::size_t i = hashes.size() - 1; i-- > 0;) root = node_hash(hashes[i], root);
    return root;
}

// Root of leaves [begin, end), begin being a multiple of the largest power of two that fits.
Result<Hash> range_root(std::uint64_t begin, std::uint64_t end, const NodeSource& nodes) {
    std::vector<Hash> parts;
    while (begin < end) {
        const unsigned level = static_cast<unsigned>(std::bit_width(end - begin)) - 1;
        parts.push_back(TRY(nodes(level, begin >> level)));
        begin += std::uint64_t{1} << level;
    }
    return fold(parts);
}

// Largest power of two strictly below n (n >= 2).
std::uint64_t split_of(std::uint64_t n) {
    return std::bit_floor(n - 1);
}
}  // namespace

Hash CompactRange::root() const {
    return fold(hashes_);
}

Hash joined_root(const CompactRange& tiles, const CompactRange& leaves) {
    std::vector<Hash> peaks = tiles.hashes();
    peaks.insert(peaks.end(), leaves.hashes().begin(), leaves.hashes().end());
    return fold(peaks);
}

Result<std::vector<Hash>> inclusion_proof(EntryIndex index, TreeSize size, const NodeSource& nodes) {
    if (index.value >= size.value) return Error(Code::usage, "inclusion proof: the entry is beyond the tree");
    // Down from the root (RFC 9162 2.1.3.1): the sibling at each split, the topmost last.
    std::vector<Hash> proof;
    std::uint64_t begin = 0, end = size.value;
    while (end - begin > 1) {
        const std::uint64_t middle = begin + split_of(end - begin);
        if (index.value < middle) {
            proof.push_back(TRY(range_root(middle, end, nodes)));
            end = middle;
        } else {
            proof.push_back(TRY(range_root(begin, middle, nodes)));
            begin = middle;
        }
    }
    return std::vector<Hash>(proof.rbegin(), proof.rend());
}

Result<std::vector<Hash>> consistency_proof(TreeSize old_size, TreeSize new_size, const NodeSource& nodes) {
    if (old_size.value == 0) return Error(Code::usage, "consistency proof: an empty tree proves nothing");
    if (old_size > new_size) return Error(Code::usage, "consistency proof: the old tree is larger");
    // SUBPROOF of RFC 9162 2.1.4.1, from the root down.
    std::vector<Hash> proof;
    std::uint64_t begin = 0, end = new_size.value;
    bool old_root_known = true;
    while (old_size.value != end) {
        const std::uint64_t middle = begin + split_of(end - begin);
        if (old_size.value <= middle) {
            proof.push_back(TRY(range_root(middle, end, nodes)));
            end = middle;
        } else {
            proof.push_back(TRY(range_root(begin, middle, nodes)));
            begin = middle;
            old_root_known = false;
        }
    }
    if (!old_root_known) proof.push_back(TRY(range_root(begin, end, nodes)));
    return std::vector<Hash>(proof.rbegin(), proof.rend());
}

Result<Hash> root_of(TreeSize size, const NodeSource& nodes) {
    return range_root(0, size.value, nodes);
}

Hash root_of(std::span<const Hash> leaves) {
    CompactRange range;
    for (const Hash& leaf : leaves) range.append(leaf);
    return range.root();
}

}  // namespace kustos::audit
