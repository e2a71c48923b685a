// Chance comes in through the constructor. SystemRandom is the kernel's; SeededRandom is for tests and
// worked examples only (it is refused by nothing: never construct it outside tests/).
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"

namespace kustos {

class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
    template <class Fixed>
    Fixed make() {
        Fixed f;
        fill(f.bytes);
        return f;
    }
};

class SystemRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override;
};

class SeededRandom final : public Random {  // SplitMix64; not for keys
public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::uint8_t> out) override;
    std::uint64_t next();

private:
    std::uint64_t state_;
};

}  // namespace kustos
