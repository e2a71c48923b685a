// rsmf_manifest.json of RSMF 2.0: participants, conversations, events.
#pragma once

#include "ingest/src/single_formats.h"

namespace kustos::ingest {

// Errors: of the sink and of files.ready.
Status read_rsmf_manifest(const Bytes& json, const ExportFiles& files, const ReadContext& context, ItemSink& sink);

}  // namespace kustos::ingest
