#include "search/src/relax.h"

#include "search/uncertain.h"

namespace kustos::search {
namespace {

Node perhaps(bool wanted) {
    Node out;
    if (wanted) return out;  // everything
    out.kind = Node::Kind::entries;
    out.set = std::make_shared<const EntrySet>();
    return out;
}

bool is_group(Node::Kind kind) {
    return kind == Node::Kind::all_of || kind == Node::Kind::any_of || kind == Node::Kind::none_of;
}

Node relax(const Node& node, RecordState state, bool wanted) {
    if (!is_group(node.kind)) return certain_for(state, node) ? node : perhaps(wanted);
    Node out = node;
    for (Node& child : out.children) child = relax(child, state, node.kind == Node::Kind::none_of ? !wanted : wanted);
    return out;
}

}  // namespace

bool certain_for(RecordState state, const Node& leaf) {
    if (state == RecordState::searchable) return true;
    switch (leaf.kind) {
        case Node::Kind::source:
        case Node::Kind::coverage:
        case Node::Kind::entries:
        case Node::Kind::everything:
            return true;
        default:
            // Of what could not be opened not even the sender is known.
            return state != RecordState::failed && certain_for_partial(leaf);
    }
}

Node relaxed(const Node& node, RecordState state) {
    return relax(node, state, true);
}

}  // namespace kustos::search
