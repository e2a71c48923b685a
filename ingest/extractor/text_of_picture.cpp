#include "ingest/extractor/text_of_picture.h"

#include <algorithm>
#include <array>

namespace kustos::extractor {

using ingest::Completeness;
using ingest::ExtractedText;
using ingest::wire::Help;

namespace {

// Reasons live as long as the program.
Refusal word_of(const std::string& reason) {
    constexpr std::array<Refusal, 12> kKnown = {"ocr-off",  "ocr-later",  "no-ocr",       "no-reader",
                                                "time-out", "time-limit", "memory-limit", "page-limit",
                                                "damaged",  "no-sandbox", "crashed",      "text-limit"};
    for (const Refusal known : kKnown)
        if (reason == known) return known;
    return "damaged";
}

// What a machine has read is marked as such, and the item is never whole: it may have misread.
Refusal take(const ExtractedText& got, Reading& reading, std::string_view before = "") {
    if (got.text.empty()) return got.reason.empty() ? "ocr-empty" : word_of(got.reason);
    reading.put(before);
    reading.put(got.text);
    reading.end_line();
    reading.remark("ocr");
    reading.partial(got.reason.empty() ? "ocr" : word_of(got.reason));
    return "";
}

}  // namespace

Refusal read_picture(ByteView content, const Picture& picture, Reading& reading) {
    if (picture.width > kMostPixels / picture.height) return "picture-limit";
    if (picture.width < kLeastWidth || picture.height < kLeastHeight) return "picture-small";
    if (content.size() > ingest::wire::kMostHelp - 64) return "part-limit";
    if (picture.pages == 1) return take(reading.ask(Help::picture, ingest::wire::kAllPages, false, content), reading);
    Refusal first = "";
    bool any = false;
    for (std::uint32_t page = 0; page < picture.pages && !reading.over(); ++page) {
        const ExtractedText got = reading.ask(Help::picture, page, page != 0, content);
        const Refusal refusal = take(got, reading);
        any |= refusal.empty();
        if (refusal.empty()) continue;
        if (first.empty()) first = refusal;
        if (refusal != "ocr-empty" && refusal != "damaged") break;  // the next page would fare no better
    }
    if (!any) return first;
    if (!first.empty() && first != "ocr-empty") reading.partial(first);
    return "";
}

Refusal read_drawn_page(const char* pixels, int width, int height, int bytes_per_row, std::string_view before,
                        Reading& reading) {
    std::string header = "P5\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
    Bytes file;
    file.reserve(header.size() + static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    put(file, header);
    std::uint8_t darkest = 255, lightest = 0;
    for (int y = 0; y < height; ++y) {
        const ByteView row(reinterpret_cast<const std::uint8_t*>(pixels) + std::ptrdiff_t{y} * bytes_per_row,
                           static_cast<std::size_t>(width));
        const auto [low, high] = std::minmax_element(row.begin(), row.end());
        darkest = std::min(darkest, *low);
        lightest = std::max(lightest, *high);
        put(file, row);
    }
    if (lightest - std::min(darkest, lightest) < 16) return "blank";
    return take(reading.ask(Help::picture, ingest::wire::kAllPages, false, file), reading, before);
}

Refusal read_old_document(ByteView content, Help what, Reading& reading) {
    if (content.size() > ingest::wire::kMostHelp - 64) return "part-limit";
    const ExtractedText got = reading.ask(what, 0, false, content);
    reading.put(got.text);
    reading.end_line();
    if (got.text.empty() && !got.reason.empty()) return word_of(got.reason);
    if (!got.reason.empty()) reading.partial(word_of(got.reason));
    return "";
}

}  // namespace kustos::extractor
