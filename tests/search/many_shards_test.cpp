// Many small shards are asked side by side: they answer as one shard would.
#include <doctest/doctest.h>

#include <atomic>

#include "search/src/term_sketch.h"
#include "tests/search/archive_of.h"
#include "tests/search/random_corpus.h"

namespace kustos::search::test {
namespace {

constexpr std::size_t kRecords = 400;

void fill(SmallArchive& a, std::uint32_t records_per_shard) {
    a.options.records_per_shard = records_per_shard;
    SeededRandom random{23};
    for (std::size_t n = 0; n < kRecords; ++n) {
        const std::string source = random_source(random);
        a.add(random_message(random), source);
    }
    REQUIRE(a.index_all().ok());
}

std::string random_word(SeededRandom& random) {
    std::string out;
    for (int i = 0; i < 10; ++i) out.push_back(static_cast<char>(random.next() % 256));
    return out;
}

}  // namespace

TEST_CASE("forty shards side by side answer as one shard does, what could not be searched included") {
    SmallArchive one, many;
    fill(one, 1'000);
    fill(many, 10);
    SeededRandom random{5};
    std::uint64_t hits = 0, unsearched = 0;
    for (const std::string& query : broad_queries(random, 400)) {
        INFO(query);
        SearchOptions options;
        options.facets.pairs = true;
        const auto from_one = one.ask(query, options), from_many = many.ask(query, options);
        REQUIRE(from_one.ok() == from_many.ok());
        if (!from_one.ok()) {
            CHECK(from_one.error().code() == from_many.error().code());
            continue;
        }
        REQUIRE(from_many->shards == 40);
        CHECK(from_many->entries == from_one->entries);
        CHECK(from_many->sent_at == from_one->sent_at);
        CHECK(from_many->result_set == from_one->result_set);
        CHECK(from_many->coverage == from_one->coverage);
        CHECK(from_many->unsearched == from_one->unsearched);
        CHECK(from_many->facets.pairs == from_one->facets.pairs);
        hits += from_one->total;
        unsearched += from_one->unsearched.total();
    }
    CHECK(hits > 1'000);  // they did ask for something
    CHECK(unsearched > 1'000);
}

TEST_CASE("a search over many shards ends where it is stopped, and names the one that is damaged") {
    SmallArchive a;
    fill(a, 10);
    SearchOptions options;
    std::atomic<unsigned> asked{0};
    options.stop = [&asked] { return ++asked > 12; };
    const auto stopped = a.ask("*", options);
    REQUIRE(!stopped.ok());
    CHECK(stopped.error().code() == Code::interrupted);
    CHECK(asked < 40);  // the rest was not begun
    options.stop = nullptr;
    CHECK(a.ask("*", options).ok());

    auto key = std::next(a.keys.keys.begin(), 20);
    key->second = SecretBytes::random(a.random, kTermKeySize);  // as good as changed bytes everywhere
    a.searcher.reset();
    const auto damaged = a.ask("*");
    REQUIRE(!damaged.ok());
    CHECK(damaged.error().code() == Code::corrupt);
}

TEST_CASE("a sketch has every term of its shard, and hardly any other") {
    for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{300}, std::size_t{20'000}}) {
        CAPTURE(count);
        SeededRandom random{count};
        std::vector<std::string> terms;
        std::vector<std::uint64_t> beginnings;
        for (std::size_t i = 0; i < count; ++i) {
            terms.push_back(random_word(random));
            beginnings.push_back(TermSketch::beginning_of(terms.back()));
        }
        // at both ends of what there is
        terms.push_back(std::string(10, '\0'));
        terms.push_back(std::string(10, '\xff'));
        beginnings.push_back(TermSketch::beginning_of(terms[count]));
        beginnings.push_back(TermSketch::beginning_of(terms[count + 1]));
        const TermSketch sketch(beginnings);
        std::size_t missing = 0, others = 0;
        for (const std::string& term : terms) missing += sketch.may_have(term) ? 0 : 1;
        for (int i = 0; i < 10'000; ++i) others += sketch.may_have(random_word(random)) ? 1 : 0;
        CHECK(missing == 0);
        CHECK(others == 0);  // of 2^64
    }
    CHECK(TermSketch().may_have("anything"));
}

}  // namespace kustos::search::test
