// Random messages over a small vocabulary, and queries that reach every kind of term.
#pragma once

#include <string>
#include <vector>

#include "tests/search/archive_of.h"

namespace kustos::search::test {

vault::Message random_message(SeededRandom& random);
std::string random_source(SeededRandom& random);
// Words, phrases, prefixes, fields, dates, conditions and their combinations.
std::vector<std::string> broad_queries(SeededRandom& random, std::size_t combinations);

}  // namespace kustos::search::test
