// Recursive descent over the query's bytes. Grammar (docs/query-language.md):
//   or      = and { (OR|ODER) and }
//   and     = unary { [AND|UND] unary }
//   unary   = (NOT|NICHT|-) unary | near
//   near    = operand { (NEAR|NAHE|W|FOLGT|PRE)["/"number] operand }
//   operand = "(" or ")" | phrase | exact | field ":" value | field ":(" or ")" | word | word* | w?rd | word~ | *
//   exact   = "=" (word | phrase)
// Inside the group of a field of people an operand may be person: value.
#include <algorithm>
#include <utility>

#include "search/query.h"
#include "search/src/query_cursor.h"
#include "search/src/query_names.h"
#include "search/src/query_near.h"
#include "search/src/query_values.h"
#include "search/src/query_words.h"

namespace kustos::search {
namespace {

using What = QueryProblem::What;

bool is_people(Field field) {
    return field == Field::from || field == Field::to || field == Field::cc || field == Field::bcc ||
           field == Field::participant;
}

void join(Node& into, Node::Kind kind, std::vector<Node> nodes) {
    if (nodes.size() == 1) {
        Node only = std::move(nodes[0]);
        into = std::move(only);
        return;
    }
    into = Node();
    into.kind = kind;
    into.children = std::move(nodes);
}

class Parser : private QueryCursor {
public:
    explicit Parser(std::string_view text) : QueryCursor(text) {}

    ParsedQuery run() {
        ParsedQuery out;
        if (text_.size() > kMaxQueryBytes) {
            problem(What::too_long, kMaxQueryBytes, text_.size());
        } else if (const std::size_t bad = first_bad_byte(); bad < text_.size()) {
            problem(What::bad_utf8, bad, bad + 1);
        } else {
            skip_space();
            if (at_end()) problem(What::empty, 0, text_.size());
            Node root;
            if (!failed() && parse_or(root) && !at_end()) problem(What::extra_parenthesis, at_, at_ + 1);
            if (!failed()) {
                out.query = Query{std::string(text_), std::move(root)};
                return out;
            }
        }
        out.problem = problem_;
        return out;
    }

private:
    bool count_leaf(std::size_t parts, std::size_t begin, std::size_t end) {
        leaves_ += std::max<std::size_t>(parts, 1);
        return leaves_ <= kMaxQueryLeaves || problem(What::too_many_parts, begin, end);
    }

    // --- operators ---
    bool take_operator(std::string_view english, std::string_view german, std::string_view sign) {
        const std::string_view word = peek_word();
        if (word.empty() || (word != english && word != german && word != sign)) return false;
        at_ += word.size();
        skip_space();
        return true;
    }
    bool at_or() const {
        const std::string_view word = peek_word();
        return word == "OR" || word == "ODER" || word == "||";
    }
    bool at_and() const {
        const std::string_view word = peek_word();
        return word == "AND" || word == "UND" || word == "&&";
    }
    bool at_not() const {
        const std::string_view word = peek_word();
        return word == "NOT" || word == "NICHT" || word == "!" || at_minus();
    }
    bool at_minus() const {
        return text_[at_] == '-' && at_ + 1 < text_.size() && !is_space(text_[at_ + 1]) && text_[at_ + 1] != ')';
    }
    // Where something to look for must stand.
    bool nothing_follows() const {
        return at_end() || text_[at_] == ')' || at_or() || at_and() || near_operator(peek_word());
    }

    bool parse_or(Node& out) {
        std::vector<Node> nodes;
        do {
            Node node;
            if (!parse_and(node)) return false;
            nodes.push_back(std::move(node));
        } while (take_operator("OR", "ODER", "||"));
        join(out, Node::Kind::any_of, std::move(nodes));
        return true;
    }

    bool parse_and(Node& out) {
        std::vector<Node> nodes;
        const std::size_t begin = at_;
        bool wants_one = true;  // at the start and after AND
        for (;;) {
            if (at_end() || text_[at_] == ')' || at_or()) break;
            if (at_and()) {
                if (wants_one) return problem(What::operand_missing, at_, word_end(at_));
                take_operator("AND", "UND", "&&");
                wants_one = true;
                continue;
            }
            Node node;
            bool nothing = false;
            if (!parse_unary(node, nothing)) return false;
            if (nothing) continue;  // a lone "&" or "," between words
            nodes.push_back(std::move(node));
            wants_one = false;
        }
        if (nodes.empty() && !at_end() && text_[at_] == ')' && open_ == 0)
            return problem(What::extra_parenthesis, at_, at_ + 1);
        if (nodes.empty()) return problem(skipped_ ? What::nothing_to_find : What::operand_missing, begin, at_);
        if (wants_one) return problem(What::operand_missing, at_, at_);
        join(out, Node::Kind::all_of, std::move(nodes));
        return true;
    }

    bool parse_unary(Node& out, bool& nothing) {
        const std::size_t begin = at_;
        bool negative = take_operator("NOT", "NICHT", "!");
        if (!negative && at_minus()) {
            ++at_;
            negative = true;
        }
        if (!negative) return parse_near(out, nothing);
        if (++depth_ > kMaxQueryDepth) return problem(What::too_deep, begin, at_);
        if (nothing_follows()) return problem(What::operand_missing, at_, at_);
        Node child;
        bool child_nothing = false;
        if (!parse_unary(child, child_nothing)) return false;
        --depth_;
        if (child_nothing) {  // "--" and the like between words
            nothing = true;
            return true;
        }
        if (child.kind == Node::Kind::none_of) {
            out = Node(std::move(child.children[0]));
            return true;
        }
        out.kind = Node::Kind::none_of;
        out.children.push_back(std::move(child));
        return true;
    }

    bool parse_near(Node& out, bool& nothing) {
        if (near_operator(peek_word())) return problem(What::operand_missing, at_, word_end(at_));
        const std::size_t begin = at_;
        Node first;
        if (!parse_operand(first, nothing)) return false;
        const auto found = at_end() ? std::nullopt : near_operator(peek_word());
        if (nothing || !found) {
            out = std::move(first);
            return true;
        }
        out.kind = Node::Kind::near;
        out.number = found->number;
        out.ordered = found->ordered;
        if (!add_near(out, std::move(first), begin, at_)) return false;
        while (!at_end()) {
            const auto again = near_operator(peek_word());
            if (!again) break;
            const std::size_t here = at_, behind = at_ + again->written.size();
            if (again->number == 0) return problem(What::bad_distance, here, behind);
            if (again->number != out.number || again->ordered != out.ordered)
                return problem(What::near_mixed, here, behind);
            at_ = behind;
            skip_space();
            if (nothing_follows()) return problem(What::operand_missing, at_, at_);
            if (at_not()) return problem(What::near_operand, at_, word_end(at_));
            const std::size_t from = at_;
            Node next;
            bool signs = false;
            if (!parse_operand(next, signs)) return false;
            if (signs) return problem(What::nothing_to_find, from, at_);
            if (!add_near(out, std::move(next), from, at_)) return false;
        }
        return true;
    }
    bool add_near(Node& near, Node operand, std::size_t begin, std::size_t end) {
        const auto field = near_operand(operand);
        if (!field || (!near.children.empty() && *field != near.field)) return problem(What::near_operand, begin, end);
        near.field = *field;
        near.children.push_back(std::move(operand));
        return true;
    }

    // --- operands ---
    bool parse_operand(Node& out, bool& nothing) {
        const std::string_view word = peek_word();
        const std::size_t colon = word.find(':');
        if (colon != std::string_view::npos && colon > 0) {
            if (const auto name = name_written(word.substr(0, colon))) return parse_field(out, *name, colon);
            if (looks_like_field(word, colon))
                return problem(What::unknown_field, at_, at_ + colon, nearest_field(word.substr(0, colon)));
        }
        return parse_words(out, nothing);
    }
    bool parse_words(Node& out, bool& nothing) {
        if (text_[at_] == '(') return parse_group(out);
        if (const Quote* quote = quote_at(rest())) return parse_phrase(out, *quote, Node::Kind::phrase);
        if (text_[at_] == '=') {
            if (const Quote* quote = quote_at(rest().substr(1))) {
                ++at_;
                return parse_phrase(out, *quote, Node::Kind::exact);
            }
        }
        return parse_word(out, nothing);
    }

    bool parse_group(Node& out) {
        const std::size_t begin = at_;
        if (++depth_ > kMaxQueryDepth) return problem(What::too_deep, begin, begin + 1);
        ++open_;
        ++at_;
        skip_space();
        if (at_end()) return problem(What::open_parenthesis, begin, begin + 1);
        if (!parse_or(out)) return false;
        if (at_end()) return problem(What::open_parenthesis, begin, begin + 1);
        ++at_;  // parse_or stops at the end or at ')'
        --open_;
        --depth_;
        skip_space();
        return true;
    }

    bool parse_phrase(Node& out, const Quote& quote, Node::Kind kind) {
        const std::size_t begin = at_;
        std::string_view inside;
        if (!quoted(quote, inside)) return false;
        if (!at_end() && text_[at_] == '~') return problem(What::bad_fuzzy, at_, word_end(at_));
        return take(out, read_phrase(inside, kind), begin);
    }
    bool parse_word(Node& out, bool& nothing) {
        const std::size_t begin = at_;
        const std::string_view word = peek_word();
        at_ += word.size();
        TypedWord typed = read_word(word, field_ != Field::any);
        if (typed.nothing) {
            nothing = skipped_ = true;
            skip_space();
            return true;
        }
        return take(out, std::move(typed), begin);
    }
    bool take(Node& out, TypedWord typed, std::size_t begin) {
        const std::size_t length = at_ - begin;
        if (typed.problem == What::nothing_to_find) return problem(What::nothing_to_find, begin, at_);
        if (typed.problem) return problem(*typed.problem, begin + typed.begin, begin + std::min(typed.end, length));
        out = std::move(typed.node);
        if (out.kind != Node::Kind::everything) out.field = field_;
        skip_space();
        return count_leaf(typed.parts, begin, at_);
    }

    // --- fields ---
    bool parse_field(Node& out, Name name, std::size_t colon) {
        const std::size_t begin = at_;
        const bool person = name == Name::person && is_people(field_);
        if (field_ != Field::any && !person) return problem(What::operator_in_field, begin, begin + colon + 1);
        at_ += colon + 1;
        skip_space();  // "von: anna" is meant like "von:anna"
        if (nothing_follows()) return problem(What::empty_value, begin, at_);
        if (const auto field = field_of(name)) return parse_in_field(out, *field);
        return parse_condition(out, name, begin);
    }

    bool parse_in_field(Node& out, Field field) {
        const std::size_t begin = at_;
        field_ = field;
        bool nothing = false;
        const std::string_view word = peek_word();
        const std::size_t colon = word.find(':');
        const bool person =
            is_people(field) && colon != std::string_view::npos && name_written(word.substr(0, colon)) == Name::person;
        const bool good = person ? parse_field(out, Name::person, colon) : parse_words(out, nothing);
        field_ = Field::any;
        if (good && nothing) return problem(What::nothing_to_find, begin, at_);
        return good;
    }

    bool parse_condition(Node& out, Name name, std::size_t begin) {
        const std::size_t from = at_;
        std::string value(peek_word());
        at_ += value.size();
        // a list's name may stand in quotation marks by itself: hash:@"List 7", as may a code's value:
        // code:privilege="in part"
        const bool goes_on = (name == Name::content && (value == "@" || (!value.empty() && value.back() == ':'))) ||
                             (name == Name::code && !value.empty() && value.back() == '=');
        if (const Quote* quote = value.empty() || goes_on ? quote_at(rest()) : nullptr) {
            std::string_view inside;
            if (!quoted(*quote, inside)) return false;
            value += inside;
        }
        if (value.empty()) return problem(What::empty_value, begin, at_ + 1);
        if (!count_leaf(1, begin, at_)) return false;
        const auto wrong = set_condition(out, name, value);
        if (wrong) return problem(wrong->what, wrong->what == What::empty_value ? begin : from, at_, wrong->suggestion);
        if (out.kind == Node::Kind::person) out.field = field_;
        skip_space();
        return true;
    }

    std::size_t depth_ = 0;  // of parentheses and NOTs
    std::size_t open_ = 0;   // parentheses
    std::size_t leaves_ = 0;
    bool skipped_ = false;
    Field field_ = Field::any;
};

}  // namespace

ParsedQuery parse(std::string_view text) {
    return Parser(text).run();
}

}  // namespace kustos::search
