#include "ingest/extractor/picture.h"

#include <algorithm>
#include <set>

namespace kustos::extractor {

namespace {

using namespace std::string_view_literals;

// Numbers out of foreign bytes: what lies outside is nothing.
class Fields {
public:
    explicit Fields(ByteView bytes) : bytes_(bytes) {}
    std::optional<std::uint64_t> little(std::uint64_t at, unsigned size) const { return number(at, size, false); }
    std::optional<std::uint64_t> big(std::uint64_t at, unsigned size) const { return number(at, size, true); }
    bool has(std::uint64_t at, std::string_view text) const {
        return at <= bytes_.size() && as_text(bytes_.subspan(at)).substr(0, text.size()) == text;
    }

private:
    std::optional<std::uint64_t> number(std::uint64_t at, unsigned size, bool big_end) const {
        if (at > bytes_.size() || bytes_.size() - at < size) return std::nullopt;
        std::uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i)
            value |= std::uint64_t{bytes_[at + i]} << (8 * (big_end ? size - 1 - i : i));
        return value;
    }
    ByteView bytes_;
};

std::optional<Picture> sized(std::string_view kind, std::optional<std::uint64_t> width,
                             std::optional<std::uint64_t> height) {
    if (!width || !height || *width == 0 || *height == 0) return std::nullopt;
    return Picture{kind, *width, *height, 1};
}

// ISO/IEC 10918-1 B.1.1: markers with their lengths, up to a start of frame.
std::optional<Picture> jpeg(const Fields& file) {
    std::uint64_t at = 2;
    for (int markers = 0; markers < 4'096; ++markers) {
        if (file.big(at, 1) != 0xFF) return std::nullopt;
        const auto marker = file.big(at + 1, 1);
        if (!marker) return std::nullopt;
        if (*marker == 0xFF) {  // fill
            ++at;
            continue;
        }
        const bool frame = *marker >= 0xC0 && *marker <= 0xCF && *marker != 0xC4 && *marker != 0xC8 && *marker != 0xCC;
        if (frame) return sized("jpeg", file.big(at + 7, 2), file.big(at + 5, 2));
        if (*marker == 0xD9 || *marker == 0xDA) return std::nullopt;
        const bool alone = *marker == 0x01 || (*marker >= 0xD0 && *marker <= 0xD8);
        const auto length = alone ? std::optional<std::uint64_t>(0) : file.big(at + 2, 2);
        if (!length || (!alone && *length < 2)) return std::nullopt;
        at += 2 + *length;
    }
    return std::nullopt;
}

// TIFF 6.0 section 2: directories of 12-byte fields, each naming the next.
std::optional<Picture> tiff(const Fields& file, bool big_end) {
    const auto read = [&](std::uint64_t at, unsigned size) {
        return big_end ? file.big(at, size) : file.little(at, size);
    };
    Picture out{"tiff", 0, 0, 0};
    std::set<std::uint64_t> seen;
    auto at = read(4, 4);
    while (at && *at != 0 && seen.insert(*at).second && out.pages <= kMostPages) {
        const auto fields = read(*at, 2);
        if (!fields) break;
        ++out.pages;
        for (std::uint64_t i = 0; i < *fields; ++i) {
            const std::uint64_t field = *at + 2 + 12 * i;
            const auto tag = read(field, 2), type = read(field + 2, 2);
            if (!tag || !type) break;
            if (*tag != 256 && *tag != 257) continue;
            const auto value = read(field + 8, *type == 3 ? 2 : 4);
            if (!value) break;
            std::uint64_t& side = *tag == 256 ? out.width : out.height;
            side = std::max(side, *value);
        }
        at = read(*at + 2 + 12 * *fields, 4);
    }
    if (out.pages == 0 || out.width == 0 || out.height == 0) return std::nullopt;
    return out;
}

// WebP container specification; VP8: RFC 6386 9.1.
std::optional<Picture> webp(const Fields& file) {
    const auto plus_one = [](std::optional<std::uint64_t> n) { return n ? std::optional(*n + 1) : n; };
    if (file.has(12, "VP8X")) return sized("webp", plus_one(file.little(24, 3)), plus_one(file.little(27, 3)));
    if (file.has(12, "VP8L")) {
        const auto packed = file.little(21, 4);
        if (!packed) return std::nullopt;
        return sized("webp", (*packed & 0x3FFF) + 1, ((*packed >> 14) & 0x3FFF) + 1);
    }
    if (!file.has(12, "VP8 ")) return std::nullopt;
    const auto width = file.little(26, 2), height = file.little(28, 2);
    if (!width || !height) return std::nullopt;
    return sized("webp", *width & 0x3FFF, *height & 0x3FFF);
}

std::optional<Picture> bmp(const Fields& file) {
    const auto header = file.little(14, 4);
    if (!header) return std::nullopt;
    if (*header == 12) return sized("bmp", file.little(18, 2), file.little(20, 2));
    if (*header < 40 || *header > 1'024) return std::nullopt;
    auto height = file.little(22, 4);
    if (height && (*height & 0x8000'0000u) != 0) height = 0x1'0000'0000u - *height;  // from the top down
    return sized("bmp", file.little(18, 4), height);
}

}  // namespace

std::optional<Picture> look_at_picture(ByteView content) {
    const Fields file(content);
    if (file.has(0, "\x89PNG\r\n\x1A\n"sv) && file.has(12, "IHDR"))
        return sized("png", file.big(16, 4), file.big(20, 4));
    if (file.has(0, "\xFF\xD8\xFF"sv)) return jpeg(file);
    if (file.has(0, "GIF87a") || file.has(0, "GIF89a")) {
        // The screen, and the first frame, which may be larger than it says.
        return sized("gif", file.little(6, 2), file.little(8, 2));
    }
    if (file.has(0, "II*\0"sv)) return tiff(file, false);
    if (file.has(0, "MM\0*"sv)) return tiff(file, true);
    if (file.has(0, "BM")) return bmp(file);
    if (file.has(0, "RIFF") && file.has(8, "WEBP")) return webp(file);
    return std::nullopt;
}

}  // namespace kustos::extractor
