// The nodes of a cover, side by side: places (depth and index in one number) and, in one locked buffer, their keys. 36
// bytes a node and at most an eighth more in reserve; a cover of an erased-in tree has hundreds of thousands.
// Threads: the owner locks.
#pragma once

#include <algorithm>
#include <vector>

#include "base/secret.h"

namespace kustos::vault {

// Where a node stands: (1 << depth) + index, as in a heap; the root is 1.
struct NodePlace {
    static constexpr unsigned kHeight = 20;
    std::uint32_t number = 1;
    static NodePlace at(unsigned depth, std::uint32_t index) { return {(1u << depth) + index}; }
    unsigned depth() const { return 31u - static_cast<unsigned>(__builtin_clz(number)); }
    std::uint32_t index() const { return number - (1u << depth()); }
    std::uint32_t first() const { return index() << (kHeight - depth()); }  // leaf
    std::uint32_t end() const { return (index() + 1) << (kHeight - depth()); }
    NodePlace child(bool right) const { return {number * 2 + (right ? 1u : 0u)}; }
    bool covers(std::uint32_t leaf) const { return first() <= leaf && leaf < end(); }
    // Which way down from here.
    bool goes_right(std::uint32_t leaf) const { return ((leaf >> (kHeight - 1 - depth())) & 1) != 0; }
    bool operator==(const NodePlace&) const = default;
};

class KeyNodes {
public:
    static constexpr std::size_t kKey = 32;
    std::size_t size() const { return places_.size(); }
    bool empty() const { return places_.empty(); }
    NodePlace place(std::size_t i) const { return places_[i]; }
    ByteView key(std::size_t i) const { return keys_.view().subspan(i * kKey, kKey); }
    const std::vector<NodePlace>& places() const { return places_; }
    std::size_t memory() const { return places_.capacity() * sizeof(NodePlace) + keys_.size(); }

    void push_back(NodePlace place, ByteView key) {
        make_room(size() + 1);
        places_.push_back(place);
        std::copy(key.begin(), key.end(), keys_.writable().begin() + static_cast<std::ptrdiff_t>((size() - 1) * kKey));
    }
    void reserve(std::size_t nodes) { make_room(nodes); }
    void pop_back();  // wipes it
    void clear();     // likewise, all
    // In place of node i: these.
    void replace(std::size_t i, const KeyNodes& by);
    KeyNodes clone() const;
    void fit();  // gives back what is in reserve

private:
    void make_room(std::size_t nodes);
    void set_capacity(std::size_t nodes);
    std::vector<NodePlace> places_;
    SecretBytes keys_;  // room for more than size() of them; zero behind
};

}  // namespace kustos::vault
