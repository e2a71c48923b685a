#include "export/src/emoji_painter.h"

#include <pango/pangofc-font.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

constexpr int kPixels = 128;
constexpr std::size_t kMaxPictures = 512;
constexpr std::size_t kMaxKnown = 20'000;

gpointer copy_sequence(gconstpointer sequence) {
    return new std::string(*static_cast<const std::string*>(sequence));
}
void free_sequence(gpointer sequence) {
    delete static_cast<std::string*>(sequence);
}

PangoFont* load_font(PangoContext* context, const char* family) {
    PangoFontDescription* description = pango_font_description_from_string(family);
    pango_font_description_set_absolute_size(description, 10 * PANGO_SCALE);
    PangoFont* font = pango_context_load_font(context, description);
    pango_font_description_free(description);
    return font;
}

}  // namespace

EmojiPainter::EmojiPainter(const FontSet& fonts)
    : context_(pango_font_map_create_context(fonts.emoji())), layout_(pango_layout_new(context_)) {
    PangoFontDescription* description = pango_font_description_from_string("Noto Color Emoji");
    pango_font_description_set_absolute_size(description, 100 * PANGO_SCALE);
    pango_layout_set_font_description(layout_, description);
    pango_font_description_free(description);
    PangoContext* text = pango_font_map_create_context(fonts.text());
    fallback_cover_ = load_font(text, "Noto Sans");
    cover_ = fonts.has_symbola() ? load_font(text, "Symbola") : nullptr;
    g_object_unref(text);
}

EmojiPainter::~EmojiPainter() {
    for (Picture& p : recent_) cairo_surface_destroy(p.surface);
    if (cover_) g_object_unref(cover_);
    if (fallback_cover_) g_object_unref(fallback_cover_);
    g_object_unref(layout_);
    g_object_unref(context_);
}

PangoLayout* EmojiPainter::layout(std::string_view sequence) {
    pango_layout_set_text(layout_, sequence.data(), static_cast<int>(sequence.size()));
    return layout_;
}

bool EmojiPainter::one_glyph(std::string_view sequence) {
    const auto found = known_.find(std::string(sequence));
    if (found != known_.end()) return found->second;
    if (known_.size() >= kMaxKnown) known_.clear();
    unsigned glyphs = 0;
    bool unknown = false;
    PangoLayoutIter* iter = pango_layout_get_iter(layout(sequence));
    do {
        PangoLayoutRun* run = pango_layout_iter_get_run_readonly(iter);
        if (!run) continue;
        for (int i = 0; i < run->glyphs->num_glyphs; ++i) {
            const PangoGlyph glyph = run->glyphs->glyphs[i].glyph;
            if (glyph == PANGO_GLYPH_EMPTY) continue;
            ++glyphs;
            if (glyph & PANGO_GLYPH_UNKNOWN_FLAG) unknown = true;
        }
    } while (pango_layout_iter_next_run(iter));
    pango_layout_iter_free(iter);
    const bool one = glyphs == 1 && !unknown;
    known_.emplace(sequence, one);
    return one;
}

std::size_t EmojiPainter::drawable(std::string_view sequence) {
    if (one_glyph(sequence)) return sequence.size();
    const std::size_t joiner = sequence.find("\u200d");
    if (joiner == std::string_view::npos) return 0;
    return one_glyph(sequence.substr(0, joiner)) ? joiner : 0;
}

PangoAttribute* EmojiPainter::shape(std::string_view sequence, double size) {
    const int side = static_cast<int>(size * 1.2 * PANGO_SCALE);
    const PangoRectangle box{0, static_cast<int>(-0.92 * size * PANGO_SCALE), side, side};
    return pango_attr_shape_new_with_data(&box, &box, new std::string(sequence), copy_sequence, free_sequence);
}

void EmojiPainter::serve(PangoContext* context) {
    pango_cairo_context_set_shape_renderer(context, &EmojiPainter::render, this, nullptr);
}

void EmojiPainter::render(cairo_t* cairo, PangoAttrShape* attribute, gboolean do_path, gpointer self) {
    if (do_path) return;
    double x = 0, y = 0;
    cairo_get_current_point(cairo, &x, &y);
    const double side = pango_units_to_double(attribute->ink_rect.width);
    static_cast<EmojiPainter*>(self)->paint(cairo, *static_cast<const std::string*>(attribute->data), x + side * 0.04,
                                            y + pango_units_to_double(attribute->ink_rect.y), side * 0.92);
}

void EmojiPainter::paint(cairo_t* cairo, const std::string& sequence, double x, double top, double side) {
    paint_text(cairo, sequence, x, top, side);
    cairo_save(cairo);
    cairo_translate(cairo, x, top);
    cairo_scale(cairo, side / kPixels, side / kPixels);
    cairo_set_source_surface(cairo, picture(sequence), 0, 0);
    cairo_paint(cairo);
    cairo_restore(cairo);
}

void EmojiPainter::paint_text(cairo_t* cairo, const std::string& sequence, double x, double top, double side) {
    std::size_t at = 0;
    const gunichar first = next_code_point(sequence, at);
    PangoFont* font = cover_;
    PangoGlyph glyph = font ? pango_fc_font_get_glyph(PANGO_FC_FONT(font), first) : 0;
    if (glyph == 0) {
        font = fallback_cover_;
        glyph = pango_fc_font_get_glyph(PANGO_FC_FONT(font), 0x2022);
    }
    cairo_font_face_t* face = cairo_scaled_font_get_font_face(pango_cairo_font_get_scaled_font(PANGO_CAIRO_FONT(font)));
    cairo_save(cairo);
    cairo_set_font_face(cairo, face);
    cairo_set_font_size(cairo, side * 0.6);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_glyph_t placed{glyph, x + side * 0.1, top + side * 0.75};
    const cairo_text_cluster_t cluster{static_cast<int>(sequence.size()), 1};
    cairo_show_text_glyphs(cairo, sequence.data(), static_cast<int>(sequence.size()), &placed, 1, &cluster, 1,
                           static_cast<cairo_text_cluster_flags_t>(0));
    cairo_restore(cairo);
}

cairo_surface_t* EmojiPainter::picture(const std::string& sequence) {
    const auto found = pictures_.find(sequence);
    if (found != pictures_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second);
        return found->second->surface;
    }
    if (recent_.size() >= kMaxPictures) {
        cairo_surface_destroy(recent_.back().surface);
        pictures_.erase(recent_.back().sequence);
        recent_.pop_back();
    }
    cairo_surface_t* surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, kPixels, kPixels);
    cairo_t* cairo = cairo_create(surface);
    PangoRectangle ink, logical;
    pango_layout_get_pixel_extents(layout(sequence), &ink, &logical);
    const double scale = static_cast<double>(kPixels) / std::max({logical.width, ink.height, 1});
    cairo_scale(cairo, scale, scale);
    cairo_move_to(cairo, 0, (kPixels / scale - logical.height) / 2.0);
    pango_cairo_show_layout(cairo, layout_);
    cairo_destroy(cairo);
    const std::string id = "emoji:" + sequence;  // so that the file holds each picture once
    auto* bytes = static_cast<unsigned char*>(std::malloc(id.size()));
    if (bytes) {
        std::memcpy(bytes, id.data(), id.size());
        if (cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_UNIQUE_ID, bytes, id.size(), std::free, bytes) !=
            CAIRO_STATUS_SUCCESS)
            std::free(bytes);
    }
    recent_.push_front({sequence, surface});
    pictures_[sequence] = recent_.begin();
    return surface;
}

}  // namespace kustos::exporting
