// Finds in a text what a query asks for, by the same analysis as the index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "search/analysis.h"
#include "search/query.h"
#include "search/src/stemmer.h"
#include "search/src/word_match.h"

namespace kustos::search {

struct Match {
    std::uint32_t begin = 0, end = 0;  // bytes
    std::uint32_t leaf = 0;            // which word or phrase of the query
};

class Matcher {
public:
    explicit Matcher(const Query& query);
    // Ascending by begin; may overlap. where: what the text is (body, subject, cc, ...); what the query looks for there
    // or anywhere counts. Field::any: not known, only what it looks for anywhere. Words beside NEAR and W count where
    // they stand within the distance.
    std::vector<Match> find(std::string_view utf8, Field where);
    std::size_t leaves() const { return leaves_.size(); }

private:
    struct Leaf {
        Field field = Field::any;
        std::unordered_set<std::string> words;  // forms and stems, any of which will do
        bool forms_only = false;                // no stems
        std::vector<std::string> sequence;      // or: forms beside each other
        std::optional<WordPattern> pattern;     // or: prefix, wildcards, fuzzy
        std::optional<ExactWords> exact;        // or: as typed
        bool in_row = false;
    };
    struct Row {                                          // of NEAR or W
        std::vector<std::vector<std::uint32_t>> members;  // leaves, any of which will do, for each member
        std::uint32_t number = 1;
        bool ordered = false;
    };
    struct Place {
        std::uint32_t begin = 0, end = 0;   // bytes
        std::uint32_t first = 0, last = 0;  // positions
        std::uint32_t leaf = 0;
    };
    void collect(const Node& node);
    void add_leaf(const Node& node, bool in_row);
    static bool matches(const Leaf& leaf, const WordForms& forms);
    static void find_words(const Leaf& leaf, const std::vector<Occurrence>& all, std::vector<Place>& out);
    static void keep_near(const Row& row, std::vector<std::vector<Place>>& members);

    std::vector<Leaf> leaves_;
    std::vector<Row> rows_;
    Stemmer stemmer_;
    Analyser analyser_;
};

}  // namespace kustos::search
