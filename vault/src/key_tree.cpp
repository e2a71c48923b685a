#include "vault/key_tree.h"

#include <algorithm>

#include "base/crypto.h"

namespace kustos::vault {

namespace {
SecretBytes child(ByteView node, bool right) {
    const std::uint8_t tag = right ? 1 : 0;
    return hmac_sha256_secret(node, {&tag, 1});
}
}  // namespace

KeyCover KeyCover::whole(ByteView seed32) {
    CHECK(seed32.size() == 32);
    KeyCover c;
    c.nodes_.push_back({0, 0, SecretBytes(seed32)});
    return c;
}

KeyCover KeyCover::from_leaf(ByteView seed32, LeafNumber first) {
    KeyCover c;
    if (first.value >= kTreeLeaves) return c;
    SecretBytes node(seed32);
    // Down to `first`; every right sibling on the way stays.
    std::vector<Node> siblings;
    std::uint32_t index = 0;
    for (unsigned depth = 0; depth < kTreeHeight; ++depth) {
        // A node whose first leaf is `first` covers exactly the rest below it.
        if ((index << (kTreeHeight - depth)) == first.value) {
            c.nodes_.push_back({static_cast<std::uint8_t>(depth), index, std::move(node)});
            break;
        }
        const bool right = ((first.value >> (kTreeHeight - 1 - depth)) & 1) != 0;
        if (!right) siblings.push_back({static_cast<std::uint8_t>(depth + 1), index * 2 + 1, child(node.view(), true)});
        node = child(node.view(), right);
        index = index * 2 + (right ? 1 : 0);
        if (depth + 1 == kTreeHeight)
            c.nodes_.push_back({static_cast<std::uint8_t>(kTreeHeight), index, std::move(node)});
    }
    for (auto it = siblings.rbegin(); it != siblings.rend(); ++it) c.nodes_.push_back(std::move(*it));
    return c;
}

const KeyCover::Node* KeyCover::find(std::uint32_t leaf) const {
    const auto after = std::upper_bound(nodes_.begin(), nodes_.end(), leaf,
                                        [](std::uint32_t l, const Node& n) { return l < n.first(); });
    if (after == nodes_.begin()) return nullptr;
    const Node& n = *(after - 1);
    return leaf < n.end() ? &n : nullptr;
}

bool KeyCover::covers(LeafNumber leaf) const {
    return leaf.value < kTreeLeaves && find(leaf.value) != nullptr;
}

std::optional<SecretBytes> KeyCover::derive(KeyTreeId tree, LeafNumber leaf) const {
    if (leaf.value >= kTreeLeaves) return std::nullopt;
    const Node* top = find(leaf.value);
    if (top == nullptr) return std::nullopt;
    const auto above = [&](const Node& n) { return n.first() <= leaf.value && leaf.value < n.end(); };
    while (!path_.empty() && !above(path_.back())) path_.pop_back();
    if (!path_.empty() && (path_.front().depth != top->depth || path_.front().index != top->index)) path_.clear();
    if (path_.empty()) path_.push_back({top->depth, top->index, top->key.clone()});
    while (path_.back().depth < kTreeHeight) {
        const Node& n = path_.back();
        const bool right = ((leaf.value >> (kTreeHeight - 1 - n.depth)) & 1) != 0;
        Node next{static_cast<std::uint8_t>(n.depth + 1), n.index * 2 + (right ? 1u : 0u), child(n.key.view(), right)};
        path_.push_back(std::move(next));
    }
    Bytes info = to_bytes(std::string_view("kustos1/leaf"));
    put_u32(info, tree.value);
    put_u32(info, leaf.value);
    return hmac_sha256_secret(path_.back().key.view(), info);
}

void KeyCover::puncture(LeafNumber leaf) {
    path_.clear();  // whatever of it lies above the leaf must go; two hashes more next time
    const auto after = std::upper_bound(nodes_.begin(), nodes_.end(), leaf.value,
                                        [](std::uint32_t l, const Node& n) { return l < n.first(); });
    if (after == nodes_.begin()) return;
    const auto at = after - 1;
    if (leaf.value >= at->end()) return;
    std::vector<Node> left, right;  // siblings, from the top down
    SecretBytes node = std::move(at->key);
    std::uint32_t index = at->index;
    for (unsigned depth = at->depth; depth < kTreeHeight; ++depth) {
        const bool go_right = ((leaf.value >> (kTreeHeight - 1 - depth)) & 1) != 0;
        Node sibling{static_cast<std::uint8_t>(depth + 1), index * 2 + (go_right ? 0u : 1u),
                     child(node.view(), !go_right)};
        (go_right ? left : right).push_back(std::move(sibling));
        node = child(node.view(), go_right);
        index = index * 2 + (go_right ? 1 : 0);
    }
    const auto position = nodes_.erase(at);
    std::vector<Node> both = std::move(left);
    for (auto it = right.rbegin(); it != right.rend(); ++it) both.push_back(std::move(*it));
    nodes_.insert(position, std::make_move_iterator(both.begin()), std::make_move_iterator(both.end()));
}

void KeyCover::puncture(LeafNumber first, LeafNumber last) {
    if (first == last) return puncture(first);
    const Leaves range{first, last};
    puncture({&range, 1});
}

// What survives of a node; `leaves` are those that meet it.
void KeyCover::keep_rest(Node node, std::span<const Leaves> leaves, std::vector<Node>& kept) {
    while (!leaves.empty() && leaves.front().last.value < node.first()) leaves = leaves.subspan(1);
    while (!leaves.empty() && leaves.back().first.value >= node.end()) leaves = leaves.first(leaves.size() - 1);
    if (leaves.empty()) {
        kept.push_back(std::move(node));
        return;
    }
    if (leaves.front().first.value <= node.first() && leaves.front().last.value >= node.end() - 1) return;
    for (const bool right : {false, true}) {
        keep_rest({static_cast<std::uint8_t>(node.depth + 1), node.index * 2 + (right ? 1u : 0u),
                   child(node.key.view(), right)},
                  leaves, kept);
    }
}

void KeyCover::puncture(std::span<const Leaves> leaves) {
    path_.clear();
    std::vector<Node> kept;
    kept.reserve(nodes_.size() + 20 * leaves.size());
    for (Node& node : nodes_) {
        const auto begin = std::lower_bound(leaves.begin(), leaves.end(), node.first(),
                                            [](const Leaves& l, std::uint32_t first) { return l.last.value < first; });
        const auto end = std::lower_bound(begin, leaves.end(), node.end(),
                                          [](const Leaves& l, std::uint32_t stop) { return l.first.value < stop; });
        keep_rest(std::move(node), {begin, end}, kept);
    }
    nodes_ = std::move(kept);
}

KeyCover KeyCover::clone() const {
    KeyCover copy;
    copy.nodes_.reserve(nodes_.size());
    for (const Node& n : nodes_) copy.nodes_.push_back({n.depth, n.index, n.key.clone()});
    return copy;
}

SecretBytes KeyCover::encode() const {
    SecretBytes out(4 + nodes_.size() * 37);
    std::uint8_t* at = out.writable().data();
    store_u32(at, static_cast<std::uint32_t>(nodes_.size()));
    at += 4;
    for (const Node& n : nodes_) {
        at[0] = n.depth;
        store_u32(at + 1, n.index);
        std::copy(n.key.view().begin(), n.key.view().end(), at + 5);
        at += 37;
    }
    return out;
}

Result<KeyCover> KeyCover::decode(ByteView bytes) {
    const Error bad(Code::corrupt, "a key tree's cover is damaged");
    ByteReader in(bytes);
    const auto count = in.u32();
    if (!count.ok() || in.remaining() != std::size_t{*count} * 37) return bad;
    KeyCover c;
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < *count; ++i) {
        Node n{TRY(in.u8()), TRY(in.u32()), SecretBytes()};
        if (n.depth > kTreeHeight || n.index >= (std::uint64_t{1} << n.depth) || n.first() < next) return bad;
        n.key = SecretBytes(TRY(in.take(32)));
        next = n.end();
        c.nodes_.push_back(std::move(n));
    }
    return c;
}

Hash key_check_value(ByteView seed32, KeyTreeId tree) {
    Bytes info = to_bytes(std::string_view("kustos1/check"));
    put_u32(info, tree.value);
    return hmac_sha256(seed32, info);
}

}  // namespace kustos::vault
