// Recursive descent over the query's bytes. Grammar (docs/query-language.md):
//   or      = and { (OR|ODER) and }
//   and     = unary { [AND|UND] unary }
//   unary   = (NOT|NICHT|-) unary | operand
//   operand = "(" or ")" | phrase | field ":" value | field ":(" or ")" | word | word* | *
// Inside the group of from: or to: an operand may be person: value.
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "search/analysis.h"
#include "search/index.h"
#include "search/query.h"
#include "search/src/query_dates.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

using What = QueryProblem::What;

enum class Name {
    from,
    to,
    subject,
    file,
    conversation,
    date,
    since,
    until,
    source,
    has,
    kind,
    content,
    coverage,
    person
};

// Names of fields, folded.
constexpr std::array<std::pair<std::string_view, Name>, 38> kNames = {{
    {"from", Name::from},
    {"von", Name::from},
    {"absender", Name::from},
    {"sender", Name::from},
    {"to", Name::to},
    {"an", Name::to},
    {"empfänger", Name::to},
    {"empfaenger", Name::to},
    {"recipient", Name::to},
    {"subject", Name::subject},
    {"betreff", Name::subject},
    {"file", Name::file},
    {"datei", Name::file},
    {"filename", Name::file},
    {"dateiname", Name::file},
    {"conversation", Name::conversation},
    {"unterhaltung", Name::conversation},
    {"gespräch", Name::conversation},
    {"gespraech", Name::conversation},
    {"kanal", Name::conversation},
    {"channel", Name::conversation},
    {"date", Name::date},
    {"datum", Name::date},
    {"since", Name::since},
    {"seit", Name::since},
    {"ab", Name::since},
    {"until", Name::until},
    {"bis", Name::until},
    {"source", Name::source},
    {"quelle", Name::source},
    {"has", Name::has},
    {"hat", Name::has},
    {"kind", Name::kind},
    {"art", Name::kind},
    {"sha256", Name::content},
    {"coverage", Name::coverage},
    {"abdeckung", Name::coverage},
    {"person", Name::person},
}};

// Kinds of messages as people write them, folded -> vault::kind_name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 37> kKinds = {{
    {"mail", "mail"},
    {"e-mail", "mail"},
    {"email", "mail"},
    {"chat", "chat"},
    {"nachricht", "chat"},
    {"file", "file"},
    {"datei", "file"},
    {"call", "call"},
    {"anruf", "call"},
    {"voice", "voice"},
    {"sprachnachricht", "voice"},
    {"status", "status"},
    {"edit", "edit"},
    {"bearbeitung", "edit"},
    {"änderung", "edit"},
    {"aenderung", "edit"},
    {"delete", "delete"},
    {"deletion", "delete"},
    {"löschung", "delete"},
    {"loeschung", "delete"},
    {"reaction", "reaction"},
    {"reaktion", "reaction"},
    {"join", "join"},
    {"beitritt", "join"},
    {"leave", "leave"},
    {"austritt", "leave"},
    {"unreadable", "unreadable"},
    {"unlesbar", "unreadable"},
    {"quarantine", "unreadable"},
    {"quarantäne", "unreadable"},
    {"quarantaene", "unreadable"},
    {"notice", "notice"},
    {"notiz", "notice"},
    {"envelope", "envelope"},
    {"journalbericht", "envelope"},
    {"person", "person"},
    {"adressbuch", "person"},
}};

constexpr std::array<std::string_view, 8> kAttachment = {"attachment", "attachments", "anhang",  "anhänge",
                                                         "anhaenge",   "file",        "dateien", "datei"};

struct Quote {
    std::string_view open, close;
};
constexpr std::array<Quote, 4> kQuotes = {{{"\"", "\""},
                                           {"\xE2\x80\x9E", "\xE2\x80\x9C"},  // „ “
                                           {"\xE2\x80\x9C", "\xE2\x80\x9D"},  // “ ”
                                           {"\xC2\xBB", "\xC2\xAB"}}};        // » «

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

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
    // --- characters ---
    bool at_end() const { return at_ >= text_.size(); }
    std::string_view rest() const { return text_.substr(at_); }
    bool next_is(std::string_view what) const { return rest().substr(0, what.size()) == what; }
    void skip_space() {
        for (;;) {
            if (!at_end() && is_space(text_[at_]))
                ++at_;
            else if (next_is("\xC2\xA0"))
                at_ += 2;  // no-break space
            else
                return;
        }
    }
    std::size_t first_bad_byte() const {
        if (is_valid_utf8(text_)) return text_.size();
        std::size_t good = 0;
        while (good < text_.size()) {
            std::size_t next = good;
            next_code_point(text_, next);
            if (!is_valid_utf8(text_.substr(good, next - good))) break;
            good = next;
        }
        return std::min(good, text_.size() - 1);
    }
    static const Quote* quote_at(std::string_view text) {
        for (const Quote& quote : kQuotes) {
            if (text.substr(0, quote.open.size()) == quote.open) return &quote;
        }
        return nullptr;
    }
    // Up to white space, a parenthesis or a quotation mark.
    std::size_t word_end(std::size_t from) const {
        std::size_t end = from;
        while (end < text_.size() && !is_space(text_[end]) && text_[end] != '(' && text_[end] != ')' &&
               quote_at(text_.substr(end)) == nullptr && text_.substr(end, 2) != "\xC2\xA0")
            ++end;
        return end;
    }
    std::string_view peek_word() const { return text_.substr(at_, word_end(at_) - at_); }

    // --- problems: the first one stays ---
    bool failed() const { return problem_.has_value(); }
    bool problem(What what, std::size_t begin, std::size_t end) {
        if (failed()) return false;
        QueryProblem found{what, begin, std::min(std::max(end, begin), text_.size()), 1, {}};
        for (std::size_t i = 0; i < std::min(begin, text_.size()); ++i) {
            if (!is_continuation(text_[i])) ++found.character;
        }
        problem_ = found;
        return false;
    }
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

    static void join(Node& into, Node::Kind kind, std::vector<Node> nodes) {
        if (nodes.size() == 1) {
            into = std::move(nodes[0]);
            return;
        }
        into = Node();
        into.kind = kind;
        into.children = std::move(nodes);
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
        if (!negative && text_[at_] == '-' && at_ + 1 < text_.size() && !is_space(text_[at_ + 1]) &&
            text_[at_ + 1] != ')') {
            ++at_;
            negative = true;
        }
        if (!negative) return parse_operand(out, nothing);
        if (++depth_ > kMaxQueryDepth) return problem(What::too_deep, begin, at_);
        if (at_end() || text_[at_] == ')' || at_or() || at_and()) return problem(What::operand_missing, at_, at_);
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

    bool parse_operand(Node& out, bool& nothing) {
        if (text_[at_] == '(') return parse_group(out);
        if (const Quote* quote = quote_at(rest())) return parse_phrase(out, *quote);
        const std::string_view word = peek_word();
        const std::size_t colon = word.find(':');
        if (colon != std::string_view::npos && colon > 0) {
            if (const auto name = name_of(word.substr(0, colon))) return parse_field(out, *name, colon);
            if (looks_like_field(word, colon)) return problem(What::unknown_field, at_, at_ + colon);
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

    // Text between quotation marks; at_ stands behind the closing one.
    bool quoted(const Quote& quote, std::string_view& inside) {
        const std::size_t begin = at_;
        const std::size_t from = at_ + quote.open.size();
        std::size_t end = text_.find(quote.close, from);
        std::size_t close = quote.close.size();
        // „like this" or „like this”: people mix their marks
        for (const std::string_view other : {std::string_view("\""), std::string_view("\xE2\x80\x9D")}) {
            const std::size_t here = text_.find(other, from);
            if (quote.open != "\"" && here < end) end = here, close = other.size();
        }
        if (end == std::string_view::npos) return problem(What::open_quote, begin, begin + quote.open.size());
        inside = text_.substr(from, end - from);
        at_ = end + close;
        return true;
    }

    bool parse_phrase(Node& out, const Quote& quote) {
        const std::size_t begin = at_;
        std::string_view inside;
        if (!quoted(quote, inside)) return false;
        out.kind = Node::Kind::phrase;
        out.field = field_;
        out.text = std::string(inside);
        const std::size_t parts = query_word(inside).parts.size();
        if (parts == 0) return problem(What::nothing_to_find, begin, at_);
        skip_space();
        return count_leaf(parts, begin, at_);
    }

    bool parse_word(Node& out, bool& nothing) {
        const std::size_t begin = at_;
        const std::string_view word = peek_word();
        at_ += word.size();
        if (word == "*") {
            out.kind = Node::Kind::everything;
            skip_space();
            return count_leaf(1, begin, at_);
        }
        const std::size_t star = word.find('*');
        if (star != std::string_view::npos && star + 1 != word.size())
            return problem(What::star_inside, begin + star, begin + star + 1);
        const QueryWord found = query_word(word);
        if (found.parts.empty()) {
            // signs alone find nothing: left out between words, a problem where they are all there is; emoji always
            const bool ascii =
                std::all_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
            if (star != std::string_view::npos) return problem(What::prefix_too_short, begin, at_);
            if (!ascii) return problem(What::nothing_to_find, begin, at_);
            nothing = skipped_ = true;
            skip_space();
            return true;
        }
        out.kind = star == std::string_view::npos ? Node::Kind::word : Node::Kind::prefix;
        out.field = field_;
        out.text = std::string(word.substr(0, star));
        if (out.kind == Node::Kind::prefix) {
            if (found.parts.size() > 1) return problem(What::star_inside, begin + star, begin + star + 1);
            std::size_t letters = 0;
            for (const char c : found.plain[0]) letters += is_continuation(c) ? 0 : 1;
            if (letters < kMinPrefixLetters) return problem(What::prefix_too_short, begin, at_);
        }
        skip_space();
        return count_leaf(found.parts.size(), begin, at_);
    }

    // --- fields ---
    static std::optional<Name> name_of(std::string_view written) {
        if (written.size() > 24) return std::nullopt;
        const std::string folded = fold(written);
        for (const auto& [name, value] : kNames) {
            if (name == folded) return value;
        }
        return std::nullopt;
    }
    // "sender2:x" and "https://x" and "12:30" are words; "absendr:x" is a slip that must not silently find nothing.
    static bool looks_like_field(std::string_view word, std::size_t colon) {
        if (colon + 1 >= word.size()) return false;
        const char after = word[colon + 1];
        if (after == '/' || after == '\\' || after == ':') return false;
        return std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
        });
    }

    bool parse_field(Node& out, Name name, std::size_t colon) {
        const std::size_t begin = at_;
        const bool person = name == Name::person && (field_ == Field::from || field_ == Field::to);
        if (field_ != Field::any && !person) return problem(What::operator_in_field, begin, begin + colon + 1);
        at_ += colon + 1;
        skip_space();  // "von: anna" is meant like "von:anna"
        if (at_end() || text_[at_] == ')' || at_or() || at_and()) return problem(What::empty_value, begin, at_);
        switch (name) {
            case Name::from:
                return parse_in_field(out, Field::from);
            case Name::to:
                return parse_in_field(out, Field::to);
            case Name::subject:
                return parse_in_field(out, Field::subject);
            case Name::file:
                return parse_in_field(out, Field::file);
            case Name::conversation:
                return parse_in_field(out, Field::conversation);
            default:
                return parse_condition(out, name, begin);
        }
    }

    bool parse_in_field(Node& out, Field field) {
        const std::size_t begin = at_;
        field_ = field;
        bool nothing = false;
        const bool good = parse_operand_in_field(out, nothing);
        field_ = Field::any;
        if (good && nothing) return problem(What::nothing_to_find, begin, at_);
        return good;
    }
    bool parse_operand_in_field(Node& out, bool& nothing) {
        if (text_[at_] == '(') return parse_group(out);
        if (const Quote* quote = quote_at(rest())) return parse_phrase(out, *quote);
        const std::size_t colon = peek_word().find(':');
        if ((field_ == Field::from || field_ == Field::to) && colon != std::string_view::npos &&
            name_of(peek_word().substr(0, colon)) == Name::person)
            return parse_field(out, Name::person, colon);
        return parse_word(out, nothing);
    }

    bool parse_condition(Node& out, Name name, std::size_t begin) {
        std::string value;
        const std::size_t from = at_;
        if (const Quote* quote = quote_at(rest())) {
            std::string_view inside;
            if (!quoted(*quote, inside)) return false;
            value = std::string(inside);
        } else {
            value = std::string(peek_word());
            at_ += value.size();
        }
        if (value.empty()) return problem(What::empty_value, begin, at_ + 1);
        if (!count_leaf(1, begin, at_)) return false;
        const bool good = set_condition(out, name, value, from);
        skip_space();
        return good;
    }

    bool set_condition(Node& out, Name name, const std::string& value, std::size_t from) {
        const std::string folded = fold(value);
        switch (name) {
            case Name::person:
                out.kind = Node::Kind::person;
                out.field = field_;
                out.text = value;
                return true;
            case Name::source:
                out.kind = Node::Kind::source;
                out.text = value;
                return true;
            case Name::content:
                if (folded.size() != 64 || folded.find_first_not_of("0123456789abcdef") != std::string::npos)
                    return problem(What::bad_sha256, from, at_);
                out.kind = Node::Kind::content;
                out.text = folded;
                return true;
            case Name::coverage:
                if (folded.size() > kMaxReasonWord ||
                    folded.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
                    return problem(What::bad_coverage, from, at_);
                out.kind = Node::Kind::coverage;
                out.text = folded;
                return true;
            case Name::has:
                if (std::find(kAttachment.begin(), kAttachment.end(), folded) == kAttachment.end())
                    return problem(What::bad_has, from, at_);
                out.kind = Node::Kind::has_attachment;
                return true;
            case Name::kind:
                for (const auto& [written, kind] : kKinds) {
                    if (written != folded) continue;
                    out.kind = Node::Kind::message_kind;
                    out.text = std::string(kind);
                    return true;
                }
                return problem(What::bad_kind, from, at_);
            default:
                break;
        }
        out.kind = Node::Kind::date;
        const std::string with_sign = (name == Name::since ? ">=" : name == Name::until ? "<=" : "") + value;
        switch (parse_dates(with_sign, out.range)) {
            case DateVerdict::good:
                return true;
            case DateVerdict::bad_order:
                return problem(What::date_order, from, at_);
            case DateVerdict::bad_date:
                break;
        }
        return problem(What::bad_date, from, at_);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;  // of parentheses and NOTs
    std::size_t open_ = 0;   // parentheses
    std::size_t leaves_ = 0;
    bool skipped_ = false;
    Field field_ = Field::any;
    std::optional<QueryProblem> problem_;
};

}  // namespace

ParsedQuery parse(std::string_view text) {
    return Parser(text).run();
}

Result<Query> parse_query(std::string_view text, Language language) {
    ParsedQuery parsed = parse(text);
    if (parsed.query) return std::move(*parsed.query);
    ProblemText words = describe(*parsed.problem, language);
    return Error(Code::usage, std::move(words.message)).with_hint(std::move(words.hint));
}

Query both(const Query& a, const Query& b) {
    Query out;
    out.text = "(" + a.text + ") AND (" + b.text + ")";
    out.root.kind = Node::Kind::all_of;
    out.root.children = {a.root, b.root};
    return out;
}

}  // namespace kustos::search
