#include "base/time.h"

#include <chrono>
#include <cstdio>

namespace kustos {

namespace {
constexpr std::int64_t kDayMs = 86'400'000;

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

// Days from civil and back: proleptic Gregorian, after Howard Hinnant's chrono-compatible algorithms.
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
    y -= m <= 2;
    const std::int64_t era = floor_div(y, 400);
    const auto yoe = static_cast<unsigned>(y - era * 400);
    const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

CivilDate civil_from_days(std::int64_t z) {
    z += 719468;
    const std::int64_t era = floor_div(z, 146097);
    const auto doe = static_cast<unsigned>(z - era * 146097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const std::int64_t y = static_cast<std::int64_t>(yoe) + era * 400;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const unsigned mp = (5 * doy + 2) / 153;
    const unsigned d = doy - (153 * mp + 2) / 5 + 1;
    const unsigned m = mp < 10 ? mp + 3 : mp - 9;
    return {static_cast<int>(y + (m <= 2)), m, d};
}

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
    out = 0;
    if (at + count > text.size()) return false;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') return false;
        out = out * 10 + (text[i] - '0');
    }
    return true;
}
}  // namespace

std::int64_t day_number(UtcTime time) {
    return floor_div(time.ms, kDayMs);
}

CivilDate civil_date(UtcTime time) {
    return civil_from_days(day_number(time));
}

Result<UtcTime> utc_midnight(CivilDate date) {
    if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) {
        return Error(Code::bad_input, "not a date of the calendar");
    }
    const std::int64_t days = days_from_civil(date.year, date.month, date.day);
    if (civil_from_days(days) != date) return Error(Code::bad_input, "not a date of the calendar");
    return UtcTime{days * kDayMs};
}

std::string format_rfc3339(UtcTime time) {
    const CivilDate d = civil_date(time);
    const std::int64_t in_day = time.ms - day_number(time) * kDayMs;
    const auto s = static_cast<int>(in_day / 1000), ms = static_cast<int>(in_day % 1000);
    char text[48];
    int n = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", d.year, d.month, d.day, s / 3600,
                          s / 60 % 60, s % 60);
    if (ms != 0) n += std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n), ".%03d", ms);
    return std::string(text, static_cast<std::size_t>(n)) + "Z";
}

std::string format_rfc5322(UtcTime time) {
    static const char* const kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char* const kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const CivilDate d = civil_date(time);
    const std::int64_t day = day_number(time);
    const auto s = static_cast<int>((time.ms - day * kDayMs) / 1000);
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d +0000", kDays[((day % 7) + 7) % 7], d.day,
                  kMonths[d.month - 1], d.year, s / 3600, s / 60 % 60, s % 60);
    return text;
}

Result<UtcTime> parse_rfc3339(std::string_view t) {
    const Error bad(Code::bad_input, "not an RFC 3339 time such as 2026-03-02T10:00:00Z");
    int year, month, day, hour, minute, second;
    if (!digits(t, 0, 4, year) || !digits(t, 5, 2, month) || !digits(t, 8, 2, day) || !digits(t, 11, 2, hour) ||
        !digits(t, 14, 2, minute) || !digits(t, 17, 2, second) || t[4] != '-' || t[7] != '-' ||
        (t[10] != 'T' && t[10] != 't' && t[10] != ' ') || t[13] != ':' || t[16] != ':') {
        return bad;
    }
    if (hour > 23 || minute > 59 || second > 60) return bad;
    std::size_t at = 19;
    std::int64_t ms = 0;
    if (at < t.size() && t[at] == '.') {
        int scale = 100;
        const std::size_t first = ++at;
        for (; at < t.size() && t[at] >= '0' && t[at] <= '9'; ++at) {
            ms += (t[at] - '0') * scale;
            scale /= 10;
        }
        if (at == first || at - first > 20) return bad;
    }
    std::int64_t offset_minutes = 0;
    if (at < t.size() && (t[at] == 'Z' || t[at] == 'z')) {
        ++at;
    } else {
        int oh, om;
        if (at >= t.size() || (t[at] != '+' && t[at] != '-') || !digits(t, at + 1, 2, oh) ||
            !digits(t, at + 4, 2, om) || t[at + 3] != ':' || oh > 23 || om > 59) {
            return bad;
        }
        offset_minutes = (oh * 60 + om) * (t[at] == '-' ? -1 : 1);
        at += 6;
    }
    if (at != t.size()) return bad;
    auto midnight = utc_midnight({year, static_cast<unsigned>(month), static_cast<unsigned>(day)});
    if (!midnight.ok()) return bad;
    return UtcTime{midnight->ms + ((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + ms};
}

}  // namespace kustos
