// A .msg from anywhere: never a crash, raw kept to the byte, spans inside raw that say what they should.
#include <cstdlib>

#include "ingest/src/outlook_msg.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    const auto item = kustos::ingest::parse_outlook_msg(kustos::to_bytes(input));
    if (!kustos::equal(item.message.raw, input)) std::abort();
    for (const auto& attachment : item.message.attachments) {
        if (!attachment.in_raw) continue;
        const auto span = *attachment.in_raw;
        if (span.offset > size || span.length > size - span.offset) std::abort();
        if (!kustos::equal(input.subspan(span.offset, span.length), attachment.content)) std::abort();
    }
    return 0;
}
