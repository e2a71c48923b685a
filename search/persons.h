// A query that names a person (person:"Anna Müller") becomes one that names what this person wrote from and was written
// to. That is done when somebody asks: neither the index nor what was sealed knows of it.
//
// Pure; who somebody is, the caller knows (access/directory.h). Threads: free functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "search/query.h"

namespace kustos::search {

struct PersonHandle {
    std::string text;  // an address, an id, a number: looked for as a phrase
    DateRange days;    // where somebody else had it before or after
};
// who: as typed. An error ends the query.
using PersonResolver = std::function<Result<std::vector<PersonHandle>>(const std::string& who)>;

bool names_persons(const Node& node);
// Without a person it is the same query. Its text is the canonical form of what is run. Code::usage: a person without
// handles; more than kMaxQueryLeaves or kMaxQueryBytes in all.
Result<Query> with_persons(const Query& query, const PersonResolver& resolve);

}  // namespace kustos::search
