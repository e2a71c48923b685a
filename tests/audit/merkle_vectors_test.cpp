// Vectors made by others: transparency-dev/merkle (98 inclusion, 98 consistency cases) and certificate-transparency.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "audit/merkle.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::audit;
using nlohmann::json;

namespace {

json read_json(const Path& path) {
    RealFs fs;
    return json::parse(to_text(read_file(fs, path, 1'000'000).value()));
}

// A hash of the wrong length can't be expressed in our types: nullopt, which is a refusal.
std::optional<Hash> hash_of(const json& text) {
    if (text.is_null()) return std::nullopt;
    const auto hash = Hash::from(parse_base64(text.get<std::string>()).value());
    if (!hash.ok()) return std::nullopt;
    return *hash;
}

// Some consistency cases have roots like "don't care 1": any hash that differs where they differ does.
Hash root_of_case(const json& text) {
    const Bytes bytes = parse_base64(text.get<std::string>()).value();
    const auto hash = Hash::from(bytes);
    return hash.ok() ? *hash : sha256(bytes);
}

std::optional<std::vector<Hash>> hashes_of(const json& list) {
    std::vector<Hash> out;
    for (const json& item : list.is_null() ? json::array() : list) {
        const auto hash = hash_of(item);
        if (!hash) return std::nullopt;
        out.push_back(*hash);
    }
    return out;
}

std::vector<Path> cases(const Path& dir) {
    std::vector<Path> out;
    for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
        if (file.path().extension() == ".json") out.push_back(file.path());
    }
    return out;
}

std::vector<Hash> hex_hashes(const json& list) {
    std::vector<Hash> out;
    for (const json& item : list) out.push_back(Hash::parse(item.get<std::string>()).value());
    return out;
}

}  // namespace

TEST_CASE("every public inclusion vector gets its verdict") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const auto files = cases(*shared / "data/merkle/transparency-dev-merkle/testdata/inclusion");
    CHECK(files.size() == 98);
    for (const Path& file : files) {
        CAPTURE(file.string());
        const json c = read_json(file);
        const auto leaf = hash_of(c["leafHash"]), root = hash_of(c["root"]);
        const auto proof = hashes_of(c["proof"]);
        const bool accepted = leaf && root && proof &&
                              verify_inclusion(EntryIndex{c["leafIdx"].get<std::uint64_t>()},
                                               TreeSize{c["treeSize"].get<std::uint64_t>()}, *leaf, *proof, *root)
                                  .ok();
        CHECK(accepted == !c["wantErr"].get<bool>());
    }
}

TEST_CASE("every public consistency vector gets its verdict") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const auto files = cases(*shared / "data/merkle/transparency-dev-merkle/testdata/consistency");
    CHECK(files.size() == 98);
    for (const Path& file : files) {
        CAPTURE(file.string());
        const json c = read_json(file);
        const Hash old_root = root_of_case(c["root1"]), new_root = root_of_case(c["root2"]);
        const auto proof = hashes_of(c["proof"]);
        const bool accepted =
            proof && verify_consistency(TreeSize{c["size1"].get<std::uint64_t>()},
                                        TreeSize{c["size2"].get<std::uint64_t>()}, old_root, new_root, *proof)
                         .ok();
        CHECK(accepted == !c["wantErr"].get<bool>());
    }
}

TEST_CASE("the reference tree of certificate-transparency is reproduced") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const json kat = read_json(*shared / "data/merkle/rfc6962-kat.json");
    std::vector<Hash> leaves;
    for (const json& input : kat["leaf_inputs_hex"]) {
        leaves.push_back(leaf_hash(parse_hex(input.get<std::string>()).value()));
    }
    const std::vector<Hash> roots = hex_hashes(kat["roots_hex_size_1_to_8"]);
    CHECK(empty_root().hex() == kat["empty_root"].get<std::string>());
    CompactRange range;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        range.append(leaves[i]);
        CHECK(range.root() == roots[i]);
    }
    for (const json& pair : kat["hash_leaf"]) {
        CHECK(leaf_hash(parse_hex(pair[0].get<std::string>()).value()).hex() == pair[1].get<std::string>());
    }
    const NodeSource nodes = [&](unsigned level, std::uint64_t index) -> Result<Hash> {
        const std::size_t width = std::size_t{1} << level;
        return root_of(std::span<const Hash>(leaves).subspan(index * width, width));
    };
    for (const json& c : kat["inclusion"]) {
        CAPTURE(c.dump());
        const std::uint64_t i = c["index"].get<std::uint64_t>(), n = c["size"].get<std::uint64_t>();
        CHECK(inclusion_proof(EntryIndex{i}, TreeSize{n}, nodes).value() == hex_hashes(c["path"]));
    }
    for (const json& c : kat["consistency"]) {
        CAPTURE(c.dump());
        const std::uint64_t m = c["m"].get<std::uint64_t>(), n = c["n"].get<std::uint64_t>();
        CHECK(consistency_proof(TreeSize{m}, TreeSize{n}, nodes).value() == hex_hashes(c["proof"]));
    }
}
