// One query on its way through the shards of an index: what its open words stand for in each, what its links join, and
// then shard by shard what matches, and what may match and could not be looked into.
// Threads: prepared by one; then asked from several, each with a shard of its own.
#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "search/searcher.h"
#include "search/src/crew.h"
#include "search/src/matches.h"
#include "search/src/sought.h"
#include "search/src/xapian_query.h"

namespace kustos::search {

class Asking {
public:
    // All outlive it, but for stemmer and crew. Code::limit: open words stand for more than kMaxExpansions words.
    static Result<Asking> prepare(const Query& query, const SearchOptions& options, const Stemmer& stemmer,
                                  const ShardReaders& readers, Crew& crew);

    Result<Matches> matches(ShardReader& shard) const;  // with weights where they are sorted by
    // hits: of this shard, ascending. Adds to `out`, but for deferred.
    Status unsearched(ShardReader& shard, const CensusNow& census, const std::vector<Xapian::docid>& hits,
                      Unsearched& out) const;

private:
    // The query as it stands for records of one state.
    struct Relaxed {
        RecordState state = RecordState::partial;
        Node root;
        Sought sought;
    };

    Asking(const Query& query, const SearchOptions& options) : query_(&query), options_(&options) {}
    Status relax(const Stemmer& stemmer, const ShardReaders& readers);
    Status expand(const ShardReaders& readers, Crew& crew);
    Status link(const ShardReaders& readers);
    bool stopped() const { return options_->stop && options_->stop(); }

    const Query* query_;
    const SearchOptions* options_;
    Sought sought_;
    std::list<Relaxed> relaxed_;  // nodes stay where they are
    std::map<std::uint64_t, Expansions> expansions_;
    Linked linked_;
};

}  // namespace kustos::search
