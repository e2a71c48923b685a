// Rich text and HTML from a stranger: well-formed text within the limit, never a crash.
#include <cstdlib>

#include "base/text.h"
#include "ingest/extractor/text_of_html.h"
#include "ingest/extractor/text_of_rtf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kustos;
    constexpr std::uint64_t kMost = 4096;
    for (const auto reader : {extractor::read_rtf, extractor::read_html}) {
        extractor::Reading reading(kMost);
        const auto text = reading.finish(reader({data, size}, reading));
        if (text.text.size() > kMost * 3 || !is_valid_utf8(text.text)) std::abort();
        if (text.completeness == ingest::Completeness::opaque && text.reason.empty()) std::abort();
    }
    return 0;
}
