// The query language (docs/query-language.md): words, "phrases", AND OR NOT, fields, dates; English and German.
//
// A pure parser: text in, tree or problem out; no disk, no clock, no index. It takes foreign text: bounded in length
// and depth, never throws, reads every byte sequence (ill-formed UTF-8 is a problem with a position, not a crash).
// Threads: values and free functions, safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace kustos::search {

inline constexpr std::size_t kMaxQueryBytes = 8'192;
inline constexpr std::size_t kMaxQueryDepth = 32;     // of parentheses and NOTs
inline constexpr std::size_t kMaxQueryLeaves = 512;   // words, phrases and conditions
inline constexpr std::size_t kMinPrefixLetters = 3;   // word* needs as many
inline constexpr std::size_t kMaxExpansions = 1'000;  // words that all prefixes of a query may stand for

enum class Language : std::uint8_t { en, de };

// Where a word is looked for. `any`: text (body, subject, attachments with their names), people, conversation.
enum class Field : std::uint8_t { any, from, to, subject, file, conversation };

// Days, both ends included; an open end is absent. Which instants a day spans is the searcher's business (time zone).
struct DateRange {
    std::optional<CivilDate> first;
    std::optional<CivilDate> last;
    bool operator==(const DateRange&) const = default;
};

struct Node {
    enum class Kind : std::uint8_t {
        word,          // text: one word as typed, may be a chain like "12-345/26"
        phrase,        // text: what stood between the quotation marks
        prefix,        // text: the letters before *
        all_of,        // children
        any_of,        // children
        none_of,       // one child
        date,          // range
        source,        // text: a source's name
        message_kind,  // text: "mail", "chat", ... (vault::kind_name)
        has_attachment,
        content,     // text: SHA-256 of an attachment, 64 lower-case hex digits
        coverage,    // text: why a record is not wholly searchable, or what was noticed: a machine word of the index
        everything,  // *
        person,      // text: whose, as typed; with_persons() (persons.h) makes what is run of it
    };
    Kind kind = Kind::everything;
    Field field = Field::any;  // of word, phrase, prefix and person (any: sender or recipient)
    std::string text;
    DateRange range;
    std::vector<Node> children;
};

struct Query {
    std::string text;  // as typed
    Node root;
};

// What is wrong with a query, where (byte offsets into it), and what to do.
struct QueryProblem {
    enum class What : std::uint8_t {
        empty,
        too_long,
        too_deep,
        too_many_parts,
        bad_utf8,
        open_quote,
        open_parenthesis,
        extra_parenthesis,
        operand_missing,
        empty_value,
        unknown_field,
        bad_date,
        date_order,
        bad_has,
        bad_sha256,
        bad_coverage,
        bad_kind,
        prefix_too_short,
        star_inside,
        nothing_to_find,
        operator_in_field,
    };
    What what = What::empty;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t character = 1;  // the position for people: characters from 1
};
struct ProblemText {
    std::string message;  // "query, character 7: a date looks like 2026-03-31 or 31.03.2026"
    std::string hint;
};
ProblemText describe(const QueryProblem& problem, Language language);

struct ParsedQuery {
    std::optional<Query> query;  // exactly one of the two is set
    std::optional<QueryProblem> problem;
};
ParsedQuery parse(std::string_view text);
// The same as a Result: Code::usage with describe()'s message and hint. The message holds nothing of the query's text.
Result<Query> parse_query(std::string_view text, Language language = Language::en);

// Both must hold; for a matter's scope put beside what somebody typed.
Query both(const Query& a, const Query& b);
// Canonical English form with every parenthesis written; parses to the same tree. For tests and logs of a matter.
std::string query_text(const Node& node);

}  // namespace kustos::search
