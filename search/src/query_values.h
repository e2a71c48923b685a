// Values of the conditions of a query: sizes, dates, kinds, sums, yes and no.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "search/query.h"
#include "search/src/query_names.h"

namespace kustos::search {

struct ValueProblem {
    QueryProblem::What what;
    std::string_view suggestion;
};
// Makes `out` the condition of this name. value: as typed, without quotation marks, not empty.
std::optional<ValueProblem> set_condition(Node& out, Name name, const std::string& value);

enum class SizeVerdict { good, bad_size, bad_order };
// 500, 10k, 1.5M, 2GiB, 3MB; a..b; >= <= > <. k, M, G, T are thousands, Ki, Mi, Gi, Ti multiples of 1,024.
SizeVerdict parse_sizes(std::string_view text, SizeRange& out);

}  // namespace kustos::search
