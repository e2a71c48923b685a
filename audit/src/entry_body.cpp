// Public bodies: rows of u16 tag, u16 length, value; tags ascending.
#include <algorithm>

#include "audit/entry.h"
#include "base/text.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kRowHead = 4;
constexpr std::size_t kMaxValue = 0xFFFF;
constexpr std::size_t kLeafRangeSize = 28;

std::uint16_t number(Tag tag) {
    return static_cast<std::uint16_t>(tag);
}

bool is_plain_text(std::string_view text) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    return is_valid_utf8(text) && std::none_of(text.begin(), text.end(), control);
}

}  // namespace

Result<Body> Body::decode(ByteView bytes) {
    ByteReader in(bytes);
    TRY(BodyReader::parse(bytes));
    Body body;
    while (!in.at_end()) {
        const std::uint16_t tag = TRY(in.u16());
        const std::uint16_t length = TRY(in.u16());
        body.rows_.emplace_back(tag, to_bytes(TRY(in.take(length))));
    }
    return body;
}

Body& Body::put_bytes(Tag tag, ByteView value) {
    while (value.size() > kMaxValue) {
        rows_.emplace_back(number(tag), to_bytes(value.first(kMaxValue)));
        value = value.subspan(kMaxValue);
    }
    rows_.emplace_back(number(tag), to_bytes(value));
    return *this;
}

Body& Body::put_u16(Tag tag, std::uint16_t value) {
    Bytes v;
    kustos::put_u16(v, value);
    return put_bytes(tag, v);
}

Body& Body::put_u32(Tag tag, std::uint32_t value) {
    Bytes v;
    kustos::put_u32(v, value);
    return put_bytes(tag, v);
}

Body& Body::put_u64(Tag tag, std::uint64_t value) {
    Bytes v;
    kustos::put_u64(v, value);
    return put_bytes(tag, v);
}

Body& Body::put_time(Tag tag, UtcTime value) {
    return put_u64(tag, static_cast<std::uint64_t>(value.ms));
}

Body& Body::put_hash(Tag tag, const Hash& value) {
    return put_bytes(tag, value.view());
}

Body& Body::put_text(Tag tag, std::string_view value) {
    return put_bytes(tag, as_bytes(value));
}

Body& Body::put_leaf_range(const LeafRange& range) {
    Bytes v;
    kustos::put_u32(v, range.tree.value);
    kustos::put_u32(v, range.first.value);
    kustos::put_u32(v, range.last.value);
    kustos::put_u64(v, range.first_entry.value);
    kustos::put_u64(v, range.last_entry.value);
    return put_bytes(Tag::leaf_range, v);
}

Body& Body::put_entry_ranges(std::span<const EntrySet::Interval> ranges) {
    Bytes v;
    for (const EntrySet::Interval& i : ranges) {
        kustos::put_u64(v, i.first.value);
        kustos::put_u64(v, i.last.value);
    }
    return put_bytes(Tag::entry_range, v);
}

bool Body::has(Tag tag) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row.first == number(tag); });
}

Body& Body::remove(Tag tag) {
    std::erase_if(rows_, [&](const auto& row) { return row.first == number(tag); });
    return *this;
}

std::size_t Body::encoded_size() const {
    std::size_t size = 0;
    for (const auto& [tag, value] : rows_) size += kRowHead + value.size();
    return size;
}

Bytes Body::encode() const {
    CHECK(encoded_size() <= kMaxBody);
    std::vector<const std::pair<std::uint16_t, Bytes>*> sorted;
    for (const auto& row : rows_) sorted.push_back(&row);
    std::stable_sort(sorted.begin(), sorted.end(), [](auto a, auto b) { return a->first < b->first; });
    Bytes out;
    out.reserve(encoded_size());
    for (const auto* row : sorted) {
        kustos::put_u16(out, row->first);
        kustos::put_u16(out, static_cast<std::uint16_t>(row->second.size()));
        put(out, row->second);
    }
    return out;
}

Result<BodyReader> BodyReader::parse(ByteView body) {
    if (body.size() > kMaxBody) return Error(Code::bad_input, "longer than 65,419 bytes");
    ByteReader in(body);
    BodyReader reader;
    std::uint16_t before = 0;
    while (!in.at_end()) {
        const std::uint16_t tag = TRY(in.u16());
        const std::uint16_t length = TRY(in.u16());
        if (tag == 0 || tag < before) return Error(Code::bad_input, "tags are not ascending");
        before = tag;
        reader.rows_.emplace_back(tag, TRY(in.take(length)));
    }
    return reader;
}

std::optional<ByteView> BodyReader::single(Tag tag, std::size_t size) const {
    const std::vector<ByteView> rows = all(tag);
    if (rows.size() != 1 || rows.front().size() != size) return std::nullopt;
    return rows.front();
}

std::vector<ByteView> BodyReader::all(Tag tag) const {
    std::vector<ByteView> out;
    for (const auto& [row_tag, value] : rows_) {
        if (row_tag == number(tag)) out.push_back(value);
    }
    return out;
}

std::optional<std::uint16_t> BodyReader::find_u16(Tag tag) const {
    const auto v = single(tag, 2);
    if (!v) return std::nullopt;
    return load_u16(v->data());
}

std::optional<std::uint32_t> BodyReader::find_u32(Tag tag) const {
    const auto v = single(tag, 4);
    if (!v) return std::nullopt;
    return load_u32(v->data());
}

std::optional<std::uint64_t> BodyReader::find_u64(Tag tag) const {
    const auto v = single(tag, 8);
    if (!v) return std::nullopt;
    return load_u64(v->data());
}

std::optional<UtcTime> BodyReader::find_time(Tag tag) const {
    const auto v = find_u64(tag);
    if (!v) return std::nullopt;
    return UtcTime{static_cast<std::int64_t>(*v)};
}

std::optional<Hash> BodyReader::find_hash(Tag tag) const {
    const auto v = single(tag, Hash::kSize);
    if (!v) return std::nullopt;
    return *Hash::from(*v);
}

std::optional<std::string> BodyReader::find_text(Tag tag) const {
    const std::vector<ByteView> rows = all(tag);
    if (rows.size() != 1 || !is_plain_text(as_text(rows.front()))) return std::nullopt;
    return to_text(rows.front());
}

std::optional<Bytes> BodyReader::find_bytes(Tag tag) const {
    const std::vector<ByteView> rows = all(tag);
    if (rows.empty()) return std::nullopt;
    Bytes out;
    for (const ByteView row : rows) put(out, row);
    return out;
}

std::optional<EntrySet> BodyReader::entry_set() const {
    constexpr std::size_t kRangeSize = 16;
    EntrySet set;
    std::optional<EntryIndex> before;
    for (const ByteView row : all(Tag::entry_range)) {
        if (row.empty() || row.size() % kRangeSize != 0) return std::nullopt;
        for (std::size_t at = 0; at < row.size(); at += kRangeSize) {
            const EntryIndex first(load_u64(row.data() + at)), last(load_u64(row.data() + at + 8));
            if (last < first || (before && first <= *before)) return std::nullopt;
            set.add(first, last);
            before = last;
        }
    }
    return set;
}

std::optional<std::vector<LeafRange>> BodyReader::leaf_ranges() const {
    std::vector<LeafRange> out;
    for (const ByteView row : all(Tag::leaf_range)) {
        if (row.size() != kLeafRangeSize) return std::nullopt;
        const LeafRange range{KeyTreeId{load_u32(row.data())}, LeafNumber{load_u32(row.data() + 4)},
                              LeafNumber{load_u32(row.data() + 8)}, EntryIndex{load_u64(row.data() + 12)},
                              EntryIndex{load_u64(row.data() + 20)}};
        if (range.first > range.last || range.last.value >= kLeavesPerKeyTree || range.first_entry > range.last_entry)
            return std::nullopt;
        out.push_back(range);
    }
    return out;
}

namespace {
std::optional<std::uint16_t> action_of(const Entry& entry, Kind kind) {
    if (entry.header.kind != kind) return std::nullopt;
    const auto rows = BodyReader::parse(entry.body);
    if (!rows.ok()) return std::nullopt;
    return rows->find_u16(Tag::action);
}
}  // namespace

std::optional<ControlAction> control_action(const Entry& entry) {
    const auto action = action_of(entry, Kind::control);
    if (!action) return std::nullopt;
    return static_cast<ControlAction>(*action);
}

std::optional<AccessAction> access_action(const Entry& entry) {
    const auto action = action_of(entry, Kind::access);
    if (!action) return std::nullopt;
    return static_cast<AccessAction>(*action);
}

std::optional<ErasureAction> erasure_action(const Entry& entry) {
    const auto action = action_of(entry, Kind::erasure);
    if (!action) return std::nullopt;
    return static_cast<ErasureAction>(*action);
}

}  // namespace kustos::audit
