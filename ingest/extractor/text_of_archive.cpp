// Archives and compressed streams: names of the members, and the text of those that can be read.
#include "ingest/extractor/members.h"
#include "ingest/extractor/read_item.h"

namespace kustos::extractor {

namespace {

// "report.txt.gz" holds "report.txt"; ".tgz" a tar.
std::string inner_name(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return std::string(name.substr(0, dot == std::string_view::npos ? 0 : dot));
}

Refusal read_stream(ByteView content, std::string_view name, Reading& reading) {
    if (reading.streams >= Reading::kDepth) return "depth-limit";
    Members members(content, ArchiveKind::stream, reading);
    if (!members.next()) return "damaged";
    Bytes inner;
    const Refusal refusal = members.read(inner);
    if (!refusal.empty()) reading.partial(refusal);
    if (inner.empty()) return refusal;
    ++reading.streams;
    const Refusal of_inner = read_item(inner, inner_name(name), "", reading);
    --reading.streams;
    return of_inner;
}

// What ends the whole archive and not one member: the next one would cost as much.
bool ends_all(Refusal refusal, ArchiveKind kind) {
    return refusal == "unpack-limit" || refusal == "ratio-limit" ||
           (kind == ArchiveKind::seven_zip && refusal == "part-limit");
}

}  // namespace

Refusal read_archive(ByteView content, Kind kind, std::string_view name, Reading& reading) {
    if (kind == Kind::gzip || kind == Kind::bzip2 || kind == Kind::xz || kind == Kind::zstd)
        return read_stream(content, name, reading);
    if (reading.depth >= Reading::kDepth) return "depth-limit";
    const ArchiveKind format = kind == Kind::tar         ? ArchiveKind::tar
                               : kind == Kind::seven_zip ? ArchiveKind::seven_zip
                                                         : ArchiveKind::zip;
    Members members(content, format, reading);
    ++reading.depth;
    while (!reading.over() && members.next()) {
        reading.end_line();
        reading.put(members.name());
        reading.end_line();
        if (!members.is_file()) continue;
        Bytes inner;
        Refusal refusal = members.read(inner);
        if (!refusal.empty()) reading.partial(refusal);
        if (ends_all(refusal, format)) break;
        if (inner.empty()) continue;
        refusal = read_item(inner, members.name(), "", reading);
        if (!refusal.empty()) reading.partial(refusal);
    }
    --reading.depth;
    reading.end_line();
    if (!members.trouble().empty()) reading.partial(members.trouble());
    return "";
}

}  // namespace kustos::extractor
