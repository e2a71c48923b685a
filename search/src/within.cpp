#include "search/within.h"

namespace kustos::search {

Query these_entries(EntrySet records) {
    Query query;
    query.root.kind = Node::Kind::entries;
    query.root.set = std::make_shared<const EntrySet>(std::move(records));
    return query;
}

}  // namespace kustos::search
