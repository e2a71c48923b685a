#include "ingest/extractor/members.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>

#include "base/text.h"

namespace kustos::extractor {

Members::Members(ByteView packed, ArchiveKind kind, Reading& reading, bool counted)
    : packed_(packed), reading_(reading), archive_(archive_read_new()), counted_(counted) {
    switch (kind) {
        case ArchiveKind::zip:
            archive_read_support_format_zip_seekable(archive_);
            break;
        case ArchiveKind::seven_zip:
            archive_read_support_format_7zip(archive_);
            break;
        case ArchiveKind::tar:
            archive_read_support_format_tar(archive_);
            break;
        case ArchiveKind::stream:
            archive_read_support_filter_gzip(archive_);
            archive_read_support_filter_bzip2(archive_);
            archive_read_support_filter_xz(archive_);
            archive_read_support_filter_zstd(archive_);
            archive_read_support_format_raw(archive_);
            break;
    }
    if (archive_read_open_memory(archive_, packed.data(), packed.size()) != ARCHIVE_OK) trouble_ = "damaged";
}

Members::~Members() {
    archive_read_free(archive_);
}

bool Members::next() {
    if (!trouble_.empty() || reading_.over()) return false;
    const int result = archive_read_next_header(archive_, &entry_);
    if (result == ARCHIVE_EOF) return false;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        trouble_ = "damaged";
        return false;
    }
    if (++seen_ > Reading::kMembers || (counted_ && !reading_.take_member())) {
        trouble_ = "member-limit";
        return false;
    }
    const char* name = archive_entry_pathname_utf8(entry_);
    if (!name) name = archive_entry_pathname(entry_);
    const std::string_view raw = std::string_view(name ? name : "").substr(0, 4096);
    // Nothing says in which code page an old zip's names are.
    if (!is_valid_utf8(raw)) reading_.partial("charset");
    name_ = decode_charset(as_bytes(raw), "utf-8").utf8;
    file_ = archive_entry_filetype(entry_) == AE_IFREG;
    encrypted_ = archive_entry_is_encrypted(entry_) != 0;
    return true;
}

Refusal Members::read(Bytes& out) {
    out.clear();
    if (encrypted_) return "encrypted";
    static std::array<std::uint8_t, 64u << 10> chunk;
    for (;;) {
        const la_ssize_t got = archive_read_data(archive_, chunk.data(), chunk.size());
        if (got < 0) return "damaged";
        if (got == 0) return "";
        const auto size = static_cast<std::uint64_t>(got);
        unpacked_ += size;
        if (!reading_.take_unpacked(size)) return "unpack-limit";
        if (unpacked_ > Reading::kRatioFrom && unpacked_ / Reading::kRatio > packed_.size()) return "ratio-limit";
        if (out.size() + size > Reading::kPart) return "part-limit";
        put(out, ByteView(chunk.data(), static_cast<std::size_t>(got)));
    }
}

}  // namespace kustos::extractor
