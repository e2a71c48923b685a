#include "audit/imprint.h"

#include <algorithm>
#include <cstring>

#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kMaxFirstGroup = 16;

Hash pair_value(const Hash& a, const Hash& b) {
    std::uint8_t both[2 * Hash::kSize];
    const bool in_order = a <= b;
    std::memcpy(both, (in_order ? a : b).bytes.data(), Hash::kSize);
    std::memcpy(both + Hash::kSize, (in_order ? b : a).bytes.data(), Hash::kSize);
    return sha256(ByteView(both));
}

std::vector<Hash> members(const ImprintGroup& group) {
    std::vector<Hash> result{group.object};
    if (group.ciphertext) result.push_back(*group.ciphertext);
    return result;
}

}  // namespace

Hash group_value(const ImprintGroup& group) {
    return group.ciphertext ? pair_value(group.object, *group.ciphertext) : group.object;
}

Hash group_value(std::span<const Hash> group) {
    CHECK(!group.empty());
    if (group.size() == 1) return group[0];
    std::vector<Hash> sorted(group.begin(), group.end());
    std::sort(sorted.begin(), sorted.end());
    Sha256 digest;
    for (const Hash& member : sorted) digest.update(member.view());
    return digest.finish();
}

// --- root only ----------------------------------------------------------------------------------------

ImprintBuilder::ImprintBuilder(const Hash& note_digest) {
    add(note_digest);
}

// Pairs are level by level from the left, so complete subtrees stand at the set bits of the count, as in a binary
// counter: adding a value carries.
void ImprintBuilder::add(const Hash& group_value) {
    Hash value = group_value;
    for (std::uint64_t carry = leaves_; carry & 1; carry >>= 1) {
        value = pair_value(pending_.back(), value);
        pending_.pop_back();
    }
    pending_.push_back(value);
    ++leaves_;
}

// What is left over moves up unchanged until it meets the next larger subtree.
Hash ImprintBuilder::root() const {
    Hash value = pending_.back();
    for (std::size_t i = pending_.size() - 1; i-- > 0;) value = pair_value(pending_[i], value);
    return value;
}

Hash imprint_root(const Hash& note_digest, std::span<const ImprintGroup> groups) {
    ImprintBuilder builder(note_digest);
    for (const ImprintGroup& group : groups) builder.add(group);
    return builder.root();
}

// --- with paths ----------------------------------------------------------------------------------------

ImprintTree::ImprintTree(const Hash& note_digest) : levels_(1), note_(note_digest) {
    levels_[0].push_back(note_digest);
}

void ImprintTree::add(const ImprintGroup& group) {
    CHECK(!finished_);
    levels_[0].push_back(group_value(group));
}

void ImprintTree::finish() {
    CHECK(!finished_);
    finished_ = true;
    while (levels_.back().size() > 1) {
        const std::vector<Hash>& below = levels_.back();
        std::vector<Hash> level;
        level.reserve((below.size() + 1) / 2);
        for (std::size_t i = 0; i + 1 < below.size(); i += 2) level.push_back(pair_value(below[i], below[i + 1]));
        if (below.size() % 2 == 1) level.push_back(below.back());
        levels_.push_back(std::move(level));
    }
}

const Hash& ImprintTree::root() const {
    CHECK(finished_);
    return levels_.back().front();
}

ReducedTree ImprintTree::path_of_note() const {
    return path(0, {note_});
}

Result<ReducedTree> ImprintTree::path_of_entry(std::uint64_t offset, const ImprintGroup& group) const {
    if (offset >= leaves() - 1) return Error(Code::usage, "the imprint has no such entry");
    if (levels_[0][offset + 1] != group_value(group)) {
        return Error(Code::usage, "the imprint has another group at this entry");
    }
    return path(offset + 1, members(group));
}

ReducedTree ImprintTree::path(std::uint64_t leaf, std::vector<Hash> first) const {
    CHECK(finished_);
    ReducedTree tree{std::move(first)};
    for (std::size_t level = 0; level + 1 < levels_.size(); ++level, leaf /= 2) {
        const std::uint64_t sibling = leaf ^ 1;
        if (sibling < levels_[level].size()) tree.push_back({levels_[level][sibling]});
    }
    return tree;
}

Result<Hash> reduced_tree_root(const ReducedTree& tree) {
    if (tree.empty()) return Error(Code::bad_input, "a reduced hash tree without a group");
    if (tree.size() > kMaxReducedTree) return Error(Code::bad_input, "a reduced hash tree with too many groups");
    std::optional<Hash> current;
    for (const std::vector<Hash>& group : tree) {
        if (group.empty()) return Error(Code::bad_input, "a reduced hash tree with an empty group");
        if (group.size() > kMaxFirstGroup) return Error(Code::bad_input, "a reduced hash tree with too large a group");
        std::vector<Hash> all = group;
        if (current) all.push_back(*current);
        current = group_value(all);
    }
    return *current;
}

Status verify_reduced_tree(const ReducedTree& tree, std::span<const Hash> digests, const Hash& imprint) {
    const Hash root = TRY(reduced_tree_root(tree));
    std::vector<Hash> expected(digests.begin(), digests.end());
    std::vector<Hash> first = tree.front();
    std::sort(expected.begin(), expected.end());
    std::sort(first.begin(), first.end());
    if (expected != first) return Error(Code::bad_input, "the reduced hash tree starts with other digests");
    if (root != imprint)
        return Error(Code::bad_input, "the reduced hash tree does not lead to the time-stamped imprint");
    return {};
}

}  // namespace kustos::audit
