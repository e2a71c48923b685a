#include "vault/seal.h"

#include <algorithm>
#include <bit>

#include "base/compress.h"
#include "vault/src/dictionary.h"
#include "vault/src/payload_compact.h"
#include "vault/src/payload_keys.h"
#include "vault/stream_cipher.h"

namespace kustos::vault {

namespace {

constexpr std::uint64_t kMaxOriginal = 2ull << 30;

Bytes info(std::string_view purpose, const audit::EntryHeader& header, bool with_suite) {
    Bytes out = to_bytes(purpose);
    if (with_suite) put_u8(out, static_cast<std::uint8_t>(header.suite));
    put(out, header.record.view());
    return out;
}

struct Commitments {
    std::vector<std::array<std::uint8_t, 32>> salts;
    std::vector<Hash> commitments;
};

Commitments commit_fields(ByteView seed, const RecordId& record, const Payload& payload) {
    Commitments c;
    c.salts = field_salts(seed, payload.rows.size());
    c.commitments.reserve(payload.rows.size());
    for (std::size_t i = 0; i < payload.rows.size(); ++i) {
        const FieldRow& r = payload.rows[i];
        const ByteView value = payload.field(r);
        const auto head = audit::encode_field_head(record, c.salts[i], static_cast<std::uint16_t>(i),
                                                   static_cast<std::uint16_t>(r.path), r.ordinal,
                                                   static_cast<std::uint8_t>(r.type), value.size());
        c.commitments.push_back(audit::field_commitment(head, value));
    }
    return c;
}

}  // namespace

PayloadKeys derive_keys(const VaultId& vault, ByteView dek, const audit::EntryHeader& header) {
    const SecretBytes prk = hkdf_extract(vault.view(), dek);
    PayloadKeys k;
    k.encryption = hkdf_expand(prk.view(), info("kustos1/enc", header, true), 32);
    k.seed = hkdf_expand(prk.view(), info("kustos1/salt", header, false), 32);
    hkdf_expand_into(prk.view(), info("kustos1/kc", header, false), k.commitment.bytes);
    return k;
}

std::vector<std::array<std::uint8_t, 32>> field_salts(ByteView seed, std::size_t count) {
    std::vector<std::array<std::uint8_t, 32>> salts(count);
    if (count != 0) aes256_ctr_keystream(seed, {salts.front().data(), count * 32});
    return salts;
}

std::uint64_t padded_size(std::uint64_t size) {
    if (size <= 2048) return (size + 63) / 64 * 64;
    // Padmé: the low bits that may differ are log2(size) - (log2(log2(size)) + 1).
    const auto e = static_cast<unsigned>(std::bit_width(size) - 1);
    const auto s = static_cast<unsigned>(std::bit_width(e));
    const std::uint64_t mask = (std::uint64_t{1} << (e - s)) - 1;
    return (size + mask) & ~mask;
}

namespace {

// What is encrypted: the end of some bytes, from `begin` on.
struct Plaintext {
    Bytes bytes;
    std::size_t begin = 0;
    std::uint8_t compression = 0;
    std::size_t stored() const { return bytes.size() - kRoom; }
    // zstd writes behind the room of the largest envelope: 2 bytes, and two numbers.
    static constexpr std::size_t kRoom = 2 + 9 + 9;
};

void store_envelope(Plaintext& p, std::uint8_t version, std::size_t original) {
    std::uint8_t envelope[Plaintext::kRoom] = {version, p.compression};
    std::size_t length = kEnvelope;
    if (version == 1) {
        store_u64(envelope + 2, p.stored());
        store_u64(envelope + 10, original);
    } else {
        length = static_cast<std::size_t>(store_number(store_number(envelope + 2, p.stored()), original) - envelope);
    }
    p.begin = Plaintext::kRoom - length;
    std::copy_n(envelope, length, p.bytes.begin() + static_cast<std::ptrdiff_t>(p.begin));
}

// Blobs keep version 1: a reader that gets one in pieces knows where its head ends.
Result<Plaintext> make_plaintext(bool blob, const Payload& payload) {
    const Bytes original = blob ? encode(payload) : encode_compact(payload);
    if (original.size() > kMaxOriginal) return Error(Code::limit, "one entry's payload has more than 2 GiB");
    Plaintext p;
    p.bytes.resize(Plaintext::kRoom);
    const bool small = !blob && original.size() <= kDictionaryUpTo;
    const bool compressed = zstd_append(original, kCompressionLevel, p.bytes, small ? &dictionary_1() : nullptr);
    if (!compressed) put(p.bytes, original);
    p.compression = !compressed ? 0 : small ? 2 : 1;
    store_envelope(p, blob ? 1 : 2, original.size());
    p.bytes.resize(p.begin + static_cast<std::size_t>(padded_size(p.bytes.size() - p.begin)), 0);
    return p;
}

}  // namespace

Result<SealedPayload> seal_payload(const VaultId& vault, ByteView dek, audit::EntryHeader header, ByteView body,
                                   const Payload& payload) {
    CHECK(header.suite != audit::Suite::none && dek.size() == 32);
    CHECK(payload.rows.size() <= kMaxFieldCount);
    const PayloadKeys d = derive_keys(vault, dek, header);
    const Commitments c = commit_fields(d.seed.view(), header.record, payload);
    header.field_count = static_cast<std::uint16_t>(payload.rows.size());
    header.content_root = audit::content_root(d.commitment, audit::field_root(c.commitments));

    Plaintext plaintext = TRY(make_plaintext(header.kind == audit::Kind::blob, payload));
    SealedPayload out;
    out.ciphertext = stream_seal(header.suite, d.encryption.view(), audit::chunk_aad(vault, header, body),
                                 ByteView(plaintext.bytes).subspan(plaintext.begin));
    wipe(plaintext.bytes);
    header.ciphertext_length = out.ciphertext.size();
    header.ciphertext_hash = sha256(out.ciphertext);
    out.header = header;
    return out;
}

SecretBytes blob_dek(ByteView leaf_dek, const std::array<std::uint8_t, 32>& b) {
    return hkdf_extract(leaf_dek, b);
}

Result<SealedPayload> seal_blob(const VaultId& vault, ByteView leaf_dek, audit::EntryHeader header,
                                const BlobDraft& draft, const std::array<std::uint8_t, 32>& b) {
    const SecretBytes dek = blob_dek(leaf_dek, b);
    return seal_payload(vault, dek.view(), std::move(header), {}, compose_blob(draft.content));
}

namespace {

Result<Payload> read_plaintext(ByteView plaintext) {
    ByteReader in(plaintext);
    const std::uint8_t version = TRY(in.u8()), compression = TRY(in.u8());
    if (version != 1 && version != 2) return Error(Code::corrupt, "payload: unknown version");
    const std::uint64_t stored_size = TRY(version == 1 ? in.u64() : read_number(in));
    const std::uint64_t original_size = TRY(version == 1 ? in.u64() : read_number(in));
    if (original_size > kMaxOriginal || stored_size > in.remaining())
        return Error(Code::corrupt, "payload: lengths don't fit");
    const ByteView stored = TRY(in.take(stored_size));
    const ByteView padding = TRY(in.take(in.remaining()));
    if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t b) { return b != 0; }))
        return Error(Code::corrupt, "payload: padding is not zero");
    if (compression == 0 && stored_size == original_size) return decode_payload(stored);
    if (compression != 1 && compression != 2) return Error(Code::corrupt, "payload: unknown compression");
    const ZstdDictionary* dictionary = compression == 2 ? &dictionary_1() : nullptr;
    return decode_payload(TRY(zstd_decompress(stored, original_size, dictionary)));
}

}  // namespace

Result<OpenedPayload> open_payload(const VaultId& vault, ByteView dek, const audit::EntryHeader& header, ByteView body,
                                   ByteView ciphertext) {
    if (header.suite == audit::Suite::none) return Error(Code::not_found, "this entry has no sealed payload");
    if (ciphertext.size() != header.ciphertext_length || !(sha256(ciphertext) == header.ciphertext_hash)) {
        return Error(Code::corrupt, "the ciphertext is not the one that was sealed");
    }
    const PayloadKeys d = derive_keys(vault, dek, header);
    Bytes plaintext =
        TRY(stream_open(header.suite, d.encryption.view(), audit::chunk_aad(vault, header, body), ciphertext));
    OpenedPayload out;
    out.payload = TRY(read_plaintext(plaintext));
    wipe(plaintext);
    Commitments c = commit_fields(d.seed.view(), header.record, out.payload);
    if (out.payload.rows.size() != header.field_count ||
        !(audit::content_root(d.commitment, audit::field_root(c.commitments)) == header.content_root)) {
        return Error(Code::corrupt, "the content does not match its commitments");
    }
    out.record = header.record;
    out.key_commitment = d.commitment;
    out.salts = std::move(c.salts);
    out.commitments = std::move(c.commitments);
    return out;
}

}  // namespace kustos::vault
