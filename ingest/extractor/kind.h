// What an item is, by its bytes.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace kustos::extractor {

enum class Kind { unknown, pdf, zip, compound, rtf, html, mail, gzip, bzip2, xz, zstd, seven_zip, tar, binary };

// unknown: text, or something without a signature; binary: a picture, sound, film, program or another archive.
Kind kind_of(ByteView content);

}  // namespace kustos::extractor
