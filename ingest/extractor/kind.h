// What an item is, by its bytes.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace kustos::extractor {

enum class Kind { unknown, pdf, zip, compound, rtf, html, mail, gzip, bzip2, xz, zstd, seven_zip, tar, binary };

// unknown: text, or something without a signature; binary: a picture, sound, film, program or another archive.
Kind kind_of(ByteView content);
bool has_pdf_header(ByteView content);  // somewhere at the start
// The word for it (ExtractedText::kind), as far as the first bytes tell: of a zip and of a compound file the reader
// knows more. Empty: not known.
std::string_view kind_word(ByteView content);

}  // namespace kustos::extractor
