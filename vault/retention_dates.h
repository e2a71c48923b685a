// Days and periods of retention. Pure: no clock, no time-zone database.
//
// Retention counts days of German legal time (Europe/Berlin). It is computed by the EU's rule (directive 2000/84/EC:
// summer time from the last Sunday of March to the last of October, 01:00 UTC), so that an auditor on any machine gets
// the same day. Periods end as BGB sections 187 (1) and 188 say: with the end of the day of the same number, or of the
// month's last day where there is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace kustos::vault {

CivilDate german_date(UtcTime time);
CivilDate add_months(CivilDate from, std::uint32_t months);
CivilDate next_day(CivilDate date);

enum class Counted : std::uint8_t { day, year_end };  // from the start day; from 31 December of its year
// The last day that belongs to the period.
CivilDate period_end(CivilDate start, std::uint32_t months, Counted counted);

std::string format_date(CivilDate date);  // 2026-03-02
// Code::usage for anything but a day of the calendar.
Result<CivilDate> parse_date(std::string_view text);
// As a number that people can read: 20260302. nullopt: no day of the calendar.
std::uint32_t date_number(CivilDate date);
std::optional<CivilDate> date_of_number(std::uint32_t number);

}  // namespace kustos::vault
