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
    if (again.problem) {
        // every parenthesis is written there
        const auto what = again.problem->what;
        if (what != search::QueryProblem::What::too_deep && what != search::QueryProblem::What::too_long) std::abort();
    } else if (!search::same_tree(again.query->root, parsed.query->root)) {
        std::abort();
    }
    vault::Message message;
    message.body = std::string(input.substr(std::min(input.size(), text.size() + 1)));
    message.body_html = message.body;
    message.subject = message.body.substr(0, 100);
    message.sender.name = message.subject;
    message.recipients.push_back({vault::Role::cc, message.sender});
    const search::Snippet snippet = search::make_snippet(message, *parsed.query);
    for (const search::TextRange& range : snippet.highlights) {
        if (range.begin > range.end || range.end > snippet.text.size()) std::abort();
    }
    for (const search::Field where : {search::Field::any, search::Field::body, search::Field::attachment}) {
        for (const search::TextRange& range : search::find_highlights(message.body, *parsed.query, where)) {
            if (range.begin >= range.end || range.end > message.body.size()) std::abort();
        }
    }
    search::text_of_html(message.body);
    return 0;
}
