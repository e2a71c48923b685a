// Dates of a query: 2026, 2026-03, 2026-03-31, 31.03.2026, 03.2026; a..b; >= <= > <.
#pragma once

#include <string_view>

#include "search/query.h"

namespace kustos::search {

enum class DateVerdict { good, bad_date, bad_order };
DateVerdict parse_dates(std::string_view text, DateRange& out);

}  // namespace kustos::search
