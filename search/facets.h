// How the hits of a query divide: by source, kind, sender and so on, each count exact; and who wrote to whom. Counted
// from keyed terms, without opening a record.
//
// Only for hits of a matter, whose scope is part of the query. Errors and threads: as Searcher::run, which fills it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kustos::search {

enum class FacetBy : std::uint8_t { source, kind, sender, recipient, filetype, language };
inline constexpr FacetBy kAllFacets[] = {FacetBy::source,    FacetBy::kind,     FacetBy::sender,
                                         FacetBy::recipient, FacetBy::filetype, FacetBy::language};
std::string_view facet_name(FacetBy by);  // "source", ...

struct FacetValue {
    std::string value;  // folded: an address in small letters
    std::uint64_t count = 0;
    bool operator==(const FacetValue&) const = default;
};
struct Facet {
    std::vector<FacetValue> values;  // most frequent first, then by value; at most FacetAsk::most
    std::uint64_t distinct = 0;      // values there are
    std::uint64_t without = 0;       // hits that have none: no sender, not sure about the language
};
struct Pair {
    std::string sender, recipient;
    std::uint64_t count = 0;  // messages from one to the other, copies too
    bool operator==(const Pair&) const = default;
};

struct FacetAsk {
    std::vector<FacetBy> by;
    std::size_t most = 50;  // values of each
    bool pairs = false;     // who wrote to whom
    std::size_t most_pairs = 2'000;
};
struct Facets {
    std::map<FacetBy, Facet> by;
    std::vector<Pair> pairs;  // most frequent first
    std::uint64_t distinct_pairs = 0;
};

}  // namespace kustos::search
