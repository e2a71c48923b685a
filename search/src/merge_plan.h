// Which small shards are joined. Pure.
#pragma once

#include <vector>

#include "search/rewrite.h"

namespace kustos::search {

// Neighbours (by their smallest entry) of about one size, at least options.merge_at_least of them and at most
// options.most_records records together. A shard that grew is not taken again until as many others have grown like it,
// so that a record is copied a few times in its life and not daily.
std::vector<std::vector<ShardState>> plan_merges(std::vector<ShardState> shards, const RewriteOptions& options);

}  // namespace kustos::search
