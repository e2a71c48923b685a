#include "vault/retention_dates.h"

#include <algorithm>
#include <cstdio>

namespace kustos::vault {

namespace {

constexpr std::int64_t kHour = 3'600'000;

bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned days_in(int year, unsigned month) {
    static constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

// 01:00 UTC of the last Sunday of a month with 31 days.
UtcTime last_sunday(int year, unsigned month) {
    const UtcTime last = utc_midnight({year, month, 31}).value();
    const std::int64_t weekday = ((day_number(last) + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday; 0: Sunday
    return {last.ms - weekday * 24 * kHour + kHour};
}

}  // namespace

CivilDate german_date(UtcTime time) {
    const int year = civil_date(time).year;
    const bool summer = time >= last_sunday(year, 3) && time < last_sunday(year, 10);
    return civil_date({time.ms + (summer ? 2 : 1) * kHour});
}

CivilDate add_months(CivilDate from, std::uint32_t months) {
    const std::uint32_t total = from.month - 1 + months;
    CivilDate to{from.year + static_cast<int>(total / 12), total % 12 + 1, from.day};
    to.day = std::min(to.day, days_in(to.year, to.month));
    return to;
}

CivilDate next_day(CivilDate d) {
    if (d.day < days_in(d.year, d.month)) return {d.year, d.month, d.day + 1};
    return d.month < 12 ? CivilDate{d.year, d.month + 1, 1} : CivilDate{d.year + 1, 1, 1};
}

CivilDate period_end(CivilDate start, std::uint32_t months, Counted counted) {
    return add_months(counted == Counted::day ? start : CivilDate{start.year, 12, 31}, months);
}

std::string format_date(CivilDate date) {
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", date.year % 10'000, date.month % 100, date.day % 100);
    return text;
}

Result<CivilDate> parse_date(std::string_view text) {
    const Error wrong(Code::usage, "a day looks like 2026-03-31");
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return wrong;
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == 4 || i == 7) continue;
        if (text[i] < '0' || text[i] > '9') return wrong;
        number = number * 10 + static_cast<std::uint32_t>(text[i] - '0');
    }
    if (const auto date = date_of_number(number)) return *date;
    return wrong;
}

std::uint32_t date_number(CivilDate date) {
    return static_cast<std::uint32_t>(date.year) * 10'000 + date.month * 100 + date.day;
}

std::optional<CivilDate> date_of_number(std::uint32_t number) {
    const CivilDate date{static_cast<int>(number / 10'000), number / 100 % 100, number % 100};
    if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > days_in(date.year, date.month))
        return std::nullopt;
    return date;
}

}  // namespace kustos::vault
