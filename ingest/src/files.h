// Small things that the readers of folders share.
#pragma once

#include <optional>
#include <vector>

#include "base/fs.h"
#include "ingest/format.h"

namespace kustos::ingest {

enum class FileKind { absent, file, folder, link, other };
FileKind kind_of(const Path& path);  // links are not followed
// Names in order; links are left out and counted.
Result<std::vector<Path>> children(const Path& folder, ItemSink& sink);
// The whole file; a file above `most` is quarantined in pieces instead, and the answer is empty.
Result<std::optional<Bytes>> whole_or_quarantine(const Path& path, std::uint64_t most, std::string_view format,
                                                 const ReadContext& context, ItemSink& sink);

}  // namespace kustos::ingest
