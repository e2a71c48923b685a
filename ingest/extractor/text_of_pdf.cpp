#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <memory>

#include "base/text.h"
#include "ingest/extractor/text_of.h"

namespace kustos::extractor {

using ingest::Completeness;
using ingest::ExtractedText;

namespace {

constexpr int kMaxPages = 10'000;

void be_silent(const std::string&, void*) {}

std::string page_text(const poppler::document& document, int number) {
    const std::unique_ptr<poppler::page> page(document.create_page(number));
    if (!page) return {};
    const poppler::byte_array bytes = page->text().to_utf8();
    std::string text = repair_utf8(std::string_view(bytes.data(), bytes.size()));
    while (!text.empty() && (text.back() == '\f' || text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace

ExtractedText text_of_pdf(ByteView content, std::uint64_t most) {
    const std::unique_ptr<poppler::document> document(poppler::document::load_from_raw_data(
        reinterpret_cast<const char*>(content.data()), static_cast<int>(content.size())));
    if (!document) return {"", Completeness::opaque, "damaged"};
    if (document->is_locked()) return {"", Completeness::opaque, "encrypted"};
    const int pages = document->pages();
    if (pages <= 0) return {"", Completeness::opaque, "damaged"};
    ExtractedText out;
    out.completeness = Completeness::full;
    bool empty_page = false;
    const auto partial = [&](const char* reason) {
        out.completeness = Completeness::partial;
        if (out.reason.empty()) out.reason = reason;
    };
    for (int i = 0; i < pages; ++i) {
        if (i >= kMaxPages) {
            partial("page-limit");
            break;
        }
        const std::string text = page_text(*document, i);
        empty_page |= text.empty();
        if (out.text.size() + text.size() + 1 > most) {
            partial("text-limit");
            break;
        }
        if (!text.empty()) out.text += text + "\n";
    }
    if (out.text.empty()) return {"", Completeness::opaque, "no-text-layer"};
    if (empty_page) partial("page-without-text");
    return out;
}

void warm_up() {
    poppler::set_debug_error_function(be_silent, nullptr);
    // One page, one line of text in a standard font.
    static constexpr char kPage[] =
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        "4 0 obj<</Length 36>>stream\nBT /F 12 Tf 20 100 Td (warm up) Tj ET\nendstream endobj\n"
        "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n";
    static_cast<void>(text_of_pdf(as_bytes(std::string_view(kPage, sizeof kPage - 1)), 1024));
    for (const char* charset : {"utf-8", "windows-1252", "utf-16le", "utf-16be", "iso-8859-15"})
        static_cast<void>(decode_charset(as_bytes("w\xE4rm"), charset));
    // inflate and the tables of checksums
    static_cast<void>(
        text_of(as_bytes(std::string_view("\x1F\x8B\x08\0\0\0\0\0\0\x03\x4B\xCC\x4E\x4A\x01\0", 17)), "", "", 1024));
    static_cast<void>(
        text_of(as_bytes("Subject: =?utf-8?Q?warm?=\nContent-Type: text/plain\n\nup"), "", "message/rfc822", 1024));
}

}  // namespace kustos::extractor
