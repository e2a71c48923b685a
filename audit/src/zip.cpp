#include "audit/zip.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/fs.h"

namespace kustos::audit {

namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint16_t kVersion = 20, kUtf8 = 0x0800, kDate = 0x0021;  // 1980-01-01
constexpr std::size_t kMaxMembers = 65'534;

void le16(Bytes& out, std::uint32_t v) {
    out.push_back(static_cast<std::uint8_t>(v));
    out.push_back(static_cast<std::uint8_t>(v >> 8));
}
void le32(Bytes& out, std::uint32_t v) {
    le16(out, v & 0xFFFF);
    le16(out, v >> 16);
}
std::uint32_t get16(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(p[0] | p[1] << 8);
}
std::uint32_t get32(const std::uint8_t* p) {
    return get16(p) | get16(p + 2) << 16;
}

// What a local header and a central directory row share.
void common(Bytes& out, std::uint32_t crc, std::uint32_t size, std::size_t name) {
    le16(out, kVersion);
    le16(out, kUtf8);
    le16(out, 0);  // stored
    le16(out, 0);
    le16(out, kDate);
    le32(out, crc);
    le32(out, size);
    le32(out, size);
    le16(out, static_cast<std::uint32_t>(name));
    le16(out, 0);
}

void local_header(Bytes& out, const std::string& name, std::uint32_t crc, std::uint32_t size) {
    le32(out, kLocal);
    common(out, crc, size, name.size());
    put(out, name);
}

void central_row(Bytes& out, const std::string& name, std::uint32_t crc, std::uint32_t size, std::uint32_t offset) {
    le32(out, kCentral);
    le16(out, kVersion);
    common(out, crc, size, name.size());
    le16(out, 0);
    le16(out, 0);
    le16(out, 0);
    le32(out, 0);
    le32(out, offset);
    put(out, name);
}

void end_row(Bytes& out, std::size_t members, std::size_t size, std::size_t offset) {
    le32(out, kEnd);
    le16(out, 0);
    le16(out, 0);
    le16(out, static_cast<std::uint32_t>(members));
    le16(out, static_cast<std::uint32_t>(members));
    le32(out, static_cast<std::uint32_t>(size));
    le32(out, static_cast<std::uint32_t>(offset));
    le16(out, 0);
}

}  // namespace

std::uint32_t crc32(ByteView bytes) {
    static const std::array<std::uint32_t, 256> table = [] {
        std::array<std::uint32_t, 256> t{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t c = i;
            for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            t[i] = c;
        }
        return t;
    }();
    std::uint32_t c = 0xFFFFFFFFu;
    for (const std::uint8_t b : bytes) c = table[(c ^ b) & 0xFF] ^ (c >> 8);
    return c ^ 0xFFFFFFFFu;
}

Status ZipWriter::add(const std::string& name, ByteView content) {
    if (!RelPath::parse(name).ok()) return Error(Code::usage, "a member's name is not a safe path");
    if (names_.count(name) != 0) return Error(Code::usage, "two members of one name");
    if (members_.size() >= kMaxMembers ||
        out_.size() + content.size() + name.size() + 1024 > 0xFFFFFFFFull - 200 * (members_.size() + 2)) {
        return Error(Code::limit, "an evidence container holds at most 4 GiB and 65,534 members")
            .with_hint("export in parts");
    }
    Member m{name, crc32(content), static_cast<std::uint32_t>(content.size()), static_cast<std::uint32_t>(out_.size())};
    local_header(out_, name, m.crc, m.size);
    put(out_, content);
    names_.insert(name);
    members_.push_back(std::move(m));
    return {};
}

Result<Bytes> ZipWriter::finish() {
    const std::size_t offset = out_.size();
    for (const Member& m : members_) central_row(out_, m.name, m.crc, m.size, m.offset);
    const std::size_t size = out_.size() - offset;
    end_row(out_, members_.size(), size, offset);
    return std::move(out_);
}

Result<std::vector<ZipMember>> read_zip(ByteView bytes) {
    const Error bad(Code::bad_input, "not a zip file as Kustos writes it");
    std::vector<ZipMember> members;
    std::set<std::string_view> names;
    Bytes central;
    std::size_t at = 0;
    while (bytes.size() - at >= 30 && get32(bytes.data() + at) == kLocal) {
        const std::uint8_t* h = bytes.data() + at;
        const std::uint32_t crc = get32(h + 14), size = get32(h + 18);
        const std::size_t name_length = get16(h + 26);
        if (members.size() >= kMaxMembers || bytes.size() - at - 30 < name_length ||
            bytes.size() - at - 30 - name_length < size)
            return bad;
        ZipMember m;
        m.name = to_text(bytes.subspan(at + 30, name_length));
        m.content = bytes.subspan(at + 30 + name_length, size);
        Bytes wanted;
        local_header(wanted, m.name, crc, size);
        if (!equal(wanted, bytes.subspan(at, 30 + name_length)) || crc32(m.content) != crc ||
            !RelPath::parse(m.name).ok())
            return bad;
        central_row(central, m.name, crc, size, static_cast<std::uint32_t>(at));
        at += 30 + name_length + size;
        members.push_back(std::move(m));
    }
    for (const ZipMember& m : members) {
        if (!names.insert(m.name).second) return bad;
    }
    const std::size_t size = central.size();
    end_row(central, members.size(), size, at);
    if (!equal(central, bytes.subspan(at))) return bad;
    return members;
}

}  // namespace kustos::audit
