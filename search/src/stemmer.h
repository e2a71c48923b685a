// Snowball's stemmers (English as Xapian ships it), and what they leave apart (lemma.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace kustos::search {

class Stemmer {
public:
    Stemmer();
    ~Stemmer();
    // German and English stems of a word and of what it is a form of, without repeats and without the form itself. A
    // word that ends in an umlaut is not inflected German ("Statü" is not "Statue"), one with digits has no stem.
    std::vector<std::string> stems(const std::string& form, const std::string& plain) const;
    std::string german(const std::string& form) const;
    std::vector<std::string> lemma_stems(const std::string& form) const;  // of verbs and irregular words, else none
    void forget();  // Snowball keeps the last word in each stemmer

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::search
