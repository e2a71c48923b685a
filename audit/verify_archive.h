// Checks a whole archive directory without any key: every tile recomputed from the entries, checkpoints and their
// signatures, the chain entries, time stamps and their imprints, every ciphertext's hash, sequences, sealed boxes, and
// files that nothing refers to. What it proves: nothing sealed was altered, removed or reordered. What it does not:
// that plaintext matches commitments (kustos verify --deep and kustos audit sample open).
//
// A program may be writing meanwhile: where something is found and the checkpoint has moved since it was read, the
// archive is looked at again, and files newer than the checkpoint are no findings then; the report says so.
//
// What was verified once need not be hashed again: a verification that finds nothing leaves a VerifiedState, and the
// next one may go on from it. It then proves that the entries of then are still there, by their root, and looks at what
// came since.
//
// Ciphertext may be missing where a finished erasure destroyed its key, and must be where an entry says that it was
// removed (erasures.h).
//
// Memory: bundles on their way (at most some 40 MiB), 8 bytes a published checkpoint and 24 a time stamp, a few bits
// for each sealed entry; time: one
// pass over ledger/ and vault/, hashed by as many threads as there are cores (at most 8). Never throws, never writes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/leaf_set.h"
#include "audit/report.h"
#include "audit/trust.h"
#include "base/entry_set.h"
#include "base/fs.h"

namespace kustos::audit {

// Kept by whoever verifies, out of reach of who writes the archive: it is believed. docs/format/report.md, "Going on".
struct VerifiedState {
    std::string vkey;  // of entry 0
    Hash trust;        // VerifyOptions::trust_digest
    TreeSize size;     // what was found intact
    Hash root;
    std::uint64_t resume = 0;                          // the next one begins here; a multiple of 256
    std::uint64_t segment = 0;                         // the last segment's first entry
    TreeSize anchored;                                 // time stamps up to here were computed anew
    std::map<std::uint32_t, std::uint64_t> sequences;  // at resume: each source's next number; 0: the archive itself
    TimeLevel time = TimeLevel::none;                  // the report's
    std::optional<UtcTime> proven_since;
    std::uint64_t proven_size = 0;
    EntrySet erasures;           // where entries before `resume` speak of erasures
    std::vector<LeafSpan> gone;  // of an interrupted one: what was missing, and no entry so far allowed it

    std::string format() const;
    static Result<VerifiedState> parse(std::string_view text);  // Code::bad_input
    bool operator==(const VerifiedState&) const = default;
};
inline constexpr std::size_t kMaxVerifiedState = 4u << 20;

struct VerifyOptions {
    std::optional<Trust> trust;
    Hash trust_digest{};  // SHA-256 of the trust file; zero: none. A state counts only under the same
    std::optional<VerifiedState> since;
    unsigned threads = 0;        // 0: by the machine; 1: none but the caller's
    std::function<bool()> stop;  // asked now and then; true ends it, and the report says so
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // entries that are looked at
};

struct Verification {
    Report report;
    bool interrupted = false;  // VerifyOptions::stop ended it
    // Absent: something was found, or a program was writing. Of an interrupted one: as far as it came.
    std::optional<VerifiedState> state;
};

Verification verify_archive(Fs& fs, const Path& dir, const VerifyOptions& options);

}  // namespace kustos::audit
