#include "ingest/src/unreadable.h"

#include <algorithm>
#include <string>

namespace kustos::ingest {

ParsedItem unreadable(Bytes raw, std::string_view format, std::string_view reason) {
    ParsedItem item;
    item.source_bytes = raw.size();
    item.message.kind = vault::MessageKind::unreadable;
    item.message.format = std::string(format);
    item.message.notes.push_back("quarantine:" + std::string(reason));
    item.message.raw = std::move(raw);
    return item;
}

Status quarantine(Bytes raw, std::string_view format, std::string_view reason, const Limits& limits, ItemSink& sink) {
    if (raw.size() <= limits.quarantine_piece) return sink.item(unreadable(std::move(raw), format, reason));
    const std::size_t piece = limits.quarantine_piece;
    for (std::size_t at = 0, number = 1; at < raw.size(); at += piece, ++number) {
        const std::size_t size = std::min(piece, raw.size() - at);
        ParsedItem item = unreadable(to_bytes(ByteView(raw).subspan(at, size)), format, reason);
        item.message.notes.push_back("piece:" + std::to_string(number));
        TRY(sink.item(std::move(item)));
    }
    return ok_status();
}

}  // namespace kustos::ingest
