// What a picture's own header says of it: how large it is and how many pages it has. Read before anything decodes it,
// so that nobody makes a machine unpack 100 megapixels with 100 bytes. Pure, bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace kustos::extractor {

struct Picture {
    std::string_view kind;    // "png", "jpeg", "gif", "tiff", "bmp", "webp"
    std::uint64_t width = 0;  // pixels; of a TIFF the widest page, likewise
    std::uint64_t height = 0;
    std::uint32_t pages = 1;  // of a TIFF, at most kMostPages + 1
};
inline constexpr std::uint32_t kMostPages = 1'000;

// Nothing: no such picture, or a header that can't be read.
std::optional<Picture> look_at_picture(ByteView content);

}  // namespace kustos::extractor
