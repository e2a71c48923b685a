#include "search/src/merge_plan.h"

#include <algorithm>

#include "search/src/shard_writer.h"

namespace kustos::search {
namespace {

constexpr std::uint64_t kSmallest = 1'000;             // records; below, all are of one size
constexpr std::uint64_t kFactor = 4;                   // between the smallest and the largest of a group
constexpr std::uint64_t kMostWordsBytes = 512u << 20;  // a log holds at most 1 GiB
constexpr std::size_t kMostJoined = 1'000;

std::uint64_t size_of(const ShardState& shard) {
    return std::max(shard.counts.total(), kSmallest);
}

struct Group {
    std::vector<ShardState> shards;
    std::uint64_t records = 0, words_bytes = 0;
    std::uint64_t smallest = 0, largest = 0;  // sizes
    std::map<std::string, std::uint64_t> reasons;

    bool fits(const ShardState& next, const RewriteOptions& options) const {
        if (shards.empty()) return true;
        auto all = reasons;
        all.insert(next.reasons.begin(), next.reasons.end());
        return size_of(next) <= kFactor * smallest && kFactor * size_of(next) >= largest &&
               next.analysis == shards.front().analysis && records + next.counts.total() <= options.most_records &&
               words_bytes + next.words_bytes <= kMostWordsBytes && all.size() <= kMostReasons &&
               shards.size() < kMostJoined;
    }
    void take(ShardState next) {
        smallest = shards.empty() ? size_of(next) : std::min(smallest, size_of(next));
        largest = std::max(largest, size_of(next));
        records += next.counts.total();
        words_bytes += next.words_bytes;
        reasons.insert(next.reasons.begin(), next.reasons.end());
        shards.push_back(std::move(next));
    }
};

}  // namespace

std::vector<std::vector<ShardState>> plan_merges(std::vector<ShardState> shards, const RewriteOptions& options) {
    std::sort(shards.begin(), shards.end(), [](const ShardState& a, const ShardState& b) {
        return a.first != b.first ? a.first < b.first : a.id < b.id;
    });
    std::vector<std::vector<ShardState>> out;
    Group group;
    const auto end_group = [&] {
        if (group.shards.size() >= std::max(options.merge_at_least, 2u)) out.push_back(std::move(group.shards));
        group = {};
    };
    for (ShardState& shard : shards) {
        if (!group.fits(shard, options)) end_group();
        group.take(std::move(shard));
    }
    end_group();
    return out;
}

}  // namespace kustos::search
