// The batch on its way: staging/batch holds everything that install() needs again after a crash
// (docs/format/staging.md).
//
// It is written over the previous one and synced, before the signer is asked; the signer's compare-and-swap of (size,
// root) is the commit point. So at start a complete batch that leads to the signer's head is finished byte for byte,
// one that the signer never saw is dropped, and a torn one can only be one the signer never saw. Threads: pure
// functions; the file belongs to the committer.
#pragma once

#include <cstdint>
#include <optional>
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

// staging/batch, overwritten in place: no rename, since the hash tells a torn one.
class StagingFile {
public:
    static Result<StagingFile> open(Fs& fs, const Path& staging_dir);  // makes folder and file; both synced
    // nullopt: empty or torn. Code::bad_input: complete, but not readable by this version.
    Result<std::optional<StagingBundle>> read();
    Status write(const StagingBundle& bundle);  // durable when it returns
    Status write_bytes(ByteView encoded);       // the same, already encoded
    Status clear();                             // after recovery; not needed between batches

private:
    explicit StagingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
    std::unique_ptr<File> file_;
};

enum class Recovery {
    nothing,  // ledger and signer agree, no batch is under way
    finish,   // commit happened: install the batch again, store its duplicate rows again
    drop,     // commit did not happen: clear the batch, cut the segments back to `signer.size`
};

// Pure: the recovery rule. `installed` is the head of ledger/checkpoint (empty_head() without one).
// Code::rolled_back: the archive is older than the signer. Code::conflict: the states disagree otherwise. The archive
// must not be written.
Result<Recovery> plan_recovery(const std::optional<StagingBundle>& staged, const TreeHead& signer,
                               const TreeHead& installed);

// Recovery::finish: plans the batch again from the tiles that are there, checks that it leads from `before` to `after`,
// installs it with the signer's note, and cleans up. Code::corrupt: the tiles or the batch do not lead to these roots;
// nothing was written.
Status reinstall(Fs& fs, const Path& ledger_dir, const StagingBundle& staged, std::string_view note);

}  // namespace kustos::audit
