// The fonts of a bundle, and only these: a configuration of our own with a fixed list of files, so that no fontconfig
// setting of the machine changes what a court reads. Text fonts and the colour emoji font are kept apart, because Cairo
// draws colour glyphs as coarse pictures without text (facts: docs/architecture/export.md).
#pragma once

#include <pango/pangocairo.h>

#include <string>

#include "base/result.h"

namespace kustos::exporting {

class FontSet {
public:
    // Code::environment with the packages to install when one that can't be missed is missing.
    static Result<FontSet> load();
    FontSet(FontSet&& other) noexcept;
    FontSet& operator=(FontSet&&) = delete;
    ~FontSet();

    PangoFontMap* text() const { return text_; }
    PangoFontMap* emoji() const { return emoji_; }
    bool has_symbola() const { return has_symbola_; }
    static const char* sans();  // family list, in the order in which scripts are looked up
    static const char* mono();

private:
    FontSet() = default;
    PangoFontMap* text_ = nullptr;
    PangoFontMap* emoji_ = nullptr;
    bool has_symbola_ = false;
};

}  // namespace kustos::exporting
