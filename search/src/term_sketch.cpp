#include "search/src/term_sketch.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"

namespace kustos::search {
namespace {

constexpr std::size_t kInBucket = 8;  // of 8 bytes: a cache line

}  // namespace

std::uint64_t TermSketch::beginning_of(const std::string& term) {
    return term.size() < 8 ? 0 : load_u64(as_bytes(term).data());
}

TermSketch::TermSketch(std::vector<std::uint64_t> beginnings) : beginnings_(std::move(beginnings)) {
    std::sort(beginnings_.begin(), beginnings_.end());
    unsigned bits = 1;
    while (bits < 32 && (beginnings_.size() >> bits) > kInBucket) ++bits;
    shift_ = 64 - bits;
    buckets_.reserve((std::size_t{1} << bits) + 1);
    std::size_t at = 0;
    for (std::uint64_t bucket = 0; bucket < (std::uint64_t{1} << bits); ++bucket) {
        while (at < beginnings_.size() && (beginnings_[at] >> shift_) < bucket) ++at;
        buckets_.push_back(static_cast<std::uint32_t>(at));
    }
    buckets_.push_back(static_cast<std::uint32_t>(beginnings_.size()));
}

bool TermSketch::may_have(const std::string& term) const {
    if (beginnings_.empty()) return true;
    const std::uint64_t beginning = beginning_of(term);
    const std::size_t bucket = static_cast<std::size_t>(beginning >> shift_);
    const auto from = beginnings_.begin() + buckets_[bucket], end = beginnings_.begin() + buckets_[bucket + 1];
    return std::find(from, end, beginning) != end;
}

}  // namespace kustos::search
