#pragma once

#include <memory>

#include "ingest/extract.h"
#include "ingest/src/worker.h"

namespace kustos::ingest {

// Takes the member list from a worker in unpack mode. A broken archive is an archive with problems, not an error.
Result<std::unique_ptr<UnpackedArchive>> open_unpacked(std::unique_ptr<Worker> worker, std::uint64_t archive_bytes,
                                                       const UnpackLimits& limits, std::int64_t timeout_ms);

}  // namespace kustos::ingest
