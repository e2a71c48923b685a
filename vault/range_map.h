// What is said of ranges of entries, the later word over the earlier: few ranges, looked up for each of ten million
// records. Threads: a value.
#pragma once

#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include "base/ids.h"

namespace kustos::vault {

template <class T>
class RangeMap {
public:
    // Gives every entry of [first, last] the value that `next` makes of the one it has.
    void update(EntryIndex first, EntryIndex last, const std::function<T(const T*)>& next) {
        if (last < first) return;
        split(first);
        if (last.value != ~0ULL) split(EntryIndex(last.value + 1));
        EntryIndex at = first;
        auto row = rows_.lower_bound(first);
        while (row != rows_.end() && row->first <= last) {
            if (at < row->first) rows_.emplace(at, Row{EntryIndex(row->first.value - 1), next(nullptr)});
            row->second.value = next(&row->second.value);
            if (row->second.last >= last) return;
            at = EntryIndex(row->second.last.value + 1);
            ++row;
        }
        if (at <= last) rows_.emplace(at, Row{last, next(nullptr)});
    }
    void set(EntryIndex first, EntryIndex last, const T& value) {
        update(first, last, [&](const T*) { return value; });
    }
    const T* find(EntryIndex entry) const {
        auto row = rows_.upper_bound(entry);
        if (row == rows_.begin()) return nullptr;
        --row;
        return row->second.last >= entry ? &row->second.value : nullptr;
    }
    bool operator==(const RangeMap&) const = default;

private:
    struct Row {
        EntryIndex last;
        T value;
        bool operator==(const Row&) const = default;
    };
    // No row reaches over the boundary before `at`.
    void split(EntryIndex at) {
        auto row = rows_.lower_bound(at);
        if (row == rows_.begin()) return;
        --row;
        if (row->second.last < at) return;
        Row tail{row->second.last, row->second.value};
        row->second.last = EntryIndex(at.value - 1);
        rows_.emplace(at, std::move(tail));
    }
    std::map<EntryIndex, Row> rows_;  // by the first entry
};

}  // namespace kustos::vault
