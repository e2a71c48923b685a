#include <algorithm>
#include <tuple>

#include "audit/src/lru.h"
#include "audit/src/segment_layout.h"

namespace kustos::audit {

namespace {

// Every 64th offset is kept: 8 KiB a full segment, and one walk over at most 63 frames finds any. All offsets would be
// 512 KiB a segment: ten million records did not fit into the budget, and each opening walked its segment anew (6 ms
// instead of 0.1).
constexpr std::uint64_t kStride = 64;
// What a segment costs of the budget: its marks and, dearer, a file held open. 512 segments, 33 million records.
constexpr std::uint64_t kTableCost = 32ULL << 10;
constexpr std::uint64_t kTablesBudget = 16ULL << 20;
constexpr std::uint64_t kNoFrame = ~std::uint64_t{0};

Error lost(const char* what) {
    return Error(Code::corrupt, what).with_hint("run verify");
}

Error no_payload(const char* why) {
    return Error(Code::not_found, why);
}

// Where the frames of one segment stand, as far as they were asked for.
struct Table {
    Table(EntryIndex first_entry, std::shared_ptr<File> opened)
        : first(first_entry), file(std::move(opened)), walker(*file, 0) {}
    EntryIndex first;
    std::shared_ptr<File> file;  // frames are read through it: the offsets are this file's, whatever has its name now
    FrameWalker walker;          // stands before entry first + known
    std::uint64_t known = 0;
    std::vector<std::uint64_t> marks;  // where entry first + i * kStride stands, or the next one that has a frame here
    // The run asked for last, so that reading on costs no walk: offsets of entries first + run * kStride and following.
    std::uint64_t run = kNoFrame;
    std::vector<std::uint64_t> offsets;  // kNoFrame with a file of its own
};

// Walks on until the entry at `place` (counted from the segment's first) is known.
Status extend(Table& table, std::uint64_t place, const HeaderSource& headers) {
    if (table.known <= place) table.walker.forget_window();
    while (table.known <= place) {
        const EntryHeader header = TRY(headers(EntryIndex{table.first.value + table.known}));
        if (table.known % kStride == 0) table.marks.push_back(table.walker.offset());
        const Status stepped = table.walker.step(header);
        if (!stepped.ok()) return stepped;
        ++table.known;
    }
    return {};
}

// The offset of a known entry.
Result<std::uint64_t> offset_at(Table& table, std::uint64_t place, const HeaderSource& headers) {
    const std::uint64_t run = place / kStride, begin = run * kStride;
    if (table.run != run) {
        table.run = run;
        table.offsets.clear();
    }
    if (begin + table.offsets.size() <= place) {
        FrameWalker walker(*table.file, table.marks[static_cast<std::size_t>(run)]);
        table.offsets.clear();
        const std::uint64_t end = std::min(begin + kStride, table.known);
        for (std::uint64_t at = begin; at < end; ++at) {
            const EntryHeader header = TRY(headers(EntryIndex{table.first.value + at}));
            const std::uint64_t offset = has_own_file(header) ? kNoFrame : walker.offset();
            TRY(walker.step(header));
            table.offsets.push_back(offset);
        }
    }
    return table.offsets[static_cast<std::size_t>(place - begin)];
}

Result<std::uint64_t> read_length(File& file, std::uint64_t offset, const EntryHeader& header) {
    std::uint8_t head[kFrameHead];
    if (TRY_IN("frame", file.read_at(offset, head)) != kFrameHead) return lost("segment ends before its last frame");
    return checked_length(load_u64(head), header);
}

}  // namespace

struct SegmentReader::State {
    State(Fs& disk, Path dir, HeaderSource source, MayBeGone gone)
        : fs(disk), vault_dir(std::move(dir)), headers(std::move(source)), may_be_gone(std::move(gone)) {}

    Result<EntryIndex> segment_of(EntryIndex index) {
        const auto above = [&] { return std::upper_bound(firsts.begin(), firsts.end(), index); };
        // In the last segment known it may be, or in one that was begun since: not if entries behind it were there
        // already when the folder was listed, for a segment is there before an entry of it is.
        if (above() == firsts.end() && index >= listed_below) {
            constexpr std::uint64_t kAhead = 256;  // so many are read on without listing again, where there are as many
            const EntryIndex ahead(index.value + kAhead);
            const bool there = headers(ahead).ok();
            firsts = TRY(list_segments(fs, vault_dir));
            listed_below = there ? ahead : EntryIndex(index.value + 1);
        }
        if (above() == firsts.begin()) return lost("a segment is missing");
        return *(above() - 1);
    }

    Result<std::pair<std::shared_ptr<File>, std::uint64_t>> place_in(EntryIndex index, EntryIndex first) {
        std::unique_ptr<Table>* cached = tables.find(first.value);
        if (!cached) {
            auto file = fs.open(segment_file(vault_dir, first), OpenMode::read);
            if (!file.ok()) return lost("a segment is missing");
            cached = &tables.put(first.value, std::make_unique<Table>(first, std::move(file).value()), kTableCost);
        }
        Table& table = **cached;
        const auto offset = [&]() -> Result<std::uint64_t> {
            TRY(extend(table, index.value - first.value, headers));
            return offset_at(table, index.value - first.value, headers);
        }();
        if (!offset.ok()) {
            tables.erase(first.value);  // a file that was cut and written again is walked anew
            return offset.error();
        }
        return std::pair(table.file, *offset);
    }

    Result<std::pair<std::shared_ptr<File>, std::uint64_t>> locate(EntryIndex index) {
        const std::lock_guard lock(mutex);
        const EntryIndex first = TRY(segment_of(index));
        auto found = place_in(index, first);
        if (found.ok() || first != firsts.back()) return found;
        listed_below = EntryIndex(0);
        const EntryIndex again = TRY(segment_of(index));
        return again == first ? found : place_in(index, again);
    }

    Fs& fs;
    Path vault_dir;
    HeaderSource headers;
    MayBeGone may_be_gone;
    std::mutex mutex;  // guards what follows
    std::vector<EntryIndex> firsts;
    EntryIndex listed_below;  // which segment these entries are in, `firsts` tells
    Lru<std::uint64_t, std::unique_ptr<Table>> tables{kTablesBudget};
};

SegmentReader::SegmentReader(Fs& fs, Path vault_dir, HeaderSource headers, MayBeGone may_be_gone)
    : state_(std::make_unique<State>(fs, std::move(vault_dir), std::move(headers), std::move(may_be_gone))) {}

void SegmentReader::forget() const {
    const std::lock_guard lock(state_->mutex);
    state_->firsts.clear();
    state_->listed_below = EntryIndex(0);
    state_->tables = Lru<std::uint64_t, std::unique_ptr<Table>>(kTablesBudget);
}

SegmentReader::~SegmentReader() = default;

Result<Frame> SegmentReader::frame(EntryIndex index) const {
    const EntryHeader header = TRY(state_->headers(index));
    if (header.suite == Suite::none) return no_payload("the entry has no sealed payload");
    const bool own = has_own_file(header);
    std::shared_ptr<File> file;
    std::uint64_t offset = 0;
    if (own) {
        auto opened = state_->fs.open(blob_file(state_->vault_dir, index), OpenMode::read);
        if (!opened.ok() && opened.error().code() == Code::not_found && state_->may_be_gone &&
            state_->may_be_gone(index, header))
            return no_payload("the ciphertext was removed");
        if (!opened.ok()) return lost("a blob's file is missing");
        file = std::move(opened).value();
    } else {
        std::tie(file, offset) = TRY(state_->locate(index));
    }
    const std::uint64_t length = TRY(read_length(*file, offset, header));
    if (length == 0) return no_payload("the ciphertext was removed");
    if (TRY_IN("vault", file->size()) < offset + kFrameHead + length) return lost("file ends inside a frame");
    return Frame(file, offset + kFrameHead, length);
}

Result<Bytes> SegmentReader::ciphertext(EntryIndex index, std::uint64_t max_bytes) const {
    const Frame found = TRY(frame(index));
    if (found.length() > max_bytes) return Error(Code::limit, "ciphertext is longer than what may be read at once");
    Bytes out(static_cast<std::size_t>(found.length()));
    TRY(found.read(0, out));
    return out;
}

}  // namespace kustos::audit
