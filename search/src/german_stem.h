// Snowball's German stemmer (snowballstem.org/algorithms/german, version 3): newer than the one in Debian 12's Xapian,
// which leaves "arbeitet" and "handeln" apart from "arbeiten" and "Handel".
#pragma once

#include <string>
#include <string_view>

namespace kustos::search {

// `word` folded to small letters. digraphs: ae, oe, ue may stand for umlauts; false for a form, where those that do are
// umlauts already.
std::string german_stem(std::string_view word, bool digraphs);

}  // namespace kustos::search
