// Rich text and HTML from a stranger: well-formed text within the limit, never a crash.
#include <cstdlib>

#include "base/text.h"
#include "ingest/extractor/text_of_html.h"
#include "ingest/extractor/text_of_rtf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kustos;
    constexpr std::uint64_t kMost = 4096;
    const ByteView input(data, size);
    for (const char* charset : {"", "windows-1252", "utf-16le"}) {
        extractor::Reading reading(kMost);
        const bool rich = *charset == 0 && size % 2 == 0;
        const auto text =
            reading.finish(rich ? extractor::read_rtf(input, reading) : extractor::read_html(input, charset, reading));
        if (text.text.size() > kMost * 3 || !is_valid_utf8(text.text)) std::abort();
        if (text.completeness == ingest::Completeness::opaque && text.reason.empty()) std::abort();
    }
    return 0;
}
