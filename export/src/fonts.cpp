#include "export/src/fonts.h"

#include <pango/pangofc-fontmap.h>

#include <initializer_list>
#include <utility>

namespace kustos::exporting {
namespace {

constexpr const char* kNoto = "/usr/share/fonts/truetype/noto/";
constexpr const char* kCjk = "/usr/share/fonts/opentype/noto/";
constexpr const char* kDejaVu = "/usr/share/fonts/truetype/dejavu/";
constexpr const char* kSymbola = "/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf";

constexpr const char* kScripts[] = {
    "Arabic",    "Hebrew",  "Devanagari", "Bengali",   "Gurmukhi", "Gujarati", "Oriya",
    "Tamil",     "Telugu",  "Kannada",    "Malayalam", "Sinhala",  "Thai",     "Lao",
    "Khmer",     "Myanmar", "Georgian",   "Armenian",  "Ethiopic", "Cherokee", "CanadianAboriginal",
    "Mongolian", "Syriac",  "Thaana",     "NKo",       "Tifinagh", "Javanese", "Balinese",
    "Yi",        "Runic",   "Gothic",     "Coptic"};

bool add(FcConfig* config, const std::string& path) {
    return FcConfigAppFontAddFile(config, reinterpret_cast<const FcChar8*>(path.c_str())) == FcTrue;
}

PangoFontMap* font_map(FcConfig* config) {
    PangoFontMap* map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(map), config);  // takes a reference of its own
    FcConfigDestroy(config);
    return map;
}

Error missing(const char* what) {
    return Error(Code::environment, std::string("a font is missing: ") + what)
        .with_hint("apt-get install fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji fonts-dejavu-core");
}

}  // namespace

const char* FontSet::sans() {
    return "Noto Sans,Noto Sans Arabic,Noto Sans Hebrew,Noto Sans Devanagari,Noto Sans CJK SC,Noto Sans CJK JP,"
           "Noto Sans CJK KR,Noto Sans Symbols2,Noto Sans Symbols,Noto Sans Math";
}
const char* FontSet::mono() {
    return "DejaVu Sans Mono,Noto Sans";
}

Result<FontSet> FontSet::load() {
    FontSet set;
    FcConfig* text = FcConfigCreate();
    FcConfig* emoji = FcConfigCreate();
    const std::string noto = kNoto;
    const char* lacking = nullptr;
    for (const char* style : {"Regular", "Bold", "Italic", "BoldItalic"}) {
        if (!add(text, noto + "NotoSans-" + style + ".ttf")) lacking = "Noto Sans";
    }
    for (const char* script : kScripts) {  // those that are not there show as boxes with the code in them
        for (const char* style : {"-Regular.ttf", "-Bold.ttf"}) add(text, noto + "NotoSans" + script + style);
    }
    for (const char* name : {"Symbols-Regular", "Symbols-Bold", "Symbols2-Regular", "Math-Regular"})
        add(text, noto + "NotoSans" + name + ".ttf");
    if (!add(text, std::string(kCjk) + "NotoSansCJK-Regular.ttc")) lacking = "Noto Sans CJK";
    add(text, std::string(kCjk) + "NotoSansCJK-Bold.ttc");
    for (const char* name : {"DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"}) {
        if (!add(text, std::string(kDejaVu) + name)) lacking = "DejaVu Sans Mono";
    }
    set.has_symbola_ = add(text, kSymbola);
    if (!add(emoji, noto + "NotoColorEmoji.ttf")) lacking = "Noto Color Emoji";
    set.text_ = font_map(text);
    set.emoji_ = font_map(emoji);
    if (lacking) return missing(lacking);
    return set;
}

FontSet::FontSet(FontSet&& other) noexcept
    : text_(std::exchange(other.text_, nullptr)),
      emoji_(std::exchange(other.emoji_, nullptr)),
      has_symbola_(other.has_symbola_) {}

FontSet::~FontSet() {
    for (PangoFontMap* map : {text_, emoji_}) {
        if (!map) continue;
        pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(map), nullptr);  // Pango 1.50 keeps its reference otherwise
        g_object_unref(map);
    }
}

}  // namespace kustos::exporting
