// What one word of a query is: a plain one, the beginning of one, with wildcards, fuzzy or exact. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "search/query.h"

namespace kustos::search {

struct TypedWord {
    Node node;              // without field
    std::size_t parts = 1;  // as so many it counts against kMaxQueryLeaves
    bool nothing = false;   // signs alone: left out between words
    std::optional<QueryProblem::What> problem;
    std::size_t begin = 0, end = 0;  // of the problem, in the word
};
// word: without white space, parentheses and quotation marks; empty is nothing. in_field: what a field takes, where *
// alone would mean nothing.
TypedWord read_word(std::string_view word, bool in_field);
// What stood between the quotation marks.
TypedWord read_phrase(std::string_view inside, Node::Kind kind);

}  // namespace kustos::search
