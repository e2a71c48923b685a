#include "audit/tiles.h"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace kustos::audit {

namespace {

Error refuse(const char* why) {
    return Error(Code::bad_input, why);
}

// 1234067 -> x001/x234/067
std::string grouped(std::uint64_t index) {
    char group[8];
    std::snprintf(group, sizeof group, "%03u", static_cast<unsigned>(index % 1000));
    std::string text = group;
    while ((index /= 1000) != 0) {
        std::snprintf(group, sizeof group, "x%03u", static_cast<unsigned>(index % 1000));
        text = std::string(group) + "/" + text;
    }
    return text;
}

std::string with_width(std::string path, unsigned width) {
    CHECK(width >= 1 && width <= kTileWidth);
    if (width < kTileWidth) path += ".p/" + std::to_string(width);
    return path;
}

std::optional<std::uint64_t> digits(std::string_view text, std::size_t least, std::size_t most) {
    if (text.size() < least || text.size() > most) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (text.substr(0, prefix.size()) != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
}

// x001/x234/067, at most 7 groups (2^64 has 20 digits).
std::optional<std::uint64_t> parse_grouped(std::string_view text) {
    std::uint64_t value = 0;
    for (int groups = 0; groups < 7; ++groups) {
        const bool more = take_prefix(text, "x");
        const auto group = digits(text.substr(0, 3), 3, 3);
        if (!group || __builtin_mul_overflow(value, std::uint64_t{1000}, &value) ||
            __builtin_add_overflow(value, *group, &value)) {
            return std::nullopt;
        }
        text.remove_prefix(3);
        if (!more) return text.empty() ? std::optional(value) : std::nullopt;
        if (!take_prefix(text, "/")) return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

std::string tile_path(unsigned level, std::uint64_t index, unsigned width) {
    CHECK(level <= kMaxTileLevel);
    return with_width("tile/" + std::to_string(level) + "/" + grouped(index), width);
}

std::string bundle_path(std::uint64_t index, unsigned width) {
    return with_width("tile/entries/" + grouped(index), width);
}

Result<TileName> parse_tile_path(std::string_view path) {
    const Error bad(Code::bad_input, "not a tile's name");
    const std::string whole(path);
    TileName name;
    if (!take_prefix(path, "tile/")) return bad;
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return bad;
    if (path.substr(0, slash) != "entries") {
        const auto level = digits(path.substr(0, slash), 1, 1);
        if (!level || *level > kMaxTileLevel) return bad;
        name.level = static_cast<unsigned>(*level);
    }
    path.remove_prefix(slash + 1);
    if (const std::size_t partial = path.find(".p/"); partial != std::string_view::npos) {
        const auto width = digits(path.substr(partial + 3), 1, 3);
        if (!width || *width < 1 || *width >= kTileWidth) return bad;
        name.width = static_cast<unsigned>(*width);
        path = path.substr(0, partial);
    }
    const auto index = parse_grouped(path);
    if (!index) return bad;
    name.index = *index;
    // Leading zeros and superfluous groups: only the one spelling counts.
    const std::string again =
        name.level ? tile_path(*name.level, name.index, name.width) : bundle_path(name.index, name.width);
    if (again != whole) return bad;
    return name;
}

std::uint64_t tile_hashes(TreeSize size, unsigned level) {
    CHECK(level <= kMaxTileLevel);
    return size.value >> (kTileHeight * level);
}

unsigned tile_width(TreeSize size, unsigned level, std::uint64_t index) {
    const std::uint64_t hashes = tile_hashes(size, level);
    if (index < hashes / kTileWidth) return kTileWidth;
    return index == hashes / kTileWidth ? static_cast<unsigned>(hashes % kTileWidth) : 0;
}

Bytes encode_tile(std::span<const Hash> hashes) {
    CHECK(!hashes.empty() && hashes.size() <= kTileWidth);
    Bytes out;
    out.reserve(hashes.size() * Hash::kSize);
    for (const Hash& hash : hashes) put(out, hash.view());
    return out;
}

Result<std::vector<Hash>> parse_tile(ByteView bytes, unsigned width) {
    if (bytes.size() != std::size_t{width} * Hash::kSize) return refuse("tile: wrong length");
    std::vector<Hash> hashes(width);
    for (unsigned i = 0; i < width; ++i) {
        std::memcpy(hashes[i].bytes.data(), bytes.data() + std::size_t{i} * Hash::kSize, Hash::kSize);
    }
    return hashes;
}

void append_to_bundle(Bytes& bundle, ByteView entry) {
    CHECK(entry.size() <= 0xFFFF);
    put_u16(bundle, static_cast<std::uint16_t>(entry.size()));
    put(bundle, entry);
}

Result<std::vector<ByteView>> parse_bundle(ByteView bytes, unsigned width) {
    ByteReader in(bytes);
    std::vector<ByteView> entries;
    entries.reserve(width);
    for (unsigned i = 0; i < width; ++i) {
        const std::uint16_t length = TRY_IN("entry bundle", in.u16());
        entries.push_back(TRY_IN("entry bundle", in.take(length)));
    }
    TRY_IN("entry bundle", in.expect_end());
    return entries;
}

}  // namespace kustos::audit
