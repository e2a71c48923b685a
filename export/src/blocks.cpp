#include "export/src/blocks.h"

#include <algorithm>

namespace kustos::exporting {
namespace {

constexpr int kCellLines = 12;

std::vector<Text> lay_out(Canvas& canvas, const std::vector<Column>& columns, const std::vector<std::string>& cells) {
    std::vector<Text> texts;
    for (std::size_t i = 0; i < columns.size(); ++i)
        texts.push_back(canvas.text(cells[i], columns[i].style,
                                    {columns[i].width, columns[i].align, Direction::frame, kCellLines}));
    return texts;
}

double highest(const std::vector<Text>& texts) {
    double height = 0;
    for (const Text& text : texts) height = std::max(height, text.height());
    return height + 5;
}

}  // namespace

void chapter(Canvas& canvas, const std::string& title, const std::string& section, const std::string& lead) {
    canvas.set_section(section);
    if (!canvas.at_top()) canvas.new_page();
    canvas.flow(canvas.text(title, {19, true, false, false, kAccent}, {page::kTextWidth}), page::kLeft);
    canvas.gap(4);
    if (!lead.empty()) {
        canvas.flow(canvas.text(lead, {9.5, false, false, false, kGrey}, {page::kTextWidth}), page::kLeft);
        canvas.gap(10);
    }
}

void heading(Canvas& canvas, const std::string& title) {
    const Text text = canvas.text(title, {11.5, true, false, false, kAccent}, {page::kTextWidth});
    canvas.gap(12);
    canvas.need(text.height() + 44);
    canvas.flow(text, page::kLeft);
    canvas.gap(4);
}

void paragraph(Canvas& canvas, const std::string& text, const Style& style, double indent) {
    canvas.flow(canvas.text(text, style, {page::kTextWidth - indent}), page::kLeft + indent);
    canvas.gap(5);
}

void bullet(Canvas& canvas, const std::string& text, const std::string& mark, double keep) {
    const Text body = canvas.text(text, {}, {page::kTextWidth - 18});
    canvas.need(keep > 0 ? body.height() + keep : body.height_of(2));
    canvas.place(canvas.text(mark, {9.5, true, false, false, kAccent}, {}), page::kLeft + 2, canvas.y());
    canvas.flow(body, page::kLeft + 18);
    canvas.gap(4);
}

void name_value(Canvas& canvas, const std::string& name, const std::string& value, const Style& style, int max_lines,
                double left, double name_width) {
    const Text label = canvas.text(name, {style.size, false, false, false, kGrey}, {name_width - 8});
    const Text text =
        canvas.text(value, style, {page::kRight - left - name_width, Align::left, Direction::frame, max_lines});
    canvas.need(std::max(label.height(), text.height_of(3)));
    const double y = canvas.y();
    const auto page = canvas.page();
    canvas.place_on(label, left, y + text.baseline());
    canvas.flow(text, left + name_width);
    if (canvas.page() == page) canvas.move_to(std::max(canvas.y(), y + label.height()));
    canvas.gap(2.5);
}

double row_height(Canvas& canvas, const std::vector<Column>& columns, const std::vector<std::string>& cells) {
    return highest(lay_out(canvas, columns, cells));
}

void row(Canvas& canvas, const std::vector<Column>& columns, const std::vector<std::string>& cells) {
    const std::vector<Text> texts = lay_out(canvas, columns, cells);
    const double height = highest(texts);
    canvas.need(height);
    for (std::size_t i = 0; i < columns.size(); ++i) canvas.place(texts[i], columns[i].x, canvas.y());
    canvas.move_to(canvas.y() + height);
    canvas.rule(columns.front().x, page::kRight, canvas.y() - 2.5, kPale, 0.4);
}

}  // namespace kustos::exporting
