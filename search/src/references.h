// Second readings that people write in many ways: file references of courts and offices, telephone numbers, "Str.".
//
//   "12 O 345/21", "12O345/2021"        -> "12O345/21"
//   "III-2/4711-12", "III - 2/4711 - 12" -> "III-2/4711-12"
//   "+49 (0)89 1234-567", "089/1234567"  -> "+49891234567"
//   "Str." in "Berliner Str. 5"          -> "Straße"
//
// Each may be one reading too many: it only adds a term that nobody asks for.
#pragma once

#include <string_view>
#include <vector>

#include "search/src/parts.h"

namespace kustos::search {

void add_references(std::string_view utf8, const std::vector<Part>& parts, std::vector<Reading>& readings);

}  // namespace kustos::search
