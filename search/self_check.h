// Compares the index with what the ledger says must be in it, and names the shards that can't be trusted. Silent gaps
// are what nobody notices: this is how they are noticed.
//
// Reads every closed shard wholly. The caller holds the index lock and lets no Indexer run meanwhile. Errors: closed
// (every shard's key is needed), interrupted. Threads: a free function.
#pragma once

#include <functional>
#include <vector>

#include "base/entry_set.h"
#include "search/index.h"

namespace kustos::search {

struct SelfCheck {
    std::uint64_t shards = 0;       // looked at
    std::uint64_t records = 0;      // that they account for
    std::vector<ShardId> damaged;   // can't be read, or not wholly
    std::vector<ShardId> doubtful;  // hold a record that another one holds, too, or that is none
    EntrySet accounted;             // by the shards that are neither
};
// expected: every record that the index may know, erased ones included. step: after each shard, done and all.
Result<SelfCheck> check_shards(Fs& fs, const Path& index_dir, ShardKeys& keys, const EntrySet& expected,
                               const std::function<bool()>& stop = {},
                               const std::function<void(std::uint64_t, std::uint64_t)>& step = {});

}  // namespace kustos::search
