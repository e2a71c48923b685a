#include "audit/authority_book.h"

#include <doctest/doctest.h>

#include "base/clock.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {
constexpr UtcTime kStart{1'800'000'000'000};
UtcTime after(std::int64_t ms) {
    return UtcTime{kStart.ms + ms};
}
}  // namespace

TEST_CASE("an authority that fails is asked again later each time, at most an hour and a quarter later") {
    test::TempDir dir;
    RealFs fs;
    SeededRandom random(1);
    auto opened = AuthorityBook::open(fs, dir / "authorities");
    REQUIRE(opened.ok());
    AuthorityBook& book = *opened;
    CHECK(book.due("tsa", kStart));
    std::int64_t expected = 30'000;
    for (int failure = 1; failure <= 12; ++failure) {
        book.failed("tsa", kStart, random);
        const auto next = book.next_try("tsa");
        REQUIRE(next.has_value());
        CHECK(next->ms - kStart.ms >= expected * 3 / 4);
        CHECK(next->ms - kStart.ms <= expected * 5 / 4);
        CHECK_FALSE(book.due("tsa", after(expected * 3 / 4 - 1)));
        CHECK(book.due("tsa", after(expected * 5 / 4)));
        expected = std::min<std::int64_t>(expected * 2, 3'600'000);
    }
    CHECK(book.failures("tsa") == 12);
    REQUIRE(book.answered("tsa", kStart).ok());
    CHECK(book.failures("tsa") == 0);
    CHECK(book.due("tsa", kStart));
}

TEST_CASE("two archives do not come back to an authority at the same moment") {
    test::TempDir dir;
    RealFs fs;
    SeededRandom random(2);
    auto book = AuthorityBook::open(fs, dir / "authorities");
    REQUIRE(book.ok());
    book->failed("a", kStart, random);
    book->failed("b", kStart, random);
    const UtcTime a = book->next_try("a").value_or(kStart), b = book->next_try("b").value_or(kStart);
    CHECK(a.ms != b.ms);
}

TEST_CASE("an authority's time that goes back is refused, the same time is not") {
    test::TempDir dir;
    RealFs fs;
    auto book = AuthorityBook::open(fs, dir / "authorities");
    REQUIRE(book.ok());
    CHECK(book->answered("tsa", kStart).ok());
    CHECK(book->answered("tsa", kStart).ok());
    const Status back = book->answered("tsa", after(-1));
    REQUIRE_FALSE(back.ok());
    CHECK(back.error().code() == Code::conflict);
    CHECK(book->answered("other", after(-1)).ok());
}

TEST_CASE("what was remembered of authorities is there after a restart, and a damaged file begins anew") {
    test::TempDir dir;
    RealFs fs;
    SeededRandom random(3);
    {
        auto book = AuthorityBook::open(fs, dir / "authorities");
        REQUIRE(book.ok());
        REQUIRE(book->answered("tsa", kStart).ok());
        book->failed("slow", kStart, random);
        REQUIRE(book->save().ok());
    }
    auto book = AuthorityBook::open(fs, dir / "authorities");
    REQUIRE(book.ok());
    CHECK_FALSE(book->answered("tsa", after(-1)).ok());
    CHECK_FALSE(book->due("slow", kStart));
    REQUIRE(replace_file(fs, dir / "authorities", as_bytes("slow x y z\n\xff")).ok());
    auto anew = AuthorityBook::open(fs, dir / "authorities");
    REQUIRE(anew.ok());
    CHECK(anew->due("slow", kStart));
}

TEST_CASE("a clock that is set back does not silence an authority for years") {
    test::TempDir dir;
    RealFs fs;
    SeededRandom random(4);
    auto book = AuthorityBook::open(fs, dir / "authorities");
    REQUIRE(book.ok());
    book->failed("tsa", kStart, random);
    CHECK(book->due("tsa", after(-86'400'000)));
}
