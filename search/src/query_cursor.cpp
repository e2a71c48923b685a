#include "search/src/query_cursor.h"

#include <algorithm>

#include "base/text.h"
#include "search/src/utf8.h"

namespace kustos::search {

void QueryCursor::skip_space() {
    for (;;) {
        if (!at_end() && is_space(text_[at_])) {
            ++at_;
        } else if (rest().substr(0, 2) == "\xC2\xA0") {
            at_ += 2;  // no-break space
        } else {
            return;
        }
    }
}

std::size_t QueryCursor::first_bad_byte() const {
    if (is_valid_utf8(text_)) return text_.size();
    std::size_t good = 0;
    while (good < text_.size()) {
        std::size_t next = good;
        next_code_point(text_, next);
        if (!is_valid_utf8(text_.substr(good, next - good))) break;
        good = next;
    }
    return std::min(good, text_.size() - 1);
}

const QueryCursor::Quote* QueryCursor::quote_at(std::string_view text) {
    static constexpr Quote kQuotes[] = {{"\"", "\""},
                                        {"\xE2\x80\x9E", "\xE2\x80\x9C"},  // „ “
                                        {"\xE2\x80\x9C", "\xE2\x80\x9D"},  // “ ”
                                        {"\xC2\xBB", "\xC2\xAB"}};         // » «
    for (const Quote& quote : kQuotes) {
        if (text.substr(0, quote.open.size()) == quote.open) return &quote;
    }
    return nullptr;
}

std::size_t QueryCursor::word_end(std::size_t from) const {
    std::size_t end = from;
    while (end < text_.size() && !is_space(text_[end]) && text_[end] != '(' && text_[end] != ')' &&
           quote_at(text_.substr(end)) == nullptr && text_.substr(end, 2) != "\xC2\xA0")
        ++end;
    return end;
}

bool QueryCursor::quoted(const Quote& quote, std::string_view& inside) {
    const std::size_t begin = at_;
    const std::size_t from = at_ + quote.open.size();
    std::size_t end = text_.find(quote.close, from);
    std::size_t close = quote.close.size();
    // „like this" or „like this”: people mix their marks
    for (const std::string_view other : {std::string_view("\""), std::string_view("\xE2\x80\x9D")}) {
        const std::size_t here = text_.find(other, from);
        if (quote.open != "\"" && here < end) end = here, close = other.size();
    }
    if (end == std::string_view::npos) return problem(QueryProblem::What::open_quote, begin, begin + quote.open.size());
    inside = text_.substr(from, end - from);
    at_ = end + close;
    return true;
}

bool QueryCursor::problem(QueryProblem::What what, std::size_t begin, std::size_t end, std::string_view suggestion) {
    if (failed()) return false;
    QueryProblem found{what, begin, std::min(std::max(end, begin), text_.size()), 1, suggestion};
    for (std::size_t i = 0; i < std::min(begin, text_.size()); ++i) {
        if (!is_continuation(text_[i])) ++found.character;
    }
    problem_ = found;
    return false;
}

}  // namespace kustos::search
