// Names and leftovers in index/.
//   <id 16 hex>.open/   Xapian directory of the open shard
//   <id>.glass          a closed shard, one file        <id>.glass.new  on its way
//   <id>.words  <id>.state
//   <id>.making/         a rewritten shard, or a lane's, on its way
//   lock                held by the indexer
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "search/index.h"

namespace kustos::search {

struct ShardFiles {
    Path open_dir, glass, glass_new, words, state, making;
};
ShardFiles shard_files(const Path& index_dir, ShardId id);

struct FoundShard {
    ShardId id;
    bool closed = false;  // .glass is there
    bool open_dir = false;
    bool operator==(const FoundShard&) const = default;
};
// By id. An absent folder is empty. Foreign names are left out.
Result<std::vector<FoundShard>> find_shards(Fs& fs, const Path& index_dir);

Result<ShardState> read_state_file(Fs& fs, const Path& path, ByteView term_key);

// What rewritten shards left behind (search/rewrite.h): the shards that whole ones replace. Needs no key.
Status remove_replaced(Fs& fs, const Path& index_dir);

// Shards of another version of the analysis, which answer nothing.
Result<std::vector<ShardId>> outdated_shards(Fs& fs, const Path& index_dir);

Status remove_tree(Fs& fs, const Path& dir);  // absent is fine

}  // namespace kustos::search
