// Adds up facets over the shards of one answer.
#pragma once

#include <unordered_map>
#include <vector>

#include "search/facets.h"
#include "search/src/shard_reader.h"

namespace kustos::search {

class FacetCounter {
public:
    explicit FacetCounter(const FacetAsk& ask) : ask_(ask) {}
    // hits: documents of this shard, each once, any order. Throws Xapian's errors: within guarded().
    Status add(ShardReader& shard, const std::vector<Xapian::docid>& hits);
    Facets result() const;

private:
    using Counts = std::unordered_map<std::string, std::uint64_t>;
    Status count(ShardReader& shard, FacetBy by, const std::vector<bool>& wanted);
    Status count_pairs(ShardReader& shard, const std::vector<bool>& wanted, std::size_t hits);

    const FacetAsk& ask_;
    std::map<FacetBy, Counts> counts_;
    std::map<FacetBy, std::uint64_t> with_;                               // hits that have a value
    std::map<std::pair<std::string, std::string>, std::uint64_t> pairs_;  // sender, recipient
    std::uint64_t hits_ = 0;
};

}  // namespace kustos::search
