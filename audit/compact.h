// Compaction: ciphertext whose key is destroyed is taken out of the vault, so that it takes no room and cannot be held
// against anybody later (docs/format/segments.md, "Compaction"). What is left are frame heads with length 0 and, of
// blobs with a file of their own, nothing.
//
// A segment is written anew beside the old one, synced, and renamed over it: whenever it ends, each segment is the old
// or the new one. What is gone already is passed over, so that it may be begun again any number of times. Needs free
// room for one segment beyond the reserve. It does not overwrite: on flash memory and on file systems that copy on
// write the old blocks stay until they are used again. What makes content unreadable is the destroyed key.
//
// Whoever calls writes the entry `ciphertext_removed` afterwards, never before.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "audit/segment.h"
#include "base/entry_set.h"

namespace kustos::audit {

struct CompactOptions {
    // Segments that begin below it are closed, and nobody writes them (SegmentWriter::close_current); blobs below it
    // belong to committed entries.
    EntryIndex below;
    const EntrySet* candidates = nullptr;  // only these may be covered: segments without any are not opened
    std::uint64_t reserve = 64ULL << 20;   // bytes of the disk that stay free
    std::function<bool()> stop;            // asked between segments
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // bytes of segments
    std::function<void()> replaced;  // a file was replaced or removed: SegmentReader::forget()
};

struct CompactReport {
    std::uint64_t frames_removed = 0;  // by this call; those of blobs with files of their own included
    std::uint64_t frames_gone = 0;     // found gone already, among the candidates
    std::uint64_t segments_rewritten = 0, segments_seen = 0;
    std::uint64_t bytes_freed = 0;
    std::vector<EntryIndex> damaged;  // first entries of segments that could not be walked: left as they are
    bool interrupted = false;
    bool complete() const { return !interrupted && damaged.empty(); }
};

// covered: whether the entry's key is destroyed, by a run whose `done` stands in the ledger. Code::environment: no
// room, or the disk failed; what was done stays done. Threads: one compaction at a time; readers may run.
Result<CompactReport> compact(Fs& fs, const Path& vault_dir, const HeaderSource& headers,
                              const std::function<bool(EntryIndex, const EntryHeader&)>& covered,
                              const CompactOptions& options);

}  // namespace kustos::audit
