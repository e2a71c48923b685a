// Checks a whole archive directory without any key: every tile recomputed from the entries, checkpoints and their
// signatures, the chain entries, time stamps and their imprints, every ciphertext's hash, sequences, sealed boxes, and
// files that nothing refers to. What it proves: nothing sealed was altered, removed or reordered. What it does not:
// that plaintext matches commitments (kustos verify --deep opens; a sampling audit is a later issue).
//
// A program may be writing meanwhile: where something is found and the checkpoint has moved since it was read, the
// archive is looked at again, and files newer than the checkpoint are no findings then; the report says so.
//
// Memory: some 10 MiB and 32 bytes a tile; time: one pass over ledger/ and vault/. Never throws, never writes.
#pragma once

#include <functional>
#include <optional>

#include "audit/report.h"
#include "audit/trust.h"
#include "base/fs.h"

namespace kustos::audit {

struct VerifyOptions {
    std::optional<Trust> trust;
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

Report verify_archive(Fs& fs, const Path& dir, const VerifyOptions& options);

}  // namespace kustos::audit
