// The few building blocks that all pages share: headings, paragraphs, rows of a name and a value, table rows.
#pragma once

#include <string>
#include <vector>

#include "export/src/canvas.h"

namespace kustos::exporting {

// On a new page; `section` stands in the header.
void chapter(Canvas& canvas, const std::string& title, const std::string& section, const std::string& lead);
void heading(Canvas& canvas, const std::string& title);  // never alone at a page's end
void paragraph(Canvas& canvas, const std::string& text, const Style& style = {}, double indent = 0);
// keep: what must still fit on the page after it.
void bullet(Canvas& canvas, const std::string& text, const std::string& mark = "•", double keep = 0);
// name in a narrow column, value beside it, at most max_lines of it.
void name_value(Canvas& canvas, const std::string& name, const std::string& value, const Style& style = {},
                int max_lines = 8, double left = page::kLeft, double name_width = 108);

struct Column {
    double x, width;
    Align align = Align::left;
    Style style;
};
// One row of a table; never broken over pages. head: repeated by the caller on a new page.
double row_height(Canvas& canvas, const std::vector<Column>& columns, const std::vector<std::string>& cells);
void row(Canvas& canvas, const std::vector<Column>& columns, const std::vector<std::string>& cells);

}  // namespace kustos::exporting
