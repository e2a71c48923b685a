#include "vault/src/workers.h"

#include <doctest/doctest.h>

#include <array>

using namespace kustos::vault;

TEST_CASE("each item is worked on once, however short the lists are and however late a helper wakes") {
    Workers workers(3);
    std::array<std::atomic<unsigned>, 64> done{};
    constexpr unsigned kRounds = 50'000;
    for (unsigned round = 0; round < kRounds; ++round) {
        workers.for_each(done.size(), [&done](std::size_t i) {
            for (volatile int spin = i < 32 ? 0 : 300; spin < 300;) spin = spin + 1;
            ++done[i];
        });
    }
    for (const auto& times : done) CHECK(times == kRounds);
}
