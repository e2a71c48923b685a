// The near side of reading a mailbox file in the sandbox: frames in, items out. The worker is not trusted.
#pragma once

#include <functional>
#include <memory>

#include "ingest/extract.h"
#include "ingest/src/worker.h"

namespace kustos::ingest {

// start: a worker of mode "pst" with the file; called again after a crash. Errors: Extractor::read_pst().
Result<PstFacts> receive_pst(const std::function<Result<std::unique_ptr<Worker>>()>& start, std::uint64_t most,
                             std::int64_t timeout_ms, PstSink& sink);

}  // namespace kustos::ingest
