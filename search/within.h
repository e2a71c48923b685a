// Records that somebody named, as a query: put beside another by both() it finds among these alone.
//
// Pure. Threads: a free function.
#pragma once

#include "base/entry_set.h"
#include "search/query.h"

namespace kustos::search {

Query these_entries(EntrySet records);

}  // namespace kustos::search
