#include "app/matter_scope.h"

#include <algorithm>

#include "search/query.h"

namespace kustos::app {

using search::Node;

namespace {

bool moves(const Node& node) {
    switch (node.kind) {
        case Node::Kind::person:
        case Node::Kind::tag:
        case Node::Kind::code:
        case Node::Kind::content_list:
        case Node::Kind::exact:  // records would have to be opened for it
        case Node::Kind::thread:
            return true;
        default:
            return std::any_of(node.children.begin(), node.children.end(), moves);
    }
}

}  // namespace

Result<std::string> checked_scope(const std::string& query, Language language) {
    const bool de = language == Language::german;
    const search::Query parsed = TRY(search::parse_query(query, de ? search::Language::de : search::Language::en));
    if (parsed.root.kind == Node::Kind::everything) return std::string();
    if (moves(parsed.root))
        return Error(Code::usage,
                     de ? "der Umfang eines Falls nennt keine Personen, Schlagworte, Bewertungen, "
                          "Prüfsummenlisten, Stränge und genauen Wörter (=): was er umfasst, änderte sich mit "
                          "ihnen, oder müsste erst geöffnet werden"
                        : "a matter's scope names no persons, labels, codes, lists of sums, threads and "
                          "exact words (=): what it covers would change with them, or had to be opened first")
            .with_hint(de ? "Adressen nennen: von:... ODER an:..." : "name addresses: from:... OR to:...");
    return query;
}

}  // namespace kustos::app
