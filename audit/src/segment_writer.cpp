#include <algorithm>
#include <optional>

#include "audit/src/segment_layout.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kBuffer = 1 << 20;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
    return (value + step - 1) / step * step;
}

Status write_zeros(File& file, std::uint64_t from, std::uint64_t to) {
    static const Bytes zeros(kBuffer);
    while (from < to) {
        const std::uint64_t count = std::min<std::uint64_t>(to - from, zeros.size());
        TRY(file.write_at(from, ByteView(zeros).first(static_cast<std::size_t>(count))));
        from += count;
    }
    return {};
}

Status remove_if_there(Fs& fs, const Path& path) {
    const Status removed = fs.remove(path);
    if (!removed.ok() && removed.error().code() != Code::not_found) return removed;
    return {};
}

// A segment that frames are appended to.
struct OpenSegment {
    EntryIndex first;
    std::unique_ptr<File> file;
    std::uint64_t length = 0;     // bytes of frames, buffered ones included
    std::uint64_t written = 0;    // of these, handed to the file
    std::uint64_t allocated = 0;  // the file's size
};

}  // namespace

struct SegmentWriter::State {
    State(Fs& disk, Path dir, SegmentLimits given) : fs(disk), vault_dir(std::move(dir)), limits(given) {}

    Fs& fs;
    Path vault_dir;
    SegmentLimits limits;
    bool dead = false;
    EntryIndex next;
    std::optional<OpenSegment> current;
    Bytes buffer;
    std::vector<std::unique_ptr<File>> closed;  // since the last sync
    bool names_changed = false;                 // in segments/, since the last sync

    // Since the last committed():
    EntryIndex committed_next;
    std::optional<std::pair<EntryIndex, std::uint64_t>> committed_segment;  // first, length
    std::vector<SegmentChange> changes;
    std::vector<EntryIndex> blobs;

    Status alive() const {
        if (dead) return Error(Code::read_only, "the vault's writer ended after a failed write");
        return {};
    }

    // After a failure nobody knows what the page cache holds: the writer ends.
    Status fatal(Status status) {
        if (!status.ok()) dead = true;
        return status;
    }

    Status flush() {
        if (!current || buffer.empty()) return {};
        OpenSegment& c = *current;
        TRY_IN("segment", c.file->write_at(c.written, buffer));
        c.written += buffer.size();
        buffer.clear();
        if (c.written > c.allocated) {
            const std::uint64_t size = round_up(c.written, limits.step);
            TRY_IN("segment", write_zeros(*c.file, c.written, size));
            c.allocated = size;
        }
        return {};
    }

    bool is_full() const {
        return current->length >= limits.bytes || next.value - current->first.value >= limits.entries;
    }

    Status close_current() {
        TRY(flush());
        TRY_IN("segment", current->file->truncate(current->length));
        closed.push_back(std::move(current->file));
        current.reset();
        return {};
    }

    Status begin_segment() {
        OpenSegment fresh;
        fresh.first = next;
        fresh.file = TRY_IN("segment", fs.open(segment_file(vault_dir, next), OpenMode::create_new));
        current = std::move(fresh);
        names_changed = true;
        changes.push_back({next, 0, 0});
        return {};
    }

    SegmentChange& change_of_current() {
        if (changes.empty() || changes.back().first != current->first) {
            changes.push_back({current->first, current->length, current->length});
        }
        return changes.back();
    }

    Status append_frame(const EntryHeader& header, ByteView ciphertext) {
        if (current && is_full()) TRY(close_current());
        if (!current) TRY(begin_segment());
        SegmentChange& change = change_of_current();
        put_u64(buffer, header.ciphertext_length);
        put(buffer, ciphertext);
        current->length += kFrameHead + ciphertext.size();
        change.after = current->length;
        if (buffer.size() >= kBuffer) TRY(flush());
        return {};
    }

    Status sync() {
        TRY(flush());
        for (const auto& file : closed) TRY_IN("segment", file->sync());
        closed.clear();
        if (current) TRY_IN("segment", current->file->sync());
        if (names_changed) TRY_IN("segments", fs.sync_dir(vault_dir / "segments"));
        names_changed = false;
        return {};
    }

    void mark_committed() {
        committed_next = next;
        committed_segment.reset();
        if (current) committed_segment.emplace(current->first, current->length);
        changes.clear();
        blobs.clear();
    }

    // Opens a segment of which `length` bytes count: what lies behind becomes zeros.
    Status reopen(EntryIndex first, std::uint64_t length) {
        OpenSegment c;
        c.first = first;
        c.file = TRY_IN("segment", fs.open(segment_file(vault_dir, first), OpenMode::read_write));
        const std::uint64_t size = TRY_IN("segment", c.file->size());
        if (size < length) {
            return Error(Code::corrupt, "a segment is shorter than its committed frames").with_hint("run verify");
        }
        c.length = c.written = length;
        c.allocated = round_up(length, limits.step);
        TRY_IN("segment", c.file->truncate(length));
        TRY_IN("segment", write_zeros(*c.file, length, c.allocated));
        TRY_IN("segment", c.file->sync());
        current = std::move(c);
        return {};
    }

    Status rollback() {
        buffer.clear();
        current.reset();
        closed.clear();
        for (const SegmentChange& change : changes) {
            const bool was_there = committed_segment && committed_segment->first == change.first;
            if (!was_there) TRY_IN("segment", remove_if_there(fs, segment_file(vault_dir, change.first)));
        }
        for (const EntryIndex blob : blobs) TRY_IN("blob", remove_if_there(fs, blob_file(vault_dir, blob)));
        if (committed_segment) TRY(reopen(committed_segment->first, committed_segment->second));
        TRY_IN("segments", fs.sync_dir(vault_dir / "segments"));
        next = committed_next;
        mark_committed();
        return {};
    }
};

namespace {

Status make_folders(Fs& fs, const Path& vault_dir) {
    TRY_IN("vault", fs.make_dirs(vault_dir / "segments"));
    TRY_IN("vault", fs.make_dirs(vault_dir / "blobs"));
    TRY_IN("vault", fs.sync_dir(vault_dir));
    TRY_IN("vault", fs.sync_dir(vault_dir.parent_path()));
    return {};
}

// Length of the frames of entries [first, end) in a segment.
Result<std::uint64_t> committed_length(Fs& fs, const Path& path, EntryIndex first, std::uint64_t end,
                                       const HeaderSource& headers) {
    const auto file = TRY_IN("segment", fs.open(path, OpenMode::read));
    FrameWalker walker(*file, 0);
    for (std::uint64_t i = first.value; i < end; ++i) {
        const EntryHeader header = TRY(headers(EntryIndex{i}));
        TRY(walker.step(header));
    }
    return walker.offset();
}

// And what a compaction left that was killed.
Status remove_uncommitted(Fs& fs, const Path& vault_dir, TreeSize committed) {
    for (const std::string& name : TRY_IN("segments", fs.list(vault_dir / "segments"))) {
        if (name.size() == 20 && name.substr(12) == ".seg.tmp")
            TRY_IN("segment", fs.remove(vault_dir / "segments" / name));
    }
    for (const EntryIndex first : TRY(list_segments(fs, vault_dir))) {
        if (first.value >= committed.value) TRY_IN("segment", fs.remove(segment_file(vault_dir, first)));
    }
    for (const EntryIndex blob : TRY(list_blobs(fs, vault_dir))) {
        if (blob.value >= committed.value) TRY_IN("blob", fs.remove(blob_file(vault_dir, blob)));
    }
    TRY_IN("vault", fs.sync_dir(vault_dir / "segments"));
    TRY_IN("vault", fs.sync_dir(vault_dir / "blobs"));
    return {};
}

}  // namespace

SegmentWriter::SegmentWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentWriter::~SegmentWriter() = default;

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::open(Fs& fs, const Path& vault_dir, TreeSize committed,
                                                           const HeaderSource& headers, SegmentLimits limits) {
    TRY(make_folders(fs, vault_dir));
    TRY(remove_uncommitted(fs, vault_dir, committed));
    auto state = std::make_unique<State>(fs, vault_dir, limits);
    state->next = EntryIndex{committed.value};
    const std::vector<EntryIndex> firsts = TRY(list_segments(fs, vault_dir));
    if (firsts.empty() && committed.value > 0) {
        for (std::uint64_t i = 0; i < committed.value; ++i) {
            const EntryHeader header = TRY(headers(EntryIndex{i}));
            if (!has_own_file(header)) return Error(Code::corrupt, "no segment is there").with_hint("run verify");
        }
    }
    if (!firsts.empty()) {
        const Path last = segment_file(vault_dir, firsts.back());
        const std::uint64_t length = TRY(committed_length(fs, last, firsts.back(), committed.value, headers));
        TRY(state->reopen(firsts.back(), length));
    }
    state->mark_committed();
    return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(state)));
}

Status SegmentWriter::append(EntryIndex index, const EntryHeader& header, ByteView ciphertext) {
    TRY(state_->alive());
    CHECK(index == state_->next);
    CHECK(ciphertext.size() == header.ciphertext_length);
    if (has_own_file(header)) {
        BlobFile blob = TRY(begin_blob(index, header.ciphertext_length));
        TRY(state_->fatal(blob.write(ciphertext)));
        TRY(state_->fatal(blob.finish()));
        return append_own_file(index, header);
    }
    TRY(state_->fatal(state_->append_frame(header, ciphertext)));
    ++state_->next.value;
    return {};
}

Result<SegmentWriter::BlobFile> SegmentWriter::begin_blob(EntryIndex index, std::uint64_t ciphertext_length) {
    TRY(state_->alive());
    CHECK(index >= state_->next && ciphertext_length >= kOwnFileFrom);
    BlobFile blob;
    blob.fs_ = &state_->fs;
    blob.path_ = blob_file(state_->vault_dir, index);
    blob.file_ = TRY_IN("blob", state_->fs.open(blob.path_, OpenMode::create_or_open));
    blob.length_ = ciphertext_length;
    state_->blobs.push_back(index);
    Bytes head;
    put_u64(head, ciphertext_length);
    TRY_IN("blob", blob.file_->truncate(0));
    TRY_IN("blob", blob.file_->write_at(0, head));
    return blob;
}

Status SegmentWriter::BlobFile::write(ByteView piece) {
    CHECK(piece.size() <= length_ - written_);
    TRY_IN("blob", file_->write_at(kFrameHead + written_, piece));
    written_ += piece.size();
    return {};
}

Status SegmentWriter::BlobFile::finish() {
    CHECK(written_ == length_);
    TRY_IN("blob", file_->sync());
    file_.reset();
    return fs_->sync_dir(path_.parent_path());
}

Status SegmentWriter::append_own_file(EntryIndex index, const EntryHeader& header) {
    TRY(state_->alive());
    CHECK(index == state_->next && has_own_file(header));
    ++state_->next.value;
    return {};
}

Status SegmentWriter::flush() {
    TRY(state_->alive());
    return state_->fatal(state_->flush());
}

Status SegmentWriter::sync() {
    TRY(state_->alive());
    return state_->fatal(state_->sync());
}

std::vector<SegmentChange> SegmentWriter::changes() const {
    return state_->changes;
}

void SegmentWriter::committed() {
    state_->mark_committed();
}

Result<EntryIndex> SegmentWriter::close_current() {
    TRY(state_->alive());
    if (!state_->changes.empty() || state_->next != state_->committed_next)
        return Error(Code::usage, "a segment is closed between batches");
    if (state_->current) {
        TRY(state_->fatal(state_->close_current()));
        TRY(state_->fatal(state_->sync()));
        state_->mark_committed();
    }
    return state_->next;
}

Status SegmentWriter::rollback() {
    TRY(state_->alive());
    return state_->fatal(state_->rollback());
}

}  // namespace kustos::audit
