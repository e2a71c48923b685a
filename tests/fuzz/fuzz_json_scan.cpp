// Bytes from anywhere as a stream of JSON values: each byte is in a record or in the frame, once.
#include "ingest/src/json_scan.h"
#include "ingest/src/markup.h"
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    for (const kustos::ingest::ReadContext& context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        kustos::fuzz::ChatCheck out;
        const auto source = kustos::ingest::memory_source(input);
        kustos::ingest::JsonRecords records(*source, {"events", "value"}, context.limits.line);
        kustos::ingest::JsonRecord record;
        std::size_t seen = 0;
        for (;;) {
            const auto more = records.next(record);
            if (!more.ok()) std::abort();
            if (!*more) break;
            const bool frame = record.is == kustos::ingest::JsonRecord::Is::frame;
            if (record.bytes.empty() || (!frame && record.bytes.size() > context.limits.line)) std::abort();
            seen += record.bytes.size();
        }
        if (seen + records.take_frame().size() != size) std::abort();
        const auto text = kustos::as_text(input);
        for (const auto part : kustos::ingest::json_elements(kustos::ingest::json_member(text, "events")))
            if (part.data() < text.data() || part.data() + part.size() > text.data() + text.size()) std::abort();
        if (!kustos::is_valid_utf8(kustos::ingest::html_to_text(kustos::repair_utf8(text)))) std::abort();
    }
    return 0;
}
