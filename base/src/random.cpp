#include "base/random.h"

#include <sodium.h>

#include <algorithm>

namespace kustos {

void SystemRandom::fill(std::span<std::uint8_t> out) {
    static const bool ready = sodium_init() >= 0;
    CHECK(ready);
    randombytes_buf(out.data(), out.size());
}

std::uint64_t SeededRandom::next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
    for (std::size_t i = 0; i < out.size(); i += 8) {
        std::uint8_t word[8];
        store_u64(word, next());
        std::copy_n(word, std::min<std::size_t>(8, out.size() - i), out.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

}  // namespace kustos
