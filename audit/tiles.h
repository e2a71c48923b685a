// Names and contents of tlog-tiles files (C2SP tlog-tiles): tile/<level>/<index>[.p/<width>] holds up to 256 hashes,
// tile/entries/<index>[.p/<width>] the entries below one level-0 tile.
// Errors: parse_* take foreign bytes: Code::bad_input. Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace kustos::audit {

inline constexpr unsigned kTileWidth = 256;
inline constexpr unsigned kTileHeight = 8;
inline constexpr unsigned kMaxTileLevel = 7;                           // 2^64 leaves
inline constexpr std::size_t kMaxTileFile = kTileWidth * Hash::kSize;  // 8,192
inline constexpr std::size_t kMaxBundleFile = kTileWidth * (2 + 65'535);

// width 1..256; 256 is the full tile, without ".p".
std::string tile_path(unsigned level, std::uint64_t index, unsigned width);
std::string bundle_path(std::uint64_t index, unsigned width);

struct TileName {
    std::optional<unsigned> level;  // nullopt: entry bundle
    std::uint64_t index = 0;
    unsigned width = kTileWidth;
    bool operator==(const TileName&) const = default;
};
Result<TileName> parse_tile_path(std::string_view path);  // exactly what tile_path and bundle_path make

// How many hashes the tiles of a level hold altogether: size >> (8 * level).
std::uint64_t tile_hashes(TreeSize size, unsigned level);
// Width of a tile in a tree of this size, 0 if it does not exist.
unsigned tile_width(TreeSize size, unsigned level, std::uint64_t index);

Bytes encode_tile(std::span<const Hash> hashes);
Result<std::vector<Hash>> parse_tile(ByteView bytes, unsigned width);

void append_to_bundle(Bytes& bundle, ByteView entry);  // u16 length || entry
// Views into bytes. Exactly `width` entries and no byte more.
Result<std::vector<ByteView>> parse_bundle(ByteView bytes, unsigned width);

}  // namespace kustos::audit
