// Tables that leave the house for people's own programs: CSV and XLSX. What stands in them is content; it is written in
// memory alone, no temporary file is made (libxlsxwriter would make some: export/src/tables_xlsx.cpp).
//
// Errors: limit (more than a sheet takes), environment (this machine can't write XLSX without a temporary file).
// Threads: free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace kustos::exporting {

using Cell = std::variant<std::string, std::uint64_t>;  // text is UTF-8

struct Table {
    std::string name;                     // of the sheet: at most 31 characters, none of []:*?/\.
    std::vector<std::string> head;        // none: no row of names
    std::vector<std::vector<Cell>> rows;  // each as long as it likes
    std::vector<double> widths;           // of columns, in characters; the last one counts for those behind it
};

// RFC 4180: CRLF, every text in quotation marks; a byte order mark before it, without which Excel takes UTF-8 for
// something else. separator: ',' or ';'. A text that a spreadsheet would take for a formula (it begins with = + - @, a
// tab or a line end) gets an apostrophe before it.
std::string csv_text(const Table& table, char separator);

// One sheet for each. Texts stay texts: none becomes a formula or a link.
Result<Bytes> xlsx_file(const std::vector<Table>& tables, const std::string& title, UtcTime made_at);

}  // namespace kustos::exporting
