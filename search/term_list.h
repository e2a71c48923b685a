// The list of terms that a hit report is made of (docs/format/term-list.md): text, one query a line, each with a name
// if it has one. As lawyers bring it: from an editor, from a table, with a byte order mark or without.
//
// Pure; takes foreign text: bounded, never throws. Errors: bad_input (says which line, and of a query which character
// of that line; nothing of what stands there), limit. Threads: free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "search/query.h"

namespace kustos::search {

inline constexpr std::size_t kMaxTermFile = 1u << 20;  // bytes
inline constexpr std::size_t kMaxTerms = 1'000;        // in one list
inline constexpr std::size_t kMaxTermLine = 8'192;     // bytes, without the line's end
inline constexpr std::size_t kMaxTermName = 200;       // bytes

struct Term {
    std::size_t line = 0;  // from 1
    std::string name;      // empty: none
    std::string text;      // the query as it stands there; parse() takes it
    bool operator==(const Term&) const = default;
};

// In the order of the file; at least one. The language is that of the messages.
Result<std::vector<Term>> parse_term_list(std::string_view text, Language language = Language::en);

}  // namespace kustos::search
