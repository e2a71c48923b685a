#include "vault/payload.h"

#include <algorithm>
#include <utility>

#include "vault/src/payload_compact.h"

namespace kustos::vault {

namespace {

constexpr std::size_t kRowSize = 2 + 2 + 1 + 1 + 8 + 8;
constexpr std::size_t kStepSize = 1 + 8 + 8 + 2 + 1 + 1;
constexpr std::size_t kBlobSize = 8 + 16 + 32 + 8 + 32 + 1 + 2;
constexpr std::size_t kMaxSteps = 100'000;
constexpr std::size_t kMaxBlobs = 4096;

Error damaged(const char* what) {
    return Error(Code::corrupt, std::string("payload: ") + what);
}

}  // namespace

ByteView Payload::field(const FieldRow& row) const {
    const Bytes& area = row.area == Area::literal ? literal : value;
    return ByteView(area).subspan(static_cast<std::size_t>(row.offset), static_cast<std::size_t>(row.length));
}

bool Payload::operator==(const Payload& other) const {
    return rows == other.rows && recipe == other.recipe && blobs == other.blobs && literal == other.literal &&
           value == other.value;
}

std::uint64_t Composed::approximate_size() const {
    std::uint64_t n = payload.literal.size() + payload.value.size() + payload.rows.size() * kRowSize;
    for (const BlobDraft& b : blobs) n += b.size();
    return n;
}

void Composed::set_blob(const BlobDraft& draft, EntryIndex entry, const RecordId& record,
                        const std::array<std::uint8_t, 32>& b) {
    BlobRef& ref = payload.blobs.at(draft.number);
    ref.entry = entry;
    ref.record = record;
    ref.b = b;
}

namespace {
// Writes numbers where there is room for them: what appends byte by byte costs more than hashing what it appends.
class Writer {
public:
    explicit Writer(std::uint8_t* at) : at_(at) {}
    void u8(std::uint8_t v) { *at_++ = v; }
    void u16(std::uint16_t v) { store_u16(std::exchange(at_, at_ + 2), v); }
    void u32(std::uint32_t v) { store_u32(std::exchange(at_, at_ + 4), v); }
    void u64(std::uint64_t v) { store_u64(std::exchange(at_, at_ + 8), v); }
    void bytes(ByteView v) { at_ = std::copy(v.begin(), v.end(), at_); }
    const std::uint8_t* at() const { return at_; }

private:
    std::uint8_t* at_;
};
}  // namespace

Bytes encode(const Payload& p) {
    CHECK(p.rows.size() <= kMaxFieldCount && p.blobs.size() <= kMaxBlobs && p.recipe.size() <= kMaxSteps);
    const std::size_t head =
        1 + 2 + p.rows.size() * kRowSize + 4 + p.recipe.size() * kStepSize + 2 + p.blobs.size() * kBlobSize + 8 + 8;
    Bytes out;
    out.reserve(head + p.literal.size() + p.value.size());
    out.resize(head);
    Writer w(out.data());
    w.u8(1);  // version of this encoding
    w.u16(static_cast<std::uint16_t>(p.rows.size()));
    for (const FieldRow& r : p.rows) {
        w.u16(static_cast<std::uint16_t>(r.path));
        w.u16(r.ordinal);
        w.u8(static_cast<std::uint8_t>(r.type));
        w.u8(static_cast<std::uint8_t>(r.area));
        w.u64(r.offset);
        w.u64(r.length);
    }
    w.u32(static_cast<std::uint32_t>(p.recipe.size()));
    for (const RecipeStep& s : p.recipe) {
        w.u8(static_cast<std::uint8_t>(s.kind));
        w.u64(s.offset);
        w.u64(s.length);
        w.u16(s.line);
        w.u8(s.ending);
        w.u8(s.terminated ? 1 : 0);
    }
    w.u16(static_cast<std::uint16_t>(p.blobs.size()));
    for (const BlobRef& b : p.blobs) {
        w.u64(b.entry.value);
        w.bytes(b.record.view());
        w.bytes(b.b);
        w.u64(b.size);
        w.bytes(b.sha256.view());
        w.u8(b.encoded ? 1 : 0);
        w.u16(b.attachment);
    }
    w.u64(p.literal.size());
    w.u64(p.value.size());
    CHECK(w.at() == out.data() + head);
    put(out, p.literal);
    put(out, p.value);
    return out;
}

namespace {

Result<Payload> decode_fields(ByteView original) {
    ByteReader in(original);
    Payload p;
    if (TRY(in.u8()) != 1) return damaged("unknown version");
    const std::uint16_t rows = TRY(in.u16());
    if (rows > kMaxFieldCount) return damaged("too many fields");
    p.rows.resize(rows);
    for (FieldRow& r : p.rows) {
        r.path = static_cast<PathCode>(TRY(in.u16()));
        r.ordinal = TRY(in.u16());
        r.type = static_cast<ValueType>(TRY(in.u8()));
        const std::uint8_t area = TRY(in.u8());
        if (area > 1) return damaged("unknown area");
        r.area = static_cast<Area>(area);
        r.offset = TRY(in.u64());
        r.length = TRY(in.u64());
    }
    const std::uint32_t steps = TRY(in.u32());
    if (steps > kMaxSteps || steps > in.remaining() / 21) return damaged("too many steps");
    p.recipe.resize(steps);
    for (RecipeStep& s : p.recipe) {
        const std::uint8_t kind = TRY(in.u8());
        if (kind < 1 || kind > 5) return damaged("unknown step");
        s.kind = static_cast<RecipeStep::Kind>(kind);
        s.offset = TRY(in.u64());
        s.length = TRY(in.u64());
        s.line = TRY(in.u16());
        s.ending = TRY(in.u8());
        const std::uint8_t terminated = TRY(in.u8());
        if (s.ending < 1 || s.ending > 2 || terminated > 1 || s.line % 4 != 0) return damaged("bad step");
        s.terminated = terminated == 1;
    }
    const std::uint16_t blobs = TRY(in.u16());
    if (blobs > kMaxBlobs) return damaged("too many blobs");
    p.blobs.resize(blobs);
    for (BlobRef& b : p.blobs) {
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
    }
    const std::uint64_t literal = TRY(in.u64()), value = TRY(in.u64());
    p.literal = to_bytes(TRY(in.take(literal)));
    p.value = to_bytes(TRY(in.take(value)));
    TRY(in.expect_end());
    return p;
}

bool within(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
    return offset <= size && length <= size - offset;
}

}  // namespace

namespace {
// Fields and steps lie inside their areas.
Status check_payload(const Payload& p) {
    for (const FieldRow& r : p.rows) {
        if (!within(r.offset, r.length, r.area == Area::literal ? p.literal.size() : p.value.size()))
            return damaged("a field lies outside its area");
        if ((r.path == PathCode::decoy) != (r.type == ValueType::none)) return damaged("a decoy has a type");
        if (r.path == PathCode::decoy && r.length != 0) return damaged("a decoy has a value");
    }
    std::uint64_t literal = 0;
    for (const RecipeStep& s : p.recipe) {
        switch (s.kind) {
            case RecipeStep::Kind::literal:
                if (s.length > p.literal.size() - literal) return damaged("a step lies outside its area");
                literal += s.length;
                break;
            case RecipeStep::Kind::value:
            case RecipeStep::Kind::value_base64:
                if (!within(s.offset, s.length, p.value.size())) return damaged("a step lies outside its area");
                break;
            case RecipeStep::Kind::blob:
            case RecipeStep::Kind::blob_base64:
                if (s.offset >= p.blobs.size()) return damaged("a step names a blob that is not there");
                break;
        }
    }
    return {};
}
}  // namespace

Result<Payload> decode_payload(ByteView original) {
    CompactPayload decoded;
    if (!original.empty() && original[0] == 2) {
        auto compact = decode_compact(original);
        if (!compact.ok()) return Error(Code::corrupt, "payload: " + compact.error().message());
        decoded = std::move(*compact);
    } else {
        auto fixed = decode_fields(original);
        if (!fixed.ok()) return Error(Code::corrupt, "payload: " + fixed.error().message());
        decoded.payload = std::move(*fixed);
    }
    TRY(check_payload(decoded.payload));
    TRY(complete_raw(decoded));
    return std::move(decoded.payload);
}

std::uint64_t blob_chunk(std::uint64_t size) {
    std::uint64_t chunk = kBlobChunk;
    while ((size + chunk - 1) / chunk > kMaxFieldCount - 8) chunk *= 2;
    return chunk;
}

std::vector<FieldRow> blob_rows(std::uint64_t size) {
    const std::uint64_t chunk = blob_chunk(size);
    std::vector<FieldRow> rows;
    for (std::uint64_t at = 0; at < size || rows.empty(); at += chunk) {
        rows.push_back({PathCode::attachment_content, static_cast<std::uint16_t>(rows.size()), ValueType::bytes,
                        Area::value, at, std::min(chunk, size - at)});
    }
    while (rows.size() % 8 != 0) rows.push_back({});
    return rows;
}

Payload compose_blob(Bytes content) {
    Payload p;
    p.value = std::move(content);
    p.rows = blob_rows(p.value.size());
    return p;
}

Status give_raw(const Payload& p, const BlobFetcher& fetch, const ByteSink& give) {
    const auto value = [&p](const RecipeStep& s) {
        return ByteView(p.value).subspan(static_cast<std::size_t>(s.offset), static_cast<std::size_t>(s.length));
    };
    std::size_t literal = 0;
    for (const RecipeStep& s : p.recipe) {
        switch (s.kind) {
            case RecipeStep::Kind::literal:
                TRY(give(ByteView(p.literal).subspan(literal, static_cast<std::size_t>(s.length))));
                literal += static_cast<std::size_t>(s.length);
                break;
            case RecipeStep::Kind::value:
                TRY(give(value(s)));
                break;
            case RecipeStep::Kind::value_base64:
                TRY(give(encode_base64_lines(value(s), s)));
                break;
            case RecipeStep::Kind::blob:
                TRY(fetch(p.blobs[static_cast<std::size_t>(s.offset)], give));
                break;
            case RecipeStep::Kind::blob_base64: {
                Base64LineEncoder encoder(s, give);
                TRY(fetch(p.blobs[static_cast<std::size_t>(s.offset)],
                          [&encoder](ByteView piece) { return encoder.write(piece); }));
                TRY(encoder.finish());
                break;
            }
        }
    }
    return {};
}

Status reconstruct_raw(const OpenedPayload& opened, const BlobFetcher& fetch, const ByteSink& sink) {
    const Payload& p = opened.payload;
    Sha256 hash;
    std::uint64_t length = 0;
    TRY(give_raw(p, fetch, [&](ByteView piece) {
        hash.update(piece);
        length += piece.size();
        return sink(piece);
    }));
    for (const FieldRow& r : p.rows) {
        if (r.path != PathCode::raw) continue;
        Bytes wanted;
        put_u64(wanted, length);
        put(wanted, hash.finish().view());
        if (!equal(p.field(r), wanted)) return Error(Code::corrupt, "the source's bytes can't be given back exactly");
        return {};
    }
    return Error(Code::not_found, "this entry has no source bytes");
}

Result<Bytes> blob_content(const OpenedPayload& opened) {
    Bytes out;
    for (const FieldRow& r : opened.payload.rows) {
        if (r.path == PathCode::attachment_content) put(out, opened.payload.field(r));
    }
    return out;
}

Status write_attachment(const OpenedPayload& opened, std::size_t number, const BlobFetcher& fetch,
                        const ByteSink& sink) {
    for (const BlobRef& b : opened.payload.blobs) {
        if (b.attachment != number) continue;
        if (!b.encoded) return fetch(b, sink);
        LenientBase64Decoder decoder;
        Bytes plain;
        TRY(fetch(b, [&](ByteView piece) {
            plain.clear();
            decoder.write(piece, plain);
            return sink(plain);
        }));
        plain.clear();
        decoder.finish(plain);
        return sink(plain);
    }
    for (const FieldRow& r : opened.payload.rows) {
        if (r.path == PathCode::attachment_content && r.ordinal == number) return sink(opened.payload.field(r));
    }
    return Error(Code::not_found, "this attachment was not delivered by the source");
}

Result<Bytes> attachment_content(const OpenedPayload& opened, std::size_t number, const BlobFetcher& fetch) {
    Bytes out;
    TRY(write_attachment(opened, number, fetch, [&out](ByteView piece) {
        put(out, piece);
        return ok_status();
    }));
    return out;
}

std::string field_text(const OpenedPayload& opened, PathCode path) {
    for (const FieldRow& r : opened.payload.rows) {
        if (r.path == path) return to_text(opened.payload.field(r));
    }
    return {};
}

Bytes field_bytes(const OpenedPayload& opened, PathCode path) {
    for (const FieldRow& r : opened.payload.rows) {
        if (r.path == path) return to_bytes(opened.payload.field(r));
    }
    return {};
}

MatterText matter_text(const OpenedPayload& opened) {
    return {field_text(opened, PathCode::actor),      field_text(opened, PathCode::legal_ground),
            field_text(opened, PathCode::label),      field_text(opened, PathCode::query),
            field_text(opened, PathCode::scope),      field_bytes(opened, PathCode::entry_set),
            field_bytes(opened, PathCode::checksums), field_bytes(opened, PathCode::coverage),
            field_bytes(opened, PathCode::unsearched)};
}

std::optional<CoverageCounts> coverage_of(const OpenedPayload& opened) {
    const Bytes bytes = field_bytes(opened, PathCode::coverage);
    CoverageCounts counts{};
    if (bytes.size() < counts.size() * 8) return std::nullopt;
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = load_u64(bytes.data() + i * 8);
    return counts;
}

std::optional<Unsearched> unsearched_of(const OpenedPayload& opened) {
    auto said = audit::decode_unsearched(field_bytes(opened, PathCode::unsearched));
    if (!said.ok()) return std::nullopt;
    return std::move(*said);
}

}  // namespace kustos::vault
