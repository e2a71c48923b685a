#include "tests/ingest/zip_builder.h"

#include <fstream>

namespace kustos::test {

namespace {

std::uint32_t crc32(std::string_view text) {
    std::uint32_t crc = 0xFFFF'FFFFu;
    for (const char c : text) {
        crc ^= static_cast<std::uint8_t>(c);
        for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0xEDB8'8320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

void little(Bytes& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

void ZipBuilder::add(std::string name, std::string content, std::optional<std::uint32_t> wrong_crc) {
    const std::uint32_t crc = wrong_crc.value_or(crc32(content));
    members_.push_back({std::move(name), std::move(content), crc});
}

Bytes ZipBuilder::bytes() const {
    Bytes out, directory;
    for (const Member& member : members_) {
        const std::size_t offset = out.size();
        const auto common = [&](Bytes& to) {
            little(to, 0x0800, 2);  // names are UTF-8
            little(to, 0, 2);       // stored
            little(to, 0x58610000, 4);
            little(to, member.crc, 4);
            little(to, member.content.size(), 4);
            little(to, member.content.size(), 4);
            little(to, member.name.size(), 2);
            little(to, 0, 2);
        };
        little(out, 0x04034B50, 4);
        little(out, 20, 2);
        common(out);
        put(out, member.name);
        put(out, member.content);
        little(directory, 0x02014B50, 4);
        little(directory, 20, 2);
        little(directory, 20, 2);
        common(directory);
        little(directory, 0, 2 + 2 + 2);  // comment, disk, internal attributes
        little(directory, 0, 4);          // external attributes
        little(directory, offset, 4);
        put(directory, member.name);
    }
    const std::size_t start = out.size();
    put(out, directory);
    little(out, 0x06054B50, 4);
    little(out, 0, 4);
    little(out, members_.size(), 2);
    little(out, members_.size(), 2);
    little(out, directory.size(), 4);
    little(out, start, 4);
    little(out, 0, 2);
    return out;
}

void ZipBuilder::write(const Path& path) const {
    const Bytes all = bytes();
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(all.data()), static_cast<std::streamsize>(all.size()));
}

}  // namespace kustos::test
