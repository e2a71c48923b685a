// Colour emoji as pictures with extractable text: under each picture stands one white glyph whose text, for whoever
// selects or searches, is the exact emoji sequence (PDF ActualText), so nothing of the message is lost. Cairo alone
// would draw 22-pixel pictures without any text.
//
// Threads: one. Memory: at most 512 pictures of 64 kB at a time; a picture is stored once in the file.
#pragma once

#include <pango/pangocairo.h>

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "export/src/fonts.h"

namespace kustos::exporting {

class EmojiPainter {
public:
    explicit EmojiPainter(const FontSet& fonts);
    ~EmojiPainter();
    EmojiPainter(const EmojiPainter&) = delete;
    EmojiPainter& operator=(const EmojiPainter&) = delete;

    // How much of this sequence the colour font draws as one picture: all of it, its first element, or 0.
    std::size_t drawable(std::string_view sequence);
    // The room that it takes in a line of this size; data for pango_attr_shape_new_with_data.
    static PangoAttribute* shape(std::string_view sequence, double size);
    // To be called for each PangoContext whose layouts hold shapes.
    void serve(PangoContext* context);

private:
    struct Picture {
        std::string sequence;
        cairo_surface_t* surface;
    };
    static void render(cairo_t* cairo, PangoAttrShape* attribute, gboolean do_path, gpointer self);
    void paint(cairo_t* cairo, const std::string& sequence, double x, double top, double side);
    void paint_text(cairo_t* cairo, const std::string& sequence, double x, double top, double side);
    cairo_surface_t* picture(const std::string& sequence);
    bool one_glyph(std::string_view sequence);
    PangoLayout* layout(std::string_view sequence);

    PangoContext* context_;
    PangoLayout* layout_;
    PangoFont* cover_;  // whose white glyph carries the text
    PangoFont* fallback_cover_;
    std::list<Picture> recent_;  // most recent first
    std::unordered_map<std::string, std::list<Picture>::iterator> pictures_;
    std::unordered_map<std::string, bool> known_;
};

}  // namespace kustos::exporting
