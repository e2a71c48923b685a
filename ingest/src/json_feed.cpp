#include "ingest/src/json_feed.h"

#include "ingest/src/chat_fields.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

Status read_json_feed(ByteSource& source, std::initializer_list<std::string_view> keys, std::string_view format,
                      const ReadContext& context, ItemSink& sink, const std::function<Status(Bytes)>& give,
                      const std::function<void(std::string_view)>& look) {
    JsonRecords records(source, keys, std::min(context.limits.line, context.limits.quarantine_piece));
    JsonRecord record;
    std::size_t pieces = 0;
    const auto seal = [&](Bytes frame) -> Status {
        if (look) look(as_text(frame));
        if (is_bare_frame(as_text(frame), keys)) return ok_status();
        return seal_frame(std::move(frame), format, context.limits, sink);
    };
    while (TRY(records.next(record))) {
        if (record.is == JsonRecord::Is::whole) {
            pieces = 0;
            TRY(give(std::move(record.bytes)));
        } else if (record.is == JsonRecord::Is::frame) {
            TRY(seal(std::move(record.bytes)));
        } else {
            const bool piece = record.is == JsonRecord::Is::piece;
            ParsedItem item = unreadable(std::move(record.bytes), format, piece ? "too-large" : "truncated");
            if (piece) item.message.notes.push_back("piece:" + std::to_string(++pieces));
            TRY(sink.item(std::move(item)));
        }
    }
    return seal(records.take_frame());
}

}  // namespace kustos::ingest
