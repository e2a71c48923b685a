// What a query can't be sure about: records whose text is in the index only in part, or not at all. For holds: what
// could not be searched counts as held.
//
// Errors: closed, corrupt, environment, as Searcher. Threads: a free function; safe beside an Indexer.
#pragma once

#include "base/entry_set.h"
#include "search/index.h"
#include "search/query.h"

namespace kustos::search {

struct Uncertain {
    EntrySet partial;    // its text, but an attachment not or not wholly
    EntrySet unread;     // opaque or failed: nothing of it
    EntrySet accounted;  // everything that a shard knows
};
Result<Uncertain> uncertain_entries(Fs& fs, const Path& index_dir, ShardKeys& keys);

// Whether the query asks only about what a partly indexed record is indexed with wholly: people, subject, conversation,
// dates, size, source, kind, and sets of records. A word anywhere, in the body, or in a file's name or text is not, nor
// are file types and the language.
bool certain_for_partial(const Node& node);

}  // namespace kustos::search
