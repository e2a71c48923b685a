// What a query asks for and the index does not know: when records were sealed, their retention class, and the lists of
// sums that a matter has.
#include <algorithm>

#include "app/hash_lists.h"
#include "app/house.h"
#include "app/src/house_ports.h"
#include "search/resolve.h"
#include "search/thread.h"
#include "vault/retention_survey.h"

namespace kustos::app {

using search::Node;

namespace {

bool in_range(CivilDate day, const search::DateRange& range) {
    return (!range.first || !(day < *range.first)) && (!range.last || !(*range.last < day));
}

Result<ClassCode> class_named(const vault::RetentionBook& book, const std::string& name) {
    if (const auto* found = book.classes().find(name)) return found->code;
    const bool number = !name.empty() && name.size() <= 5 &&
                        std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number && std::stoul(name) <= 0xffff) {
        const ClassCode code(static_cast<std::uint16_t>(std::stoul(name)));
        if (book.classes().newest(code) != nullptr) return code;
    }
    return Error(Code::usage, "there is no retention class of that name").with_hint("kustos retention class");
}

Error later(const char* what, const char* hint) {
    return Error(Code::not_in_version, std::string(what) + " can't be searched for in this version").with_hint(hint);
}

void collect(Node& node, const std::function<void(Node&)>& take) {
    if (node.kind == Node::Kind::content_list) take(node);
    for (Node& child : node.children) collect(child, take);
}

}  // namespace

// One pass over the ledger's headers; the day is the later one of those that the dated entries around a record leave
// open, as everywhere in retention.
Result<EntrySet> House::set_of(const Node& condition) {
    switch (condition.kind) {
        case Node::Kind::sealed:
        case Node::Kind::retention_class:
            break;
        case Node::Kind::tag:
        case Node::Kind::code:
            return later("labels and codes of a review", "leave tag: and code: out");
        default:
            return later("this condition", "leave it out");
    }
    const auto book = archive_->retention();
    const bool by_class = condition.kind == Node::Kind::retention_class;
    ClassCode wanted;
    if (by_class) wanted = TRY(class_named(*book, condition.text));
    EntrySet out;
    const EntrySet none;
    TRY(vault::survey(archive_->ledger(), archive_->head().size, *book, none, archive_->clock().now(),
                      [&](const vault::RecordFacts& facts) -> Status {
                          if (!by_class) {
                              if (in_range(facts.sealed_until, condition.range)) out.add(facts.record);
                              return {};
                          }
                          const auto moved = book->input_of(facts.record, facts.sealed_class).reclassified;
                          if ((moved ? moved->to : facts.sealed_class) == wanted) out.add(facts.record);
                          return {};
                      }));
    return out;
}

Result<EntrySet> House::thread_of(EntryIndex record, EntryIndex matter, const std::string& actor) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::open;
    purpose.matter = matter;
    purpose.actor = actor;
    purpose.total = 1;
    TRY(matters_->allow(purpose, {}));
    TRY(expect_not_erased({record}));
    auto session = TRY(opener_->begin(purpose, {record}));
    const vault::OpenedRecord opened = TRY(session->open(record));
    EntrySet out;
    out.add(record);
    const auto source = archive_->find_source(opened.entry.header.source);
    const std::vector<std::string> ids = search::thread_ids(opened.message);
    if (ids.empty() || !source) return out;
    const search::Answer found = TRY(ask(search::related_to(ids, source->name)));
    for (const EntryIndex entry : found.entries) out.add(entry);
    return out;
}

Result<search::Query> House::resolved(const search::Query& query, EntryIndex matter, const std::string& actor) {
    if (!search::needs_sets(query.root)) return query;
    const auto set = [&](const Node& condition) -> Result<EntrySet> {
        if (condition.kind != Node::Kind::thread) return set_of(condition);
        return thread_of(EntryIndex(std::stoull(condition.text)), matter, actor);
    };
    return search::with_sets(query, set,
                             [&](const std::string& name) { return HashLists(*archive_).sums(matter, name); });
}

// For an opener apart, which gets a query as text: the sums themselves in the place of the list's name.
Result<search::Query> House::with_named_sums(const search::Query& query, EntryIndex matter) {
    search::Query out = query;
    Status read;
    std::size_t sums = 0;
    collect(out.root, [&](Node& node) {
        if (!read.ok()) return;
        auto list = HashLists(*archive_).sums(matter, node.text);
        if (!list.ok()) {
            read = list.error();
            return;
        }
        node.kind = Node::Kind::any_of;
        node.text.clear();
        for (std::string& sum : *list) {
            if (++sums > kMostSumsApart) break;
            Node one;
            one.kind = Node::Kind::content;
            one.text = std::move(sum);
            node.children.push_back(std::move(one));
        }
    });
    TRY(std::move(read));
    if (sums > kMostSumsApart)
        return Error(Code::limit, "with an opener apart a query takes at most 100 sums of lists")
            .with_hint("search with smaller lists, one after the other");
    return out;
}

}  // namespace kustos::app
