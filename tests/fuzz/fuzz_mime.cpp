// A mail from anywhere: never a crash, raw kept to the byte, spans inside raw.
#include <cstdlib>

#include "ingest/format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    const auto item = kustos::ingest::parse_mail(kustos::to_bytes(input));
    if (!kustos::equal(item.message.raw, input)) std::abort();
    for (const auto& attachment : item.message.attachments) {
        if (!attachment.in_raw) continue;
        if (attachment.in_raw->offset > size || attachment.in_raw->length > size - attachment.in_raw->offset)
            std::abort();
    }
    return 0;
}
