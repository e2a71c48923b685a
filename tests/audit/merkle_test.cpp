#include "audit/merkle.h"

#include <doctest/doctest.h>

#include "tests/audit/naive_merkle.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {
constexpr std::size_t kSizes = 130;
}

TEST_CASE("roots of every size up to 130 agree with the recursive definition") {
    const std::vector<Hash> leaves = numbered_leaves(kSizes);
    const NodeSource nodes = naive_nodes(leaves);
    CompactRange range;
    for (std::size_t n = 0; n <= kSizes; ++n) {
        CAPTURE(n);
        const Hash expected = naive_root(Leaves(leaves).first(n));
        CHECK(range.root() == expected);
        CHECK(range.size().value == n);
        CHECK(root_of(Leaves(leaves).first(n)) == expected);
        CHECK(root_of(TreeSize{n}, nodes).value() == expected);
        CHECK(CompactRange::from(TreeSize{n}, range.hashes()).value().root() == expected);
        if (n < kSizes) range.append(leaves[n]);
    }
    CHECK_FALSE(CompactRange::from(TreeSize{3}, {leaves[0]}).ok());
    CHECK(empty_head().root == empty_root());
}

TEST_CASE("inclusion proofs of every size up to 130 agree with the recursive definition and verify") {
    const std::vector<Hash> leaves = numbered_leaves(kSizes);
    const NodeSource nodes = naive_nodes(leaves);
    for (std::size_t n = 1; n <= kSizes; ++n) {
        const Leaves tree = Leaves(leaves).first(n);
        const Hash root = naive_root(tree);
        for (std::size_t i = 0; i < n; ++i) {
            const auto proof = inclusion_proof(EntryIndex{i}, TreeSize{n}, nodes);
            REQUIRE(proof.ok());
            if (*proof != naive_path(i, tree)) FAIL("inclusion proof of " << i << " in " << n);
            if (!verify_inclusion(EntryIndex{i}, TreeSize{n}, tree[i], *proof, root).ok()) {
                FAIL("inclusion of " << i << " in " << n);
            }
            // Nowhere else, and not with a hash more or less.
            CHECK_FALSE(verify_inclusion(EntryIndex{i + 1}, TreeSize{n}, tree[i], *proof, root).ok());
            std::vector<Hash> longer = *proof;
            longer.push_back(root);
            CHECK_FALSE(verify_inclusion(EntryIndex{i}, TreeSize{n}, tree[i], longer, root).ok());
            if (!proof->empty()) {
                longer.resize(proof->size() - 1);
                CHECK_FALSE(verify_inclusion(EntryIndex{i}, TreeSize{n}, tree[i], longer, root).ok());
            }
        }
        CHECK_FALSE(inclusion_proof(EntryIndex{n}, TreeSize{n}, nodes).ok());
    }
}

TEST_CASE("consistency proofs between all sizes up to 130 agree with the recursive definition and verify") {
    const std::vector<Hash> leaves = numbered_leaves(kSizes);
    const NodeSource nodes = naive_nodes(leaves);
    std::vector<Hash> roots;
    for (std::size_t n = 0; n <= kSizes; ++n) roots.push_back(naive_root(Leaves(leaves).first(n)));
    for (std::size_t n = 1; n <= kSizes; ++n) {
        for (std::size_t m = 1; m <= n; ++m) {
            const auto proof = consistency_proof(TreeSize{m}, TreeSize{n}, nodes);
            REQUIRE(proof.ok());
            if (*proof != naive_subproof(m, Leaves(leaves).first(n), true)) FAIL("consistency " << m << " to " << n);
            if (!verify_consistency(TreeSize{m}, TreeSize{n}, roots[m], roots[n], *proof).ok()) {
                FAIL("consistency of " << m << " and " << n);
            }
            if (m == n) continue;
            CHECK_FALSE(verify_consistency(TreeSize{m}, TreeSize{n}, roots[m - 1], roots[n], *proof).ok());
            CHECK_FALSE(verify_consistency(TreeSize{m}, TreeSize{n}, roots[m], roots[n - 1], *proof).ok());
            CHECK_FALSE(verify_consistency(TreeSize{n}, TreeSize{m}, roots[n], roots[m], *proof).ok());
        }
        CHECK_FALSE(consistency_proof(TreeSize{0}, TreeSize{n}, nodes).ok());
        CHECK_FALSE(verify_consistency(TreeSize{0}, TreeSize{n}, roots[0], roots[n], {}).ok());
        CHECK_FALSE(consistency_proof(TreeSize{n + 1}, TreeSize{n}, nodes).ok());
    }
}

TEST_CASE("an error of the node source comes through") {
    const NodeSource broken = [](unsigned, std::uint64_t) -> Result<Hash> { return Error(Code::corrupt, "gone"); };
    CHECK(inclusion_proof(EntryIndex{1}, TreeSize{5}, broken).error().code() == Code::corrupt);
    CHECK(consistency_proof(TreeSize{2}, TreeSize{5}, broken).error().code() == Code::corrupt);
    CHECK(root_of(TreeSize{5}, broken).error().code() == Code::corrupt);
}
