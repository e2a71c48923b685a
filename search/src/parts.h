// Cuts a text into parts (runs of letters and digits) and finds second readings of what stands beside each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kustos::search {

struct Part {
    std::uint32_t begin = 0;  // bytes in the text
    std::uint32_t end = 0;
};

std::vector<Part> split_parts(std::string_view utf8);

// Another reading of parts [first, last]: "E-Mail" -> "EMail", "Ver-\ntrag" -> "Vertrag", "15.04.2024" -> "20240415",
// "1.234.567" -> "1234567", "DE02 1203 0000" -> "DE0212030000"; file references and telephone numbers (references.h).
struct Reading {
    std::uint32_t first = 0;  // indices of parts
    std::uint32_t last = 0;
    std::uint32_t at = 0;  // the part whose position it takes
    std::string text;
    bool line_break = false;  // the parts were one word: they share one position
    bool quoted = false;      // another way to write the same: holds inside quotation marks too
    bool instead = false;     // of a query's word: takes the place of its part ("Str.")
};
// Ascending by `first`.
std::vector<Reading> other_readings(std::string_view utf8, const std::vector<Part>& parts);

}  // namespace kustos::search
