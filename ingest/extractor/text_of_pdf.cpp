#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-image.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/text.h"
#include "ingest/extractor/text_of.h"
#include "ingest/extractor/text_of_picture.h"

namespace kustos::extractor {

namespace {

using ingest::kFirstPageAgain;
using ingest::kPageEnd;

constexpr int kMaxPages = 10'000;
constexpr double kDpi = 300, kLeastDpi = 40;
constexpr double kDrawnPixels = 12'000'000;           // of one page; A4 has 8.7 million at 300 dpi
constexpr std::chrono::milliseconds kDrawing{2'000};  // that a page may take beyond the time of the item

void be_silent(const std::string&, void*) {}

std::string page_text(const poppler::page& page) {
    const poppler::byte_array bytes = page.text().to_utf8();
    std::string text = repair_utf8(std::string_view(bytes.data(), bytes.size()));
    while (!text.empty() && (text.back() == '\f' || text.back() == '\n' || text.back() == ' ')) text.pop_back();
    // Those two are ours: ingest/extract.h.
    std::replace(text.begin(), text.end(), kPageEnd, '\n');
    std::replace(text.begin(), text.end(), kFirstPageAgain, '\n');
    return text;
}

// before: what leads to its text, put there only if it has any.
Refusal read_scan(const poppler::page& page, std::string_view before, Reading& reading) {
    const poppler::rectf box = page.page_rect();
    const double area = box.width() * box.height();
    if (!(area > 0)) return "damaged";
    const double dpi = std::min(kDpi, 72 * std::sqrt(kDrawnPixels / area));
    if (!(dpi >= kLeastDpi)) return "picture-limit";
    poppler::page_renderer renderer;
    renderer.set_image_format(poppler::image::format_gray8);
    const poppler::image drawn = renderer.render_page(&page, dpi, dpi);
    if (!drawn.is_valid() || drawn.width() <= 0 || drawn.height() <= 0) return "damaged";
    return read_drawn_page(drawn.const_data(), drawn.width(), drawn.height(), drawn.bytes_per_row(), before, reading);
}

// Whether the next page may fare better.
bool is_of_the_page(Refusal refusal) {
    return refusal == "ocr-empty" || refusal == "damaged" || refusal == "picture-limit" || refusal == "time-out";
}

// Pages without text are drawn here and read by OCR; their text stands behind that of all other pages, counted from the
// first page again. any: others have text.
Refusal read_scans(const poppler::document& document, const std::vector<int>& pages, bool any, Reading& reading) {
    Refusal trouble = "";
    bool unread = !reading.has_help(), read = false;
    std::string to_page(1, kFirstPageAgain);
    int at = 0;
    for (const int number : pages) {
        if (!reading.has_help()) break;
        if (reading.over()) {
            unread = true;
            break;
        }
        reading.save();
        reading.grant(kDrawing);
        const std::unique_ptr<poppler::page> page(document.create_page(number));
        to_page.append(static_cast<std::size_t>(number - at), kPageEnd);
        at = number;
        const Refusal refusal = page ? read_scan(*page, to_page, reading) : "damaged";
        read |= refusal.empty();
        if (refusal.empty()) to_page.clear();
        if (refusal.empty() || refusal == "blank") continue;
        unread = true;
        if (is_of_the_page(refusal)) continue;
        trouble = refusal;
        break;
    }
    if (!any && !read) return trouble.empty() ? "no-text-layer" : trouble;
    if (!trouble.empty()) reading.partial(trouble);
    if (unread) reading.partial("page-without-text");
    return "";
}

}  // namespace

Refusal text_of_pdf(ByteView content, Reading& reading) {
    const std::unique_ptr<poppler::document> document(poppler::document::load_from_raw_data(
        reinterpret_cast<const char*>(content.data()), static_cast<int>(content.size())));
    if (!document) return "damaged";
    if (document->is_locked()) return "encrypted";
    const int pages = document->pages();
    if (pages <= 0) return "damaged";
    std::vector<int> without_text;
    std::string waiting;  // ends of pages without text, until there is some
    bool any = false;
    for (int i = 0; i < pages && !reading.over(); ++i) {
        if (i >= kMaxPages) {
            reading.partial("page-limit");
            break;
        }
        const std::unique_ptr<poppler::page> page(document->create_page(i));
        const std::string text = page ? page_text(*page) : std::string();
        if (text.empty()) without_text.push_back(i);
        waiting += text.empty() ? "" : text + "\n";
        waiting += kPageEnd;
        if (text.empty()) continue;
        any = true;
        reading.put(waiting);
        waiting.clear();
    }
    return without_text.empty() ? "" : read_scans(*document, without_text, any, reading);
}

void warm_up() {
    poppler::set_debug_error_function(be_silent, nullptr);
    // One page, one line of text in a standard font.
    static constexpr char kPage[] =
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        "4 0 obj<</Length 36>>stream\nBT /F 12 Tf 20 100 Td (warm up) Tj ET\nendstream endobj\n"
        "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n";
    static_cast<void>(text_of(as_bytes(std::string_view(kPage, sizeof kPage - 1)), "", "", 1024));
    for (const char* charset : {"utf-8", "windows-1252", "utf-16le", "utf-16be", "iso-8859-15", "iso-8859-2",
                                "windows-1251", "koi8-r", "windows-31j", "gb18030", "iso-2022-jp", "big5", "euc-kr"})
        static_cast<void>(decode_charset(as_bytes("w\xE4rm"), charset));
    // inflate and the tables of checksums
    static_cast<void>(
        text_of(as_bytes(std::string_view("\x1F\x8B\x08\0\0\0\0\0\0\x03\x4B\xCC\x4E\x4A\x01\0", 17)), "", "", 1024));
    static_cast<void>(
        text_of(as_bytes("Subject: =?utf-8?Q?warm?=\nContent-Type: text/plain\n\nup"), "", "message/rfc822", 1024));
}

}  // namespace kustos::extractor
