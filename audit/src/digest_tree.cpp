#include "audit/digest_tree.h"

#include <algorithm>

namespace kustos::audit {

Bytes group_value(DigestAlgorithm algorithm, std::vector<Bytes> members) {
    CHECK(!members.empty());
    if (members.size() == 1) return std::move(members.front());
    std::sort(members.begin(), members.end());
    Digest digest(algorithm);
    for (const Bytes& member : members) digest.update(member);
    return digest.finish();
}

Result<Bytes> groups_root(DigestAlgorithm algorithm, const HashGroups& groups) {
    if (groups.empty()) return Error(Code::bad_input, "a reduced hash tree without a group");
    Bytes value;
    for (const std::vector<Bytes>& group : groups) {
        if (group.empty()) return Error(Code::bad_input, "a reduced hash tree with an empty group");
        std::vector<Bytes> members = group;
        if (!value.empty()) members.push_back(std::move(value));
        value = group_value(algorithm, std::move(members));
    }
    return value;
}

DigestTree::DigestTree(DigestAlgorithm algorithm) : algorithm_(algorithm), size_(digest_size(algorithm)), levels_(1) {}

void DigestTree::add(ByteView value) {
    CHECK(!finished_ && value.size() == size_);
    put(levels_[0], value);
}

void DigestTree::finish() {
    CHECK(!finished_);
    finished_ = true;
    Digest digest(algorithm_);
    while (levels_.back().size() > size_) {
        const Bytes& below = levels_.back();
        const std::size_t count = below.size() / size_;
        Bytes level;
        level.reserve((count + 1) / 2 * size_);
        for (std::size_t i = 0; i + 1 < count; i += 2) {
            ByteView a = ByteView(below).subspan(i * size_, size_), b = ByteView(below).subspan((i + 1) * size_, size_);
            if (std::lexicographical_compare(b.begin(), b.end(), a.begin(), a.end())) std::swap(a, b);
            put(level, digest.update(a).update(b).finish());
        }
        if (count % 2 == 1) put(level, ByteView(below).last(size_));
        levels_.push_back(std::move(level));
    }
}

Bytes DigestTree::root() const {
    CHECK(finished_ && !levels_.back().empty());
    return levels_.back();
}

HashGroups DigestTree::siblings(std::uint64_t leaf) const {
    CHECK(finished_ && leaf < leaves());
    HashGroups groups;
    for (std::size_t level = 0; level + 1 < levels_.size(); ++level, leaf /= 2) {
        const std::uint64_t sibling = leaf ^ 1;
        if (sibling < levels_[level].size() / size_) groups.push_back({to_bytes(node(level, sibling))});
    }
    return groups;
}

}  // namespace kustos::audit
