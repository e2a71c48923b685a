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
