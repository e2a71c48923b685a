// Finds in a text what a query asks for, by the same analysis as the index.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "search/analysis.h"
#include "search/query.h"
#include "search/src/stemmer.h"

namespace kustos::search {

struct Match {
    std::uint32_t begin = 0, end = 0;  // bytes
    std::uint32_t leaf = 0;            // which word or phrase of the query
};

class Matcher {
public:
    explicit Matcher(const Query& query);
    // Ascending by begin; may overlap. Leaves of `field` and of Field::any count (Field::any: those only).
    std::vector<Match> find(std::string_view utf8, Field field);
    std::size_t leaves() const { return leaves_.size(); }

private:
    struct Leaf {
        Field field = Field::any;
        std::unordered_set<std::string> words;  // forms and stems, any of which will do
        bool exact = false;                     // forms only
        std::vector<std::string> sequence;      // or: forms beside each other
        std::string plain_prefix, form_prefix;  // or: the beginning of a word
    };
    void collect(const Node& node);
    static bool matches(const Leaf& leaf, const WordForms& forms);

    std::vector<Leaf> leaves_;
    Stemmer stemmer_;
    Analyser analyser_;
};

}  // namespace kustos::search
