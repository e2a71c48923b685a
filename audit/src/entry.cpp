// Header of an entry and the commitments of sealing.md. Bodies: entry_body.cpp.
#include "audit/entry.h"

#include <cstring>

#include <algorithm>

#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::uint8_t kMagic = 0x4B;
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kFieldVersion = 1;
constexpr std::uint64_t kGcmTagBytes = 16;

Error refuse(const char* why) {
    return Error(Code::bad_input, std::string("entry header: ") + why);
}

bool carries_body(Kind kind) {
    return kind != Kind::record && kind != Kind::blob;
}

// What the bytes can't say wrong by themselves: fields that depend on each other.
Status check_header(const EntryHeader& h) {
    if (h.suite == Suite::none) {
        if (!carries_body(h.kind)) return refuse("a record or blob without a sealed payload");
        const bool zero = h.tree.value == 0 && h.leaf.value == 0 && h.field_count == 0 && h.content_root.is_zero() &&
                          h.ciphertext_length == 0 && h.ciphertext_hash.is_zero();
        if (!zero) return refuse("suite 0 with fields that must be zero");
        return {};
    }
    if (h.tree.value == 0) return refuse("a sealed payload without a key tree");
    if (h.leaf.value >= kLeavesPerKeyTree) return refuse("leaf number beyond the key tree");
    if (h.field_count == 0 || h.field_count > kMaxFields) return refuse("field count");
    if (h.ciphertext_length < kGcmTagBytes || h.ciphertext_length > kMaxCiphertext) {
        return refuse("ciphertext length");
    }
    return {};
}

Status check_body(const EntryHeader& h, ByteView body) {
    if (!carries_body(h.kind)) {
        if (!body.empty()) return Error(Code::bad_input, "a record or blob with a public body");
        return {};
    }
    const BodyReader rows = TRY_IN("public body", BodyReader::parse(body));
    if (!rows.find_u16(Tag::action)) return Error(Code::bad_input, "public body: not exactly one action");
    return {};
}

void put_part_a(Bytes& out, const EntryHeader& h) {
    put_u8(out, kMagic);
    put_u8(out, kVersion);
    put_u8(out, static_cast<std::uint8_t>(h.kind));
    put_u8(out, static_cast<std::uint8_t>(h.suite));
    put_u16(out, h.retention_class.value);
    put_u32(out, h.source.value);
    put_u64(out, h.sequence);
    put(out, h.record.view());
    put_u32(out, h.tree.value);
    put_u32(out, h.leaf.value);
    put_u16(out, h.field_count);
    put(out, h.content_root.view());
}

Hash tagged(std::uint8_t tag, ByteView bytes) {
    return sha256({ByteView(&tag, 1), bytes});
}

}  // namespace

Bytes part_a(const EntryHeader& header) {
    Bytes out;
    out.reserve(kPartASize);
    put_part_a(out, header);
    return out;
}

Bytes encode_header(const EntryHeader& header) {
    CHECK(check_header(header).ok());
    Bytes out;
    out.reserve(kHeaderSize);
    put_part_a(out, header);
    put_u64(out, header.ciphertext_length);
    put(out, header.ciphertext_hash.view());
    return out;
}

Bytes encode(const Entry& entry) {
    CHECK(entry.body.size() <= kMaxBody);
    CHECK(check_body(entry.header, entry.body).ok());
    Bytes out = encode_header(entry.header);
    put(out, entry.body);
    return out;
}

Result<EntryHeader> decode_header(ByteView bytes) {
    ByteReader in(bytes);
    if (bytes.size() < kHeaderSize) return refuse("shorter than 116 bytes");
    if (TRY(in.u8()) != kMagic) return refuse("magic");
    if (TRY(in.u8()) != kVersion) return refuse("version");
    EntryHeader h;
    const std::uint8_t kind = TRY(in.u8());
    if (kind < 1 || kind > 5) return refuse("unknown kind");
    h.kind = static_cast<Kind>(kind);
    const std::uint8_t suite = TRY(in.u8());
    if (suite > 2) return refuse("unknown suite");
    h.suite = static_cast<Suite>(suite);
    h.retention_class.value = TRY(in.u16());
    h.source.value = TRY(in.u32());
    h.sequence = TRY(in.u64());
    h.record = TRY(RecordId::from(TRY(in.take(RecordId::kSize))));
    h.tree.value = TRY(in.u32());
    h.leaf.value = TRY(in.u32());
    h.field_count = TRY(in.u16());
    h.content_root = TRY(Hash::from(TRY(in.take(Hash::kSize))));
    h.ciphertext_length = TRY(in.u64());
    h.ciphertext_hash = TRY(Hash::from(TRY(in.take(Hash::kSize))));
    TRY(check_header(h));
    return h;
}

Result<Entry> decode_entry(ByteView bytes) {
    if (bytes.size() > kHeaderSize + kMaxBody) return Error(Code::bad_input, "entry longer than 65,535 bytes");
    Entry entry;
    entry.header = TRY(decode_header(bytes));
    const ByteView body = bytes.subspan(kHeaderSize);
    TRY(check_body(entry.header, body));
    entry.body = to_bytes(body);
    return entry;
}

Hash chunk_aad(const VaultId& vault, const EntryHeader& header, ByteView body) {
    return sha256({vault.view(), part_a(header), sha256(body).view()});
}

Hash content_root(const Hash& key_commitment, const Hash& root_of_fields) {
    constexpr std::uint8_t tag = 0x02;
    return sha256({ByteView(&tag, 1), key_commitment.view(), root_of_fields.view()});
}

Hash field_commitment(ByteView encoded_field) {
    return tagged(0x03, encoded_field);
}

Hash field_root(std::span<const Hash> commitments) {
    static_assert(sizeof(Hash) == Hash::kSize);
    return tagged(0x04, {reinterpret_cast<const std::uint8_t*>(commitments.data()), commitments.size_bytes()});
}

std::array<std::uint8_t, kFieldHead> encode_field_head(const RecordId& record, ByteView salt32, std::uint16_t i,
                                                       std::uint16_t path, std::uint16_t ordinal, std::uint8_t type,
                                                       std::uint64_t length) {
    CHECK(salt32.size() == 32);
    std::array<std::uint8_t, kFieldHead> out{};
    out[0] = kFieldVersion;
    std::copy_n(record.bytes.begin(), RecordId::kSize, out.begin() + 1);
    std::copy_n(salt32.begin(), 32, out.begin() + 17);
    store_u16(out.data() + 49, i);
    store_u16(out.data() + 51, path);
    store_u16(out.data() + 53, ordinal);
    out[55] = type;
    store_u64(out.data() + 56, length);
    return out;
}

Hash field_commitment(ByteView field_head, ByteView value) {
    CHECK(field_head.size() == kFieldHead);
    constexpr std::uint8_t kTag = 0x03;
    return sha256({ByteView(&kTag, 1), field_head, value});
}

Bytes encode_field(const RecordId& record, ByteView salt32, std::uint16_t i, std::uint16_t path, std::uint16_t ordinal,
                   std::uint8_t type, ByteView value) {
    const auto head = encode_field_head(record, salt32, i, path, ordinal, type, value.size());
    Bytes out;
    out.reserve(head.size() + value.size());
    put(out, head);
    put(out, value);
    return out;
}

}  // namespace kustos::audit
