// Every document of a shard that matches a query.
// Threads: one at a time for each shard.
#pragma once

#include <xapian.h>

#include <vector>

namespace kustos::search {

struct Matches {
    std::vector<Xapian::docid> ids;
    std::vector<double> weights;  // as many, where they were asked for
};

// Ascending; with weights: in no order that is promised. Throws Xapian's errors.
Matches all_matches(const Xapian::Database& shard, const Xapian::Query& query, bool with_weights);

}  // namespace kustos::search
