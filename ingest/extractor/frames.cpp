#include "ingest/extractor/frames.h"

#include <unistd.h>

#include <cerrno>

namespace kustos::extractor {

namespace {

bool read_fully(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got = ::read(0, out.data(), out.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

void write_fully(ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(1, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) ::_exit(0);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
}

}  // namespace

std::optional<Bytes> read_frame() {
    std::array<std::uint8_t, 4> length{};
    if (!read_fully(length)) return std::nullopt;
    Bytes frame(load_u32(length.data()));
    if (frame.empty() || !read_fully(frame)) return std::nullopt;
    return frame;
}

void write_frame(std::initializer_list<ByteView> parts) {
    std::size_t total = 0;
    for (const ByteView part : parts) total += part.size();
    std::array<std::uint8_t, 4> length{};
    store_u32(length.data(), static_cast<std::uint32_t>(total));
    write_fully(length);
    for (const ByteView part : parts) write_fully(part);
}

}  // namespace kustos::extractor
