// Points in time: milliseconds since 1970-01-01T00:00:00Z, no leap seconds, years 0001 to 9999.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kustos {

struct UtcTime {
    std::int64_t ms = 0;
    constexpr auto operator<=>(const UtcTime&) const = default;
};

struct CivilDate {
    int year = 1970;
    unsigned month = 1;  // 1..12
    unsigned day = 1;    // 1..31
    auto operator<=>(const CivilDate&) const = default;
};

CivilDate civil_date(UtcTime time);            // in UTC
std::int64_t day_number(UtcTime time);         // days since 1970-01-01, floor
Result<UtcTime> utc_midnight(CivilDate date);  // refuses 31 February
std::string format_rfc3339(UtcTime time);      // 2026-03-02T10:00:00Z, with .123 where not whole seconds
std::string format_rfc5322(UtcTime time);      // Mon, 02 Mar 2026 10:00:00 +0000
// RFC 3339 section 5.6 with any offset and fraction; refuses what the calendar does not have.
Result<UtcTime> parse_rfc3339(std::string_view text);

}  // namespace kustos
