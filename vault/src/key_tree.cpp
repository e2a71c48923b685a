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
    c.nodes_.push_back(NodePlace{}, seed32);
    return c;
}

KeyCover KeyCover::from_leaf(ByteView seed32, LeafNumber first) {
    KeyCover c = whole(seed32);
    if (first.value != 0) c.puncture(LeafNumber(0), LeafNumber(std::min(first.value, kTreeLeaves) - 1));
    return c;
}

std::size_t KeyCover::find(std::uint32_t leaf) const {
    const auto& places = nodes_.places();
    const auto after = std::upper_bound(places.begin(), places.end(), leaf,
                                        [](std::uint32_t l, const NodePlace& n) { return l < n.first(); });
    if (after == places.begin()) return kNone;
    const auto at = after - 1;
    return leaf < at->end() ? static_cast<std::size_t>(at - places.begin()) : kNone;
}

bool KeyCover::covers(LeafNumber leaf) const {
    return leaf.value < kTreeLeaves && find(leaf.value) != kNone;
}

std::optional<SecretBytes> KeyCover::derive(KeyTreeId tree, LeafNumber leaf) const {
    if (leaf.value >= kTreeLeaves) return std::nullopt;
    const std::size_t top = find(leaf.value);
    if (top == kNone) return std::nullopt;
    while (!path_.empty() && !path_.place(path_.size() - 1).covers(leaf.value)) path_.pop_back();
    if (!path_.empty() && !(path_.place(0) == nodes_.place(top))) path_.clear();
    if (path_.empty()) path_.push_back(nodes_.place(top), nodes_.key(top));
    for (std::size_t last = path_.size() - 1; path_.place(last).depth() < kTreeHeight; ++last) {
        const NodePlace place = path_.place(last);
        const bool right = place.goes_right(leaf.value);
        path_.push_back(place.child(right), child(path_.key(last), right).view());
    }
    Bytes info = to_bytes(std::string_view("kustos1/leaf"));
    put_u32(info, tree.value);
    put_u32(info, leaf.value);
    return hmac_sha256_secret(path_.key(path_.size() - 1), info);
}

void KeyCover::puncture(LeafNumber leaf) {
    path_.clear();  // whatever of it lies above the leaf must go; two hashes more next time
    if (leaf.value >= kTreeLeaves) return;
    const std::size_t at = find(leaf.value);
    if (at == kNone) return;
    const Leaves range{leaf, leaf};
    KeyNodes rest;
    keep_rest(nodes_.place(at), nodes_.key(at), {&range, 1}, rest);
    nodes_.replace(at, rest);
}

void KeyCover::puncture(LeafNumber first, LeafNumber last) {
    if (first == last) return puncture(first);
    const Leaves range{first, last};
    puncture({&range, 1});
}

// What survives of a node; `leaves` are those that meet it.
void KeyCover::keep_rest(NodePlace node, ByteView key, std::span<const Leaves> leaves, KeyNodes& kept) {
    while (!leaves.empty() && leaves.front().last.value < node.first()) leaves = leaves.subspan(1);
    while (!leaves.empty() && leaves.back().first.value >= node.end()) leaves = leaves.first(leaves.size() - 1);
    if (leaves.empty()) {
        kept.push_back(node, key);
        return;
    }
    if (leaves.front().first.value <= node.first() && leaves.front().last.value >= node.end() - 1) return;
    for (const bool right : {false, true}) keep_rest(node.child(right), child(key, right).view(), leaves, kept);
}

void KeyCover::puncture(std::span<const Leaves> leaves) {
    path_.clear();
    KeyNodes kept;
    kept.reserve(nodes_.size() + 4 * leaves.size());  // scattered ones leave about so many siblings
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const NodePlace node = nodes_.place(i);
        const auto begin = std::lower_bound(leaves.begin(), leaves.end(), node.first(),
                                            [](const Leaves& l, std::uint32_t first) { return l.last.value < first; });
        const auto end = std::lower_bound(begin, leaves.end(), node.end(),
                                          [](const Leaves& l, std::uint32_t stop) { return l.first.value < stop; });
        keep_rest(node, nodes_.key(i), {begin, end}, kept);
    }
    kept.fit();
    nodes_ = std::move(kept);
}

KeyCover KeyCover::clone() const {
    KeyCover copy;
    copy.nodes_ = nodes_.clone();
    return copy;
}

SecretBytes KeyCover::encode() const {
    SecretBytes out(encoded_size());
    encode_into(out.writable());
    return out;
}

void KeyCover::encode_into(std::span<std::uint8_t> out) const {
    CHECK(out.size() == encoded_size());
    std::uint8_t* at = out.data();
    store_u32(at, static_cast<std::uint32_t>(nodes_.size()));
    at += 4;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        at[0] = static_cast<std::uint8_t>(nodes_.place(i).depth());
        store_u32(at + 1, nodes_.place(i).index());
        std::copy(nodes_.key(i).begin(), nodes_.key(i).end(), at + 5);
        at += kEncodedNode;
    }
}

Result<KeyCover> KeyCover::decode(ByteView bytes) {
    const Error bad(Code::corrupt, "a key tree's cover is damaged");
    ByteReader in(bytes);
    const auto count = in.u32();
    if (!count.ok() || in.remaining() != std::size_t{*count} * kEncodedNode) return bad;
    KeyCover c;
    c.nodes_.reserve(*count);
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < *count; ++i) {
        const std::uint8_t depth = TRY(in.u8());
        const std::uint32_t index = TRY(in.u32());
        if (depth > kTreeHeight || index >= (std::uint64_t{1} << depth)) return bad;
        const NodePlace place = NodePlace::at(depth, index);
        if (place.first() < next) return bad;
        next = place.end();
        c.nodes_.push_back(place, TRY(in.take(KeyNodes::kKey)));
    }
    return c;
}

Hash key_check_value(ByteView seed32, KeyTreeId tree) {
    Bytes info = to_bytes(std::string_view("kustos1/check"));
    put_u32(info, tree.value);
    return hmac_sha256(seed32, info);
}

}  // namespace kustos::vault
