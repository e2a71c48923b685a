// The query language (docs/query-language.md): words, "phrases", AND OR NOT, NEAR and W, wildcards, fuzzy and exact
// words, fields, ranges; English and German.
//
// A pure parser: text in, tree or problem out; no disk, no clock, no index. It takes foreign text: bounded in length
// and depth, never throws, reads every byte sequence (ill-formed UTF-8 is a problem with a position, not a crash).
// Threads: values and free functions, safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entry_set.h"
#include "base/result.h"
#include "base/time.h"

namespace kustos::search {

inline constexpr std::size_t kMaxQueryBytes = 8'192;
inline constexpr std::size_t kMaxQueryDepth = 32;    // of parentheses and NOTs
inline constexpr std::size_t kMaxQueryLeaves = 512;  // words, phrases and conditions
inline constexpr std::size_t kMinPrefixLetters = 3;  // letters that a word with * or ? must have
inline constexpr std::size_t kMaxPattern = 8;        // * and ? in one word
inline constexpr std::size_t kMaxExpansions =
    1'000;                                      // words that all wildcards and fuzzy words of a query may stand for
inline constexpr std::uint32_t kMaxNear = 500;  // words apart; 1: side by side
inline constexpr std::uint32_t kMaxFuzzy = 2;   // letters that may differ

enum class Language : std::uint8_t { en, de };

// Where a word is looked for. `any`: text (body, subject, attachments with their names), people, conversation.
// `to`: every recipient, copies and members too; `attachment`: text inside attachments; `file`: their names.
enum class Field : std::uint8_t {
    any,
    from,
    to,
    cc,
    bcc,
    participant,  // sender or any recipient
    subject,
    body,
    attachment,
    file,
    conversation
};

// Days, both ends included; an open end is absent. Which instants a day spans is the searcher's business (time zone).
struct DateRange {
    std::optional<CivilDate> first;
    std::optional<CivilDate> last;
    bool operator==(const DateRange&) const = default;
};

// Bytes of the original, both ends included; an open end is absent.
struct SizeRange {
    std::optional<std::uint64_t> least;
    std::optional<std::uint64_t> most;
    bool operator==(const SizeRange&) const = default;
};

struct Node {
    enum class Kind : std::uint8_t {
        word,     // text: one word as typed, may be a chain like "12-345/26"
        phrase,   // text: what stood between the quotation marks
        prefix,   // text: the letters before *
        pattern,  // text: a word with * or ? elsewhere; * any letters, ? exactly one
        fuzzy,    // text: a word; number: so many letters may differ, be too many or missing
        exact,    // text: a word or a row of words as typed after =: case and umlaut count, no stems
        near,     // children: words, phrases, prefixes, patterns, fuzzy ones, or any_of of such, in one field; each
                  // at most `number` words from the one before; ordered: behind it. A word of several parts counts
                  // as a phrase of them
        all_of,   // children
        any_of,   // children
        none_of,  // one child
        date,     // range: of the sent time
        sealed,   // range: of the time of sealing
        size,     // sizes
        source,   // text: a source's name
        message_kind,  // text: "mail", "chat", ... (vault::kind_name)
        has_attachment,
        content,          // text: SHA-256 of an attachment, 64 lower-case hex digits
        content_list,     // text: name of a list of such sums that the matter has
        filetype,         // text: kind of an attachment's file, "pdf", "docx", or a group of such: "word", "image"
        language,         // text: ISO 639-1, of the message's own text
        retention_class,  // text: a class's name or number
        tag,              // text: a label that this matter has given
        code,             // text: a review decision of this matter
        edited,           // a later version of it is known
        deleted,          // its deletion at the source is known
        thread,           // text: a record's entry number, or a message's id: what belongs to one thread with it
        entries,          // set: these records. Nobody types it: resolve.h puts it where the index does not know
        coverage,    // text: why a record is not wholly searchable, or what was noticed: a machine word of the index
        everything,  // *
        person,      // text: whose, as typed; with_persons() (persons.h) makes what is run of it
    };
    Kind kind = Kind::everything;
    Field field = Field::any;  // of words of every kind, near, and person (any: sender or recipient)
    std::string text;
    DateRange range;
    SizeRange sizes;
    std::uint32_t number = 0;
    bool ordered = false;
    std::shared_ptr<const EntrySet> set;                   // of entries; of exact, once it is decided (exact.h)
    std::shared_ptr<const std::vector<std::string>> sums;  // of content_list, once it is resolved: ascending
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
        near_operand,  // NEAR and W stand between words and phrases of one field
        near_mixed,    // a NEAR/3 b W/5 c
        bad_distance,  // 1 to kMaxNear
        bad_fuzzy,     // ~1 or ~2 behind a word of at least kMinPrefixLetters letters
        bad_size,
        size_order,
        bad_filetype,
        bad_language,
        bad_yes,  // edited: and deleted: take yes or no
    };
    What what = What::empty;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t character = 1;    // the position for people: characters from 1
    std::string_view suggestion;  // one of our own names that was probably meant ("betreff"); empty: none. Static.
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
// `entries` is written as entries:<how many>, which parses as nothing: a set has no text.
std::string query_text(const Node& node);
// Whether two trees are one question, written in one way. For tests.
bool same_tree(const Node& a, const Node& b);

}  // namespace kustos::search
