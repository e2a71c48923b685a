#include "base/entry_set.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

namespace kustos {

TEST_CASE("a set of entries agrees with a naive one, in whatever order they come") {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        EntrySet set;
        std::set<std::uint64_t> naive;
        for (int i = 0; i < 30; ++i) {
            const std::uint64_t first = random() % 60, last = first + random() % 5;
            set.add(EntryIndex(first), EntryIndex(last));
            for (std::uint64_t e = first; e <= last; ++e) naive.insert(e);
        }
        CHECK(set.count() == naive.size());
        for (std::uint64_t e = 0; e < 70; ++e) {
            CHECK(set.contains(EntryIndex(e)) == (naive.count(e) != 0));
            CHECK(set.count_below(EntryIndex(e)) ==
                  static_cast<std::uint64_t>(std::distance(naive.begin(), naive.lower_bound(e))));
        }
        for (std::size_t i = 1; i < set.intervals().size(); ++i)
            CHECK(set.intervals()[i].first.value > set.intervals()[i - 1].last.value + 1);
    }
}

TEST_CASE("the largest entry number can be in a set") {
    EntrySet set;
    set.add(EntryIndex(~0ULL));
    set.add(EntryIndex(~0ULL - 1));
    CHECK(set.intervals().size() == 1);
    CHECK(set.contains(EntryIndex(~0ULL)));
}

}  // namespace kustos
