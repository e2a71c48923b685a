// What a ClamAV daemon says, or whoever has its place.
#include <cstdlib>

#include "base/text.h"
#include "ingest/clamd.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kustos;
    const auto verdict = ingest::parse_clamd_reply(as_text(ByteView(data, size)));
    if (verdict.signature.size() > 120 || !is_valid_utf8(verdict.signature)) std::abort();
    if (!verdict.signature.empty() && verdict.result != ingest::ScanVerdict::Result::found) std::abort();
    return 0;
}
