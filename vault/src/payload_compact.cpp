#include "vault/src/payload_compact.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kustos::vault {

namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kComputed = 2;  // where an area's number stands: the value is what the recipe gives
constexpr std::size_t kRawSize = 8 + Hash::kSize;
constexpr std::size_t kMostNumber = 9;
constexpr std::size_t kMostRow = 4 * kMostNumber + 1, kMostStep = 1 + 3 * kMostNumber + 1;
constexpr std::size_t kBlobSize = 8 + 16 + 32 + 8 + 32 + 1 + 2;
constexpr std::size_t kMaxSteps = 100'000, kMaxBlobs = 4096;

Error damaged(const char* what) {
    return Error(Code::corrupt, what);
}

// Steps to and fro: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
std::uint64_t zigzag(std::uint64_t from, std::uint64_t to) {
    return to >= from ? (to - from) * 2 : (from - to) * 2 - 1;
}
std::uint64_t apply_zigzag(std::uint64_t from, std::uint64_t step) {
    return step % 2 == 0 ? from + step / 2 : from - step / 2 - 1;
}

// The raw field's row, where its value need not be stored: it is the end of the value area, nothing else uses these
// bytes, and compose() says that the recipe gives it.
std::size_t computed_row(const Payload& p) {
    const std::size_t none = p.rows.size();
    if (!p.raw_computed || !p.blobs.empty() || p.value.size() < kRawSize) return none;
    const std::uint64_t end = p.value.size() - kRawSize;
    std::size_t found = none;
    for (std::size_t i = 0; i < p.rows.size(); ++i) {
        const FieldRow& r = p.rows[i];
        if (r.path == PathCode::decoy || r.area != Area::value || r.offset + r.length <= end) continue;
        const bool raw = r.path == PathCode::raw && r.type == ValueType::raw && r.offset == end;
        if (!raw || found != none) return none;
        found = i;
    }
    for (const RecipeStep& s : p.recipe) {
        const bool uses_value = s.kind == RecipeStep::Kind::value || s.kind == RecipeStep::Kind::value_base64;
        if (uses_value && s.offset + s.length > end) return none;
    }
    return found;
}

// Writes where there is room.
class Writer {
public:
    explicit Writer(std::uint8_t* at) : at_(at) {}
    void u8(std::uint8_t v) { *at_++ = v; }
    void u16(std::uint16_t v) { store_u16(std::exchange(at_, at_ + 2), v); }
    void u64(std::uint64_t v) { store_u64(std::exchange(at_, at_ + 8), v); }
    void number(std::uint64_t n) {
        if (n < 128) {
            u8(static_cast<std::uint8_t>(n));
        } else {
            at_ = store_number(at_, n);
        }
    }
    void bytes(ByteView v) {
        if (!v.empty()) std::memcpy(at_, v.data(), v.size());
        at_ += v.size();
    }
    std::uint8_t* at() const { return at_; }

private:
    std::uint8_t* at_;
};

void write_rows(Writer& w, const Payload& p, std::size_t computed) {
    std::uint64_t ends[2] = {};
    for (std::size_t i = 0; i < p.rows.size(); ++i) {
        const FieldRow& r = p.rows[i];
        w.number(static_cast<std::uint16_t>(r.path));
        if (r.path == PathCode::decoy) continue;
        const auto type = static_cast<std::uint8_t>(r.type), area = static_cast<std::uint8_t>(r.area);
        CHECK(type < 16);
        w.number(r.ordinal);
        w.u8(static_cast<std::uint8_t>(type | (i == computed ? kComputed : area) << 4));
        if (i == computed) continue;
        w.number(zigzag(ends[area], r.offset));
        w.number(r.length);
        ends[area] = r.offset + r.length;
    }
}

Status read_row(ByteReader& in, FieldRow& r, std::uint64_t (&ends)[2], bool& computed) {
    const std::uint64_t path = TRY(read_number(in));
    if (path > 0xFFFF) return damaged("unknown path");
    r.path = static_cast<PathCode>(path);
    if (r.path == PathCode::decoy) return {};
    const std::uint64_t ordinal = TRY(read_number(in));
    if (ordinal > 0xFFFF) return damaged("bad ordinal");
    r.ordinal = static_cast<std::uint16_t>(ordinal);
    const std::uint8_t kind = TRY(in.u8());
    r.type = static_cast<ValueType>(kind & 15);
    const auto area = static_cast<std::uint8_t>(kind >> 4);
    if (area > kComputed) return damaged("unknown area");
    if (area == kComputed) {
        if (computed || r.path != PathCode::raw || r.type != ValueType::raw)
            return damaged("a field can't be computed");
        computed = true;
        return {};
    }
    r.area = static_cast<Area>(area);
    r.offset = apply_zigzag(ends[area], TRY(read_number(in)));
    r.length = TRY(read_number(in));
    ends[area] = r.offset + r.length;
    return {};
}

Status read_step(ByteReader& in, RecipeStep& s) {
    const std::uint8_t kind = TRY(in.u8());
    if (kind < 1 || kind > 5) return damaged("unknown step");
    s.kind = static_cast<RecipeStep::Kind>(kind);
    s.offset = TRY(read_number(in));
    s.length = TRY(read_number(in));
    const std::uint64_t line = TRY(read_number(in));
    const std::uint8_t end = TRY(in.u8());
    s.ending = end & 15;
    if (line > 0xFFFF || line % 4 != 0 || s.ending < 1 || s.ending > 2 || end >> 4 > 1) return damaged("bad step");
    s.line = static_cast<std::uint16_t>(line);
    s.terminated = end >> 4 == 1;
    return {};
}

Status read_blob(ByteReader& in, BlobRef& b) {
    b.entry = EntryIndex(TRY(in.u64()));
    b.record = TRY(RecordId::from(TRY(in.take(16))));
    const ByteView secret = TRY(in.take(32));
    std::copy(secret.begin(), secret.end(), b.b.begin());
    b.size = TRY(in.u64());
    b.sha256 = TRY(Hash::from(TRY(in.take(32))));
    const std::uint8_t encoded = TRY(in.u8());
    if (encoded > 1) return damaged("bad blob");
    b.encoded = encoded == 1;
    b.attachment = TRY(in.u16());
    return {};
}

}  // namespace

std::uint8_t* store_number(std::uint8_t* at, std::uint64_t n) {
    CHECK(n >> 63 == 0);
    for (; n > 127; n >>= 7) *at++ = static_cast<std::uint8_t>(n | 128);
    *at++ = static_cast<std::uint8_t>(n);
    return at;
}

Result<std::uint64_t> read_number(ByteReader& in) {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        const std::uint8_t b = TRY(in.u8());
        n |= static_cast<std::uint64_t>(b & 127) << shift;
        if (b > 127) continue;
        if (b == 0 && shift != 0) return damaged("a number has zeros at its end");
        return n;
    }
    return damaged("a number is too large");
}

Bytes encode_compact(const Payload& p) {
    CHECK(p.rows.size() <= kMaxFieldCount && p.blobs.size() <= kMaxBlobs && p.recipe.size() <= kMaxSteps);
    const std::size_t computed = computed_row(p);
    const std::size_t values = p.value.size() - (computed != p.rows.size() ? kRawSize : 0);
    Bytes out(1 + 5 * kMostNumber + p.rows.size() * kMostRow + p.recipe.size() * kMostStep +
              p.blobs.size() * kBlobSize + p.literal.size() + values);
    Writer w(out.data());
    w.u8(kVersion);
    w.number(p.rows.size());
    write_rows(w, p, computed);
    w.number(p.recipe.size());
    for (const RecipeStep& s : p.recipe) {
        w.u8(static_cast<std::uint8_t>(s.kind));
        w.number(s.offset);
        w.number(s.length);
        w.number(s.line);
        w.u8(static_cast<std::uint8_t>(s.ending | (s.terminated ? 1 : 0) << 4));
    }
    w.number(p.blobs.size());
    for (const BlobRef& b : p.blobs) {
        w.u64(b.entry.value);
        w.bytes(b.record.view());
        w.bytes(b.b);
        w.u64(b.size);
        w.bytes(b.sha256.view());
        w.u8(b.encoded ? 1 : 0);
        w.u16(b.attachment);
    }
    w.number(p.literal.size());
    w.number(values);
    w.bytes(p.literal);
    w.bytes(ByteView(p.value).first(values));
    const auto size = static_cast<std::size_t>(w.at() - out.data());
    CHECK(size <= out.size());
    out.resize(size);
    return out;
}

Result<CompactPayload> decode_compact(ByteView original) {
    ByteReader in(original);
    CompactPayload out;
    Payload& p = out.payload;
    if (TRY(in.u8()) != kVersion) return damaged("unknown version");
    const std::uint64_t rows = TRY(read_number(in));
    if (rows > kMaxFieldCount) return damaged("too many fields");
    p.rows.resize(static_cast<std::size_t>(rows));
    std::uint64_t ends[2] = {};
    for (std::size_t i = 0; i < p.rows.size(); ++i) {
        TRY(read_row(in, p.rows[i], ends, p.raw_computed));
        if (p.raw_computed && !out.computed_raw) out.computed_raw = i;
    }
    const std::uint64_t steps = TRY(read_number(in));
    if (steps > kMaxSteps || steps > in.remaining() / 5) return damaged("too many steps");
    p.recipe.resize(static_cast<std::size_t>(steps));
    for (RecipeStep& s : p.recipe) TRY(read_step(in, s));
    const std::uint64_t blobs = TRY(read_number(in));
    if (blobs > kMaxBlobs) return damaged("too many blobs");
    if (blobs != 0 && p.raw_computed) return damaged("a field can't be computed");
    p.blobs.resize(static_cast<std::size_t>(blobs));
    for (BlobRef& b : p.blobs) TRY(read_blob(in, b));
    const std::uint64_t literal = TRY(read_number(in)), value = TRY(read_number(in));
    p.literal = to_bytes(TRY(in.take(literal)));
    p.value = to_bytes(TRY(in.take(value)));
    TRY(in.expect_end());
    return out;
}

Status complete_raw(CompactPayload& decoded) {
    if (!decoded.computed_raw) return {};
    Payload& p = decoded.payload;
    // Each byte of the value area stands in the source once at most: a hostile recipe can't keep a reader busy.
    std::uint64_t used = 0;
    for (const RecipeStep& s : p.recipe)
        used += s.kind == RecipeStep::Kind::literal ? 0 : std::min<std::uint64_t>(s.length, p.value.size() + 1);
    if (used > p.value.size()) return damaged("payload: the recipe uses values twice");
    Sha256 hash;
    std::uint64_t length = 0;
    TRY(give_raw(p, nullptr, [&](ByteView piece) {
        hash.update(piece);
        length += piece.size();
        return ok_status();
    }));
    p.rows[*decoded.computed_raw].offset = p.value.size();
    p.rows[*decoded.computed_raw].length = kRawSize;
    put_u64(p.value, length);
    put(p.value, hash.finish().view());
    return {};
}

}  // namespace kustos::vault
