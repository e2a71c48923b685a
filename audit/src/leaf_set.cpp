#include "audit/leaf_set.h"

#include <algorithm>
#include <bit>

#include "audit/entry.h"

namespace kustos::audit {

LeafSet::LeafSet(LeafSet&& other) noexcept : blocks_(std::move(other.blocks_)) {
    other.last_ = nullptr;
    other.last_key_ = ~std::uint64_t{0};
}

LeafSet& LeafSet::operator=(LeafSet&& other) noexcept {
    blocks_ = std::move(other.blocks_);
    other.blocks_.clear();
    last_ = other.last_ = nullptr;
    last_key_ = other.last_key_ = ~std::uint64_t{0};
    return *this;
}

LeafSet::Words* LeafSet::words_of(std::uint64_t key) {
    const auto [at, fresh] = blocks_.try_emplace(key);
    if (fresh) at->second = std::make_unique<Words>();
    return at->second.get();
}

void LeafSet::for_each_word(const LeafSpan& span,
                            const std::function<void(std::uint64_t, std::size_t, std::uint64_t)>& callback) {
    CHECK(span.first <= span.last && span.last.value < kLeavesPerKeyTree);
    for (std::uint64_t at = span.first.value; at <= span.last.value;) {
        const std::uint64_t end = std::min<std::uint64_t>((at | 63) + 1, std::uint64_t{span.last.value} + 1);
        const std::uint64_t width = end - at;
        const std::uint64_t bits = (width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1) << (at & 63);
        callback(key(span.tree, static_cast<std::uint32_t>(at)), (at & (kBlock - 1)) / 64, bits);
        at = end;
    }
}

void LeafSet::add_below(const LeafSpan& span) {
    if (span.first == span.last && last_ != nullptr && key(span.tree, span.first.value) == last_key_) {
        const std::uint32_t at = span.first.value & (kBlock - 1);
        (*last_)[at / 64] |= std::uint64_t{1} << (at % 64);
        return;
    }
    CHECK(span.first <= span.last && span.last.value < kLeavesPerKeyTree);
    std::uint32_t at = span.first.value;
    while (at <= span.last.value) {
        const std::uint32_t block_end = (at | (kBlock - 1));
        const std::uint32_t last = std::min(block_end, span.last.value);
        const std::uint64_t k = key(span.tree, at);
        if (at % kBlock == 0 && last == block_end) {
            blocks_[k] = nullptr;
            if (k == last_key_) last_ = nullptr;
        } else {
            if (Words* words = words_of(k)) {
                for_each_word({span.tree, LeafNumber{at}, LeafNumber{last}},
                              [words](std::uint64_t, std::size_t i, std::uint64_t bits) { (*words)[i] |= bits; });
                last_key_ = k;
                last_ = words;
            }
        }
        at = last + 1;
    }
}

void LeafSet::add(const LeafSet& other) {
    for (const auto& [k, block] : other.blocks_) {
        if (!block) {
            blocks_[k] = nullptr;
            if (k == last_key_) last_ = nullptr;
            continue;
        }
        Words* words = words_of(k);
        for (std::size_t i = 0; words != nullptr && i < words->size(); ++i) (*words)[i] |= (*block)[i];
    }
}

const LeafSet::Block* LeafSet::find(std::uint64_t key) const {
    const auto found = blocks_.find(key);
    return found == blocks_.end() ? nullptr : &found->second;
}

bool LeafSet::contains(KeyTreeId tree, LeafNumber leaf) const {
    const Block* block = find(key(tree, leaf.value));
    if (block == nullptr) return false;
    const std::uint32_t at = leaf.value & (kBlock - 1);
    return (word(*block, at / 64) >> (at % 64) & 1) != 0;
}

std::uint64_t LeafSet::count() const {
    std::uint64_t n = 0;
    for (const auto& [k, block] : blocks_) {
        for (std::size_t i = 0; i < kBlock / 64; ++i) n += static_cast<std::uint64_t>(std::popcount(word(block, i)));
    }
    return n;
}

std::uint64_t LeafSet::count_in(const LeafSpan& span) const {
    std::uint64_t n = 0;
    for_each_word(span, [&](std::uint64_t k, std::size_t i, std::uint64_t bits) {
        if (const Block* block = find(k)) n += static_cast<std::uint64_t>(std::popcount(word(*block, i) & bits));
    });
    return n;
}

std::uint64_t LeafSet::count_common_in(const LeafSpan& span, const LeafSet& both) const {
    std::uint64_t n = 0;
    for_each_word(span, [&](std::uint64_t k, std::size_t i, std::uint64_t bits) {
        const Block *one = find(k), *other = both.find(k);
        if (one != nullptr && other != nullptr)
            n += static_cast<std::uint64_t>(std::popcount(word(*one, i) & word(*other, i) & bits));
    });
    return n;
}

LeafSet LeafSet::without(const LeafSet& others) const {
    LeafSet out;
    for (const auto& [k, block] : blocks_) {
        const Block* other = others.find(k);
        auto left = std::make_unique<Words>();
        bool any = false;
        for (std::size_t i = 0; i < left->size(); ++i) {
            (*left)[i] = word(block, i) & ~(other != nullptr ? word(*other, i) : 0);
            any = any || (*left)[i] != 0;
        }
        if (any) out.blocks_[k] = std::move(left);
    }
    return out;
}

LeafSet LeafSet::common(const LeafSet& other) const {
    LeafSet out;
    for (const auto& [k, block] : blocks_) {
        const Block* second = other.find(k);
        if (second == nullptr) continue;
        auto left = std::make_unique<Words>();
        bool any = false;
        for (std::size_t i = 0; i < left->size(); ++i) {
            (*left)[i] = word(block, i) & word(*second, i);
            any = any || (*left)[i] != 0;
        }
        if (any) out.blocks_[k] = std::move(left);
    }
    return out;
}

std::vector<LeafSpan> LeafSet::spans() const {
    std::vector<std::uint64_t> keys;
    for (const auto& [k, block] : blocks_) keys.push_back(k);
    std::sort(keys.begin(), keys.end());
    std::vector<LeafSpan> out;
    for (const std::uint64_t k : keys) {
        const Block& block = *find(k);
        const KeyTreeId tree{static_cast<std::uint32_t>(k >> 8)};
        for (std::uint32_t at = 0; at < kBlock; ++at) {
            if ((word(block, at / 64) >> (at % 64) & 1) == 0) continue;
            const LeafNumber leaf{(static_cast<std::uint32_t>(k & 0xFF) << kBlockBits) + at};
            if (!out.empty() && out.back().tree == tree && out.back().last.value + 1 == leaf.value) {
                out.back().last = leaf;
            } else {
                out.push_back({tree, leaf, leaf});
            }
        }
    }
    return out;
}

}  // namespace kustos::audit
