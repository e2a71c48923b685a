#include "vault/blob_stream.h"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.h"
#include "vault/payload.h"
#include "vault/seal.h"
#include "vault/stream_cipher.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

constexpr audit::Suite kSuites[] = {audit::Suite::aes256_gcm, audit::Suite::xchacha20_poly1305};
const Bytes kLeaf(32, 1);

audit::EntryHeader header_of(audit::Suite suite, std::uint64_t seed = 1) {
    SeededRandom random(seed);
    audit::EntryHeader h;
    h.kind = audit::Kind::blob;
    h.suite = suite;
    h.source = SourceId(3);
    h.sequence = seed;
    h.record = random.make<RecordId>();
    h.tree = KeyTreeId(1);
    h.leaf = LeafNumber(static_cast<std::uint32_t>(seed));
    return h;
}

Bytes noise(std::size_t size) {
    SeededRandom random(size);
    Bytes out(size);
    random.fill(out);
    return out;
}

SpoolPart spooled(const Path& folder, ByteView content) {
    SystemRandom random;
    auto spool = Spool::create(folder, random).value();
    REQUIRE(spool->write(content).ok());
    const SpoolPart part = end_part(spool);
    REQUIRE(spool->finish().ok());
    return part;
}

struct Blob {
    VaultId vault;
    std::array<std::uint8_t, 32> b{};
    audit::EntryHeader header;
    Bytes ciphertext;

    Result<Bytes> open() const { return open_as(header, ciphertext); }
    Result<Bytes> open_as(const audit::EntryHeader& as, const Bytes& from) const {
        Bytes out;
        TRY(open_blob_stream(
            vault, blob_dek(kLeaf, b).view(), as,
            [&from](std::uint64_t at, std::span<std::uint8_t> piece) -> Status {
                if (at > from.size() || piece.size() > from.size() - at) return Error(Code::corrupt, "short");
                std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), piece.size(), piece.begin());
                return ok_status();
            },
            [&out](ByteView piece) {
                put(out, piece);
                return ok_status();
            }));
        return out;
    }
    // With length and hash made to fit.
    Result<Bytes> open_changed(const Bytes& changed) const {
        audit::EntryHeader as = header;
        as.ciphertext_length = changed.size();
        as.ciphertext_hash = sha256(changed);
        return open_as(as, changed);
    }
};

Blob seal_stream(audit::Suite suite, const SpoolPart& content, std::uint64_t seed = 1) {
    Blob blob;
    blob.b.fill(9);
    auto sealer = BlobSealer::plan(blob.vault, kLeaf, header_of(suite, seed), content, blob.b);
    REQUIRE(sealer.ok());
    auto header = sealer->seal([&blob](ByteView piece) {
        CHECK(piece.size() <= kSealedChunk);
        put(blob.ciphertext, piece);
        return ok_status();
    });
    REQUIRE(header.ok());
    CHECK(blob.ciphertext.size() == sealer->ciphertext_length());
    blob.header = *header;
    CHECK(blob.header.ciphertext_length == blob.ciphertext.size());
    CHECK(blob.header.ciphertext_hash == sha256(blob.ciphertext));
    return blob;
}

}  // namespace

TEST_CASE("a blob that was sealed in pieces opens in pieces and as a whole, and the other way round") {
    const test::TempDir dir;
    for (const audit::Suite suite : kSuites) {
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunk, std::size_t{1'048'576},
                                       std::size_t{1'048'577}, std::size_t{3'500'000}}) {
            for (const bool text : {false, true}) {
                CAPTURE(size);
                const Bytes content = text ? Bytes(size, 'a') : noise(size);
                const auto spool = spooled(dir.path(), content);
                const Blob blob = seal_stream(suite, spool);
                CHECK(blob.open().value() == content);
                const auto opened =
                    open_payload(blob.vault, blob_dek(kLeaf, blob.b).view(), blob.header, {}, blob.ciphertext);
                REQUIRE(opened.ok());
                CHECK(blob_content(*opened).value() == content);

                BlobDraft draft;
                draft.content = content;
                const auto whole = seal_blob(blob.vault, kLeaf, header_of(suite), draft, blob.b);
                REQUIRE(whole.ok());
                CHECK(whole->header.content_root == blob.header.content_root);
                CHECK(whole->header.field_count == blob.header.field_count);
                Blob other = blob;
                other.header = whole->header;
                other.ciphertext = whole->ciphertext;
                CHECK(other.open().value() == content);
            }
        }
    }
}

TEST_CASE("whatever is done to a blob's ciphertext, opening it in pieces ends with corrupt") {
    const test::TempDir dir;
    const auto spool = spooled(dir.path(), noise(300'000)), another = spooled(dir.path(), noise(300'001));
    for (const audit::Suite suite : kSuites) {
        const Blob blob = seal_stream(suite, spool), other = seal_stream(suite, another, 2);
        const auto refused = [&](const Bytes& changed) {
            const auto opened = blob.open_changed(changed);
            return !opened.ok() && opened.error().code() == Code::corrupt;
        };
        const ByteView all(blob.ciphertext);
        CHECK(refused(other.ciphertext));
        for (const std::size_t cut :
             {std::size_t{0}, std::size_t{16}, kSealedChunk, 2 * kSealedChunk, 2 * kSealedChunk + 5, all.size() - 1})
            CHECK(refused(to_bytes(all.first(cut))));
        Bytes changed = blob.ciphertext;
        put(changed, all.first(kSealedChunk));
        CHECK(refused(changed));
        changed = blob.ciphertext;
        std::swap_ranges(changed.begin(), changed.begin() + kSealedChunk, changed.begin() + kSealedChunk);
        CHECK(refused(changed));
        for (std::size_t at = 0; at < all.size(); at += 29'989) {
            changed = blob.ciphertext;
            changed[at] ^= 4;
            CHECK(refused(changed));
        }
        // a hash that is not the ciphertext's, found at the end
        audit::EntryHeader h = blob.header;
        h.ciphertext_hash.bytes[0] ^= 1;
        CHECK(blob.open_as(h, blob.ciphertext).error().code() == Code::corrupt);
    }
}

TEST_CASE("a blob whose content is not what its header commits to is refused in the end, whoever sealed it") {
    // As an insider with every key would make it: the header of one content, the ciphertext of another.
    const test::TempDir dir;
    const auto spool = spooled(dir.path(), noise(200'000)), another = spooled(dir.path(), noise(200'001));
    for (const audit::Suite suite : kSuites) {
        const Blob honest = seal_stream(suite, spool);
        Blob lying = seal_stream(suite, another);
        const audit::EntryHeader made_for = lying.header;
        lying.header.content_root = honest.header.content_root;
        // The ciphertext again, under the AAD of the lying header.
        const SecretBytes dek = blob_dek(kLeaf, lying.b);
        const SecretBytes prk = hkdf_extract(lying.vault.view(), dek.view());
        Bytes info = to_bytes("kustos1/enc");
        put_u8(info, static_cast<std::uint8_t>(suite));
        put(info, lying.header.record.view());
        const SecretBytes key = hkdf_expand(prk.view(), info, 32);
        const Bytes plain =
            stream_open(suite, key.view(), audit::chunk_aad(lying.vault, made_for, {}), lying.ciphertext).value();
        const Bytes sealed = stream_seal(suite, key.view(), audit::chunk_aad(lying.vault, lying.header, {}), plain);
        const auto opened = lying.open_changed(sealed);
        REQUIRE_FALSE(opened.ok());
        CHECK(opened.error().message() == "the content does not match its commitments");
    }
}

TEST_CASE("the fields of a blob are chunks of 1 MiB, larger ones where there would be more than 4,088") {
    CHECK(blob_chunk(0) == 1u << 20);
    CHECK(blob_chunk(4'088ull << 20) == 1u << 20);
    CHECK(blob_chunk((4'088ull << 20) + 1) == 2u << 20);
    CHECK(blob_chunk(4'096ull << 20) == 2u << 20);
    CHECK(blob_chunk(kMaxBlobContent) == 32u << 20);
    CHECK(blob_rows(4'096ull << 20).size() == 2'048);
    CHECK(blob_rows(kMaxBlobContent).size() <= kMaxFieldCount);
    CHECK(blob_rows(4'088ull << 20).size() == 4'088);
}
