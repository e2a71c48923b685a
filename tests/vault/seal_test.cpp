#include "vault/seal.h"

#include <doctest/doctest.h>

#include "vault/stream_cipher.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

struct Sealed {
    VaultId vault;
    Bytes dek = Bytes(32, 7);
    SealedPayload sealed;
};

Sealed seal_message(std::size_t body) {
    SeededRandom random(3);
    Sealed s;
    s.vault = random.make<VaultId>();
    Message m;
    m.body = std::string(body, 'a');
    for (std::size_t i = 0; i < m.body.size(); ++i) m.body[i] = static_cast<char>('a' + random.next() % 26);
    m.raw = to_bytes(m.body);
    auto composed = compose(m);
    REQUIRE(composed.ok());
    audit::EntryHeader h;
    h.kind = audit::Kind::record;
    h.suite = audit::Suite::aes256_gcm;
    h.retention_class = ClassCode(100);
    h.source = SourceId(3);
    h.sequence = 9;
    h.record = random.make<RecordId>();
    h.tree = KeyTreeId(1);
    h.leaf = LeafNumber(5);
    auto sealed = seal_payload(s.vault, s.dek, h, {}, composed->payload);
    REQUIRE(sealed.ok());
    s.sealed = std::move(*sealed);
    return s;
}

}  // namespace

TEST_CASE("what was sealed opens, and its commitments are the header's") {
    const Sealed s = seal_message(100'000);
    auto opened = open_payload(s.vault, s.dek, s.sealed.header, {}, s.sealed.ciphertext);
    REQUIRE(opened.ok());
    CHECK(opened->payload.rows.size() == s.sealed.header.field_count);
    CHECK(audit::content_root(opened->key_commitment, audit::field_root(opened->commitments)) ==
          s.sealed.header.content_root);
    // one field by hand, as an expert does it
    const FieldRow& row = opened->payload.rows[2];
    const Bytes f =
        audit::encode_field(s.sealed.header.record, opened->salts[2], 2, static_cast<std::uint16_t>(row.path),
                            row.ordinal, static_cast<std::uint8_t>(row.type), opened->payload.field(row));
    Bytes prefixed{0x03};
    put(prefixed, f);
    CHECK(sha256(prefixed) == opened->commitments[2]);
}

TEST_CASE("another key, another entry, a changed, cut or reordered ciphertext: refused") {
    const Sealed s = seal_message(400'000);
    const auto refused = [&](const audit::EntryHeader& h, const Bytes& dek, const Bytes& ciphertext,
                             ByteView body = {}) {
        audit::EntryHeader fitted = h;
        fitted.ciphertext_length = ciphertext.size();
        fitted.ciphertext_hash = sha256(ciphertext);
        return !open_payload(s.vault, dek, fitted, body, ciphertext).ok();
    };
    CHECK(refused(s.sealed.header, Bytes(32, 8), s.sealed.ciphertext));
    audit::EntryHeader h = s.sealed.header;
    h.sequence += 1;
    CHECK(refused(h, s.dek, s.sealed.ciphertext));
    h = s.sealed.header;
    h.record.bytes[0] ^= 1;
    CHECK(refused(h, s.dek, s.sealed.ciphertext));
    h = s.sealed.header;
    h.content_root.bytes[0] ^= 1;
    CHECK(refused(h, s.dek, s.sealed.ciphertext));
    CHECK(refused(s.sealed.header, s.dek, s.sealed.ciphertext, as_bytes("body")));
    Bytes c = s.sealed.ciphertext;
    c[c.size() / 2] ^= 1;
    CHECK(refused(s.sealed.header, s.dek, c));
    c = s.sealed.ciphertext;
    c.resize(kChunk + kGcmTag);  // whole chunks, but not the last
    CHECK(refused(s.sealed.header, s.dek, c));
    c = s.sealed.ciphertext;
    std::swap_ranges(c.begin(), c.begin() + kChunk + kGcmTag, c.begin() + kChunk + kGcmTag);
    CHECK(refused(s.sealed.header, s.dek, c));
    CHECK_FALSE(refused(s.sealed.header, s.dek, s.sealed.ciphertext));
    // a ciphertext whose hash is not the header's is refused before any key is used
    c = s.sealed.ciphertext;
    c[0] ^= 1;
    CHECK(open_payload(s.vault, s.dek, s.sealed.header, {}, c).error().code() == Code::corrupt);
}

TEST_CASE("a stream of every size comes back, and a second way to write it is refused") {
    const Bytes key(32, 1);
    const Hash aad = sha256(as_bytes("aad"));
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 2 * kChunk + 5}) {
        const Bytes plain(size, 'x');
        Bytes sealed = stream_seal(audit::Suite::aes256_gcm, key, aad, plain);
        CHECK(sealed.size() == sealed_size(size));
        CHECK(stream_open(audit::Suite::aes256_gcm, key, aad, sealed).value() == plain);
        CHECK_FALSE(stream_open(audit::Suite::aes256_gcm, key, sha256(as_bytes("other")), sealed).ok());
        if (size > 0)
            CHECK_FALSE(
                stream_open(audit::Suite::aes256_gcm, key, aad, ByteView(sealed).first(sealed.size() - 1)).ok());
        put(sealed, stream_seal(audit::Suite::aes256_gcm, key, aad, {}));
        CHECK_FALSE(stream_open(audit::Suite::aes256_gcm, key, aad, sealed).ok());
    }
}

TEST_CASE("sizes are hidden in steps") {
    CHECK(padded_size(1) == 64);
    CHECK(padded_size(64) == 64);
    CHECK(padded_size(65) == 128);
    CHECK(padded_size(2048) == 2048);
    CHECK(padded_size(2049) == 2176);  // 11 bits of exponent, 4 of its own length: steps of 128
    std::uint64_t before = 0;
    for (std::uint64_t n = 1; n < 5'000'000; n += 997) {
        const std::uint64_t p = padded_size(n);
        CHECK(p >= n);
        CHECK(p >= before);
        CHECK(static_cast<double>(p) <= static_cast<double>(n) * 1.12 + 64);
        before = p;
    }
}

TEST_CASE("a blob needs its leaf and the secret kept with its record") {
    SystemRandom random;
    const VaultId vault = random.make<VaultId>();
    audit::EntryHeader h;
    h.kind = audit::Kind::blob;
    h.suite = audit::Suite::aes256_gcm;
    h.record = random.make<RecordId>();
    h.tree = KeyTreeId(1);
    BlobDraft draft;
    draft.content = Bytes(3 * kBlobChunk + 7, 'b');
    std::array<std::uint8_t, 32> b{};
    random.fill(b);
    auto blob = seal_blob(vault, Bytes(32, 1), h, draft, b);
    REQUIRE(blob.ok());
    auto opened = open_payload(vault, blob_dek(Bytes(32, 1), b).view(), blob->header, {}, blob->ciphertext);
    REQUIRE(opened.ok());
    CHECK(blob_content(*opened).value() == draft.content);
    CHECK(opened->payload.rows.size() == 8);
    CHECK_FALSE(open_payload(vault, blob_dek(Bytes(32, 2), b).view(), blob->header, {}, blob->ciphertext).ok());
    auto other = b;
    other[0] ^= 1;
    CHECK_FALSE(open_payload(vault, blob_dek(Bytes(32, 1), other).view(), blob->header, {}, blob->ciphertext).ok());
}
