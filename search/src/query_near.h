// NEAR and W: how they are written, and what may stand beside them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "search/query.h"

namespace kustos::search {

struct NearOperator {
    std::string_view written;
    bool ordered = false;
    std::uint32_t number = 0;  // 0: no distance of ours
};
std::optional<NearOperator> near_operator(std::string_view word);

// The field of an operand, whose alternatives (an OR group, also inside another) become one row. Absent: no operand.
std::optional<Field> near_operand(Node& node);

}  // namespace kustos::search
