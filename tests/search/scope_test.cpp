// A matter's scope is part of the query that runs: whatever stands beside it, nothing outside it is found.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "search/within.h"
#include "tests/search/random_corpus.h"

using namespace kustos;
using namespace kustos::search;
using namespace kustos::search::test;

namespace {

using Hits = std::set<std::uint64_t>;
using Kind = Node::Kind;

constexpr std::uint64_t kFirst = 3, kRecords = 120;

class Trees {
public:
    explicit Trees(std::uint64_t seed) : random_(seed) {}
    Query query(std::size_t depth = 4) {
        Query q;
        q.text = "generated";
        q.root = tree(depth);
        return q;
    }
    std::size_t number(std::size_t below) { return random_.next() % below; }
    // Of leaves, in the order of the language; which of them the engine refuses, the caller finds out.
    static const std::vector<Kind>& all_leaves() {
        static const std::vector<Kind> kinds = {
            Kind::word,    Kind::phrase,       Kind::prefix,         Kind::pattern,  Kind::fuzzy,    Kind::exact,
            Kind::near,    Kind::date,         Kind::size,           Kind::source,   Kind::content,  Kind::filetype,
            Kind::entries, Kind::message_kind, Kind::has_attachment, Kind::language, Kind::coverage, Kind::everything};
        return kinds;
    }
    void use(std::vector<Kind> leaves) {
        leaves.insert(leaves.end(), {Kind::word, Kind::word, Kind::phrase});  // more of what finds something
        leaves_ = std::move(leaves);
    }
    Query one(Kind kind) {
        Query q;
        q.text = "generated";
        q.root = leaf(kind);
        return q;
    }

private:
    const std::string& one_of(const std::vector<std::string>& list) { return list[number(list.size())]; }
    std::string word() {
        static const std::vector<std::string> words = {"Vertrag",  "Müller", "Strasse", "contract", "12-345/26",
                                                       "Bescheid", "Amt",    "ja",      "selten7",  "nirgends"};
        return one_of(words);
    }
    Field field() { return static_cast<Field>(number(static_cast<std::size_t>(Field::conversation) + 1)); }
    Node leaf(Kind kind) {
        Node n;
        n.kind = kind;
        switch (kind) {
            case Kind::word:
            case Kind::exact:
            case Kind::phrase:
                n.field = field();
                n.text = kind == Kind::phrase && number(2) == 0 ? word() + " " + word() : word();
                break;
            case Kind::prefix:
                n.field = field();
                n.text = one_of({"vert", "best", "bes", "sel"});
                break;
            case Kind::pattern:
                n.field = field();
                n.text = one_of({"v*trag", "m?ller", "*scheid"});
                break;
            case Kind::fuzzy:
                n.field = field();
                n.text = word();
                n.number = static_cast<std::uint32_t>(1 + number(2));
                break;
            case Kind::near:
                n.number = static_cast<std::uint32_t>(1 + number(5));
                n.ordered = number(2) == 0;
                n.children = {leaf(Kind::word), leaf(Kind::word)};
                for (Node& child : n.children) child.field = Field::any;
                break;
            case Kind::date:
                if (number(3) != 0) n.range.first = CivilDate{2024, static_cast<unsigned>(1 + number(12)), 1};
                if (number(3) != 0) n.range.last = CivilDate{2025, static_cast<unsigned>(1 + number(12)), 28};
                break;
            case Kind::size:
                n.sizes.least = number(2'000);
                break;
            case Kind::source:
                n.text = one_of({"chat-server", "Exchange-Journal", "Straßenamt", "keine"});
                break;
            case Kind::message_kind:
                n.text = one_of({"mail", "chat", "file", "edit"});
                break;
            case Kind::coverage:
                n.text = one_of({"encrypted", "ocr"});
                break;
            case Kind::content:
                n.text = std::string(64, 'a');
                break;
            case Kind::filetype:
                n.text = one_of({"pdf", "image"});
                break;
            case Kind::language:
                n.text = one_of({"de", "en"});
                break;
            case Kind::entries: {
                EntrySet set;
                for (int i = 0; i < 5; ++i) {
                    const std::uint64_t at = kFirst + number(kRecords);
                    set.add(EntryIndex(at), EntryIndex(at + number(10)));
                }
                n.set = std::make_shared<const EntrySet>(set);
                break;
            }
            default:
                n.kind = Kind::everything;
        }
        return n;
    }
    Node tree(std::size_t depth) {
        if (depth == 0 || number(4) == 0) return leaf(leaves_[number(leaves_.size())]);
        Node n;
        n.kind = number(5) == 0 ? Kind::none_of : number(2) == 0 ? Kind::all_of : Kind::any_of;
        const std::size_t children = n.kind == Kind::none_of ? 1 : 2 + number(3);
        for (std::size_t i = 0; i < children; ++i) n.children.push_back(tree(depth - 1));
        return n;
    }
    SeededRandom random_;
    std::vector<Kind> leaves_;
};

struct World {
    SmallArchive archive;
    World() {
        SeededRandom random(77);
        for (std::uint64_t i = 0; i < kRecords; ++i) archive.add(random_message(random), random_source(random));
        archive.options.records_per_shard = 50;  // several of them
        REQUIRE(archive.index_all().ok());
    }
    // Nothing: the engine refuses it, and so nothing was found.
    std::optional<Hits> run(const Query& query) {
        const auto answer = archive.searcher_of().run(query, {}, archive.census);
        if (!answer.ok()) {
            const Code code = answer.error().code();
            CHECK((code == Code::not_in_version || code == Code::limit || code == Code::usage));
            return std::nullopt;
        }
        Hits hits;
        for (const EntryIndex e : answer->entries) hits.insert(e.value);
        CHECK(hits.size() == answer->total);
        return hits;
    }
};

Hits intersection_of(const Hits& a, const Hits& b) {
    Hits out;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
    return out;
}

}  // namespace

TEST_CASE("no combination of operators leaves the scope: what is found is what both find by themselves") {
    World w;
    Trees trees(20'260'302);
    std::vector<Kind> leaves;
    for (const Kind kind : Trees::all_leaves())
        if (w.run(trees.one(kind))) leaves.push_back(kind);
    MESSAGE(leaves.size() << " of " << Trees::all_leaves().size() << " kinds of conditions are searched here");
    CHECK(leaves.size() >= 10);
    trees.use(leaves);
    std::size_t compared = 0, bounded = 0, refused = 0;
    for (int round = 0; round < 1'500; ++round) {
        const Query scope = trees.query(2), typed = trees.query();
        const auto in_scope = w.run(scope), alone = w.run(typed), found = w.run(both(scope, typed));
        if (!in_scope || !alone) continue;
        if (!found) {  // both together are too much: their wildcards stand for more than 1,000 words
            ++refused;
            continue;
        }
        CHECK(*found == intersection_of(*in_scope, *alone));
        CHECK(std::includes(in_scope->begin(), in_scope->end(), found->begin(), found->end()));
        ++compared;
        if (!alone->empty() && found->size() < alone->size()) ++bounded;
    }
    MESSAGE(compared << " compared, " << bounded << " of them bounded by their scope");
    CHECK(compared > 1'000);
    CHECK(bounded > 300);
    CHECK(refused < compared / 10);
}

TEST_CASE("a text that tries to leave the scope is refused, or finds what is in the scope alone") {
    World w;
    const std::vector<std::string> tricks = {"x) OR (y",
                                             "Vertrag) OR (Müller",
                                             ") OR (*",
                                             "*) OR (*",
                                             "\"Vertrag",
                                             "Vertrag\" OR \"*",
                                             "* OR *",
                                             "NOT source:chat-server",
                                             "NOT (source:chat-server)",
                                             "source:\"Exchange-Journal\" OR *",
                                             "source:\"Exchange-Journal\") OR (*",
                                             "((((*))))",
                                             "-nirgends",
                                             "* NOT nirgends",
                                             "„Vertrag“ ODER *",
                                             "(Vertrag",
                                             "Vertrag))",
                                             "OR *",
                                             "AND",
                                             ""};
    const Query scope = parse_query("source:chat-server Vertrag").value();
    const Hits in_scope = w.run(scope).value();
    REQUIRE(!in_scope.empty());
    REQUIRE(in_scope.size() < kRecords / 2);
    const auto stays_inside = [&](const std::string& text) {
        const ParsedQuery typed = parse(text);
        if (!typed.query) return false;
        const auto found = w.run(both(scope, *typed.query));
        if (!found) return false;
        CHECK(std::includes(in_scope.begin(), in_scope.end(), found->begin(), found->end()));
        CHECK(*found == intersection_of(in_scope, w.run(*typed.query).value()));
        return true;
    };
    for (const std::string& text : tricks) stays_inside(text);

    // And texts put together at random from what the language is made of, good or not.
    static const std::vector<std::string> pieces = {
        "(",  ")",       "\"",     "„",        "“",    " OR ", " AND ",          " NOT ",   "-",
        "*",  "Vertrag", "Müller", "from:",    "anna", " ",    "date:2024",      "source:", "kind:mail",
        "\\", ":",       "~1",     " NEAR/3 ", "=",    "?",    "has:attachment", "\n",      "\t"};
    Trees dice(4);
    std::size_t ran = 0;
    for (int round = 0; round < 3'000; ++round) {
        std::string text;
        for (std::size_t n = 1 + dice.number(8); n > 0; --n) text += pieces[dice.number(pieces.size())];
        if (stays_inside(text)) ++ran;
    }
    CHECK(ran > 100);
}

TEST_CASE("a set of records put beside a query finds among these alone") {
    World w;
    EntrySet some;
    some.add(EntryIndex(kFirst + 10), EntryIndex(kFirst + 40));
    const Query typed = parse_query("Vertrag OR Müller").value();
    const auto among = w.run(both(these_entries(some), typed));
    if (!among) return;
    Hits expected;
    const Hits all = w.run(typed).value();
    for (const std::uint64_t e : all)
        if (some.contains(EntryIndex(e))) expected.insert(e);
    CHECK(*among == expected);
    CHECK(w.run(both(these_entries({}), typed)).value().empty());
}
