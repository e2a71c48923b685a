// Queries, spellings and snippets from foreign text: no crash, and a query's own text parses to the same query.
#include <cstdlib>

#include "search/analysis.h"
#include "search/query.h"
#include "search/snippet.h"

using namespace kustos;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // first line: a query; the rest: a body
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string_view text = input.substr(0, input.find('\n'));
    const search::ParsedQuery parsed = search::parse(text);
    if (parsed.query.has_value() == parsed.problem.has_value()) std::abort();
    if (parsed.problem) {
        if (parsed.problem->begin > text.size() || parsed.problem->end > text.size()) std::abort();
        if (search::describe(*parsed.problem, search::Language::de).message.empty()) std::abort();
        return 0;
    }
    const std::string canonical = search::query_text(parsed.query->root);
    const search::ParsedQuery again = search::parse(canonical);
    if (canonical.size() <= search::kMaxQueryBytes && again.query && search::query_text(again.query->root) != canonical)
        std::abort();
    vault::Message message;
    message.body = std::string(input.substr(std::min(input.size(), text.size() + 1)));
    message.body_html = message.body;
    const search::Snippet snippet = search::make_snippet(message, *parsed.query);
    for (const search::TextRange& range : snippet.highlights) {
        if (range.begin > range.end || range.end > snippet.text.size()) std::abort();
    }
    search::text_of_html(message.body);
    return 0;
}
