#include "search/exact.h"

#include <algorithm>

#include "search/analysis.h"
#include "search/src/word_match.h"

namespace kustos::search {
namespace {

// What an exact leaf is taken for where it counts for the query (`wanted`), or against it.
Node taken_as(const Node& leaf, bool possible) {
    Node out;
    if (possible) {
        out.kind = Node::Kind::phrase;  // its folded words side by side: everything that can be it
        out.field = leaf.field;
        out.text = leaf.text;
        return out;
    }
    out.kind = Node::Kind::entries;
    out.set = std::make_shared<const EntrySet>();
    return out;
}

// most: every record that may match; else only those that match for sure.
Node bound(const Node& node, bool most) {
    if (node.kind == Node::Kind::exact) return taken_as(node, most);
    Node out = node;
    for (Node& child : out.children) child = bound(child, node.kind == Node::Kind::none_of ? !most : most);
    return out;
}

void collect(const Node& node, std::vector<const Node*>& out) {
    if (node.kind == Node::Kind::exact) out.push_back(&node);
    for (const Node& child : node.children) collect(child, out);
}

void fill(Node& node, std::vector<EntrySet>& sets, std::size_t& next) {
    if (node.kind == Node::Kind::exact) {
        node.set = std::make_shared<const EntrySet>(std::move(sets.at(next++)));
        return;
    }
    for (Node& child : node.children) fill(child, sets, next);
}

std::string text_of(const vault::Person& person) {
    return person.name + "\n" + person.address + "\n" + person.id;
}

bool among_people(const ExactWords& words, Field field, const vault::Message& message) {
    using vault::Role;
    const bool senders = field == Field::any || field == Field::from || field == Field::participant;
    if (senders && words.in(text_of(message.sender))) return true;
    return std::any_of(message.recipients.begin(), message.recipients.end(), [&](const vault::Recipient& r) {
        const bool hidden = r.role == Role::bcc || r.role == Role::envelope;
        const bool asked = r.role == Role::reply_to ? senders
                           : field == Field::cc     ? r.role == Role::cc
                           : field == Field::bcc    ? hidden
                                                    : field != Field::from;
        return asked && words.in(text_of(r.person));
    });
}

}  // namespace

bool asks_exactly(const Node& node) {
    return node.kind == Node::Kind::exact || std::any_of(node.children.begin(), node.children.end(), asks_exactly);
}

std::vector<const Node*> exact_leaves(const Node& root) {
    std::vector<const Node*> out;
    collect(root, out);
    return out;
}

Query undecided(const Query& query) {
    Node sure;
    sure.kind = Node::Kind::none_of;
    sure.children = {bound(query.root, false)};
    Query out;
    out.text = query.text;
    out.root.kind = Node::Kind::all_of;
    out.root.children = {bound(query.root, true), std::move(sure)};
    return out;
}

bool stands_exactly(const Node& leaf, const vault::Message& message, const std::vector<std::string>& attachment_texts) {
    const ExactWords words(leaf.text);
    const Field field = leaf.field;
    const bool any = field == Field::any;
    const auto in = [&words](const std::string& text) { return words.in(text); };
    if (any || field == Field::body) {
        const bool html = message.body.empty() && !message.body_html.empty();
        if (in(html ? text_of_html(message.body_html) : message.body) || in(message.previous_body)) return true;
    }
    if ((any || field == Field::subject) && in(message.subject)) return true;
    if ((any || field == Field::attachment) && std::any_of(attachment_texts.begin(), attachment_texts.end(), in))
        return true;
    if (any || field == Field::file) {
        for (const vault::Attachment& attachment : message.attachments)
            if (in(attachment.name)) return true;
    }
    if ((any || field == Field::conversation) && (in(message.conversation.title) || in(message.conversation.id)))
        return true;
    const bool people = any || field == Field::from || field == Field::to || field == Field::cc ||
                        field == Field::bcc || field == Field::participant;
    return people && among_people(words, field, message);
}

Query with_exact(const Query& query, std::vector<EntrySet> sets) {
    Query out = query;
    std::size_t next = 0;
    fill(out.root, sets, next);
    return out;
}

}  // namespace kustos::search
