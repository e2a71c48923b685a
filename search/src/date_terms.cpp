#include "search/src/date_terms.h"

#include <cstdio>

#include "base/text.h"

namespace kustos::search {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

CivilDate date_of(std::int64_t day) {
    return civil_date(UtcTime{day * kDayMs});
}

std::string format(const char* pattern, CivilDate date) {
    char text[48];
    std::snprintf(text, sizeof text, pattern, date.year, date.month, date.day);
    return text;
}

DateNames names_of(CivilDate date) {
    std::string day = format("%04d-%02u-%02u", date);
    return {day, day.substr(0, day.size() - 3), day.substr(0, day.size() - 6)};
}

std::int64_t first_of_month(int year, unsigned month) {
    const auto midnight = utc_midnight({year, month, 1});
    CHECK(midnight.ok());
    return day_number(*midnight);
}

std::int64_t next_month(CivilDate date) {
    return date.month == 12 ? first_of_month(date.year + 1, 1) : first_of_month(date.year, date.month + 1);
}

}  // namespace

DateNames date_names(UtcTime time) {
    return names_of(civil_date(time));
}

std::string form_of_name(std::string_view name) {
    return fold(name);
}

DatePlan plan_dates(UtcTime from, UtcTime until) {
    DatePlan plan;
    if (from >= until) return plan;
    std::int64_t day = day_number(from);
    const std::int64_t end = day_number(until);  // the first day that is not wholly inside
    if (UtcTime{day * kDayMs} != from) {
        plan.edges.push_back({Space::day, names_of(date_of(day)).day});
        ++day;
    }
    if (UtcTime{end * kDayMs} != until && end >= day) plan.edges.push_back({Space::day, names_of(date_of(end)).day});
    while (day < end) {
        const CivilDate date = date_of(day);
        const DateNames names = names_of(date);
        if (date.day == 1 && date.month == 1 && date.year < 9999 && first_of_month(date.year + 1, 1) <= end) {
            plan.whole.push_back({Space::year, names.year});
            day = first_of_month(date.year + 1, 1);
        } else if (date.day == 1 && !(date.year == 9999 && date.month == 12) && next_month(date) <= end) {
            plan.whole.push_back({Space::month, names.month});
            day = next_month(date);
        } else {
            plan.whole.push_back({Space::day, names.day});
            ++day;
        }
    }
    return plan;
}

}  // namespace kustos::search
