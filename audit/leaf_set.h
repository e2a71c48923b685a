// A set of leaves of key trees: what erasures cover, and what of it is gone. One bit for a leaf, in blocks of 4,096; a
// block that is whole takes no bits. So ten million scattered leaves of a hundred million take some 13 MB, and a whole
// tree a few kilobytes.
//
// Threads: a value; readers from any thread while nobody writes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ids.h"

namespace kustos::audit {

struct LeafSpan {
    KeyTreeId tree;
    LeafNumber first, last;  // both in it
    bool operator==(const LeafSpan&) const = default;
};

class LeafSet {
public:
    LeafSet() = default;
    LeafSet(LeafSet&& other) noexcept;
    LeafSet& operator=(LeafSet&& other) noexcept;

    void add(KeyTreeId tree, LeafNumber leaf) { add_below({tree, leaf, leaf}); }
    void add(const LeafSpan& span) { add_below(span); }  // CHECKs first <= last < 2^20
    void add(const LeafSet& other);
    bool contains(KeyTreeId tree, LeafNumber leaf) const;
    bool empty() const { return blocks_.empty(); }
    std::uint64_t count() const;
    std::uint64_t count_in(const LeafSpan& span) const;                              // of the span
    std::uint64_t count_common_in(const LeafSpan& span, const LeafSet& both) const;  // in this and in `both`
    LeafSet without(const LeafSet& others) const;
    LeafSet common(const LeafSet& other) const;
    std::vector<LeafSpan> spans() const;  // ascending, apart by at least one leaf within a tree

private:
    static constexpr std::uint32_t kBlockBits = 12, kBlock = 1u << kBlockBits;
    using Words = std::array<std::uint64_t, kBlock / 64>;
    using Block = std::unique_ptr<Words>;  // null: all of them
    static std::uint64_t key(KeyTreeId tree, std::uint32_t leaf) {
        return (std::uint64_t{tree.value} << 8) | (leaf >> kBlockBits);
    }
    static std::uint64_t word(const Block& block, std::size_t i) { return block ? (*block)[i] : ~std::uint64_t{0}; }
    void add_below(const LeafSpan& span);
    Words* words_of(std::uint64_t key);  // null: it is whole
    const Block* find(std::uint64_t key) const;
    // Words of the span's blocks: key, number of the word, the span's bits of it.
    static void for_each_word(const LeafSpan& span,
                              const std::function<void(std::uint64_t, std::size_t, std::uint64_t)>& callback);

    std::unordered_map<std::uint64_t, Block> blocks_;  // by tree and number of the block
    // The block that was added to last: leaves come in order.
    std::uint64_t last_key_ = ~std::uint64_t{0};
    Words* last_ = nullptr;
};

}  // namespace kustos::audit
