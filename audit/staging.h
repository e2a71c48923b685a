// Batches on their way: the logs in staging/ hold everything that install() needs again after a crash
// (docs/format/staging.md).
//
// A batch is appended and synced before the signer is asked; the signer's compare-and-swap of (size, root) is the
// commit point. Tiles are synced later, for many batches at once, and then the log starts anew; there are two, so that
// one takes batches while the tiles of the other are synced. So at start the
// batches up to the signer's head are installed again byte for byte, one that the signer never saw is dropped, and a
// torn one can only be one the signer never saw. Threads: pure functions; the file belongs to the committer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.h"
#include "audit/segment.h"
#include "base/fs.h"

namespace kustos::audit {

// A keyed fingerprint by which a source's repetition is recognised; opaque here.
struct DuplicateRow {
    SourceId source;
    Hash mac;
    EntryIndex entry;
    bool operator==(const DuplicateRow&) const = default;
};

struct StagingBundle {
    VaultId vault;
    TreeHead before;
    TreeHead after;
    std::vector<Bytes> entries;  // after.size - before.size of them, encoded
    std::vector<SegmentChange> segments;
    std::vector<DuplicateRow> duplicates;
    bool operator==(const StagingBundle&) const = default;
};

inline constexpr std::uint64_t kMaxStaging = std::uint64_t{1} << 30;
inline constexpr std::size_t kMaxBatch = 65'536;  // entries

Bytes encode(const StagingBundle& bundle);
// Code::corrupt: torn or changed (length or final SHA-256 does not fit). Code::bad_input: complete, but not this
// format.
Result<StagingBundle> decode_staging(ByteView bytes);

// One of the two logs: bundles one after the other, each continuing the one before; overwritten from the start when
// their tiles are synced. No rename, since each bundle's hash tells a torn one, and one that does not continue is a
// leftover.
class StagingLog {
public:
    // Makes folder and file; both synced.
    static Result<StagingLog> open(Fs& fs, const Path& staging_dir, std::string_view name);
    // The complete bundles at the start. Code::bad_input: complete, but not readable by this version.
    Result<std::vector<StagingBundle>> read();
    Status append(ByteView encoded);  // durable after sync()
    Status sync();
    Status clear();  // durable when it returns
    std::uint64_t used() const { return used_; }

private:
    explicit StagingLog(std::unique_ptr<File> file) : file_(std::move(file)) {}
    Status grow(std::uint64_t size);
    std::unique_ptr<File> file_;
    std::uint64_t used_ = 0, allocated_ = 0;
};

inline constexpr std::string_view kStagingLogs[] = {"batch", "batch-2"};

// The complete bundles of both, in order: the second list counts only where it continues the first.
Result<std::vector<StagingBundle>> read_staged(StagingLog& one, StagingLog& other);

enum class Recovery {
    nothing,  // ledger and signer agree, no batch is under way
    finish,   // commits happened: install the bundles again, store their duplicate rows again
    drop,     // no commit happened: clear the log, cut the segments back to `signer.size`
};
struct RecoveryPlan {
    Recovery what = Recovery::nothing;
    std::size_t bundles = 0;  // of the log, to be finished
};

// Pure: the recovery rule. `installed` is the head of ledger/checkpoint (empty_head() without one; nullopt: unreadable,
// which a power cut may leave while the log is not empty).
// Code::rolled_back: the archive is older than the signer. Code::conflict: the states disagree otherwise. The archive
// must not be written.
Result<RecoveryPlan> plan_recovery(std::span<const StagingBundle> log, const TreeHead& signer,
                                   const std::optional<TreeHead>& installed);

// Recovery::finish: plans the bundles again from the tiles of the size that they start from, checks that they lead from
// there to the last one's head, installs them with the signer's note, and cleans up. Durable when it returns.
// Code::corrupt: the tiles or the bundles do not lead to these roots; nothing was written.
Status reinstall(Fs& fs, const Path& ledger_dir, std::span<const StagingBundle> log, std::string_view note);

}  // namespace kustos::audit
