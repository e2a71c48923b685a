// Dictionary forms that Snowball's rules do not reach: German verbs ("abgeschlossen" -> abschließen, "zeigte" ->
// zeigen), irregular plurals and degrees ("Daten" -> Datum, "höher" -> hoch).
//
// By a list of our own (lemma_words.cpp) and the prefixes that verbs take; a verb that is not in it is left to
// Snowball. Built once, at the first use; safe from any thread.
#pragma once

#include <string>
#include <vector>

namespace kustos::search {

// Infinitives and head words that a form may belong to; never the form itself, at most three.
std::vector<std::string> lemmas_of(const std::string& form);
// A noun as often as a verb ("Stand", "Schloss"): its lemmas hold only where it is written small.
bool is_noun_too(const std::string& form);

extern const char* const kStrongVerbs;
extern const char* const kWeakVerbs;
extern const char* const kIrregularWords;
extern const char* const kNounsToo;

}  // namespace kustos::search
