#include "ingest/extractor/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "ingest/extractor/frames.h"
#include "ingest/src/extract_wire.h"

namespace kustos::extractor {

namespace {

namespace wire = ingest::wire;

// The archive's bytes by pread alone: no other call is allowed behind the walls.
struct Input {
    std::int64_t at = 0;
    std::int64_t size = 0;
    std::array<std::uint8_t, 64u << 10> buffer{};
};

la_ssize_t on_read(archive*, void* data, const void** out) {
    Input& in = *static_cast<Input*>(data);
    const ssize_t got = ::pread(wire::kArchiveDescriptor, in.buffer.data(), in.buffer.size(), in.at);
    if (got > 0) in.at += got;
    *out = in.buffer.data();
    return got;
}

la_int64_t on_seek(archive*, void* data, la_int64_t offset, int whence) {
    Input& in = *static_cast<Input*>(data);
    const la_int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? in.at : in.size;
    if (offset > in.size || base + offset < 0 || base + offset > in.size) return ARCHIVE_FATAL;
    in.at = base + offset;
    return in.at;
}

la_int64_t on_skip(archive*, void* data, la_int64_t request) {
    Input& in = *static_cast<Input*>(data);
    const la_int64_t step = std::min(request, in.size - in.at);
    in.at += step;
    return step;
}

class Archive {
public:
    explicit Archive(std::int64_t size) { input_.size = size; }
    Archive(const Archive&) = delete;
    Archive& operator=(const Archive&) = delete;
    ~Archive() { close(); }

    bool open() {
        close();
        input_.at = 0;
        next_ = 0;
        archive_ = archive_read_new();
        archive_read_support_format_zip_seekable(archive_);
        archive_read_set_callback_data(archive_, &input_);
        archive_read_set_read_callback(archive_, on_read);
        archive_read_set_seek_callback(archive_, on_seek);
        archive_read_set_skip_callback(archive_, on_skip);
        return archive_read_open1(archive_) == ARCHIVE_OK;
    }

    // ARCHIVE_OK, ARCHIVE_EOF or something worse
    int next(archive_entry** entry) {
        const int result = archive_read_next_header(archive_, entry);
        if (result == ARCHIVE_OK || result == ARCHIVE_WARN) {
            ++next_;
            return ARCHIVE_OK;
        }
        return result;
    }

    // Goes on to the member with this index, from the start if it lies behind.
    bool go_to(std::uint32_t index) {
        if (!archive_ || next_ > index)
            if (!open()) return false;
        archive_entry* entry = nullptr;
        while (next_ <= index)
            if (next(&entry) != ARCHIVE_OK) return close(), false;
        return true;
    }

    // The word of a failure, or empty.
    std::string_view send_content(std::uint64_t most) {
        std::uint64_t sent = 0;
        static std::array<std::uint8_t, wire::kDataFrame> chunk;
        for (;;) {
            const la_ssize_t got = archive_read_data(archive_, chunk.data(), chunk.size());
            if (got < 0) return close(), "damaged";
            if (got == 0) return "";
            sent += static_cast<std::uint64_t>(got);
            if (sent > most) return close(), "limit";
            write_frame({as_bytes("D"), ByteView(chunk.data(), static_cast<std::size_t>(got))});
        }
    }

    void close() {
        if (archive_) archive_read_free(archive_);
        archive_ = nullptr;
    }

private:
    Input input_;
    archive* archive_ = nullptr;
    std::uint32_t next_ = 0;  // index of the member that next() gives
};

std::uint8_t flags_of(archive_entry* entry) {
    std::uint8_t flags = 0;
    const mode_t type = archive_entry_filetype(entry);
    if (archive_entry_symlink(entry) || archive_entry_hardlink(entry) || type == AE_IFLNK) flags |= wire::kLink;
    if (type == AE_IFDIR) flags |= wire::kFolder;
    if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK) flags |= wire::kSpecial;
    if (archive_entry_is_encrypted(entry)) flags |= wire::kEncrypted;
    return flags;
}

void send_member(archive_entry* entry, std::uint32_t index) {
    std::uint8_t flags = flags_of(entry);
    const char* name = archive_entry_pathname_utf8(entry);
    if (!name) name = archive_entry_pathname(entry);
    if (!name) {
        name = "";
        flags |= wire::kNoName;
    }
    const std::string_view path = std::string_view(name).substr(0, 0xFFFF);
    Bytes frame;
    put_u8(frame, 'L');
    put_u32(frame, index);
    put_u64(frame, archive_entry_size_is_set(entry)
                       ? static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry)))
                       : 0);
    put_u8(frame, flags);
    put_u16(frame, static_cast<std::uint16_t>(path.size()));
    put(frame, path);
    write_frame({frame});
}

void send_list(Archive& archive) {
    archive_entry* entry = nullptr;
    int result = archive.open() ? ARCHIVE_OK : ARCHIVE_FATAL;
    for (std::uint32_t index = 0; result == ARCHIVE_OK; ++index) {
        result = archive.next(&entry);
        if (result == ARCHIVE_OK) send_member(entry, index);
    }
    if (result != ARCHIVE_EOF) write_frame({as_bytes("Pdamaged")});
    write_frame({as_bytes("E")});
    archive.close();
}

}  // namespace

void warm_up_unpack() {
    archive* once = archive_read_new();
    archive_read_support_format_zip_seekable(once);
    archive_read_free(once);
}

void serve_archive(std::uint64_t archive_bytes) {
    static Archive archive(static_cast<std::int64_t>(archive_bytes));
    send_list(archive);
    while (const auto frame = read_frame()) {
        ByteReader reader(*frame);
        const auto type = reader.u8();
        const auto index = reader.u32();
        const auto most = reader.u64();
        if (!type || *type != 'R' || !index || !most) return;
        if (!archive.go_to(*index)) {
            write_frame({as_bytes("Pdamaged")});
            continue;
        }
        const std::string_view failure = archive.send_content(*most);
        if (failure.empty())
            write_frame({as_bytes("E")});
        else
            write_frame({as_bytes("P"), as_bytes(failure)});
    }
}

}  // namespace kustos::extractor
