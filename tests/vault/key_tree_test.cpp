#include "vault/key_tree.h"

#include <doctest/doctest.h>

#include <set>

#include "base/crypto.h"

using namespace kustos;
using namespace kustos::vault;

namespace {
// The definition, written down once more.
Bytes naive_dek(ByteView seed, KeyTreeId tree, std::uint32_t leaf) {
    Bytes node = to_bytes(seed);
    for (int bit = 19; bit >= 0; --bit)
        node = to_bytes(hmac_sha256(node, Bytes{static_cast<std::uint8_t>((leaf >> bit) & 1)}).view());
    Bytes info = to_bytes(std::string_view("kustos1/leaf"));
    put_u32(info, tree.value);
    put_u32(info, leaf);
    return to_bytes(hmac_sha256(node, info).view());
}
}  // namespace

TEST_CASE("every leaf is what the definition says, in any order") {
    const Bytes seed(32, 7);
    const KeyTreeId tree(0x01000002);
    const KeyCover whole = KeyCover::whole(seed);
    SeededRandom random(1);
    for (std::uint32_t leaf : {0u, 1u, 2u, 3u, 4u, 1048575u, 1048574u, 524288u, 524287u, 0u}) {
        CHECK(to_bytes(whole.derive(tree, LeafNumber(leaf))->view()) == naive_dek(seed, tree, leaf));
    }
    for (int i = 0; i < 100; ++i) {
        const auto leaf = static_cast<std::uint32_t>(random.next() % kTreeLeaves);
        CHECK(to_bytes(whole.derive(tree, LeafNumber(leaf))->view()) == naive_dek(seed, tree, leaf));
    }
    CHECK_FALSE(whole.derive(tree, LeafNumber(kTreeLeaves)).has_value());
}

TEST_CASE("a punctured leaf is gone and its neighbours stay") {
    const Bytes seed(32, 9);
    const KeyTreeId tree(5);
    SeededRandom random(2);
    KeyCover cover = KeyCover::whole(seed);
    std::vector<std::uint32_t> gone;
    for (int i = 0; i < 60; ++i) {
        const auto leaf = static_cast<std::uint32_t>(random.next() % 64);  // close together, so that paths meet
        (void)cover.derive(tree, LeafNumber(leaf ^ 1));                    // warms the path that a puncture must forget
        cover.puncture(LeafNumber(leaf));
        gone.push_back(leaf);
        for (std::uint32_t l = 0; l < 70; ++l) {
            const bool punctured = std::find(gone.begin(), gone.end(), l) != gone.end();
            const auto dek = cover.derive(tree, LeafNumber(l));
            if (dek.has_value() == punctured) FAIL("leaf " << l);
            if (dek && to_bytes(dek->view()) != naive_dek(seed, tree, l)) FAIL("leaf " << l << " has another key");
        }
    }
}

TEST_CASE("a cover from a leaf on holds that leaf and all later ones, and no earlier one") {
    const Bytes seed(32, 3);
    const KeyTreeId tree(1);
    for (std::uint32_t first : {0u, 1u, 2u, 3u, 5u, 8u, 1000u, 524288u, 1048574u, 1048575u}) {
        const KeyCover cover = KeyCover::from_leaf(seed, LeafNumber(first));
        CAPTURE(first);
        CHECK(cover.nodes() <= 21);
        for (std::uint32_t leaf :
             {0u, 1u, 2u, 3u, 4u, 7u, 8u, 999u, 1000u, 1001u, 524287u, 524288u, 1048574u, 1048575u}) {
            const auto dek = cover.derive(tree, LeafNumber(leaf));
            CHECK(dek.has_value() == (leaf >= first));
            if (dek) CHECK(to_bytes(dek->view()) == naive_dek(seed, tree, leaf));
        }
    }
    CHECK(KeyCover::from_leaf(seed, LeafNumber(kTreeLeaves)).empty());
}

TEST_CASE("puncturing in order keeps the cover small") {
    KeyCover cover = KeyCover::whole(Bytes(32, 1));
    for (std::uint32_t leaf = 0; leaf < 5000; ++leaf) cover.puncture(LeafNumber(leaf));
    CHECK(cover.nodes() <= 20);
}

TEST_CASE("a cover comes back from its encoding, and a damaged one is refused") {
    KeyCover cover = KeyCover::whole(Bytes(32, 4));
    cover.puncture(LeafNumber(77));
    cover.puncture(LeafNumber(900'000));
    const SecretBytes encoded = cover.encode();
    auto back = KeyCover::decode(encoded.view());
    REQUIRE(back.ok());
    CHECK(to_bytes(back->encode().view()) == to_bytes(encoded.view()));
    CHECK_FALSE(back->derive(KeyTreeId(1), LeafNumber(77)).has_value());
    CHECK_FALSE(KeyCover::decode(encoded.view().first(encoded.size() - 1)).ok());
    Bytes swapped = to_bytes(encoded.view());
    std::swap_ranges(swapped.begin() + 4, swapped.begin() + 41, swapped.begin() + 41);
    CHECK_FALSE(KeyCover::decode(swapped).ok());
}

TEST_CASE("a cover after 100,000 scattered punctures is small, and still says exactly what survives") {
    const Bytes seed(32, 4);
    SeededRandom random(9);
    std::set<std::uint32_t> gone;
    while (gone.size() < 100'000) gone.insert(static_cast<std::uint32_t>(random.next() % kTreeLeaves));
    std::vector<KeyCover::Leaves> leaves;
    for (const std::uint32_t leaf : gone) leaves.push_back({LeafNumber(leaf), LeafNumber(leaf)});
    KeyCover cover = KeyCover::whole(seed);
    const std::size_t before = key_memory().bytes;
    cover.puncture(leaves);
    const std::size_t taken = key_memory().bytes - before, nodes = cover.nodes();
    MESSAGE(nodes << " nodes, " << cover.memory() / nodes << " bytes each, key included; locked " << taken / nodes);
    CHECK(cover.memory() < 40 * nodes);
    for (std::uint32_t leaf = 0; leaf < kTreeLeaves; leaf += 7)
        if (cover.covers(LeafNumber(leaf)) == (gone.count(leaf) != 0)) FAIL("leaf " << leaf);
    const KeyCover back = KeyCover::decode(cover.encode().view()).value();
    CHECK(back.nodes() == nodes);
    for (const std::uint32_t leaf : {5u, 77'777u, 1'000'000u}) {
        if (gone.count(leaf) != 0) continue;
        CHECK(to_bytes(back.derive(KeyTreeId(1), LeafNumber(leaf))->view()) == naive_dek(seed, KeyTreeId(1), leaf));
    }
    // One more: not a copy of all of it for each.
    for (std::uint32_t leaf = 0; leaf < 2'000; ++leaf) cover.puncture(LeafNumber(leaf * 500 + 1));
    CHECK(cover.memory() < 45 * cover.nodes());
}
