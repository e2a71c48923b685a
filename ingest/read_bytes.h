// Bytes that are in memory already (what was quarantined) as a file would be read: detected, and read by their format.
// They never touch a disk: formats get them as a file in memory (memfd_create(2)).
//
// Errors: as read(); environment (no such memory). Threads: safe.
#pragma once

#include "ingest/format.h"

namespace kustos::ingest {

Status read_bytes(ByteView bytes, const FormatInfo* format, const ReadContext& context, ItemSink& sink);

}  // namespace kustos::ingest
