#include "search/persons.h"

#include <algorithm>

#include "search/analysis.h"

namespace kustos::search {

namespace {

Node phrase(Field field, const std::string& text) {
    Node node;
    node.kind = Node::Kind::phrase;
    node.field = field;
    node.text = text;
    return node;
}

Node group(Node::Kind kind, std::vector<Node> children) {
    if (children.size() == 1) return std::move(children.front());
    Node node;
    node.kind = kind;
    node.children = std::move(children);
    return node;
}

Node within(Node node, const DateRange& days) {
    if (!days.first && !days.last) return node;
    Node date;
    date.kind = Node::Kind::date;
    date.range = days;
    return group(Node::Kind::all_of, {std::move(node), std::move(date)});
}

Result<Node> resolved(const Node& node, const PersonResolver& resolve) {
    if (node.kind != Node::Kind::person) {
        Node out = node;
        for (Node& child : out.children) child = TRY(resolved(child, resolve));
        return out;
    }
    std::vector<Node> any;
    for (const PersonHandle& handle : TRY(resolve(node.text))) {
        std::string text = handle.text;
        std::replace(text.begin(), text.end(), '"', ' ');  // it must not end the phrase
        if (query_word(text).parts.empty()) continue;
        std::vector<Node> fields;
        if (node.field == Field::any) {
            fields = {phrase(Field::from, text), phrase(Field::to, text)};
        } else {
            fields = {phrase(node.field, text)};
        }
        any.push_back(within(group(Node::Kind::any_of, std::move(fields)), handle.days));
    }
    if (any.empty())
        return Error(Code::usage, "no address and no id of this person is known")
            .with_hint("kustos person show; or name the addresses: from:... OR to:...");
    return group(Node::Kind::any_of, std::move(any));
}

}  // namespace

bool names_persons(const Node& node) {
    return node.kind == Node::Kind::person || std::any_of(node.children.begin(), node.children.end(), names_persons);
}

Result<Query> with_persons(const Query& query, const PersonResolver& resolve) {
    if (!names_persons(query.root)) return query;
    const Node root = TRY(resolved(query.root, resolve));
    // What is run is what can be typed: by the same limits, and the opener gets it as text.
    auto parsed = parse(query_text(root));
    if (!parsed.query)
        return Error(Code::usage, "the persons of this query have too many addresses for one query")
            .with_hint("ask for one after the other");
    return std::move(*parsed.query);
}

}  // namespace kustos::search
