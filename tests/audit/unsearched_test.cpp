#include "audit/unsearched.h"

#include <doctest/doctest.h>

#include "tests/support/doc_example.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

Unsearched example() {
    Unsearched u;
    u.partial = 1;
    u.opaque = 2;
    u.deferred = 1;
    u.reasons = {{"encrypted", 1}, {"voice", 2}};
    return u;
}

}  // namespace

TEST_CASE("what could not be searched is encoded as its page says, and comes back") {
    const Bytes page = test::doc_example("fields.md", "unsearched");
    CHECK(encode(example()) == page);
    CHECK(decode_unsearched(page).value() == example());
    CHECK(example().total() == 4);
    CHECK(decode_unsearched(encode(Unsearched{})).value() == Unsearched{});
}

TEST_CASE("there is one encoding, and what does not add up is refused") {
    const Bytes page = test::doc_example("fields.md", "unsearched");
    for (std::size_t n = 0; n < page.size(); ++n) CHECK_FALSE(decode_unsearched(ByteView(page).subspan(0, n)).ok());
    std::size_t refused = 0;
    for (std::size_t n = 0; n < page.size(); ++n) {
        Bytes changed = page;
        changed[n] ^= 1;
        const auto read = decode_unsearched(changed);
        if (read.ok()) {
            CHECK(encode(*read) == changed);
        } else {
            ++refused;
        }
    }
    CHECK(refused > 40);  // but for deferred, restricted and letters of words
    const auto spoilt = [](auto change) {
        Unsearched u = example();
        change(u);
        return !is_consistent(u) && !decode_unsearched(encode(u)).ok();
    };
    CHECK(spoilt([](Unsearched& u) { u.failed = 1; }));
    CHECK(spoilt([](Unsearched& u) { u.reasons["voice"] = 3; }));
    CHECK(spoilt([](Unsearched& u) { u.reasons["other"] = 0; }));
    CHECK(spoilt([](Unsearched& u) { u.deferred = (std::uint64_t{1} << 48) + 1; }));
    CHECK(spoilt([](Unsearched& u) { u.reasons = {{"", 3}}; }));
    CHECK(spoilt([](Unsearched& u) { u.reasons = {{"An address", 3}}; }));
    CHECK(spoilt([](Unsearched& u) { u.reasons = {{std::string(41, 'a'), 3}}; }));
    Bytes swapped = encode(Unsearched{1, 1, 0, 0, 0, {{"b", 1}, {"c", 1}}});
    swapped[41] = 'c';
    swapped[51] = 'b';
    CHECK_FALSE(decode_unsearched(swapped).ok());
    swapped[51] = 'c';
    CHECK_FALSE(decode_unsearched(swapped).ok());
}
