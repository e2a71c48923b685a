// A set of entry numbers as sorted intervals: erased records come in long runs, and a set of ten million of them must
// stay small. Threads: a value.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace kustos {

class EntrySet {
public:
    struct Interval {
        EntryIndex first, last;  // both in it
        bool operator==(const Interval&) const = default;
    };
    EntrySet() = default;
    explicit EntrySet(const std::vector<EntryIndex>& entries);

    void add(EntryIndex first, EntryIndex last);
    void add(EntryIndex entry) { add(entry, entry); }
    void add(const EntrySet& other);
    bool contains(EntryIndex entry) const;
    bool empty() const { return intervals_.empty(); }
    std::uint64_t count() const { return count_; }
    std::uint64_t count_below(EntryIndex end) const;
    const std::vector<Interval>& intervals() const { return intervals_; }  // ascending, apart by at least one entry
    bool operator==(const EntrySet&) const = default;

private:
    std::vector<Interval> intervals_;
    std::uint64_t count_ = 0;
};

}  // namespace kustos
