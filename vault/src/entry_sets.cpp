#include "vault/entry_sets.h"

#include <algorithm>

namespace kustos::vault {

EntrySet intersection(const EntrySet& a, const EntrySet& b) {
    EntrySet out;
    auto i = a.intervals().begin(), j = b.intervals().begin();
    while (i != a.intervals().end() && j != b.intervals().end()) {
        out.add(std::max(i->first, j->first), std::min(i->last, j->last));  // nothing, if the first lies behind
        if (i->last < j->last) {
            ++i;
        } else {
            ++j;
        }
    }
    return out;
}

EntrySet united(const EntrySet& a, const EntrySet& b) {
    EntrySet out;
    auto i = a.intervals().begin(), j = b.intervals().begin();
    while (i != a.intervals().end() || j != b.intervals().end()) {
        const bool first = j == b.intervals().end() || (i != a.intervals().end() && i->first < j->first);
        const EntrySet::Interval& next = first ? *i++ : *j++;
        out.add(next.first, next.last);
    }
    return out;
}

bool overlap(const EntrySet& a, const EntrySet& b) {
    const bool swap = b.intervals().size() > a.intervals().size();
    const std::vector<EntrySet::Interval>& many = (swap ? b : a).intervals();
    for (const EntrySet::Interval& one : (swap ? a : b).intervals()) {
        const auto found =
            std::lower_bound(many.begin(), many.end(), one.first,
                             [](const EntrySet::Interval& run, EntryIndex value) { return run.last < value; });
        if (found != many.end() && found->first <= one.last) return true;
    }
    return false;
}

EntrySet difference(const EntrySet& a, const EntrySet& b) {
    EntrySet out;
    auto j = b.intervals().begin();
    for (const EntrySet::Interval& i : a.intervals()) {
        EntryIndex from = i.first;
        bool rest = true;
        while (j != b.intervals().end() && j->last < from) ++j;
        for (auto k = j; k != b.intervals().end() && k->first <= i.last; ++k) {
            if (from < k->first) out.add(from, EntryIndex(k->first.value - 1));
            if (k->last >= i.last) {
                rest = false;
                break;
            }
            from = EntryIndex(k->last.value + 1);
        }
        if (rest) out.add(from, i.last);
    }
    return out;
}

}  // namespace kustos::vault
