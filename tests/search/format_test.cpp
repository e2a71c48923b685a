// The worked examples of docs/format/index.md, and what its limits promise.
#include <doctest/doctest.h>

#include "base/crypto.h"
#include "search/index.h"
#include "search/src/doc_data.h"
#include "search/src/term.h"
#include "search/src/words_log.h"
#include "tests/support/doc_example.h"

namespace kustos::search {
namespace {

Bytes example_key() {
    Bytes key;
    for (std::uint8_t i = 0; i < kTermKeySize; ++i) key.push_back(i);
    return key;
}

// The examples' salts: all bytes 5A.
class FixedRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{0x5A}); }
};

std::vector<LoggedText> example_texts() {
    return {{Space::text, "vertrag"}, {Space::text, "müller"}, {Space::source, "postfach"}};
}

ShardState example_state() {
    ShardState state;
    state.id = ShardId(7);
    state.analysis = 1;
    state.opened_at = UtcTime{1'772'000'000'000};
    state.first = EntryIndex(3);
    state.end = EntryIndex(16);
    state.counts = {4, 1, 1, 0};
    state.words_bytes = 64;
    state.reasons = {{"encrypted", 2}};
    return state;
}

}  // namespace

TEST_CASE("the page's term is the term") {
    const TermKey key(example_key());
    CHECK(to_bytes(as_bytes(key.term(Space::text, "vertrag"))) == kustos::test::doc_example("index.md", "TERM"));
    CHECK(key.term(Space::text, "vertrag") != key.term(Space::stem, "vertrag"));
    CHECK(key.term(Space::text, std::string(1'000, 'x')).size() == kTermSize);
}

TEST_CASE("the page's words log is what the code writes, and reads back") {
    const Bytes page = kustos::test::doc_example("index.md", "WORDS");
    FixedRandom random;
    Bytes made = encode_words_header(ShardId(7));
    put(made, seal_words(example_key(), ShardId(7), 0, example_texts(), random));
    CHECK(made == page);
    const auto read = read_words(page, example_key(), ShardId(7), page.size());
    REQUIRE(read.ok());
    CHECK(read->words == std::vector<std::string>{"vertrag", "müller"});
    CHECK(read->texts == std::vector<LoggedText>{{Space::source, "postfach"}});
    CHECK(read->version == 2);
    CHECK(read->length == page.size());
}

TEST_CASE("a words log opens only under its key, its shard and its place") {
    FixedRandom random;
    Bytes log = encode_words_header(ShardId(7));
    const Bytes first = seal_words(example_key(), ShardId(7), 0, {{Space::text, "eins"}}, random);
    const Bytes second = seal_words(example_key(), ShardId(7), 1, {{Space::text, "zwei"}}, random);
    Bytes swapped = log, torn = log;
    put(log, first), put(log, second);
    put(swapped, second), put(swapped, first);
    put(torn, first), put(torn, ByteView(second).first(second.size() - 1));
    CHECK(read_words(log, example_key(), ShardId(7), 0)->words.size() == 2);
    CHECK(read_words(log, Bytes(32, 1), ShardId(7), log.size()).error().code() == Code::corrupt);
    CHECK(!read_words(log, example_key(), ShardId(8), 0).ok());
    CHECK(!read_words(swapped, example_key(), ShardId(7), swapped.size()).ok());
    CHECK(read_words(torn, example_key(), ShardId(7), 0)->words == std::vector<std::string>{"eins"});
    CHECK(!read_words(torn, example_key(), ShardId(7), torn.size()).ok());
    CHECK(read_words({}, example_key(), ShardId(7), 0)->length == 0);
}

TEST_CASE("the page's document data is what the code writes, and reads back") {
    const Bytes page = kustos::test::doc_example("index.md", "DOCUMENT");
    FixedRandom random;
    const DocKey key(example_key());
    const DocData data{EntryIndex(3), UtcTime{1'772'000'000'000}, RecordState::partial, 12'345};
    CHECK(to_bytes(as_bytes(key.seal(data, random))) == page);
    const auto opened = key.open(as_text(page));
    REQUIRE(opened.ok());
    CHECK(*opened == data);
    for (std::size_t i = 0; i < page.size(); ++i) {
        Bytes bad = page;
        bad[i] ^= 1;
        CHECK(!key.open(as_text(bad)).ok());
    }
    CHECK(!key.open(as_text(ByteView(page).first(41))).ok());
}

TEST_CASE("the page's state of a rewritten shard is what the code writes, and reads back") {
    const Bytes page = kustos::test::doc_example("index.md", "STATE-REWRITTEN");
    ShardState state = example_state();
    state.id = ShardId(9);
    state.counts = {4, 0, 1, 0};
    state.reasons = {{"encrypted", 1}};
    state.replaces = {ShardId(7), ShardId(8)};
    state.erased_apart = 2;
    CHECK(encode_state(state, example_key()) == page);
    const auto read = decode_state(page, example_key());
    REQUIRE(read.ok());
    CHECK(read->replaces == state.replaces);
    CHECK(read->erased_apart == 2);
    for (std::size_t i = 0; i < page.size(); ++i) CHECK(!decode_state(ByteView(page).first(i), {}).ok());
    state.replaces = {ShardId(8), ShardId(7)};
    CHECK(!decode_state(encode_state(state, example_key()), example_key()).ok());
    state.replaces = {ShardId(9)};
    CHECK(!decode_state(encode_state(state, example_key()), example_key()).ok());
}

TEST_CASE("the page's state is what the code writes, and reads back") {
    const Bytes page = kustos::test::doc_example("index.md", "STATE");
    CHECK(encode_state(example_state(), example_key()) == page);
    const auto read = decode_state(page, example_key());
    REQUIRE(read.ok());
    CHECK(read->counts == example_state().counts);
    CHECK(read->reasons == example_state().reasons);
    CHECK(read->end == EntryIndex(16));
    CHECK(decode_state(page, {}).ok());
    CHECK(!decode_state(page, Bytes(32, 1)).ok());
    for (std::size_t i = 0; i < page.size(); ++i) {
        CHECK(!decode_state(ByteView(page).first(i), {}).ok());
        Bytes bad = page;
        bad[i] ^= 0x80;
        CHECK(!decode_state(bad, example_key()).ok());
    }
}

}  // namespace kustos::search
