#include "vault/src/workers.h"

#include <doctest/doctest.h>

#include <array>

using namespace kustos::vault;

TEST_CASE("each item is worked on once, however short the lists are and however late a helper wakes") {
    Workers workers(2);
    std::array<std::atomic<unsigned>, 9> done{};
    constexpr unsigned kRounds = 30'000;
    for (unsigned round = 0; round < kRounds; ++round)
        workers.for_each(done.size(), [&done](std::size_t i) { ++done[i]; });
    for (const auto& times : done) CHECK(times == kRounds);
}
