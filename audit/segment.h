// The vault's ciphertext: frames u64 length || ciphertext in segment files, in entry order (docs/format/segments.md).
//
//   vault/segments/<first entry, 12 digits>.seg   frames of consecutive entries; closes at 64 MiB or 65,536 entries
//   vault/blobs/<entry, 12 digits>.blob           one frame: a blob entry from 1 MiB of ciphertext; no frame elsewhere
//
// Which of the two is decided by the header alone (has_own_file). A length is the header's, or 0: no payload, or
// removed. A closed segment ends with its last frame; the open one is filled up with zeros in steps of 4 MiB, because
// overwriting costs half of what appending costs to sync.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "audit/entry.h"
#include "base/fs.h"

namespace kustos::audit {

inline constexpr std::uint64_t kSegmentBytes = 64ULL << 20;
inline constexpr std::uint64_t kSegmentEntries = 65'536;
inline constexpr std::uint64_t kSegmentStep = 4ULL << 20;
inline constexpr std::uint64_t kOwnFileFrom = 1ULL << 20;  // ciphertext bytes
inline constexpr std::size_t kFrameHead = 8;

bool has_own_file(const EntryHeader& header);
std::uint64_t frame_size(const EntryHeader& header);  // in a segment: 8 + ciphertext length; 0 with a file of its own
Path segment_file(const Path& vault_dir, EntryIndex first);
Path blob_file(const Path& vault_dir, EntryIndex entry);
// First entries of the segments there are, ascending. Foreign names are left out: verify reports them.
Result<std::vector<EntryIndex>> list_segments(Fs& fs, const Path& vault_dir);
Result<std::vector<EntryIndex>> list_blobs(Fs& fs, const Path& vault_dir);

// Headers of committed entries (LedgerReader::header). An error where there is none yet: readers look ahead.
using HeaderSource = std::function<Result<EntryHeader>(EntryIndex)>;

// What a batch did to one segment; goes into the staging bundle.
struct SegmentChange {
    EntryIndex first;                     // names the file
    std::uint64_t before = 0, after = 0;  // bytes of frames
    bool operator==(const SegmentChange&) const = default;
};

struct SegmentLimits {  // tests make them small
    std::uint64_t bytes = kSegmentBytes, entries = kSegmentEntries, step = kSegmentStep;
};

// The one writer. After a failed write or sync every call answers Code::read_only.
// Threads: one (sync() may run while another thread writes the staging bundle).
class SegmentWriter {
public:
    // Recovers: cuts back whatever lies beyond the committed entries (frames of a dropped batch, segments and blobs of
    // entries that never came to be) and zeroes the open segment's tail. Code::corrupt: a committed frame is missing.
    static Result<std::unique_ptr<SegmentWriter>> open(Fs& fs, const Path& vault_dir, TreeSize committed,
                                                       const HeaderSource& headers, SegmentLimits limits = {});
    ~SegmentWriter();

    // Entries in order, without a gap. ciphertext.size() is the header's ciphertext_length (CHECKed). A blob with a
    // file of its own is durable when this returns; other frames after sync().
    Status append(EntryIndex index, const EntryHeader& header, ByteView ciphertext);
    // For a big blob whose ciphertext comes in pieces: write() until the header's length is reached, then finish().
    class BlobFile {
    public:
        Status write(ByteView piece);
        Status finish();  // durable when it returns

    private:
        friend class SegmentWriter;
        Fs* fs_ = nullptr;
        Path path_;
        std::unique_ptr<File> file_;
        std::uint64_t length_ = 0, written_ = 0;
    };
    Result<BlobFile> begin_blob(EntryIndex index, std::uint64_t ciphertext_length);
    // Counts the entry as appended; its frame stands in the finished blob file.
    Status append_own_file(EntryIndex index, const EntryHeader& header);

    Status flush();  // hands buffered frames to the operating system (readers see them); append() does so from 1 MiB
    Status sync();   // flush, and everything appended is durable
    std::vector<SegmentChange> changes() const;  // since the last committed()
    void committed();                            // after the signer agreed: changes() starts anew
    // The open segment takes no more frames, so that compaction may have it: what comes begins another. Between
    // batches (else Code::usage). Answers the entry below which every segment is closed. Durable when it returns.
    Result<EntryIndex> close_current();
    Status rollback();  // to the last committed(): for a batch that failed before it was staged

private:
    struct State;
    explicit SegmentWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// One frame's ciphertext, to be read in pieces.
class Frame {
public:
    Frame(std::shared_ptr<File> file, std::uint64_t offset, std::uint64_t length)
        : file_(std::move(file)), offset_(offset), length_(length) {}
    std::uint64_t length() const { return length_; }
    Status read(std::uint64_t at, std::span<std::uint8_t> out) const;  // all of it, or Code::corrupt

private:
    std::shared_ptr<File> file_;
    std::uint64_t offset_, length_;
};

// Reads frames of committed entries. Keeps offsets of the last used segments (at most 32 of 65,536 entries: 16 MiB) and
// open files of as many. Threads: safe from any thread. Does not check ciphertext hashes: callers do (vault, verifier).
// A segment that compaction replaces is read as it was until forget(), and so are frames that were asked for before.
class SegmentReader {
public:
    // Whether an entry may lack its ciphertext: a blob with a file of its own leaves no trace when that is removed.
    using MayBeGone = std::function<bool(EntryIndex, const EntryHeader&)>;
    SegmentReader(Fs& fs, Path vault_dir, HeaderSource headers, MayBeGone may_be_gone = {});
    ~SegmentReader();
    SegmentReader(const SegmentReader&) = delete;
    SegmentReader& operator=(const SegmentReader&) = delete;

    // Code::not_found: the entry has no payload, or its ciphertext was removed. Code::corrupt: file or frame missing,
    // or a length that is neither the header's nor 0.
    Result<Frame> frame(EntryIndex index) const;
    Result<Bytes> ciphertext(EntryIndex index, std::uint64_t max_bytes) const;  // whole; Code::limit
    void forget() const;  // files were replaced or removed: they are opened anew

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::audit
