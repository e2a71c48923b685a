// Queries as text: the canonical form.
#include <algorithm>
#include <cstdio>

#include "search/query.h"
#include "search/src/file_types.h"

namespace kustos::search {
namespace {

std::string date_text(CivilDate date) {
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", date.year, date.month, date.day);
    return text;
}

std::string range_text(const DateRange& range) {
    return (range.first ? date_text(*range.first) : "") + ".." + (range.last ? date_text(*range.last) : "");
}

std::string sizes_text(const SizeRange& sizes) {
    return (sizes.least ? std::to_string(*sizes.least) : "") + ".." + (sizes.most ? std::to_string(*sizes.most) : "");
}

std::string quoted(const char* before, const std::string& text) {
    return std::string(before) + "\"" + text + "\"";
}

const char* field_text(Field field) {
    switch (field) {
        case Field::any:
            return "";
        case Field::from:
            return "from:";
        case Field::to:
            return "to:";
        case Field::cc:
            return "cc:";
        case Field::bcc:
            return "bcc:";
        case Field::participant:
            return "participant:";
        case Field::subject:
            return "subject:";
        case Field::body:
            return "body:";
        case Field::attachment:
            return "attachment:";
        case Field::file:
            return "file:";
        case Field::conversation:
            return "conversation:";
    }
    return "";
}

std::string joined(const Node& node, const std::string& between) {
    std::string out = "(";
    for (std::size_t i = 0; i < node.children.size(); ++i)
        out += (i == 0 ? std::string() : between) + query_text(node.children[i]);
    return out + ")";
}

std::string near_text(const Node& node) {
    return joined(node, (node.ordered ? " W/" : " NEAR/") + std::to_string(node.number) + " ");
}

}  // namespace

std::string query_text(const Node& node) {
    const std::string field = field_text(node.field);
    switch (node.kind) {
        case Node::Kind::word:
            return field + node.text;
        case Node::Kind::phrase:
            return field + quoted("", node.text);
        case Node::Kind::prefix:
            return field + node.text + "*";
        case Node::Kind::pattern:
            return field + node.text;
        case Node::Kind::fuzzy:
            return field + node.text + "~" + std::to_string(node.number);
        case Node::Kind::exact:
            return field + quoted("=", node.text);
        case Node::Kind::near:
            return near_text(node);
        case Node::Kind::all_of:
            return joined(node, " AND ");
        case Node::Kind::any_of:
            return joined(node, " OR ");
        case Node::Kind::none_of:
            return "NOT " + query_text(node.children.at(0));
        case Node::Kind::date:
            return "date:" + range_text(node.range);
        case Node::Kind::sealed:
            return "sealed:" + range_text(node.range);
        case Node::Kind::size:
            return "size:" + sizes_text(node.sizes);
        case Node::Kind::source:
            return quoted("source:", node.text);
        case Node::Kind::message_kind:
            return "kind:" + node.text;
        case Node::Kind::has_attachment:
            return "has:attachment";
        case Node::Kind::content:
            return "sha256:" + node.text;
        case Node::Kind::content_list:
            return quoted("hash:@", node.text);
        case Node::Kind::filetype:
            return (is_known_file_type(node.text) ? "filetype:" : "filetype:.") + node.text;
        case Node::Kind::language:
            return "language:" + node.text;
        case Node::Kind::retention_class:
            return quoted("class:", node.text);
        case Node::Kind::tag:
            return quoted("tag:", node.text);
        case Node::Kind::code:
            return quoted("code:", node.text);
        case Node::Kind::edited:
            return "edited:yes";
        case Node::Kind::deleted:
            return "deleted:yes";
        case Node::Kind::thread:
            return quoted("thread:", node.text);
        case Node::Kind::entries:
            return "entries:" + std::to_string(node.set ? node.set->count() : 0);
        case Node::Kind::coverage:
            return "coverage:" + node.text;
        case Node::Kind::everything:
            return "*";
        case Node::Kind::person:
            return field + quoted("person:", node.text);
    }
    return "*";
}

bool same_tree(const Node& a, const Node& b) {
    const auto same_value = [](const auto& x, const auto& y) { return x == y || (x && y && *x == *y); };
    return a.kind == b.kind && a.field == b.field && a.text == b.text && a.range == b.range && a.sizes == b.sizes &&
           a.number == b.number && a.ordered == b.ordered && same_value(a.set, b.set) && same_value(a.sums, b.sums) &&
           std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(), same_tree);
}

Query both(const Query& a, const Query& b) {
    Query out;
    out.text = "(" + a.text + ") AND (" + b.text + ")";
    out.root.kind = Node::Kind::all_of;
    out.root.children = {a.root, b.root};
    return out;
}

}  // namespace kustos::search
