// The body of a push that brings parts: never a crash, and never more bytes than came.
#include <cstdlib>

#include "web/src/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView body(data, size);
    const auto parsed = kustos::web::parse_multipart(body, "multipart/form-data; boundary=edge");
    if (!parsed) {
        if (parsed.error().message().empty()) std::abort();
        return 0;
    }
    std::size_t bytes = parsed->messages.size();
    for (const auto& [name, content] : parsed->parts) {
        if (name.empty() || name.size() > kustos::web::kMostPartName) std::abort();
        bytes += content.size();
    }
    if (bytes > size) std::abort();
    return 0;
}
