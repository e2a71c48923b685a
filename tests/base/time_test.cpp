#include "base/time.h"

#include <doctest/doctest.h>

#include <ctime>

using namespace kustos;

TEST_CASE("RFC 3339 times come back as they went") {
    for (const char* text : {"1970-01-01T00:00:00Z", "2026-03-02T10:00:00Z", "2024-02-29T23:59:59.999Z",
                             "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59.001Z"}) {
        CAPTURE(text);
        CHECK(format_rfc3339(parse_rfc3339(text).value()) == text);
    }
    CHECK(parse_rfc3339("2026-03-02T12:30:00+02:30").value() == parse_rfc3339("2026-03-02T10:00:00Z").value());
    CHECK(parse_rfc3339("2026-03-02T10:00:00.123456789Z").value().ms % 1000 == 123);
}

TEST_CASE("what the calendar does not have is refused") {
    for (const char* text : {"", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-04-31T00:00:00Z",
                             "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01", "2026-01-01T00:00:00.Z",
                             "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00Zx", "20260101T000000Z"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_rfc3339(text).ok());
    }
}

TEST_CASE("every day of four centuries agrees with the C library") {
    for (std::int64_t day = -141'000; day < 11'000; ++day) {
        const UtcTime t{day * 86'400'000 + 12'345};
        const std::time_t seconds = day * 86'400;
        std::tm tm{};
        gmtime_r(&seconds, &tm);
        const CivilDate d = civil_date(t);
        if (d.year != tm.tm_year + 1900 || static_cast<int>(d.month) != tm.tm_mon + 1 ||
            static_cast<int>(d.day) != tm.tm_mday) {
            FAIL("day " << day);
        }
        if (utc_midnight(d).value().ms != day * 86'400'000) FAIL("back from day " << day);
    }
    CHECK(format_rfc5322(parse_rfc3339("2026-03-02T10:00:00Z").value()) == "Mon, 02 Mar 2026 10:00:00 +0000");
}
