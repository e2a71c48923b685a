// Pictures, and pages of a PDF that are pictures, by OCR.
#pragma once

#include "base/bytes.h"
#include "ingest/extractor/picture.h"
#include "ingest/extractor/reading.h"

namespace kustos::extractor {

inline constexpr std::uint64_t kMostPixels = 40'000'000;  // of one picture or page: "picture-limit"
// Smaller ones are logos and spacers: "picture-small".
inline constexpr std::uint64_t kLeastWidth = 48, kLeastHeight = 24;

Refusal read_picture(ByteView content, const Picture& picture, Reading& reading);
// One page that was drawn here: grey, one byte for each pixel; `before` is put before its text. A refusal: no text came
// of it.
Refusal read_drawn_page(const char* pixels, int width, int height, int bytes_per_row, std::string_view before,
                        Reading& reading);
Refusal read_old_document(ByteView content, ingest::wire::Help what, Reading& reading);

}  // namespace kustos::extractor
