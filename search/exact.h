// Exact words (`=Wort`): capitals, umlauts and signs count, and nothing is inflected. The index knows folded forms
// alone, so it can only say for which records the answer hangs on the spelling; these are opened by who asks, under
// the access entry of the search, and the query then runs with what was found.
//
//   if (asks_exactly(query.root)) {
//       answer = searcher.run(undecided(query), ...)          // to be opened
//       for each: for each leaf: stands_exactly(leaf, message, texts) ? sets[leaf].add(entry)
//       query = with_exact(query, sets)                       // runs like any other
//   }
//
// Pure. Threads: free functions.
#pragma once

#include <string>
#include <vector>

#include "search/query.h"
#include "vault/message.h"

namespace kustos::search {

inline constexpr std::uint64_t kMaxUndecided = 20'000;  // records that one query has opened for its exact words

bool asks_exactly(const Node& node);
// Of a tree, in its order; valid as long as the tree.
std::vector<const Node*> exact_leaves(const Node& root);
// Matches every record that the query may match or not, by how something is spelled in it; no other that it matches.
Query undecided(const Query& query);
// attachment_texts: by attachment number, from the derived cache; may be shorter.
bool stands_exactly(const Node& leaf, const vault::Message& message, const std::vector<std::string>& attachment_texts);
// sets: one for each of exact_leaves(), in their order. The query's text stays, and so do the leaves: of what can't be
// searched wholly they are as little known as before.
Query with_exact(const Query& query, std::vector<EntrySet> sets);

}  // namespace kustos::search
