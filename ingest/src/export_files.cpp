#include "base/text.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/single_formats.h"

namespace kustos::ingest {

ExportFiles files_of(ContainerReader& reader) {
    ExportFiles out;
    out.attach = [&reader](std::string_view path, vault::Attachment& into) { reader.attach(path, into); };
    out.ready = [&reader] { return reader.finish_message(); };
    return out;
}

void count_mattermost_warnings(ContainerReader& reader, ItemSink& sink) {
    constexpr std::uint64_t kMaxWarnings = 16u << 20;
    const auto warnings = reader.take("warning.txt", kMaxWarnings);
    if (!warnings) return;
    reader.give_back("warning.txt");  // evidence of its own
    std::uint64_t lines = 0;
    std::string_view rest = as_text(*warnings);
    while (!rest.empty()) {
        const std::size_t lf = std::min(rest.find('\n'), rest.size());
        if (!trim(rest.substr(0, lf)).empty()) ++lines;
        rest.remove_prefix(std::min(lf + 1, rest.size()));
    }
    if (lines > 0) sink.finding("mattermost:export-warning", lines);
}

}  // namespace kustos::ingest
