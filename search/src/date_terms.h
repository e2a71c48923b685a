// Days, months and years as terms, and which of them a span of time needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "search/src/term.h"

namespace kustos::search {

struct DateNames {
    std::string day, month, year;  // "2026-03-02", "2026-03", "2026"; UTC
};
DateNames date_names(UtcTime time);

// How names of sources are compared: folded, without parts.
std::string form_of_name(std::string_view name);

struct DateTerm {
    Space space;
    std::string name;
};
struct DatePlan {
    std::vector<DateTerm> whole;  // UTC days, months and years that lie wholly inside
    std::vector<DateTerm> edges;  // at most two days that lie partly inside: the time itself must be looked at
};
// Records with from <= time < until.
DatePlan plan_dates(UtcTime from, UtcTime until);

}  // namespace kustos::search
