// Ciphertext: segments and blob files against the entries that name them.
#include <algorithm>

#include "audit/segment.h"
#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kPiece = 1u << 20;

}  // namespace

bool ArchiveCheck::segments_changed() const {
    const auto now = list_segments(fs_, vault_);
    if (!now.ok()) return false;
    for (const auto& [first, size] : segment_sizes_) {
        const auto file = fs_.open(segment_file(vault_, EntryIndex(first)), OpenMode::read);
        const auto there = file.ok() ? (*file)->size() : Result<std::uint64_t>(file.error());
        if (there.ok() && *there < size) return true;
    }
    return false;
}

Status ArchiveCheck::list_frames() {
    auto segments = list_segments(fs_, vault_);
    auto blobs = list_blobs(fs_, vault_);
    if (!segments.ok()) report_.problem("vault.segment", "vault/segments", segments.error().message());
    if (!blobs.ok()) report_.problem("vault.blob", "vault/blobs", blobs.error().message());
    if (segments.ok()) segments_ = std::move(*segments);
    for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {  // the last one's size changes with every batch
        const auto file = fs_.open(segment_file(vault_, segments_[i]), OpenMode::read);
        const auto size = file.ok() ? (*file)->size() : Result<std::uint64_t>(file.error());
        if (size.ok()) segment_sizes_.emplace_back(segments_[i].value, *size);
    }
    if (blobs.ok()) {
        for (const EntryIndex b : *blobs) {
            if (b.value >= frames_from_) blob_files_.insert(b.value);
        }
    }
    while (segment_ < segments_.size() && segments_[segment_].value < frames_from_) ++segment_;
    return {};
}

std::optional<FramePlace> ArchiveCheck::place() const {
    return file_ ? std::optional(FramePlace{segments_[segment_ - 1].value, offset_}) : std::nullopt;
}

void ArchiveCheck::take_frame(EntryIndex index, const EntryHeader& h, bool holds, bool gone, const FramePlace& at) {
    if (index.value < frames_from_) {
        if (h.suite != Suite::none) judge_.frame_unseen(h);
        return;
    }
    if (has_own_file(h)) {
        if (holds) {
            blob_files_.erase(index.value);
            count_frame(h);
            ++blobs_;
        } else {
            check_blob_file(index, h, name_of(index));
        }
        return;
    }
    if (segment_ < segments_.size() && index >= segments_[segment_]) next_segment();
    if ((holds || gone) && place() == at) {
        offset_ += gone ? kFrameHead : frame_size(h);
        if (gone) {
            judge_.frame_gone(h);
        } else if (h.ciphertext_length != 0) {
            count_frame(h);
        }
    } else {
        check_frame(h, name_of(index));
    }
}

void ArchiveCheck::count_frame(const EntryHeader& h) {
    ++frames_;
    bytes_ += h.ciphertext_length;
}

void ArchiveCheck::next_segment() {
    close_segment();
    file_.reset();
    auto opened = fs_.open(segment_file(vault_, segments_[segment_]), OpenMode::read);
    if (opened.ok()) file_ = std::move(*opened);
    segment_name_ = "vault/segments/" + segment_file(vault_, segments_[segment_]).filename().string();
    segment_end_ = file_ ? file_->size().ok() ? *file_->size() : 0 : 0;
    offset_ = 0;
    ++segment_;
    missing_reported_ = false;
}

void ArchiveCheck::check_frame(const EntryHeader& h, const std::string& where) {
    if (!file_) {
        if (h.suite != Suite::none) judge_.frame_unseen(h);
        if (!missing_reported_) report_.problem("vault.missing", where, "there is no segment that holds its frame");
        missing_reported_ = true;
        return;
    }
    std::uint8_t head[kFrameHead] = {};
    if (offset_ > segment_end_ || segment_end_ - offset_ < kFrameHead || !file_->read_at(offset_, head).ok()) {
        report_.problem("vault.segment", segment_name_ + " (" + where + ")", "ends before the frame");
        if (h.suite != Suite::none) judge_.frame_unseen(h);
        file_.reset();
        missing_reported_ = true;
        return;
    }
    const std::uint64_t length = load_u64(head);
    offset_ += kFrameHead;
    if (length == 0) {
        if (h.ciphertext_length != 0) judge_.frame_gone(h);
        return;
    }
    if (length != h.ciphertext_length) {
        report_.problem("vault.segment", segment_name_ + " (" + where + ")",
                        "the frame has another length than its entry says");
        if (h.suite != Suite::none) judge_.frame_unseen(h);
        file_.reset();  // nothing after it can be found
        missing_reported_ = true;
        return;
    }
    if (segment_end_ - offset_ < length) {
        report_.problem("vault.segment", segment_name_ + " (" + where + ")", "ends in the middle of the ciphertext");
        judge_.frame_unseen(h);
        file_.reset();
        missing_reported_ = true;
        return;
    }
    if (!hash_matches(*file_, offset_, length, h.ciphertext_hash))
        report_.problem("vault.segment", segment_name_ + " (" + where + ")",
                        "the ciphertext is not the one that was sealed");
    offset_ += length;
    ++frames_;
}

bool ArchiveCheck::hash_matches(File& file, std::uint64_t offset, std::uint64_t length, const Hash& wanted) {
    Sha256 hash;
    buffer_.resize(kPiece);
    while (length > 0) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(length, kPiece));
        const auto got = file.read_at(offset, std::span(buffer_).first(n));
        if (!got.ok() || *got != n) return false;
        hash.update(ByteView(buffer_).first(n));
        bytes_ += n;
        offset += n;
        length -= n;
    }
    return hash.finish() == wanted;
}

void ArchiveCheck::check_blob_file(EntryIndex index, const EntryHeader& h, const std::string& where) {
    const std::string name = "vault/blobs/" + blob_file(vault_, index).filename().string();
    blob_files_.erase(index.value);
    auto file = fs_.open(blob_file(vault_, index), OpenMode::read);
    if (!file.ok()) return judge_.frame_gone(h);
    const auto size = (*file)->size();
    std::uint8_t head[kFrameHead] = {};
    const bool shaped = size.ok() && *size == kFrameHead + h.ciphertext_length && (*file)->read_at(0, head).ok() &&
                        load_u64(head) == h.ciphertext_length;
    if (!shaped || !hash_matches(**file, kFrameHead, h.ciphertext_length, h.ciphertext_hash))
        report_.problem("vault.blob", name + " (" + where + ")", "the ciphertext is not the one that was sealed");
    ++frames_;
    ++blobs_;
}

void ArchiveCheck::close_segment() {
    if (!file_) return;
    const bool last = segment_ == segments_.size();
    if (!last && offset_ != segment_end_)
        report_.problem("vault.segment", segment_name_, "has bytes after its last frame");
}

void ArchiveCheck::finish_frames() {
    if (!complete_ || !file_ || live_) return;
    buffer_.resize(kPiece);
    for (std::uint64_t at = offset_; at < segment_end_;) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(segment_end_ - at, kPiece));
        const auto got = file_->read_at(at, std::span(buffer_).first(n));
        if (!got.ok() || *got != n ||
            std::any_of(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(n),
                        [](std::uint8_t b) { return b != 0; })) {
            report_.problem(
                "vault.segment", segment_name_,
                "has bytes after its last frame; an interrupted write leaves such, and the next start of the "
                "archive removes them");
            break;
        }
        at += n;
    }
    for (; segment_ < segments_.size(); ++segment_) {
        report_.problem("file.unreferenced",
                        "vault/segments/" + segment_file(vault_, segments_[segment_]).filename().string(),
                        "no entry has its frame there");
    }
    for (const std::uint64_t b : blob_files_)
        report_.problem("file.unreferenced", "vault/blobs/" + blob_file(vault_, EntryIndex(b)).filename().string(),
                        "no entry has its frame there");
}

}  // namespace kustos::audit
