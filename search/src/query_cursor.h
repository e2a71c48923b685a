// The characters of a query: where the parser stands, what a word and a quotation is, the first problem found.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "search/query.h"

namespace kustos::search {

class QueryCursor {
protected:
    struct Quote {
        std::string_view open, close;
    };
    explicit QueryCursor(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ >= text_.size(); }
    std::string_view rest() const { return text_.substr(at_); }
    void skip_space();
    static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
    std::size_t first_bad_byte() const;
    static const Quote* quote_at(std::string_view text);  // nullptr: no quotation mark
    std::size_t word_end(std::size_t from) const;         // up to white space, a parenthesis or a quotation mark
    std::string_view peek_word() const { return text_.substr(at_, word_end(at_) - at_); }
    // Text between quotation marks; at_ stands behind the closing one.
    bool quoted(const Quote& quote, std::string_view& inside);

    // The first one stays. Always false.
    bool problem(QueryProblem::What what, std::size_t begin, std::size_t end, std::string_view suggestion = {});
    bool failed() const { return problem_.has_value(); }

    std::string_view text_;
    std::size_t at_ = 0;
    std::optional<QueryProblem> problem_;
};

}  // namespace kustos::search
