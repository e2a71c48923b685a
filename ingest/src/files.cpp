#include "ingest/src/files.h"

#include <sys/stat.h>

#include <algorithm>

#include "ingest/src/unreadable.h"
#include "ingest/src/window.h"

namespace kustos::ingest {

FileKind kind_of(const Path& path) {
    struct stat info {};
    // A descriptor of this process (read_bytes.h) is the file that it is open for.
    const bool descriptor = path.native().rfind("/proc/self/fd/", 0) == 0;
    if ((descriptor ? ::stat(path.c_str(), &info) : ::lstat(path.c_str(), &info)) != 0) return FileKind::absent;
    if (S_ISREG(info.st_mode)) return FileKind::file;
    if (S_ISDIR(info.st_mode)) return FileKind::folder;
    return S_ISLNK(info.st_mode) ? FileKind::link : FileKind::other;
}

Result<std::vector<Path>> children(const Path& folder, ItemSink& sink) {
    RealFs fs;
    std::vector<Path> out;
    for (const std::string& name : TRY(fs.list(folder))) {
        const Path path = folder / name;
        const FileKind kind = kind_of(path);
        if (kind == FileKind::file || kind == FileKind::folder)
            out.push_back(path);
        else
            sink.finding(kind == FileKind::link ? "folder:link-skipped" : "folder:special-skipped");
    }
    return out;
}

Result<std::optional<Bytes>> whole_or_quarantine(const Path& path, std::uint64_t most, std::string_view format,
                                                 const ReadContext& context, ItemSink& sink) {
    const auto source = TRY(file_source(path));
    Window window(*source);
    TRY(window.want(most + 1));
    if (window.size() <= most) return std::optional<Bytes>(window.take(window.size()));
    sink.finding("file:too-large");
    for (std::size_t number = 1; window.size() > 0; ++number) {
        ParsedItem item = unreadable(window.take(std::min<std::size_t>(window.size(), context.limits.quarantine_piece)),
                                     format, "too-large");
        item.message.notes.push_back("piece:" + std::to_string(number));
        TRY(sink.item(std::move(item)));
        TRY(window.want(context.limits.quarantine_piece));
    }
    return std::optional<Bytes>();
}

}  // namespace kustos::ingest
