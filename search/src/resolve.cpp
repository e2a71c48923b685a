#include "search/resolve.h"

#include <algorithm>

#include "search/thread.h"

namespace kustos::search {

namespace {

bool is_set(const Node& node) {
    if (node.kind == Node::Kind::thread) return is_entry_number(node.text);
    switch (node.kind) {
        case Node::Kind::sealed:
        case Node::Kind::retention_class:
        case Node::Kind::tag:
        case Node::Kind::code:
            return true;
        default:
            return false;
    }
}

Status resolve_node(Node& node, const SetResolver& sets, const ListResolver& lists) {
    for (Node& child : node.children) TRY(resolve_node(child, sets, lists));
    if (node.kind == Node::Kind::content_list && !node.sums) {
        node.sums = std::make_shared<const std::vector<std::string>>(TRY(lists(node.text)));
    } else if (is_set(node)) {
        node.set = std::make_shared<const EntrySet>(TRY(sets(node)));
        node.kind = Node::Kind::entries;
    }
    return ok_status();
}

}  // namespace

bool needs_sets(const Node& node) {
    return is_set(node) || (node.kind == Node::Kind::content_list && !node.sums) ||
           std::any_of(node.children.begin(), node.children.end(), needs_sets);
}

Result<Query> with_sets(const Query& query, const SetResolver& sets, const ListResolver& lists) {
    Query out = query;
    TRY(resolve_node(out.root, sets, lists));
    return out;
}

}  // namespace kustos::search
