// Random trees and their text.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "search/query.h"

namespace kustos::search {
namespace {

class Trees {
public:
    explicit Trees(std::uint64_t seed) : random_(seed) {}

    Node any(int depth) {
        const std::uint64_t choice = random_.next() % 10;
        if (depth > 0 && choice < 2) return group(Node::Kind::all_of, depth);
        if (depth > 0 && choice < 4) return group(Node::Kind::any_of, depth);
        if (depth > 0 && choice == 4) {
            Node node;
            node.kind = Node::Kind::none_of;
            do node.children = {any(depth - 1)};
            while (node.children[0].kind == Node::Kind::none_of);
            return node;
        }
        if (choice == 5) return near();
        return choice < 8 ? word(field()) : condition();
    }

private:
    std::uint64_t below(std::uint64_t n) { return random_.next() % n; }
    template <typename T>
    T one_of(std::initializer_list<T> values) {
        return *(values.begin() + static_cast<std::ptrdiff_t>(below(values.size())));
    }
    Field field() { return below(2) == 0 ? Field::any : static_cast<Field>(below(11)); }

    Node group(Node::Kind kind, int depth) {
        Node node;
        node.kind = kind;
        for (std::uint64_t n = 2 + below(3); n > 0; --n) node.children.push_back(any(depth - 1));
        return node;
    }

    Node word(Field field, bool for_near = false) {
        Node node;
        node.kind = one_of({Node::Kind::word, Node::Kind::phrase, Node::Kind::prefix, Node::Kind::pattern,
                            Node::Kind::fuzzy, for_near ? Node::Kind::word : Node::Kind::exact});
        node.field = field;
        const std::string letters = one_of<std::string>({"vertrag", "Müller", "größe", "abc", "漢字", "2026", "und"});
        node.text = letters;
        switch (node.kind) {
            case Node::Kind::word:
                node.text = one_of<std::string>({letters, "12-345/26", "anna@example.org", "Mail,", "er?", "a~b"});
                break;
            case Node::Kind::phrase:
                node.text = one_of<std::string>({letters, "nicht ODER doch", "a (b) NEAR/3", " * was? ", "=x"});
                break;
            case Node::Kind::exact:
                node.text = one_of<std::string>({letters, "Müller GmbH", "§ 5", "C++", "-x~2 *"});
                break;
            case Node::Kind::prefix:
                if (letters == "漢字") node.text = "abc";
                break;
            case Node::Kind::pattern:
                node.text = one_of<std::string>({"me?er", "*trag", "ver*ung", "a*b?c*", "abc?"});
                break;
            default:
                if (letters == "漢字") node.text = "abc";
                node.number = static_cast<std::uint32_t>(1 + below(2));
        }
        return node;
    }

    Node near() {
        Node node;
        node.kind = Node::Kind::near;
        node.field = field();
        node.number = static_cast<std::uint32_t>(1 + below(kMaxNear));
        node.ordered = below(2) == 0;
        for (std::uint64_t n = 2 + below(3); n > 0; --n) {
            Node child = word(node.field, true);
            if (below(3) == 0) {
                Node any;
                any.kind = Node::Kind::any_of;
                any.children = {child, word(node.field, true)};
                child = any;
            }
            node.children.push_back(child);
        }
        return node;
    }

    std::optional<CivilDate> date(int year) {
        return CivilDate{year, static_cast<unsigned>(1 + below(12)), static_cast<unsigned>(1 + below(28))};
    }

    Node condition() {
        Node node;
        node.kind = static_cast<Node::Kind>(
            static_cast<int>(Node::Kind::date) +
            static_cast<int>(below(static_cast<int>(Node::Kind::person) - static_cast<int>(Node::Kind::date) + 1)));
        switch (node.kind) {
            case Node::Kind::date:
            case Node::Kind::sealed:
                node.range = {date(2025), date(2026)};
                if (below(3) == 0)
                    node.range.first.reset();
                else if (below(2) == 0)
                    node.range.last.reset();
                break;
            case Node::Kind::size:
                node.sizes = {below(1'000), 1'000 + below(1'000'000'000)};
                if (below(3) == 0)
                    node.sizes.least.reset();
                else if (below(2) == 0)
                    node.sizes.most.reset();
                break;
            case Node::Kind::message_kind:
                node.text = one_of<std::string>({"mail", "chat", "delete"});
                break;
            case Node::Kind::content:
                node.text = std::string(64, one_of({'a', '0', 'f'}));
                break;
            case Node::Kind::filetype:
                node.text = one_of<std::string>({"pdf", "word", "image", "jpg", "q7z"});
                break;
            case Node::Kind::language:
                node.text = one_of<std::string>({"de", "en", "eu"});
                break;
            case Node::Kind::coverage:
                node.text = one_of<std::string>({"ocr", "no-sandbox"});
                break;
            case Node::Kind::has_attachment:
            case Node::Kind::edited:
            case Node::Kind::deleted:
            case Node::Kind::everything:
                break;
            case Node::Kind::entries:
                node.kind = Node::Kind::everything;
                break;
            case Node::Kind::person:
                node.field = one_of({Field::any, Field::from, Field::to, Field::cc, Field::bcc, Field::participant});
                [[fallthrough]];
            default:
                node.text = one_of<std::string>({"Name", "Name mit Leerzeichen (7)", "@x", "a:b", "4711", "ODER"});
        }
        return node;
    }

    SeededRandom random_;
};

}  // namespace

TEST_CASE("a tree's text parses to the same tree") {
    Trees trees(21);
    for (int round = 0; round < 50'000; ++round) {
        const Node tree = trees.any(3);
        const std::string text = query_text(tree);
        const ParsedQuery parsed = parse(text);
        REQUIRE_MESSAGE(parsed.query, text);
        REQUIRE_MESSAGE(same_tree(parsed.query->root, tree), text, " -> ", query_text(parsed.query->root));
    }
}

TEST_CASE("a set of records has no text that could be typed") {
    Node node;
    node.kind = Node::Kind::entries;
    EntrySet set;
    set.add(EntryIndex{3}, EntryIndex{7});
    node.set = std::make_shared<const EntrySet>(set);
    CHECK(query_text(node) == "entries:5");
    CHECK(parse(query_text(node)).problem);
}

}  // namespace kustos::search
