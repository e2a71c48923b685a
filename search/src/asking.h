// One query on its way through the shards of an index: what its open words stand for in each, what its links join, and
// then shard by shard what matches, and what may match and could not be looked into.
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "search/searcher.h"
#include "search/src/shard_reader.h"
#include "search/src/stemmer.h"
#include "search/src/xapian_query.h"

namespace kustos::search {

using ShardReaders = std::map<std::uint64_t, std::unique_ptr<ShardReader>>;

class Asking {
public:
    // All outlive it. Code::limit: open words stand for more than kMaxExpansions words.
    static Result<Asking> prepare(const Query& query, const SearchOptions& options, const Stemmer& stemmer,
                                  const ShardReaders& readers);

    using Call = std::function<Status(Xapian::docid id, double weight)>;
    Status hits(ShardReader& shard, const Call& call) const;
    // hits: of this shard, ascending. Adds to `out`, but for deferred.
    Status unsearched(ShardReader& shard, const CensusNow& census, const std::vector<Xapian::docid>& hits,
                      Unsearched& out) const;

private:
    Asking(const Query& query, const SearchOptions& options, const Stemmer& stemmer)
        : query_(&query), options_(&options), stemmer_(&stemmer) {}
    Status expand(const ShardReaders& readers);
    Status link(const ShardReaders& readers);

    const Query* query_;
    const SearchOptions* options_;
    const Stemmer* stemmer_;
    std::map<std::uint64_t, Expansions> expansions_;
    Linked linked_;
};

}  // namespace kustos::search
