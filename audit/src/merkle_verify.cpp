// Checking proofs, step by step as RFC 9162 2.1.3.2 and 2.1.4.2 say.
#include <bit>

#include "audit/merkle.h"

namespace kustos::audit {

namespace {
Error refuse(const char* why) {
    return Error(Code::bad_input, why);
}
}  // namespace

Status verify_inclusion(EntryIndex index, TreeSize size, const Hash& leaf, std::span<const Hash> proof,
                        const Hash& root) {
    if (index.value >= size.value) return refuse("inclusion proof: index beyond the tree");
    std::uint64_t fn = index.value, sn = size.value - 1;
    Hash r = leaf;
    for (const Hash& p : proof) {
        if (sn == 0) return refuse("inclusion proof: too long");
        if ((fn & 1) != 0 || fn == sn) {
            r = node_hash(p, r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = node_hash(r, p);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) return refuse("inclusion proof: too short");
    if (r != root) return refuse("inclusion proof: leads to another root");
    return {};
}

Status verify_consistency(TreeSize old_size, TreeSize new_size, const Hash& old_root, const Hash& new_root,
                          std::span<const Hash> proof) {
    if (old_size.value == 0) return refuse("consistency proof: an empty tree proves nothing");
    if (old_size > new_size) return refuse("consistency proof: the old tree is larger");
    if (old_size == new_size) {
        if (!proof.empty()) return refuse("consistency proof: too long");
        if (old_root != new_root) return refuse("consistency proof: two roots for one size");
        return {};
    }
    // Where the old tree is perfect, its root is the first element and is left out of the proof.
    const bool perfect = std::has_single_bit(old_size.value);
    if (!perfect && proof.empty()) return refuse("consistency proof: too short");
    const Hash first = perfect ? old_root : proof.front();
    if (!perfect) proof = proof.subspan(1);
    std::uint64_t fn = old_size.value - 1, sn = new_size.value - 1;
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    Hash fr = first, sr = first;
    for (const Hash& c : proof) {
        if (sn == 0) return refuse("consistency proof: too long");
        if ((fn & 1) != 0 || fn == sn) {
            fr = node_hash(c, fr);
            sr = node_hash(c, sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = node_hash(sr, c);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0) return refuse("consistency proof: too short");
    if (fr != old_root) return refuse("consistency proof: leads to another old root");
    if (sr != new_root) return refuse("consistency proof: leads to another new root");
    return {};
}

}  // namespace kustos::audit
