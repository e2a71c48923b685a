// Numbers of spreadsheets as people see them: ECMA-376-1 18.8.30 and 18.8.31, as a German Excel shows them (decimal
// comma, day before month). What a format code asks for and this does not know comes out as the plain number.
#pragma once

#include <string>
#include <string_view>

namespace kustos::extractor {

// The code behind a number of the built-in formats; "" for General and for what has none.
std::string_view builtin_number_format(unsigned id);
// stored: as the file has it ("0.25"). epoch_1904: dates count from 1904.
std::string shown_number(std::string_view stored, std::string_view code, bool epoch_1904);

}  // namespace kustos::extractor
