#include "export/tables.h"

namespace kustos::exporting {

namespace {

// OWASP, "CSV Injection".
bool begins_a_formula(std::string_view text) {
    return !text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos;
}

void add_text(std::string& out, std::string_view text) {
    out += '"';
    if (begins_a_formula(text)) out += '\'';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

}  // namespace

std::string csv_text(const Table& table, char separator) {
    std::string out = "\xEF\xBB\xBF";
    const auto end_line = [&out] { out += "\r\n"; };
    for (std::size_t i = 0; i < table.head.size(); ++i) {
        if (i > 0) out += separator;
        add_text(out, table.head[i]);
    }
    if (!table.head.empty()) end_line();
    for (const std::vector<Cell>& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i > 0) out += separator;
            if (const auto* number = std::get_if<std::uint64_t>(&row[i]))
                out += std::to_string(*number);
            else
                add_text(out, std::get<std::string>(row[i]));
        }
        end_line();
    }
    return out;
}

}  // namespace kustos::exporting
