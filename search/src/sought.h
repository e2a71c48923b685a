// What the leaves of a query are looked for as: the same in every shard, so it is worked out once for hundreds of them.
// Threads: values; made by one, read by many.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "search/analysis.h"
#include "search/query.h"
#include "search/searcher.h"
#include "search/src/stemmer.h"

namespace kustos::search {

// A word or a phrase. Stems are the form itself and all that it may be inflected from.
struct SoughtWord {
    QueryWord word;
    std::vector<std::string> stems;               // of a word of one part
    std::vector<std::vector<std::string>> whole;  // of each other reading of the whole
};

// Instants of a date condition: from <= time < until; open ends absent.
struct TimeSpan {
    std::optional<UtcTime> from, until;
};

// By the nodes of the tree it was made of.
struct Sought {
    std::map<const Node*, SoughtWord> words;
    std::map<const Node*, TimeSpan> spans;
};
// Errors: those of options.midnight.
Result<Sought> sought_of(const Node& tree, const SearchOptions& options, const Stemmer& stemmer);

}  // namespace kustos::search
