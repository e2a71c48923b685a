// A dump of a mailbox file's item from anywhere: never a crash, raw kept to the byte, spans inside it that say what
// they should.
#include <cstdlib>

#include "base/text.h"
#include "ingest/src/pst_item.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    const auto item = kustos::ingest::parse_pst_item(kustos::to_bytes(input));
    if (!kustos::equal(item.message.raw, input)) std::abort();
    if (!kustos::is_valid_utf8(item.message.subject) || !kustos::is_valid_utf8(item.message.body)) std::abort();
    for (const std::string& note : item.message.notes)
        if (!kustos::is_valid_utf8(note) || note.size() > 200) std::abort();
    for (const auto& attachment : item.message.attachments) {
        if (!attachment.in_raw) continue;
        const auto span = *attachment.in_raw;
        if (span.offset > size || span.length > size - span.offset) std::abort();
        if (!kustos::equal(input.subspan(span.offset, span.length), attachment.content)) std::abort();
    }
    return 0;
}
