// RFC 9162 section 2.1 word for word, over a list of leaf hashes: the oracle for everything that is faster.
#pragma once

#include <span>
#include <vector>

#include "audit/merkle.h"

namespace kustos::test {

using Leaves = std::span<const Hash>;

inline std::size_t naive_split(std::size_t n) {
    std::size_t k = 1;
    while (k * 2 < n) k *= 2;
    return k;
}

inline Hash naive_root(Leaves d) {
    if (d.empty()) return sha256(ByteView{});
    if (d.size() == 1) return d[0];
    const std::size_t k = naive_split(d.size());
    Bytes both{0x01};
    put(both, naive_root(d.first(k)).view());
    put(both, naive_root(d.subspan(k)).view());
    return sha256(both);
}

// PATH(m, D_n)
inline std::vector<Hash> naive_path(std::size_t m, Leaves d) {
    if (d.size() == 1) return {};
    const std::size_t k = naive_split(d.size());
    std::vector<Hash> path = m < k ? naive_path(m, d.first(k)) : naive_path(m - k, d.subspan(k));
    path.push_back(m < k ? naive_root(d.subspan(k)) : naive_root(d.first(k)));
    return path;
}

// SUBPROOF(m, D_n, b)
inline std::vector<Hash> naive_subproof(std::size_t m, Leaves d, bool whole) {
    if (m == d.size()) return whole ? std::vector<Hash>{} : std::vector<Hash>{naive_root(d)};
    const std::size_t k = naive_split(d.size());
    std::vector<Hash> proof;
    if (m <= k) {
        proof = naive_subproof(m, d.first(k), whole);
        proof.push_back(naive_root(d.subspan(k)));
    } else {
        proof = naive_subproof(m - k, d.subspan(k), false);
        proof.push_back(naive_root(d.first(k)));
    }
    return proof;
}

inline audit::NodeSource naive_nodes(std::vector<Hash> leaves) {
    return [leaves = std::move(leaves)](unsigned level, std::uint64_t index) -> Result<Hash> {
        const std::size_t width = std::size_t{1} << level;
        if ((index + 1) * width > leaves.size()) return Error(Code::usage, "beyond the leaves");
        return naive_root(Leaves(leaves).subspan(index * width, width));
    };
}

inline std::vector<Hash> numbered_leaves(std::size_t count) {
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(audit::leaf_hash(as_bytes("leaf " + std::to_string(i))));
    return leaves;
}

}  // namespace kustos::test
