#include "export/src/canvas.h"

#include <cairo-pdf.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

constexpr unsigned kMaxBookmarks = 3000;

double points(int pango_units) {
    return static_cast<double>(pango_units) / PANGO_SCALE;
}
guint16 channel(double v) {
    return static_cast<guint16>(std::lround(v * 65535));
}

cairo_status_t append(void* out, const unsigned char* bytes, unsigned length) {
    auto& target = *static_cast<Bytes*>(out);
    target.insert(target.end(), bytes, bytes + length);
    return CAIRO_STATUS_SUCCESS;
}

PangoContext* text_context(PangoFontMap* map) {
    PangoContext* context = pango_font_map_create_context(map);
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
    pango_cairo_context_set_resolution(context, 72);
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_context_set_base_dir(context, PANGO_DIRECTION_LTR);
    pango_context_set_language(context, pango_language_from_string("de"));
    return context;
}

void insert(PangoAttrList* list, PangoAttribute* attribute, std::size_t begin, std::size_t end) {
    attribute->start_index = static_cast<guint>(begin);
    attribute->end_index = static_cast<guint>(end);
    pango_attr_list_insert(list, attribute);
}

void insert_style(PangoAttrList* list, const Style& style, std::size_t begin, std::size_t end) {
    insert(list, pango_attr_family_new(style.mono ? FontSet::mono() : FontSet::sans()), begin, end);
    insert(list, pango_attr_size_new_absolute(static_cast<int>(style.size * PANGO_SCALE)), begin, end);
    if (style.bold) insert(list, pango_attr_weight_new(PANGO_WEIGHT_BOLD), begin, end);
    if (style.italic) insert(list, pango_attr_style_new(PANGO_STYLE_ITALIC), begin, end);
    const Colour c = style.colour;
    insert(list, pango_attr_foreground_new(channel(c.r), channel(c.g), channel(c.b)), begin, end);
}

}  // namespace

// --- Text ------------------------------------------------------------------------------------------
Text::Text(PangoLayout* layout) : layout_(layout) {
    const int width = pango_layout_get_width(layout);
    PangoLayoutIter* iter = pango_layout_get_iter(layout);
    do {
        PangoRectangle ink, logical;
        pango_layout_iter_get_line_extents(iter, &ink, &logical);
        Line line;
        line.line = pango_layout_iter_get_line_readonly(iter);
        line.x = points(logical.x);
        line.top = points(logical.y);
        line.height = points(logical.height);
        line.baseline = points(pango_layout_iter_get_baseline(iter));
        const int slack = logical.height / 4;
        line.overflows = ink.y < logical.y - slack || ink.y + ink.height > logical.y + logical.height + slack ||
                         (width > 0 && ink.x + ink.width > width + slack);
        lines_.push_back(line);
    } while (pango_layout_iter_next_line(iter));
    pango_layout_iter_free(iter);
    box_width_ = width > 0 ? points(width) : this->width();
}

Text::Text(Text&& other) noexcept
    : layout_(std::exchange(other.layout_, nullptr)), box_width_(other.box_width_), lines_(std::move(other.lines_)) {}

Text& Text::operator=(Text&& other) noexcept {
    std::swap(layout_, other.layout_);
    std::swap(box_width_, other.box_width_);
    std::swap(lines_, other.lines_);
    return *this;
}

Text::~Text() {
    if (layout_) g_object_unref(layout_);
}

double Text::height() const {
    return lines_.empty() ? 0 : lines_.back().top + lines_.back().height;
}

double Text::width() const {
    PangoRectangle logical;
    pango_layout_get_extents(layout_, nullptr, &logical);
    return points(logical.width);
}

double Text::height_of(std::size_t lines) const {
    if (lines_.empty() || lines == 0) return 0;
    const Line& last = lines_[std::min(lines, lines_.size()) - 1];
    return last.top + last.height;
}

// --- Canvas ----------------------------------------------------------------------------------------
Canvas::Canvas(const FontSet& fonts, Furniture furniture, std::uint64_t pages)
    : emoji_(fonts), context_(text_context(fonts.text())), furniture_(std::move(furniture)), pages_(pages) {
    emoji_.serve(context_);
    if (pages == 0) return;
    surface_ = cairo_pdf_surface_create_for_stream(append, &out_, page::kWidth, page::kHeight);
    cairo_pdf_surface_restrict_to_version(surface_, CAIRO_PDF_VERSION_1_5);
    // the library would put its own clock in; pdf_file.cpp writes the document's data
    cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    cairo_ = cairo_create(surface_);
}

Canvas::~Canvas() {
    if (cairo_) cairo_destroy(cairo_);
    if (surface_) cairo_surface_destroy(surface_);
    g_object_unref(context_);
}

Text Canvas::text(const std::vector<Run>& runs, const TextShape& shape) {
    std::string content;
    PangoAttrList* attributes = pango_attr_list_new();
    for (const Run& run : runs) {
        const std::size_t begin = content.size();
        for (std::size_t at = 0; at < run.text.size();) {
            const std::size_t length = emoji_length(run.text, at);
            const std::string_view sequence = std::string_view(run.text).substr(at, length);
            const std::size_t drawn = length ? emoji_.drawable(sequence) : 0;
            if (drawn == 0) {
                std::size_t next = at;
                next_code_point(run.text, next);
                next = std::max(next, at + length);
                content.append(run.text, at, next - at);
                at = next;
                continue;
            }
            insert(attributes, EmojiPainter::shape(sequence.substr(0, drawn), run.style.size), content.size(),
                   content.size() + 3);
            content += "\uFFFC";
            at += drawn;
        }
        insert_style(attributes, run.style, begin, content.size());
    }
    insert(attributes, pango_attr_insert_hyphens_new(FALSE), 0, content.size());  // nothing that was not written
    PangoLayout* layout = pango_layout_new(context_);
    PangoFontDescription* base = pango_font_description_from_string(FontSet::sans());
    pango_font_description_set_absolute_size(base, (runs.empty() ? 9.5 : runs.front().style.size) * PANGO_SCALE);
    pango_layout_set_font_description(layout, base);
    pango_font_description_free(base);
    pango_layout_set_auto_dir(layout, shape.direction == Direction::natural);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    if (shape.width > 0) pango_layout_set_width(layout, static_cast<int>(shape.width * PANGO_SCALE));
    if (shape.align == Align::right) pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT);
    if (shape.align == Align::centre) pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
    if (shape.max_lines > 0) {
        pango_layout_set_height(layout, -shape.max_lines);
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    }
    pango_layout_set_text(layout, content.data(), static_cast<int>(content.size()));
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
    return Text(layout);
}

void Canvas::set_colour(Colour colour) {
    cairo_set_source_rgb(cairo_, colour.r, colour.g, colour.b);
}

void Canvas::draw_line(const Text& text, const Text::Line& line, double x, double y) {
    if (!cairo_) return;
    if (line.overflows) {
        cairo_save(cairo_);
        cairo_rectangle(cairo_, x - 2, y + line.top - line.height * 0.2, text.box_width_ + 4, line.height * 1.4);
        cairo_clip(cairo_);
    }
    cairo_move_to(cairo_, x + line.x, y + line.baseline);
    pango_cairo_show_layout_line(cairo_, line.line);
    if (line.overflows) cairo_restore(cairo_);
}

void Canvas::place(const Text& text, double x, double y) {
    for (const Text::Line& line : text.lines_) draw_line(text, line, x, y);
}

void Canvas::flow(const Text& text, double x, const std::optional<Bar>& bar) {
    const std::vector<Text::Line>& lines = text.lines_;
    double origin = y_;  // where the text's own y = 0 stands on this page
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const Text::Line& line = lines[i];
        // neither the first line alone at the bottom nor the last one alone at the top
        double together = line.top + line.height;
        if (i + 1 < lines.size() && (i == 0 || i + 2 == lines.size()))
            together = lines[i + 1].top + lines[i + 1].height;
        if (origin + together > page::kBottom && !at_top()) {
            new_page();
            if (continuation_) continuation_();
            origin = y_ - line.top;
        }
        if (bar) fill(bar->x, origin + line.top, bar->width, line.height, bar->colour);
        draw_line(text, line, x, origin);
        y_ = origin + line.top + line.height;
    }
}

void Canvas::set_section(std::string section) {
    section_ = std::move(section);
    if (at_top()) page_section_ = section_;
}

void Canvas::rule(double x1, double x2, double y, Colour colour, double width) {
    line(x1, y, x2, y, colour, width);
}

void Canvas::fill(double x, double y, double width, double height, Colour colour) {
    if (!cairo_) return;
    set_colour(colour);
    cairo_rectangle(cairo_, x, y, width, height);
    cairo_fill(cairo_);
}

void Canvas::frame(double x, double y, double width, double height, Colour colour, double line) {
    if (!cairo_) return;
    set_colour(colour);
    cairo_set_line_width(cairo_, line);
    cairo_rectangle(cairo_, x, y, width, height);
    cairo_stroke(cairo_);
}

void Canvas::line(double x1, double y1, double x2, double y2, Colour colour, double width) {
    if (!cairo_) return;
    set_colour(colour);
    cairo_set_line_width(cairo_, width);
    cairo_move_to(cairo_, x1, y1);
    cairo_line_to(cairo_, x2, y2);
    cairo_stroke(cairo_);
}

void Canvas::disc(double x, double y, double radius, Colour colour) {
    if (!cairo_) return;
    set_colour(colour);
    cairo_new_sub_path(cairo_);
    cairo_arc(cairo_, x, y, radius, 0, 6.283185307179586);
    cairo_fill(cairo_);
}

void Canvas::diamond(double x, double y, double radius, Colour colour) {
    if (!cairo_) return;
    set_colour(colour);
    cairo_move_to(cairo_, x, y - radius);
    cairo_line_to(cairo_, x + radius, y);
    cairo_line_to(cairo_, x, y + radius);
    cairo_line_to(cairo_, x - radius, y);
    cairo_close_path(cairo_);
    cairo_fill(cairo_);
}

void Canvas::gap(double height) {
    if (!at_top()) y_ += height;
}

void Canvas::need(double height) {
    if (y_ + height <= page::kBottom || at_top()) return;
    new_page();
    if (continuation_) continuation_();
}

void Canvas::new_page() {
    if (cairo_) {
        draw_furniture();
        cairo_show_page(cairo_);
    }
    ++page_;
    y_ = top_;
    page_section_ = section_;
}

void Canvas::draw_furniture() {
    const Style small{7.5, false, false, false, kGrey};
    if (page_ > 1) {
        const double half = (page::kRight - page::kMargin) / 2 - 8;
        place(text(furniture_.header_left, small, {half, Align::left, Direction::frame, 1}), page::kMargin, 46);
        place(text(page_section_, small, {half, Align::right, Direction::frame, 1}), page::kRight - half, 46);
        rule(page::kMargin, page::kRight, 60, kPale);
    }
    place(text(furniture_.footer_left, small, {404, Align::left, Direction::frame, 1}), page::kMargin, 794);
    place(text(furniture_.page_number(page_, pages_), small, {120, Align::right, Direction::frame, 1}),
          page::kRight - 120, 794);
}

int Canvas::bookmark(int parent, const std::string& title, bool open) {
    if (!cairo_ || ++bookmarks_ > kMaxBookmarks) return parent;
    char destination[96];
    std::snprintf(destination, sizeof destination, "page=%llu pos=[%d %d]", static_cast<unsigned long long>(page_),
                  static_cast<int>(page::kLeft), std::max(0, static_cast<int>(y_) - 8));
    return cairo_pdf_surface_add_outline(
        surface_, parent, title.c_str(), destination,
        open ? CAIRO_PDF_OUTLINE_FLAG_OPEN : static_cast<cairo_pdf_outline_flags_t>(0));
}

Result<Bytes> Canvas::finish() {
    if (!cairo_) return Error(Code::internal, "a measuring canvas has no file");
    draw_furniture();
    cairo_show_page(cairo_);
    cairo_destroy(std::exchange(cairo_, nullptr));
    cairo_surface_finish(surface_);
    const cairo_status_t status = cairo_surface_status(surface_);
    cairo_surface_destroy(std::exchange(surface_, nullptr));
    if (status != CAIRO_STATUS_SUCCESS)
        return Error(Code::internal, std::string("page drawing failed: ") + cairo_status_to_string(status));
    return std::move(out_);
}

}  // namespace kustos::exporting
