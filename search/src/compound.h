// Words inside German compounds: "Haftungsausschluss" -> haftung, ausschluss.
//
// A word is taken apart if it is a chain of known words, with the usual joints (s, es, n, en, er) between them. Of
// several readings the one with the longest last word wins: "Staubecken" is Stau + Becken, "Wachstube" Wach + Stube.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/fs.h"

namespace kustos::search {

class CompoundSplitter {
public:
    // word_list: a Hunspell .dic (its flags are left out) or one word a line, UTF-8 or ISO 8859-1; may be absent.
    CompoundSplitter(Fs* fs, const Path& word_list);
    // Forms of the words inside; empty if it is none. `form` as form_of() makes it.
    std::vector<std::string> split(const std::string& form) const;

private:
    void add(std::string_view word);
    bool knows(const std::string& word) const { return words_.count(word) != 0; }
    bool is_head(const std::string& word, std::vector<std::string>& out, int depth) const;
    bool take_apart(const std::string& word, std::vector<std::string>& out, int depth) const;
    std::string last_word(const std::string& word, int depth) const;

    std::unordered_set<std::string> words_;
};

// Our own short list, separated by spaces.
extern const char* const kCompoundWords;

}  // namespace kustos::search
