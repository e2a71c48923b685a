// Headers of pictures: what they say, before anything is unpacked.
#include "ingest/extractor/picture.h"

#include <doctest/doctest.h>

#include "base/fs.h"
#include "tests/support/shared.h"

using namespace kustos;
using extractor::look_at_picture;

TEST_CASE("size and pages are read from the header of each kind of picture") {
    RealFs fs;
    const Path folder = test::source_dir() / "tests/fuzz/corpus/picture";
    struct Want {
        const char* file;
        const char* kind;
        std::uint64_t width, height;
        std::uint32_t pages;
    };
    const Want wanted[] = {{"png", "png", 640, 480, 1},         {"jpeg", "jpeg", 640, 480, 1},
                           {"gif", "gif", 640, 480, 1},         {"bmp", "bmp", 640, 480, 1},
                           {"webp_vp8x", "webp", 640, 480, 1},  {"webp_vp8l", "webp", 640, 480, 1},
                           {"webp_vp8", "webp", 640, 480, 1},   {"tiff_two_pages", "tiff", 1728, 1100, 2},
                           {"tiff_loop", "tiff", 1728, 1100, 1}};
    for (const Want& want : wanted) {
        CAPTURE(want.file);
        const Bytes bytes = read_file(fs, folder / want.file, 4096).value();
        const auto got = look_at_picture(bytes);
        REQUIRE(got);
        CHECK(got->kind == want.kind);
        CHECK(got->width == want.width);
        CHECK(got->height == want.height);
        CHECK(got->pages == want.pages);
        for (std::size_t size = 0; size + 60 < bytes.size(); ++size)
            CHECK_FALSE(look_at_picture(ByteView(bytes).first(size)));
    }
    CHECK_FALSE(look_at_picture(as_bytes("BM ist auch ein Wort")));
    CHECK_FALSE(look_at_picture({}));
}
