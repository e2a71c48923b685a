// Pages of A4 on which text flows: Pango lays out, Cairo draws into memory. One canvas measures (draws nothing and only
// counts pages), a second one with the same calls draws, with the number of pages known.
//
// Units are points (1/72 inch); y grows downwards. What is given as text has been made harmless (text_safety.h).
// Threads: one.
#pragma once

#include <pango/pangocairo.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "export/src/emoji_painter.h"
#include "export/src/fonts.h"

namespace kustos::exporting {

struct Colour {
    double r = 0, g = 0, b = 0;
};
inline constexpr Colour kInk{0.09, 0.10, 0.12};
inline constexpr Colour kGrey{0.36, 0.38, 0.42};
inline constexpr Colour kPale{0.80, 0.82, 0.85};
inline constexpr Colour kAccent{0.09, 0.23, 0.40};
inline constexpr Colour kAmber{0.52, 0.34, 0.02};
inline constexpr Colour kRed{0.58, 0.10, 0.10};

struct Style {
    double size = 9.5;
    bool bold = false;
    bool italic = false;
    bool mono = false;
    Colour colour = kInk;
};

struct Run {
    std::string text;
    Style style;
};

enum class Align { left, right, centre };
// frame: left to right whatever stands in it; natural: each paragraph by its first strong character.
enum class Direction { frame, natural };

struct TextShape {
    double width = 0;  // 0: as wide as it is
    Align align = Align::left;
    Direction direction = Direction::frame;
    int max_lines = 0;  // 0: no limit; else the last one ends in "…"
};

class Text {  // laid out, not yet placed
public:
    Text(Text&& other) noexcept;
    Text& operator=(Text&& other) noexcept;
    ~Text();
    double height() const;
    double width() const;  // of the widest line
    double height_of(std::size_t lines) const;
    double baseline() const { return lines_.empty() ? 0 : lines_.front().baseline; }  // of the first line
    std::size_t line_count() const { return lines_.size(); }

private:
    friend class Canvas;
    explicit Text(PangoLayout* layout);
    struct Line {
        PangoLayoutLine* line;
        double x, top, height, baseline;
        bool overflows;  // its ink leaves the line's box: clipped, so that it can't overprint others
    };
    PangoLayout* layout_ = nullptr;
    double box_width_ = 0;
    std::vector<Line> lines_;
};

namespace page {
inline constexpr double kWidth = 595.276, kHeight = 841.89;
inline constexpr double kMargin = 58;       // header, footer, cover and tables begin here
inline constexpr double kNumberRight = 84;  // entry numbers end here
inline constexpr double kLeft = 96, kRight = 538, kTop = 84, kBottom = 770;
inline constexpr double kTextWidth = kRight - kLeft;
}  // namespace page

struct Furniture {
    std::string header_left;  // on every page but the first
    std::string footer_left;
    std::function<std::string(std::uint64_t page, std::uint64_t pages)> page_number;
};

struct Bar {  // a line along the left of flowing text
    double x = 0;
    double width = 1.5;
    Colour colour;
};

class Canvas {
public:
    // pages: 0 to measure.
    Canvas(const FontSet& fonts, Furniture furniture, std::uint64_t pages);
    ~Canvas();
    Canvas(const Canvas&) = delete;
    Canvas& operator=(const Canvas&) = delete;

    Text text(const std::vector<Run>& runs, const TextShape& shape);
    Text text(std::string content, const Style& style, const TextShape& shape) {
        return text(std::vector<Run>{{std::move(content), style}}, shape);
    }
    void place(const Text& text, double x, double y);
    // With its first baseline at `baseline`, so that texts of different size and script stand on one line.
    void place_on(const Text& text, double x, double baseline) { place(text, x, baseline - text.baseline()); }
    // From y() on; moves on; breaks pages between lines and leaves no single line behind where two fit.
    void flow(const Text& text, double x, const std::optional<Bar>& bar = std::nullopt);
    void rule(double x1, double x2, double y, Colour colour, double width = 0.5);
    void fill(double x, double y, double width, double height, Colour colour);
    void frame(double x, double y, double width, double height, Colour colour, double line = 0.7);
    void line(double x1, double y1, double x2, double y2, Colour colour, double width = 0.5);
    void disc(double x, double y, double radius, Colour colour);
    void diamond(double x, double y, double radius, Colour colour);

    double y() const { return y_; }
    void move_to(double y) { y_ = y; }
    double left_on_page() const { return page::kBottom - y_; }
    bool at_top() const { return y_ <= top_; }
    void gap(double height);   // none at the top of a page
    void need(double height);  // a new page unless this much is left
    void new_page();
    std::uint64_t page() const { return page_; }
    // What stands at the right of the header from the next page on, and on this one if nothing was drawn on it yet.
    void set_section(std::string section);
    // Called on each page that begins inside flow() or need(), before anything else; empty: nothing.
    void set_continuation(std::function<void()> draw) { continuation_ = std::move(draw); }
    // A bookmark to the present place. Titles are harmless text; parent 0 is the root. Returns its id.
    int bookmark(int parent, const std::string& title, bool open = false);

    bool measuring() const { return cairo_ == nullptr; }
    // The PDF as Cairo writes it (docs: it becomes PDF/A in pdf_file.h). Call once, last.
    Result<Bytes> finish();

private:
    void draw_line(const Text& text, const Text::Line& line, double x, double y);
    void draw_furniture();
    void set_colour(Colour colour);

    EmojiPainter emoji_;
    PangoContext* context_;
    Furniture furniture_;
    std::uint64_t pages_;
    Bytes out_;
    cairo_surface_t* surface_ = nullptr;
    cairo_t* cairo_ = nullptr;
    std::uint64_t page_ = 1;
    double top_ = page::kTop;
    double y_ = page::kTop;
    std::string section_, page_section_;
    std::function<void()> continuation_;
    unsigned bookmarks_ = 0;
};

}  // namespace kustos::exporting
