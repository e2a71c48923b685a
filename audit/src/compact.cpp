#include "audit/compact.h"

#include <algorithm>
#include <optional>

#include "audit/src/segment_layout.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kPiece = 1u << 20;

// What the new file consists of.
struct Piece {
    std::uint64_t offset = 0, length = 0;  // of the old file
    bool removed = false;                  // in its place a head of length 0
};

struct Plan {
    std::vector<Piece> pieces;
    std::uint64_t removed = 0, gone = 0, size = 0, freed = 0;
    void keep(std::uint64_t offset, std::uint64_t length) {
        size += length;
        if (!pieces.empty() && !pieces.back().removed && pieces.back().offset + pieces.back().length == offset) {
            pieces.back().length += length;
        } else {
            pieces.push_back({offset, length, false});
        }
    }
    void remove(std::uint64_t offset, std::uint64_t length) {
        pieces.push_back({offset, length, true});
        ++removed;
        size += kFrameHead;
        freed += length - kFrameHead;
    }
};

class Compaction {
public:
    Compaction(Fs& fs, const Path& vault_dir, const HeaderSource& headers,
               const std::function<bool(EntryIndex, const EntryHeader&)>& covered, const CompactOptions& options)
        : fs_(fs), dir_(vault_dir), headers_(headers), covered_(covered), options_(options) {}

    Result<CompactReport> run() {
        TRY(remove_leftovers());
        std::vector<EntryIndex> firsts = TRY(list_segments(fs_, dir_));
        std::erase_if(firsts, [this](EntryIndex first) { return first >= options_.below; });
        std::uint64_t total = 0, done = 0;
        std::vector<std::uint64_t> sizes;
        for (const EntryIndex first : firsts) {
            sizes.push_back(TRY(TRY_IN("segment", fs_.open(segment_file(dir_, first), OpenMode::read))->size()));
            total += sizes.back();
        }
        for (std::size_t i = 0; i < firsts.size(); ++i) {
            if (stopped()) return report_;
            const EntryIndex end = i + 1 < firsts.size() ? firsts[i + 1] : options_.below;
            if (may_hold(firsts[i], end)) TRY(take_segment(firsts[i], end));
            done += sizes[i];
            if (options_.progress) options_.progress(done, total);
        }
        TRY(take_blobs());
        return report_;
    }

private:
    bool stopped() {
        if (!options_.stop || !options_.stop()) return false;
        report_.interrupted = true;
        return true;
    }
    bool may_hold(EntryIndex first, EntryIndex end) const {
        if (options_.candidates == nullptr) return true;
        const auto& all = options_.candidates->intervals();
        const auto at = std::lower_bound(all.begin(), all.end(), first,
                                         [](const EntrySet::Interval& i, EntryIndex e) { return i.last < e; });
        return at != all.end() && at->first < end;
    }
    bool is_covered(EntryIndex entry, const EntryHeader& header) const {
        if (header.suite == Suite::none) return false;
        if (options_.candidates != nullptr && !options_.candidates->contains(entry)) return false;
        return covered_(entry, header);
    }
    static Path beside(const Path& path) { return path.parent_path() / (path.filename().string() + ".tmp"); }

    // Of a compaction that was killed.
    Status remove_leftovers() {
        const Path folder = dir_ / "segments";
        for (const std::string& name : TRY_IN("segments", fs_.list(folder))) {
            if (name.size() == 20 && name.substr(12) == ".seg.tmp") TRY_IN("segments", fs_.remove(folder / name));
        }
        return {};
    }

    Status take_segment(EntryIndex first, EntryIndex end) {
        ++report_.segments_seen;
        const Path path = segment_file(dir_, first);
        const auto file = TRY_IN("segment", fs_.open(path, OpenMode::read));
        const auto plan = plan_segment(*file, first, end);
        if (!plan.ok()) {
            if (plan.error().code() != Code::corrupt) return plan.error();
            report_.damaged.push_back(first);
            return {};
        }
        report_.frames_gone += plan->gone;
        if (plan->removed == 0) return {};
        if (fs_.free_bytes(dir_) < plan->size + options_.reserve)
            return Error(Code::environment, "too little room on the disk to write a segment anew")
                .with_hint("make room for " + std::to_string((plan->size + options_.reserve) >> 20) + " MiB");
        TRY(write_anew(*file, *plan, beside(path)));
        TRY_IN("segments", fs_.rename(beside(path), path));
        TRY_IN("segments", fs_.sync_dir(path.parent_path()));
        report_.frames_removed += plan->removed;
        report_.bytes_freed += plan->freed;
        ++report_.segments_rewritten;
        if (options_.replaced) options_.replaced();
        return {};
    }

    Result<Plan> plan_segment(File& file, EntryIndex first, EntryIndex end) const {
        Plan plan;
        FrameWalker walker(file, 0);
        for (std::uint64_t i = first.value; i < end.value; ++i) {
            const EntryHeader header = TRY(headers_(EntryIndex{i}));
            const std::uint64_t at = walker.offset();
            TRY(walker.step(header));
            const std::uint64_t length = walker.offset() - at;
            if (length == 0) continue;  // a file of its own
            const bool covered = is_covered(EntryIndex{i}, header);
            if (covered && length > kFrameHead) {
                plan.remove(at, length);
            } else {
                plan.gone += covered ? 1 : 0;
                plan.keep(at, length);
            }
        }
        if (TRY_IN("segment", file.size()) < walker.offset())
            return Error(Code::corrupt, "a segment ends inside a frame");
        return plan;
    }

    Status write_anew(File& old, const Plan& plan, const Path& path) const {
        const auto file = TRY_IN("segment", fs_.open(path, OpenMode::create_or_open));
        TRY_IN("segment", file->truncate(0));
        Bytes buffer;
        std::uint64_t written = 0;
        const auto flush = [&]() -> Status {
            TRY_IN("segment", file->write_at(written, buffer));
            written += buffer.size();
            buffer.clear();
            return {};
        };
        for (const Piece& piece : plan.pieces) {
            if (piece.removed) put_u64(buffer, 0);
            for (std::uint64_t at = 0; !piece.removed && at < piece.length;) {
                const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, piece.length - at));
                const std::size_t before = buffer.size();
                buffer.resize(before + n);
                if (TRY_IN("segment", old.read_at(piece.offset + at, std::span(buffer).subspan(before))) != n)
                    return Error(Code::environment, "a segment became shorter while it was read");
                at += n;
                if (buffer.size() >= kPiece) TRY(flush());
            }
            if (buffer.size() >= kPiece) TRY(flush());
        }
        if (!buffer.empty()) TRY(flush());
        CHECK(written == plan.size);
        return file->sync();
    }

    Status take_blobs() {
        bool removed = false;
        for (const EntryIndex blob : TRY(list_blobs(fs_, dir_))) {
            if (blob >= options_.below) continue;
            if (options_.candidates != nullptr && !options_.candidates->contains(blob)) continue;
            if (stopped()) break;
            const EntryHeader header = TRY(headers_(blob));
            if (!has_own_file(header) || !is_covered(blob, header)) continue;
            TRY_IN("blob", fs_.remove(blob_file(dir_, blob)));
            removed = true;
            ++report_.frames_removed;
            report_.bytes_freed += kFrameHead + header.ciphertext_length;
        }
        if (!removed) return {};
        TRY_IN("blobs", fs_.sync_dir(dir_ / "blobs"));
        if (options_.replaced) options_.replaced();
        return {};
    }

    Fs& fs_;
    Path dir_;
    const HeaderSource& headers_;
    const std::function<bool(EntryIndex, const EntryHeader&)>& covered_;
    const CompactOptions& options_;
    CompactReport report_;
};

}  // namespace

Result<CompactReport> compact(Fs& fs, const Path& vault_dir, const HeaderSource& headers,
                              const std::function<bool(EntryIndex, const EntryHeader&)>& covered,
                              const CompactOptions& options) {
    return Compaction(fs, vault_dir, headers, covered, options).run();
}

}  // namespace kustos::audit
