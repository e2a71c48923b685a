#include "ingest/src/compound_file.h"

#include <algorithm>

#include "base/text.h"

namespace kustos::ingest {

namespace {

constexpr std::uint8_t kSignature[] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};
constexpr std::uint32_t kLastRegular = 0xFFFFFFFA, kNone = 0xFFFFFFFF;
constexpr std::size_t kHeader = 512, kDirectoryEntry = 128, kMiniSector = 64, kInHeader = 109;
constexpr std::uint64_t kMiniCutoff = 4096;
constexpr std::size_t kMaxEntries = 200'000;

std::uint64_t number(ByteView bytes, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | bytes[at + i];
    return value;
}
std::uint32_t u32(ByteView bytes, std::size_t at) {
    return static_cast<std::uint32_t>(number(bytes, at, 4));
}

void add_numbers(ByteView sector, std::vector<std::uint32_t>& out) {
    for (std::size_t at = 0; at + 4 <= sector.size(); at += 4) out.push_back(u32(sector, at));
}

}  // namespace

bool is_compound_file(ByteView file) {
    return file.size() >= kHeader && std::equal(std::begin(kSignature), std::end(kSignature), file.begin());
}

std::optional<CompoundFile> CompoundFile::open(ByteView file) {
    CompoundFile out(file);
    if (!out.read_header() || !out.read_allocation() || !out.read_directory()) return std::nullopt;
    return out;
}

bool CompoundFile::read_header() {
    if (!is_compound_file(file_)) return false;
    const auto shift = number(file_, 30, 2);
    if (shift != 9 && shift != 12) return false;
    if (number(file_, 32, 2) != 6 || u32(file_, 56) != kMiniCutoff) return false;
    sector_size_ = std::size_t{1} << shift;
    directory_start_ = u32(file_, 48);
    mini_start_ = u32(file_, 60);
    difat_start_ = u32(file_, 68);
    return true;
}

// The last sector may be cut off: what is there of it counts.
std::optional<ByteView> CompoundFile::sector(std::uint32_t n) const {
    const std::uint64_t at = (std::uint64_t{n} + 1) * sector_size_;
    if (n > kLastRegular || at >= file_.size()) return std::nullopt;
    const auto begin = static_cast<std::size_t>(at);
    return file_.subspan(begin, std::min(sector_size_, file_.size() - begin));
}

bool CompoundFile::read_allocation() {
    const std::size_t sectors = file_.size() / sector_size_ + 1;
    const std::size_t most = sectors / (sector_size_ / 4) + 2;  // sectors that such a table can fill
    std::vector<std::uint32_t> where;
    add_numbers(file_.subspan(76, kInHeader * 4), where);
    std::uint32_t next = difat_start_;
    for (std::size_t i = 0; i < most && next <= kLastRegular; ++i) {
        const auto table = sector(next);
        if (!table || table->size() != sector_size_) break;
        add_numbers(table->first(sector_size_ - 4), where);
        next = u32(*table, sector_size_ - 4);
    }
    std::size_t read = 0;
    for (const std::uint32_t n : where) {
        if (n > kLastRegular || read++ >= most) break;
        const auto table = sector(n);
        if (!table) break;
        add_numbers(*table, allocation_);
    }
    if (allocation_.empty()) return false;
    if (mini_start_ <= kLastRegular) {
        const auto mini = read_sectors(mini_start_);
        if (mini) add_numbers(*mini, mini_allocation_);
    }
    return true;
}

std::optional<std::vector<std::uint32_t>> CompoundFile::chain(const std::vector<std::uint32_t>& table,
                                                              std::uint32_t first, std::uint64_t most) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t n = first; n <= kLastRegular && out.size() < most; n = table[n]) {
        if (n >= table.size() || out.size() > table.size()) return std::nullopt;  // outside, or a loop
        out.push_back(n);
    }
    return out;
}

std::optional<Bytes> CompoundFile::read_sectors(std::uint32_t first) const {
    const auto sectors = chain(allocation_, first, UINT64_MAX);
    if (!sectors) return std::nullopt;
    Bytes out;
    for (const std::uint32_t n : *sectors) {
        const auto bytes = sector(n);
        if (!bytes) return std::nullopt;
        put(out, *bytes);
    }
    return out;
}

bool CompoundFile::read_directory() {
    const auto bytes = read_sectors(directory_start_);
    if (!bytes || bytes->size() < kDirectoryEntry) return false;
    const std::size_t count = std::min(bytes->size() / kDirectoryEntry, kMaxEntries);
    for (std::size_t i = 0; i < count; ++i) {
        const ByteView one = ByteView(*bytes).subspan(i * kDirectoryEntry, kDirectoryEntry);
        Entry entry;
        const std::size_t length = std::min<std::size_t>(number(one, 64, 2), 64);
        entry.name = decode_charset(one.first(length < 2 ? 0 : (length - 2) / 2 * 2), "utf-16le").utf8;
        entry.storage = one[66] == 1 || one[66] == 5;
        entry.start = u32(one, 116);
        entry.size = sector_size_ == 512 ? u32(one, 120) : number(one, 120, 8);  // section 2.6.1
        entries_.push_back(std::move(entry));
        links_.push_back({u32(one, 68), u32(one, 72), u32(one, 76)});
    }
    std::vector<bool> seen(count);
    seen[0] = true;
    for (std::uint32_t i = 0; i < count; ++i)
        if (entries_[i].storage) read_children(i, links_[i].child, seen);
    if (const auto mini = read_sectors(entries_[0].start)) mini_stream_ = std::move(*mini);
    return true;
}

// Children form a tree of siblings; each entry belongs to one storage only.
void CompoundFile::read_children(std::uint32_t of, std::uint32_t first, std::vector<bool>& seen) {
    std::vector<std::uint32_t> waiting = {first};
    while (!waiting.empty()) {
        const std::uint32_t i = waiting.back();
        waiting.pop_back();
        if (i == kNone || i >= entries_.size() || seen[i]) continue;
        seen[i] = true;
        entries_[of].children.push_back(i);
        waiting.push_back(links_[i].left);
        waiting.push_back(links_[i].right);
    }
}

const CompoundFile::Entry* CompoundFile::find(const Entry& storage, std::string_view name) const {
    for (const std::uint32_t child : storage.children)
        if (entries_[child].name == name) return &entries_[child];
    return nullptr;
}

std::optional<Bytes> CompoundFile::read(const Entry& stream, std::optional<std::uint64_t>* where) const {
    if (stream.storage || stream.size > file_.size()) return std::nullopt;
    const bool mini = stream.size < kMiniCutoff;
    const std::size_t unit = mini ? kMiniSector : sector_size_;
    const std::uint64_t need = (stream.size + unit - 1) / unit;
    const auto sectors = chain(mini ? mini_allocation_ : allocation_, stream.start, need);
    if (stream.size > 0 && (!sectors || sectors->size() < need)) return std::nullopt;
    Bytes out;
    out.reserve(static_cast<std::size_t>(stream.size));
    bool one_piece = !mini && stream.size > 0;
    for (std::size_t i = 0; i < need; ++i) {
        const std::uint32_t n = (*sectors)[i];
        const auto left = static_cast<std::size_t>(std::min<std::uint64_t>(unit, stream.size - out.size()));
        ByteView bytes;
        if (mini) {
            const std::uint64_t at = std::uint64_t{n} * kMiniSector;
            if (at + left > mini_stream_.size()) return std::nullopt;
            bytes = ByteView(mini_stream_).subspan(static_cast<std::size_t>(at), left);
        } else {
            const auto whole = sector(n);
            if (!whole || whole->size() < left) return std::nullopt;
            bytes = whole->first(left);
            one_piece = one_piece && (i == 0 || n == (*sectors)[i - 1] + 1);
        }
        put(out, bytes);
    }
    if (where && one_piece) *where = (std::uint64_t{(*sectors)[0]} + 1) * sector_size_;
    return out;
}

}  // namespace kustos::ingest
