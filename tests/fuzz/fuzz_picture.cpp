// Headers of pictures from a stranger.
#include <cstdlib>

#include "ingest/extractor/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kustos;
    const auto picture = extractor::look_at_picture(ByteView(data, size));
    if (!picture) return 0;
    const bool sound = picture->width != 0 && picture->height != 0 && picture->pages != 0 &&
                       picture->pages <= extractor::kMostPages + 1 && !picture->kind.empty();
    if (!sound) std::abort();
    return 0;
}
