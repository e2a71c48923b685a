#include "audit/tiles.h"

#include <doctest/doctest.h>

#include "base/crypto.h"

using namespace kustos;
using namespace kustos::audit;

TEST_CASE("tile names are those of tlog-tiles") {
    CHECK(tile_path(0, 0, 256) == "tile/0/000");
    CHECK(tile_path(0, 1'234'067, 256) == "tile/0/x001/x234/067");
    CHECK(tile_path(0, 1'067, 8) == "tile/0/x001/067.p/8");
    CHECK(tile_path(2, 999, 255) == "tile/2/999.p/255");
    CHECK(bundle_path(0, 1) == "tile/entries/000.p/1");
    CHECK(bundle_path(999'999, 256) == "tile/entries/x999/999");
    CHECK(bundle_path(1'000'000, 256) == "tile/entries/x001/x000/000");
}

TEST_CASE("a tile's name is read back, and only in its one spelling") {
    for (const std::uint64_t index : {0ULL, 1ULL, 999ULL, 1'000ULL, 1'234'067ULL, 72'057'594'037'927'935ULL}) {
        for (const unsigned width : {1U, 8U, 255U, 256U}) {
            for (const unsigned level : {0U, 3U, 7U}) {
                CHECK(parse_tile_path(tile_path(level, index, width)).value() == TileName{level, index, width});
            }
            CHECK(parse_tile_path(bundle_path(index, width)).value() == TileName{std::nullopt, index, width});
        }
    }
    for (const char* bad : {"",
                            "tile",
                            "tile/",
                            "tile/0",
                            "tile/0/",
                            "tile/0/0",
                            "tile/0/0000",
                            "tile/8/000",
                            "tile/00/000",
                            "tile/-1/000",
                            "tile/0/x000/000",
                            "tile/0/000/000",
                            "tile/0/x001",
                            "tile/0/x001/",
                            "tile/0/000.p",
                            "tile/0/000.p/",
                            "tile/0/000.p/0",
                            "tile/0/000.p/256",
                            "tile/0/000.p/08",
                            "tile/0/000.p/8/",
                            "tile/0/000.p/8.p/8",
                            "tile/0/+12",
                            "tile/0/ 12",
                            "tile/entries/../000",
                            "tile/x/000",
                            "/tile/0/000",
                            "tile/0/000.tmp",
                            "tile/0/x999/x999/x999/x999/x999/x999/x999/999"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_tile_path(bad).ok());
    }
}

TEST_CASE("how wide a tile is follows from the size") {
    CHECK(tile_width(TreeSize{0}, 0, 0) == 0);
    CHECK(tile_width(TreeSize{1}, 0, 0) == 1);
    CHECK(tile_width(TreeSize{256}, 0, 0) == 256);
    CHECK(tile_width(TreeSize{256}, 0, 1) == 0);
    CHECK(tile_width(TreeSize{256}, 1, 0) == 1);
    CHECK(tile_width(TreeSize{65'535}, 1, 0) == 255);
    CHECK(tile_width(TreeSize{65'536}, 1, 0) == 256);
    CHECK(tile_width(TreeSize{65'536}, 2, 0) == 1);
    CHECK(tile_width(TreeSize{10'000'000}, 0, 39'062) == 128);
}

TEST_CASE("bundles and tiles of the wrong length are refused") {
    Bytes bundle;
    for (const char* word : {"one", "", "three"}) append_to_bundle(bundle, as_bytes(word));
    const auto entries = parse_bundle(bundle, 3);
    REQUIRE(entries.ok());
    CHECK(as_text(entries->at(0)) == "one");
    CHECK(entries->at(1).empty());
    CHECK_FALSE(parse_bundle(bundle, 2).ok());
    CHECK_FALSE(parse_bundle(bundle, 4).ok());
    bundle.pop_back();
    CHECK_FALSE(parse_bundle(bundle, 3).ok());
    const std::vector<Hash> hashes(5, sha256(as_bytes("x")));
    CHECK(parse_tile(encode_tile(hashes), 5).value() == hashes);
    CHECK_FALSE(parse_tile(encode_tile(hashes), 4).ok());
    CHECK_FALSE(parse_tile(encode_tile(hashes), 6).ok());
}
