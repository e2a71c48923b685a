#include "search/src/sought.h"

namespace kustos::search {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

std::vector<std::string> stems_of(const std::string& form, const std::string& plain, const Stemmer& stemmer) {
    std::vector<std::string> stems = stemmer.stems(form, plain);
    stems.push_back(form);
    return stems;
}

SoughtWord sought_word(const Node& node, const Stemmer& stemmer) {
    SoughtWord out;
    out.word = query_word(node.text);
    if (node.kind != Node::Kind::word) return out;  // a phrase has no stems
    if (out.word.parts.size() == 1) out.stems = stems_of(out.word.parts[0], out.word.plain[0], stemmer);
    for (const std::string& whole : out.word.whole) out.whole.push_back(stems_of(whole, whole, stemmer));
    return out;
}

Result<TimeSpan> span_of(const DateRange& range, const SearchOptions& options) {
    const auto midnight = [&](CivilDate date) {
        return options.midnight ? options.midnight(date) : utc_midnight(date);
    };
    TimeSpan span;
    if (range.first) span.from = TRY(midnight(*range.first));
    if (range.last) {
        const CivilDate next = civil_date(UtcTime{TRY(utc_midnight(*range.last)).ms + kDayMs});
        const auto until = midnight(next);
        if (until.ok()) span.until = *until;  // not: the day after 9999-12-31 is an open end
    }
    return span;
}

Status collect(const Node& node, const SearchOptions& options, const Stemmer& stemmer, Sought& out) {
    if (node.kind == Node::Kind::word || node.kind == Node::Kind::phrase)
        out.words.emplace(&node, sought_word(node, stemmer));
    if (node.kind == Node::Kind::date) out.spans.emplace(&node, TRY(span_of(node.range, options)));
    for (const Node& child : node.children) TRY(collect(child, options, stemmer, out));
    return ok_status();
}

}  // namespace

Result<Sought> sought_of(const Node& tree, const SearchOptions& options, const Stemmer& stemmer) {
    Sought out;
    TRY(collect(tree, options, stemmer, out));
    return out;
}

}  // namespace kustos::search
