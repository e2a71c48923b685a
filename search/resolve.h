// What a query asks for and the index does not know (when something was sealed, its retention class, what a matter has
// tagged, what belongs to a thread) becomes sets of entries before the query runs. Who knows it is the caller.
//
// Pure. Threads: free functions.
#pragma once

#include <functional>
#include <vector>

#include "search/query.h"

namespace kustos::search {

// Of one node of kind sealed, retention_class, tag, code, or thread by an entry number: the records that it means. An
// error ends the query.
using SetResolver = std::function<Result<EntrySet>(const Node& condition)>;
// Of a content_list's name: SHA-256 sums, 64 lower-case hex digits each, ascending.
using ListResolver = std::function<Result<std::vector<std::string>>(const std::string& name)>;

bool needs_sets(const Node& node);
// Every such node becomes one of kind `entries`, and every content_list gets its sums. The query's text stays.
Result<Query> with_sets(const Query& query, const SetResolver& sets, const ListResolver& lists);

}  // namespace kustos::search
