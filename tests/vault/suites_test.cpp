// Both cipher suites: vectors made by other software, and whatever an attacker can do with chunks and headers.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <map>

#include "tests/support/shared.h"
#include "vault/seal.h"
#include "vault/stream_cipher.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

constexpr audit::Suite kSuites[] = {audit::Suite::aes256_gcm, audit::Suite::xchacha20_poly1305};

Bytes from_hex(std::string_view text) {
    return parse_hex(text).value();
}

// The values of one key in a flat JSON file of strings, in order.
std::vector<std::string> values_of(const std::string& json, const std::string& key) {
    std::vector<std::string> out;
    const std::string wanted = "\"" + key + "\": \"";
    for (std::size_t at = json.find(wanted); at != std::string::npos; at = json.find(wanted, at + 1)) {
        const std::size_t begin = at + wanted.size();
        out.push_back(json.substr(begin, json.find('"', begin) - begin));
    }
    return out;
}

// An entry with two chunks and a bit, and all that is needed to open it.
struct Entry {
    VaultId vault;
    Bytes dek;
    audit::EntryHeader header;
    Bytes ciphertext;

    // As whoever can write the disk and the header: length and hash are made to fit.
    Result<OpenedPayload> open(Bytes changed) const { return open_as(header, std::move(changed)); }
    Result<OpenedPayload> open_as(audit::EntryHeader as, Bytes changed) const {
        as.ciphertext_length = changed.size();
        as.ciphertext_hash = sha256(changed);
        return open_payload(vault, dek, as, {}, changed);
    }
    std::size_t chunks() const { return (ciphertext.size() + kSealedChunk - 1) / kSealedChunk; }
    Bytes chunk(std::size_t i) const {
        const ByteView all(ciphertext);
        return to_bytes(all.subspan(i * kSealedChunk, std::min(kSealedChunk, all.size() - i * kSealedChunk)));
    }
};

Entry seal(audit::Suite suite, std::uint64_t seed, std::uint8_t dek = 7) {
    SeededRandom random(seed);
    Entry e;
    for (std::size_t i = 0; i < 16; ++i) e.vault.bytes[i] = static_cast<std::uint8_t>(i);
    e.dek = Bytes(32, dek);
    e.header.kind = audit::Kind::record;
    e.header.suite = suite;
    e.header.retention_class = ClassCode(100);
    e.header.source = SourceId(3);
    e.header.sequence = seed;
    e.header.record = random.make<RecordId>();
    e.header.tree = KeyTreeId(1);
    e.header.leaf = LeafNumber(static_cast<std::uint32_t>(seed));
    Bytes noise(200'000);
    random.fill(noise);
    auto sealed = seal_payload(e.vault, e.dek, e.header, {}, compose_blob(std::move(noise)));
    REQUIRE(sealed.ok());
    e.header = sealed->header;
    e.ciphertext = std::move(sealed->ciphertext);
    REQUIRE(e.chunks() == 4);
    REQUIRE(e.open(e.ciphertext).ok());
    return e;
}

bool is_corrupt(const Result<OpenedPayload>& opened) {
    return !opened.ok() && opened.error().code() == Code::corrupt;
}

}  // namespace

TEST_CASE("XChaCha20-Poly1305 gives the ciphertext of the Internet draft") {  // draft-irtf-cfrg-xchacha-03, A.3.1
    const Bytes key = from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const Bytes nonce = from_hex("404142434445464748494a4b4c4d4e4f5051525354555657");
    const Bytes aad = from_hex("50515253c0c1c2c3c4c5c6c7");
    const Bytes plaintext = to_bytes(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would "
        "be it.");
    const Bytes expected = from_hex(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
        "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
    Bytes out;
    xchacha20_seal(key, nonce, aad, plaintext, out);
    CHECK(out == expected);
    Bytes back;
    CHECK(xchacha20_open(key, nonce, aad, expected, back).ok());
    CHECK(back == plaintext);
    for (const std::size_t at : {std::size_t{0}, expected.size() - 1}) {
        Bytes changed = expected;
        changed[at] ^= 1;
        Bytes none;
        CHECK(xchacha20_open(key, nonce, aad, changed, none).error().code() == Code::corrupt);
        CHECK(none.empty());
    }
}

TEST_CASE("AES-256-GCM gives the ciphertexts of C2SP's XAES-256-GCM, whose second half it is") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    const Bytes file = read_file(fs, *shared / "data" / "aead" / "xaes256gcm-kat.json", 1 << 20).value();
    const std::string json = to_text(file);
    const auto keys = values_of(json, "derived_key"), nonces = values_of(json, "nonce"),
               plaintexts = values_of(json, "plaintext"), aads = values_of(json, "aad"),
               ciphertexts = values_of(json, "ciphertext");
    REQUIRE(keys.size() == 2);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Bytes nonce = from_hex(nonces.at(i));
        const Bytes aad = from_hex(aads.at(i)), plaintext = from_hex(plaintexts.at(i));
        Gcm gcm(from_hex(keys[i]));
        Bytes out, back;
        gcm.seal(ByteView(nonce).last(12), aad, plaintext, out);
        CHECK(out == from_hex(ciphertexts.at(i)));
        CHECK(gcm.open(ByteView(nonce).last(12), aad, out, back).ok());
        CHECK(back == plaintext);
    }
}

TEST_CASE("streams of both suites are what Python's cryptography makes of them") {
    // key 00 01 .. 1f, associated data 32 bytes 5a, plaintext byte i = 7 i mod 251; SHA-256 of the stream
    struct Vector {
        std::size_t size;
        const char* aes;
        const char* xchacha;
    };
    const Vector vectors[] = {
        {0, "c6072304e5f8524c69e4051390bdb478d175cf7bc8204b64897affd7840faa4a",
         "ac44cb7d3a62dc9e1f179eeb10c69111c582fab71884287cfdab4d5b718d0be8"},
        {1, "5787d5f7273a387355ec3d9a0c3776e3ffa8a3e00ab9864b39f0c7a78588b78b",
         "e1491349651a8a953d703a6e2b2a6616e5a1757c60e817bd4d85952f6f88c828"},
        {65536, "a70ae84fd58133f442aa6736f6df928574e225bf1c5516f7305d5cdeaacf9ae1",
         "9fc7809ff18d34a8005df3ee4fc48f114e25cae1cb245210771d42e36250c9e2"},
        {65537, "55159270f1a9931a1ed25be1cce8f7c5de265173d21d8e014e517ec6cac2921f",
         "3e6276917d72a599e4011ce4b6228b01e7aa84f916fe614afa6014ef801c4c12"},
        {150000, "2482472bf64c36aee3af248e137064a16cb19841cfe6115461fe5db0dcd24556",
         "569265a29d0ff8fc67c4d959efd95b77086c02a4f9dac7f482635900ed51bb8a"},
    };
    Bytes key(32);
    for (std::size_t i = 0; i < 32; ++i) key[i] = static_cast<std::uint8_t>(i);
    Hash aad;
    aad.bytes.fill(0x5A);
    for (const Vector& v : vectors) {
        Bytes plain(v.size);
        for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::uint8_t>(i * 7 % 251);
        CHECK(sha256(stream_seal(audit::Suite::aes256_gcm, key, aad, plain)).hex() == v.aes);
        CHECK(sha256(stream_seal(audit::Suite::xchacha20_poly1305, key, aad, plain)).hex() == v.xchacha);
    }
}

TEST_CASE("an entry opens under its own header only: every field of part A is bound") {
    for (const audit::Suite suite : kSuites) {
        const Entry e = seal(suite, 1);
        const std::map<std::string, std::function<void(audit::EntryHeader&)>> swaps = {
            {"kind", [](audit::EntryHeader& h) { h.kind = audit::Kind::blob; }},
            {"class", [](audit::EntryHeader& h) { h.retention_class.value ^= 1; }},
            {"source", [](audit::EntryHeader& h) { h.source.value ^= 1; }},
            {"sequence", [](audit::EntryHeader& h) { h.sequence ^= 1; }},
            {"record", [](audit::EntryHeader& h) { h.record.bytes[15] ^= 1; }},
            {"tree", [](audit::EntryHeader& h) { h.tree.value ^= 2; }},
            {"leaf", [](audit::EntryHeader& h) { h.leaf.value ^= 1; }},
            {"field count", [](audit::EntryHeader& h) { h.field_count = 16; }},
            {"content root", [](audit::EntryHeader& h) { h.content_root.bytes[0] ^= 1; }},
            {"suite", [](audit::EntryHeader& h) { h.suite = h.suite == kSuites[0] ? kSuites[1] : kSuites[0]; }},
        };
        for (const auto& [field, swap] : swaps) {
            const std::string name = field;  // clang 14 captures no binding
            CAPTURE(name);
            audit::EntryHeader h = e.header;
            swap(h);
            CHECK(is_corrupt(e.open_as(h, e.ciphertext)));
        }
    }
}

TEST_CASE("the ciphertexts of two entries can't be swapped, not even under the same key") {
    for (const audit::Suite suite : kSuites) {
        const Entry one = seal(suite, 1), other = seal(suite, 2);
        CHECK(is_corrupt(one.open(other.ciphertext)));
        CHECK(is_corrupt(other.open(one.ciphertext)));
        Bytes mixed = one.chunk(0);
        for (std::size_t i = 1; i < 4; ++i) put(mixed, other.chunk(i));
        CHECK(is_corrupt(one.open(mixed)));
    }
}

TEST_CASE("a ciphertext that was cut is refused, at the border of a chunk and elsewhere") {
    for (const audit::Suite suite : kSuites) {
        const Entry e = seal(suite, 1);
        for (const std::size_t length :
             {std::size_t{0}, std::size_t{15}, std::size_t{16}, kSealedChunk - 1, kSealedChunk, kSealedChunk + 1,
              kSealedChunk + 16, 2 * kSealedChunk, 3 * kSealedChunk, 3 * kSealedChunk + 16, e.ciphertext.size() - 16,
              e.ciphertext.size() - 1}) {
            CAPTURE(length);
            CHECK(is_corrupt(e.open(to_bytes(ByteView(e.ciphertext).first(length)))));
        }
    }
}

TEST_CASE("chunks in another order are refused") {
    for (const audit::Suite suite : kSuites) {
        const Entry e = seal(suite, 1);
        for (const auto& order :
             {std::array{1, 0, 2, 3}, std::array{0, 2, 1, 3}, std::array{2, 1, 0, 3}, std::array{0, 1, 3, 2}}) {
            Bytes changed;
            for (const int i : order) put(changed, e.chunk(static_cast<std::size_t>(i)));
            CHECK(is_corrupt(e.open(changed)));
        }
    }
}

TEST_CASE("a chunk that comes twice, or is left out, is refused") {
    for (const audit::Suite suite : kSuites) {
        const Entry e = seal(suite, 1);
        for (std::size_t twice = 0; twice < 4; ++twice) {
            Bytes doubled, without;
            for (std::size_t i = 0; i < 4; ++i) {
                put(doubled, e.chunk(i));
                if (i == twice)
                    put(doubled, e.chunk(i));
                else
                    put(without, e.chunk(i));
            }
            CHECK(is_corrupt(e.open(doubled)));
            CHECK(is_corrupt(e.open(without)));
        }
    }
}

TEST_CASE("a ciphertext that was continued is refused: with zeros, with its own chunks, with the start of another") {
    for (const audit::Suite suite : kSuites) {
        const Entry e = seal(suite, 1), other = seal(suite, 2);
        for (const Bytes& more :
             {Bytes(1, 0), Bytes(16, 0), Bytes(kSealedChunk, 0), e.chunk(0), e.chunk(3), other.chunk(0)}) {
            Bytes changed = e.ciphertext;
            put(changed, more);
            CHECK(is_corrupt(e.open(changed)));
        }
    }
}

TEST_CASE("a chunk sealed as the last one is no middle one, and the other way round") {
    // By somebody who has the key of the stream and flips only the flag: the counter is right, the content too.
    for (const audit::Suite suite : kSuites) {
        const Bytes key(32, 9);
        const Hash aad = sha256(as_bytes("aad"));
        const Bytes whole(kChunk, 'x'), rest(10, 'y');
        Bytes early, never;
        StreamCipher one(suite, key, aad);
        one.seal(whole, true, early);  // says: last
        one.seal(rest, true, early);
        CHECK_FALSE(stream_open(suite, key, aad, early).ok());
        CHECK(stream_open(suite, key, aad, ByteView(early).first(kSealedChunk)).ok());
        StreamCipher other(suite, key, aad);
        other.seal(whole, false, never);  // says: more follows, and nothing does
        CHECK_FALSE(stream_open(suite, key, aad, never).ok());
        other.seal(rest, true, never);
        CHECK(stream_open(suite, key, aad, never).ok());
    }
}

TEST_CASE("one flipped bit anywhere in a ciphertext is refused") {
    for (const audit::Suite suite : kSuites) {
        const Entry e = seal(suite, 1);
        for (std::size_t at = 0; at < e.ciphertext.size(); at += 9973) {
            Bytes changed = e.ciphertext;
            changed[at] ^= static_cast<std::uint8_t>(1u << at % 8);
            CHECK(is_corrupt(e.open(changed)));
        }
    }
}

TEST_CASE("the same entry under two suites has two keys and two ciphertexts") {
    const Entry aes = seal(kSuites[0], 1), xchacha = seal(kSuites[1], 1);
    CHECK(aes.header.content_root == xchacha.header.content_root);  // the commitments do not depend on the cipher
    CHECK(aes.ciphertext.size() == xchacha.ciphertext.size());
    CHECK(aes.ciphertext != xchacha.ciphertext);
}
