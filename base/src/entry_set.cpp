#include "base/entry_set.h"

#include <algorithm>

namespace kustos {

EntrySet::EntrySet(const std::vector<EntryIndex>& entries) {
    for (const EntryIndex entry : entries) add(entry);
}

void EntrySet::add(EntryIndex first, EntryIndex last) {
    if (first > last) return;
    // The intervals that overlap or touch become one.
    const auto begin = std::lower_bound(
        intervals_.begin(), intervals_.end(), first,
        [](const Interval& i, EntryIndex value) { return i.last.value != ~0ULL && i.last.value + 1 < value.value; });
    auto end = begin;
    Interval merged{first, last};
    for (; end != intervals_.end() && (last.value == ~0ULL || end->first.value <= last.value + 1); ++end) {
        merged.first = std::min(merged.first, end->first);
        merged.last = std::max(merged.last, end->last);
        count_ -= end->last.value - end->first.value + 1;
    }
    count_ += merged.last.value - merged.first.value + 1;
    if (begin == end) {
        intervals_.insert(begin, merged);
        return;
    }
    *begin = merged;
    intervals_.erase(begin + 1, end);
}

void EntrySet::add(const EntrySet& other) {
    for (const Interval& i : other.intervals_) add(i.first, i.last);
}

bool EntrySet::contains(EntryIndex entry) const {
    const auto after = std::upper_bound(intervals_.begin(), intervals_.end(), entry,
                                        [](EntryIndex value, const Interval& i) { return value < i.first; });
    return after != intervals_.begin() && (after - 1)->last >= entry;
}

std::uint64_t EntrySet::count_below(EntryIndex end) const {
    std::uint64_t n = 0;
    for (const Interval& i : intervals_) {
        if (i.first >= end) break;
        n += std::min(i.last.value + 1, end.value) - i.first.value;
    }
    return n;
}

}  // namespace kustos
