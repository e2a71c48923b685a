// Records beside files, as a stream and tests need them (docs/format/kustos-sidecar.md).
#pragma once

#include "ingest/src/single_formats.h"

namespace kustos::ingest {

// name: of the sidecar itself, which says the file's where the sidecar doesn't. Errors: of the sink and files.ready.
Status read_one_sidecar(Bytes json, std::string_view name, const ExportFiles& files, const ReadContext& context,
                        ItemSink& sink);
// A CSV of call records, its first row the titles.
Status read_call_manifest(Bytes csv, const ExportFiles& files, const ReadContext& context, ItemSink& sink);
// Whether the file at `path` says that it is a sidecar.
bool is_sidecar_file(const Path& path, const ReadContext& context);

}  // namespace kustos::ingest
