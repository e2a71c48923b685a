// The report's words in two languages. Private to report.cpp.
#pragma once

#include <string>
#include <string_view>

namespace kustos::audit {

std::string counted(std::uint64_t count, const std::string& key, bool german);  // "1 entry", "7 entries"
// A remark or a place in German where it is known, else as it is.
std::string german_remark(const std::string& english);
std::string german_place(const std::string& where);

}  // namespace kustos::audit
