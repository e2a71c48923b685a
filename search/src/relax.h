// A query as it stands for a record of which the index does not know everything: what it can't answer counts as
// "perhaps" (docs/architecture/search.md, "Coverage within the question"). Pure.
#pragma once

#include "search/index.h"
#include "search/query.h"

namespace kustos::search {

// Whether a leaf is answered by what the index knows of a record in this state.
bool certain_for(RecordState state, const Node& leaf);
// Every record in this state that may match the query matches this one.
Node relaxed(const Node& node, RecordState state);

}  // namespace kustos::search
