#include "search/src/query_near.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace kustos::search {
namespace {

constexpr std::uint32_t kUsualNear = 10;

// The alternatives of a parenthesised OR group inside each other become one.
void flatten(Node& any) {
    std::vector<Node> flat;
    for (Node& child : any.children) {
        if (child.kind == Node::Kind::any_of) {
            flatten(child);
            std::move(child.children.begin(), child.children.end(), std::back_inserter(flat));
        } else {
            flat.push_back(std::move(child));
        }
    }
    any.children = std::move(flat);
}

std::optional<Field> near_field(const Node& node) {
    switch (node.kind) {
        case Node::Kind::word:
        case Node::Kind::phrase:
        case Node::Kind::prefix:
        case Node::Kind::pattern:
        case Node::Kind::fuzzy:
            return node.field;
        case Node::Kind::any_of: {
            const auto field = near_field(node.children[0]);
            for (const Node& child : node.children) {
                if (child.kind == Node::Kind::any_of || near_field(child) != field) return std::nullopt;
            }
            return field;
        }
        default:
            return std::nullopt;
    }
}

}  // namespace

// W and PRE need their number: "George W Bush". Capitals, as of every operator.
std::optional<NearOperator> near_operator(std::string_view word) {
    const std::size_t slash = word.find('/');
    const std::string_view name = word.substr(0, slash);
    const bool short_one = name == "W" || name == "PRE";
    const bool ordered = short_one || name == "FOLGT";
    if (!ordered && name != "NEAR" && name != "NAHE") return std::nullopt;
    if (slash == std::string_view::npos)
        return short_one ? std::nullopt : std::optional(NearOperator{word, ordered, kUsualNear});
    const std::string_view digits = word.substr(slash + 1);
    const bool good = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (short_one && !good) return std::nullopt;  // "W/O"
    NearOperator out{word, ordered, 0};
    if (!good || digits.size() > 4) return out;
    for (const char c : digits) out.number = out.number * 10 + static_cast<std::uint32_t>(c - '0');
    if (out.number > kMaxNear) out.number = 0;
    return out;
}

std::optional<Field> near_operand(Node& node) {
    if (node.kind == Node::Kind::any_of) flatten(node);
    return near_field(node);
}

}  // namespace kustos::search
