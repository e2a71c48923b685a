#include "audit/imprint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "audit/entry.h"
#include "base/crypto.h"
#include "base/random.h"
#include "tests/support/doc_example.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

// --- an independent reference: RFC 4998 section 4.2 as it reads, on plain byte strings, top down ---------
using Plain = std::string;

Plain plain(const Hash& hash) {
    return to_text(hash.view());
}
Plain plain_sha256(const Plain& bytes) {
    return plain(sha256(as_bytes(bytes)));
}
Plain naive_group(std::vector<Plain> members) {
    if (members.size() == 1) return members[0];
    // "binary ascending order": compared as unsigned bytes
    std::sort(members.begin(), members.end(), [](const Plain& a, const Plain& b) {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
            return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
        });
    });
    Plain all;
    for (const Plain& member : members) all += member;
    return plain_sha256(all);
}
// Pairing level by level with the odd one moving up is the same as splitting at the largest power of two below n.
Plain naive_root(const std::vector<Plain>& leaves) {
    if (leaves.size() == 1) return leaves[0];
    std::size_t split = 1;
    while (split * 2 < leaves.size()) split *= 2;
    const auto middle = leaves.begin() + static_cast<std::ptrdiff_t>(split);
    return naive_group({naive_root({leaves.begin(), middle}), naive_root({middle, leaves.end()})});
}
// facts: cur = value(first group); for each following group g: cur = value(g plus cur)
Plain naive_walk(const ReducedTree& tree) {
    Plain current;
    for (const auto& group : tree) {
        std::vector<Plain> members;
        for (const Hash& hash : group) members.push_back(plain(hash));
        if (!current.empty()) members.push_back(current);
        current = naive_group(members);
    }
    return current;
}

std::vector<Hash> members(const ImprintGroup& group) {
    std::vector<Hash> result{group.object};
    if (group.ciphertext) result.push_back(*group.ciphertext);
    return result;
}

struct Made {
    Hash note;
    std::vector<ImprintGroup> groups;
    std::vector<Plain> leaves;

    explicit Made(std::size_t entries, std::uint64_t seed = 1) {
        SeededRandom random(seed);
        note = random.make<Hash>();
        leaves.push_back(plain(note));
        for (std::size_t i = 0; i < entries; ++i) {
            ImprintGroup group{random.make<Hash>(), std::nullopt};
            if (random.next() % 3 != 0) group.ciphertext = random.make<Hash>();
            std::vector<Plain> all;
            for (const Hash& hash : members(group)) all.push_back(plain(hash));
            leaves.push_back(naive_group(all));
            groups.push_back(group);
        }
    }
    ImprintTree tree() const {
        ImprintTree tree(note);
        for (const ImprintGroup& group : groups) tree.add(group);
        tree.finish();
        return tree;
    }
};

}  // namespace

TEST_CASE(
    "streaming builder, tree and the naive reference agree for all sizes up to 130, and every path leads to the root") {
    for (std::size_t entries = 0; entries <= 130; ++entries) {
        CAPTURE(entries);
        const Made made(entries, entries + 1);
        const Plain expected = naive_root(made.leaves);
        const ImprintTree tree = made.tree();
        REQUIRE(plain(imprint_root(made.note, made.groups)) == expected);
        REQUIRE(plain(tree.root()) == expected);
        REQUIRE(tree.leaves() == entries + 1);
        const ReducedTree note_path = tree.path_of_note();
        REQUIRE(naive_walk(note_path) == expected);
        REQUIRE(verify_reduced_tree(note_path, std::vector<Hash>{made.note}, tree.root()).ok());
        for (std::size_t i = 0; i < entries; ++i) {
            const auto path = tree.path_of_entry(i, made.groups[i]);
            REQUIRE(path.ok());
            REQUIRE(naive_walk(*path) == expected);
            REQUIRE(verify_reduced_tree(*path, members(made.groups[i]), tree.root()).ok());
            REQUIRE(path->front() == members(made.groups[i]));
        }
    }
}

TEST_CASE("the builder's root can be asked for at any time") {
    const Made made(40);
    ImprintBuilder builder(made.note);
    CHECK(builder.root() == made.note);  // a single object is its own imprint
    for (std::size_t i = 0; i < made.groups.size(); ++i) {
        builder.add(made.groups[i]);
        CHECK(builder.leaves() == i + 2);
        CHECK(plain(builder.root()) ==
              naive_root({made.leaves.begin(), made.leaves.begin() + static_cast<std::ptrdiff_t>(i) + 2}));
    }
}

TEST_CASE("a path with anything changed, added or left out is refused") {
    const Made made(21);
    const ImprintTree tree = made.tree();
    std::size_t with = 0;
    while (!made.groups[with].ciphertext) ++with;
    const auto digests = members(made.groups[with]);
    const ReducedTree good = tree.path_of_entry(with, made.groups[with]).value();
    REQUIRE(verify_reduced_tree(good, digests, tree.root()).ok());
    for (std::size_t g = 0; g < good.size(); ++g) {
        ReducedTree bad = good;
        bad[g][0].bytes[5] ^= 1;
        CHECK_FALSE(verify_reduced_tree(bad, digests, tree.root()).ok());
        bad = good;
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(g));
        CHECK_FALSE(verify_reduced_tree(bad, digests, tree.root()).ok());
        bad = good;
        bad[g].push_back(made.note);
        CHECK_FALSE(verify_reduced_tree(bad, digests, tree.root()).ok());
        bad = good;
        bad[g].clear();
        CHECK_FALSE(verify_reduced_tree(bad, digests, tree.root()).ok());
    }
    ReducedTree reordered = good;
    std::swap(reordered[0][0], reordered[0][1]);
    CHECK(verify_reduced_tree(reordered, digests, tree.root()).ok());  // a group is a set
    // half a group proves nothing, nor does another object or another imprint
    CHECK_FALSE(verify_reduced_tree(good, std::vector<Hash>{digests[0]}, tree.root()).ok());
    CHECK_FALSE(verify_reduced_tree(good, std::vector<Hash>{made.note}, tree.root()).ok());
    CHECK_FALSE(verify_reduced_tree(good, digests, made.note).ok());
    CHECK_FALSE(verify_reduced_tree({}, digests, tree.root()).ok());
    CHECK_FALSE(reduced_tree_root(ReducedTree(kMaxReducedTree + 1, {made.note})).ok());
    CHECK_FALSE(reduced_tree_root({std::vector<Hash>(17, made.note)}).ok());
}

TEST_CASE("a path is given only for the group that was added") {
    const Made made(5);
    const ImprintTree tree = made.tree();
    CHECK(tree.path_of_entry(5, made.groups[0]).error().code() == Code::usage);
    CHECK(tree.path_of_entry(UINT64_MAX, made.groups[0]).error().code() == Code::usage);
    CHECK(tree.path_of_entry(1, made.groups[0]).error().code() == Code::usage);
}

TEST_CASE("the worked example of docs/format/anchors.md follows from its bytes") {
    const std::string page = "anchors.md";
    const auto digest = [](ByteView bytes) { return sha256(bytes); };
    std::vector<ImprintGroup> groups;
    for (const char* index : {"9", "10", "11", "12"}) {
        const Bytes entry = test::doc_example(page, std::string("entry-") + index);
        const auto decoded = decode_entry(entry);
        REQUIRE_MESSAGE(decoded.ok(), decoded.error().message());
        ImprintGroup group{digest(entry), std::nullopt};
        if (decoded->header.suite != Suite::none) {
            const Bytes ciphertext = test::doc_example(page, std::string("ciphertext-") + index);
            CHECK(decoded->header.ciphertext_length == ciphertext.size());
            CHECK(decoded->header.ciphertext_hash == digest(ciphertext));
            group.ciphertext = decoded->header.ciphertext_hash;
        }
        groups.push_back(group);
    }
    const Hash note = digest(as_bytes(test::doc_text(page, "note")));
    ImprintTree tree(note);
    for (const ImprintGroup& group : groups) tree.add(group);
    tree.finish();
    CHECK(tree.root().hex() == hex(test::doc_example(page, "imprint")));
    CHECK(imprint_root(note, groups) == tree.root());

    const auto listed = [&](const char* name) {  // "hash   # group n"
        std::istringstream lines(test::doc_text(page, name));
        ReducedTree reduced;
        for (std::string line; std::getline(lines, line);) {
            const std::size_t group = std::stoul(line.substr(line.find("group ") + 6));
            reduced.resize(group + 1);
            reduced[group].push_back(Hash::parse(line.substr(0, 64)).value());
        }
        return reduced;
    };
    CHECK(listed("reduced-note") == tree.path_of_note());
    CHECK(listed("reduced-10") == tree.path_of_entry(1, groups[1]).value());
    CHECK(listed("reduced-12") == tree.path_of_entry(3, groups[3]).value());
    CHECK(verify_reduced_tree(listed("reduced-12"), members(groups[3]), tree.root()).ok());
}
