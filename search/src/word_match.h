// Which words a wildcard or a fuzzy word of a query means, and where words stand exactly as typed. Used for the word
// lists of the shards and for highlights alike, so that the two can't disagree.
//
// Pure. Threads: values, to be read from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kustos::search {

// Compares with the forms of one word (analysis.h): plain_form() and form_of(); either will do, as "Mueller" and
// "Müller" are one word. Nothing is allocated by a comparison.
class WordPattern {
public:
    // `*` any letters or none, `?` exactly one (an eszett is two: it is folded to ss). The rest is folded.
    static WordPattern glob(std::string_view text);
    // At most so many letters (code points of the forms) may differ, be too many or missing: Levenshtein's distance.
    static WordPattern fuzzy(std::string_view text, std::uint32_t distance);

    bool matches(std::string_view plain, std::string_view form) const;
    // The plain form of every word that matches begins with it; may be empty. For skipping through a sorted list.
    std::string literal_prefix() const;

private:
    bool fits(const std::u32string& wanted, std::string_view word) const;
    std::u32string plain_, form_;  // code points; of a glob also kAny and kOne
    std::uint32_t distance_ = 0;   // 0: a glob
};

// A word, or a row of words, of which capitals, umlauts and signs count. Both sides are compared in NFC, soft hyphens
// left out; any white space is like any other; a word divided at a line's end is whole.
class ExactWords {
public:
    struct Place {
        std::uint32_t begin = 0, end = 0;  // bytes in the text
    };
    explicit ExactWords(std::string_view text);
    std::vector<Place> places(std::string_view utf8) const;  // ascending
    bool in(std::string_view utf8) const;

private:
    bool find(std::string_view utf8, std::vector<Place>* places) const;
    std::vector<std::string> words_;
    std::vector<std::string> gaps_;  // signs and spaces: before the first word, between two, behind the last
};

// Whether `text` stands in `utf8` at edges of words.
bool exact_matches(std::string_view utf8, std::string_view text);

}  // namespace kustos::search
