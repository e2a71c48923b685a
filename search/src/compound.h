// Words inside German compounds: "Haftungsausschluss" -> haftung, ausschluss.
//
// A word is taken apart if it is a chain of words that may stand in one: by the marks of a Hunspell dictionary (which
// word may begin a compound, with which joint, and which may end one), else any known word with the usual joints
// (s, es, n, en, er). Of several readings the one with the longest last word wins: "Staubecken" is Stau + Becken,
// "Wachstube" Wach + Stube.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/fs.h"

namespace kustos::search {

class CompoundSplitter {
public:
    // word_list: a Hunspell .dic with its .aff beside it, or one word a line; UTF-8 or ISO 8859-1; may be absent.
    CompoundSplitter(Fs* fs, const Path& word_list);
    // Forms of the words inside, the first ones perhaps with their joint ("haftungs"); empty if it is none. `form` as
    // form_of() makes it.
    std::vector<std::string> split(const std::string& form) const;

private:
    using Words = std::unordered_set<std::string>;
    void add(std::string_view word, Words& to, std::size_t shortest);
    bool read_dictionary(std::string_view dic, std::string_view aff);
    bool knows(const std::string& word) const { return words_.count(word) != 0; }
    bool begins_one(const std::string& word) const { return heads_.count(word) != 0; }
    bool ends_one(const std::string& word) const { return knows(word) || ends_.count(word) != 0; }
    bool is_head(const std::string& word, std::vector<std::string>& out, int depth) const;
    bool take_apart(const std::string& word, std::vector<std::string>& out, int depth) const;
    std::string last_word(const std::string& word, int depth) const;

    Words words_;  // that may stand anywhere, with any joint
    Words heads_;  // that begin a compound just so
    Words ends_;   // that end one
    Words whole_;  // words of the dictionary by themselves
};

// Our own short list, separated by spaces.
extern const char* const kCompoundWords;

}  // namespace kustos::search
