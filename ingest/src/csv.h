// Comma-separated values as RFC 4180 has them, read as leniently as real exports need: quotes inside an unquoted field
// are ordinary, rows may be short, LF or CRLF.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kustos::ingest {

struct CsvRow {
    std::size_t begin = 0, end = 0;  // in the text, line end included
    std::vector<std::string> fields;
    bool unclosed_quote = false;  // the text ended inside a quoted field
};

class CsvReader {
public:
    explicit CsvReader(std::string_view text, char separator = ',') : text_(text), separator_(separator) {}
    bool next(CsvRow& row);  // false: the end

private:
    std::string_view text_;
    char separator_;
    std::size_t at_ = 0;
};

}  // namespace kustos::ingest
