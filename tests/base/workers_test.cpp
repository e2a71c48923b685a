#include "base/workers.h"

#include <doctest/doctest.h>

#include <numeric>

namespace kustos {
namespace {

// The caller finishes its last item while a helper has only just taken another: short lists, often, meet that.
TEST_CASE("each item of many short lists is worked at once, however they end") {
    Workers workers(3);
    for (std::size_t round = 0; round < 60'000; ++round) {
        const std::size_t count = 8 + round % 5;
        std::vector<std::uint8_t> done(count, 0);
        workers.for_each(count, [&](std::size_t i) { ++done[i]; });
        REQUIRE(std::accumulate(done.begin(), done.end(), std::size_t{0}) == count);
    }
}

}  // namespace
}  // namespace kustos
