// What matches in a shard: words alone are put together by us, all else by Xapian, and both say the same.
#include "search/src/matches.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/search/random_corpus.h"

namespace kustos::search::test {
namespace {

constexpr unsigned kTerms = 12;

std::string term(unsigned number) {
    return "t" + std::to_string(number);
}

// The first term is in every document, each next in half as many; 300 documents, and some were taken out.
Xapian::WritableDatabase some_documents(SeededRandom& random) {
    Xapian::WritableDatabase out{std::string(), Xapian::DB_BACKEND_INMEMORY};
    for (unsigned id = 1; id <= 300; ++id) {
        Xapian::Document document;
        for (unsigned n = 0; n < kTerms; ++n)
            if (random.next() % (1u << n) == 0) document.add_term(term(n));
        out.add_document(document);
    }
    for (unsigned id = 7; id <= 300; id += 31) out.delete_document(id);
    return out;
}

Xapian::Query random_query(SeededRandom& random, unsigned depth) {
    if (depth == 0 || random.next() % 4 == 0)
        return random.next() % 8 == 0 ? Xapian::Query() : Xapian::Query(term(random.next() % (kTerms + 2)));
    std::vector<Xapian::Query> parts;
    for (unsigned i = 0; i <= random.next() % 4; ++i) parts.push_back(random_query(random, depth - 1));
    switch (random.next() % 8) {
        case 0:
            return Xapian::Query(Xapian::Query::OP_AND, parts.begin(), parts.end());
        case 1:
            return Xapian::Query(Xapian::Query::OP_AND_NOT, parts.begin(), parts.end());
        case 2:
            return Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, parts[0], 0);
        case 3:
            return Xapian::Query(std::string());  // everything
        case 4:
            return Xapian::Query(Xapian::Query::OP_MAX, parts.begin(), parts.end());
        default:
            return Xapian::Query(Xapian::Query::OP_OR, parts.begin(), parts.end());
    }
}

}  // namespace

TEST_CASE("without weights the same documents match as with them, in ascending order, for a thousand random queries") {
    SeededRandom random{41};
    const Xapian::WritableDatabase documents = some_documents(random);
    std::size_t found = 0;
    for (int n = 0; n < 1'000; ++n) {
        const Xapian::Query query = random_query(random, 3);
        INFO(query.get_description());
        const Matches plain = all_matches(documents, query, false);
        Matches weighted = all_matches(documents, query, true);
        CHECK(weighted.weights.size() == weighted.ids.size());
        std::sort(weighted.ids.begin(), weighted.ids.end());
        CHECK(plain.ids == weighted.ids);
        CHECK(plain.weights.empty());
        found += plain.ids.size();
    }
    CHECK(found > 20'000);
}

}  // namespace kustos::search::test
