#include "audit/src/segment_layout.h"

#include "audit/ledger.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kWindow = 16 * 1024;
constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::string_view kBlobSuffix = ".blob";

Result<std::vector<EntryIndex>> list_named(Fs& fs, const Path& folder, std::string_view suffix) {
    std::vector<EntryIndex> out;
    if (!fs.exists(folder)) return out;
    for (const std::string& name : TRY_IN("vault", fs.list(folder))) {
        if (name.size() != 12 + suffix.size() || name.substr(12) != suffix) continue;
        const auto index = parse_twelve_digits(std::string_view(name).substr(0, 12));
        if (index.ok()) out.emplace_back(*index);
    }
    return out;  // twelve digits: by name is by number
}

}  // namespace

bool has_own_file(const EntryHeader& header) {
    return header.kind == Kind::blob && header.ciphertext_length >= kOwnFileFrom;
}

std::uint64_t frame_size(const EntryHeader& header) {
    return has_own_file(header) ? 0 : kFrameHead + header.ciphertext_length;
}

Path segment_file(const Path& vault_dir, EntryIndex first) {
    return vault_dir / "segments" / (twelve_digits(first.value) + std::string(kSegmentSuffix));
}

Path blob_file(const Path& vault_dir, EntryIndex entry) {
    return vault_dir / "blobs" / (twelve_digits(entry.value) + std::string(kBlobSuffix));
}

Result<std::vector<EntryIndex>> list_segments(Fs& fs, const Path& vault_dir) {
    return list_named(fs, vault_dir / "segments", kSegmentSuffix);
}

Result<std::vector<EntryIndex>> list_blobs(Fs& fs, const Path& vault_dir) {
    return list_named(fs, vault_dir / "blobs", kBlobSuffix);
}

Result<std::uint64_t> checked_length(std::uint64_t length, const EntryHeader& header) {
    if (length != 0 && length != header.ciphertext_length) {
        return Error(Code::corrupt, "frame length is neither the entry's nor 0").with_hint("run verify");
    }
    return length;
}

Result<std::uint64_t> FrameWalker::length_at(std::uint64_t offset) {
    const bool inside = offset >= window_start_ && offset + kFrameHead <= window_start_ + window_.size();
    if (!inside) {
        window_.resize(kWindow);
        window_start_ = offset;
        window_.resize(TRY_IN("segment", file_.read_at(offset, window_)));
        if (window_.size() < kFrameHead) {
            return Error(Code::corrupt, "segment ends before its last frame").with_hint("run verify");
        }
    }
    return load_u64(window_.data() + (offset - window_start_));
}

Status FrameWalker::step(const EntryHeader& header) {
    if (has_own_file(header)) return {};
    const std::uint64_t length = TRY(length_at(offset_));
    TRY(checked_length(length, header));
    offset_ += kFrameHead + length;
    return {};
}

Status Frame::read(std::uint64_t at, std::span<std::uint8_t> out) const {
    if (at > length_ || out.size() > length_ - at) return Error(Code::usage, "beyond the end of the frame");
    const std::size_t got = TRY_IN("frame", file_->read_at(offset_ + at, out));
    if (got != out.size()) return Error(Code::corrupt, "file ends inside a frame").with_hint("run verify");
    return {};
}

}  // namespace kustos::audit
