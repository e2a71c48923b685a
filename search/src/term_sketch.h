// Which terms a small closed shard may have, without reading from it: the first 8 bytes of each, sorted, in buckets of
// about a cache line. Terms are as good as random, so the buckets are even.
// Threads: made by one, read by many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kustos::search {

class TermSketch {
public:
    TermSketch() = default;                                      // knows nothing: may_have() is always true
    explicit TermSketch(std::vector<std::uint64_t> beginnings);  // not empty
    static std::uint64_t beginning_of(const std::string& term);
    // false: the shard does not have it.
    bool may_have(const std::string& term) const;

private:
    std::vector<std::uint64_t> beginnings_;  // ascending
    std::vector<std::uint32_t> buckets_;     // where each begins, and an end
    unsigned shift_ = 0;                     // a beginning's bucket: all bits above these
};

}  // namespace kustos::search
