#include "base/crypto.h"

#include <doctest/doctest.h>

#include <string>

using namespace kustos;

namespace {
Bytes h(std::string_view text) {
    return parse_hex(text).value();
}
}  // namespace

TEST_CASE("SHA-256 gives the FIPS 180-4 answers, whole and in parts") {
    CHECK(sha256(as_bytes("")).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256(as_bytes("abc")).hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256({as_bytes("a"), as_bytes("bc")}) == sha256(as_bytes("abc")));
    Sha256 s;
    CHECK(s.update(as_bytes("ab")).update(as_bytes("c")).finish() == sha256(as_bytes("abc")));
    CHECK(s.finish() == sha256({}));
}

TEST_CASE("HMAC-SHA-256 gives the RFC 4231 answers") {
    CHECK(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There")).hex() ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(hmac_sha256(Bytes(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")).hex() ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("HKDF-SHA-256 gives the RFC 5869 answers") {
    const SecretBytes prk = hkdf_extract(h("000102030405060708090a0b0c"), Bytes(22, 0x0b));
    CHECK(hex(prk.view()) == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    CHECK(hex(hkdf_expand(prk.view(), h("f0f1f2f3f4f5f6f7f8f9"), 42).view()) ==
          "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST_CASE("AES-256-GCM gives the NIST answer and refuses every change") {
    // GCM test case 16 (McGrew, Viega)
    const Bytes key = h("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    const Bytes nonce = h("cafebabefacedbaddecaf888");
    const Bytes aad = h("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const Bytes plain =
        h("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
          "b16aedf5aa0de657ba637b39");
    Gcm gcm(key);
    Bytes sealed;
    gcm.seal(nonce, aad, plain, sealed);
    CHECK(hex(sealed) ==
          "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba"
          "7a0a"
          "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    Bytes opened;
    CHECK(gcm.open(nonce, aad, sealed, opened).ok());
    CHECK(opened == plain);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes bad = sealed;
        bad[i] ^= 1;
        Bytes out;
        CHECK(gcm.open(nonce, aad, bad, out).error().code() == Code::corrupt);
        CHECK(out.empty());
    }
    Bytes out;
    CHECK_FALSE(gcm.open(nonce, {}, sealed, out).ok());
    CHECK_FALSE(gcm.open(nonce, aad, ByteView(sealed).first(15), out).ok());
}

TEST_CASE("the keystream is AES-256-CTR from a zero block") {
    // AES-256 of the zero block under the zero key (NIST known answer: VarTxt with all zero)
    Bytes out(32);
    aes256_ctr_keystream(Bytes(32, 0), out);
    CHECK(hex(ByteView(out).first(16)) == "dc95c078a2408989ad48a21492842087");
    Bytes longer(100);
    aes256_ctr_keystream(Bytes(32, 0), longer);
    CHECK(equal(ByteView(longer).first(32), out));
}

TEST_CASE("Ed25519 gives the RFC 8032 answer") {
    const auto key = Ed25519Key::from_seed(h("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
    CHECK(key.public_key.hex() == "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    const Bytes message = h("af82");
    const auto signature = ed25519_sign(key, message);
    CHECK(signature.hex() ==
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
          "d28d"
          "c027beceea1ec40a");
    CHECK(ed25519_verify(key.public_key, message, signature));
    CHECK_FALSE(ed25519_verify(key.public_key, h("af83"), signature));
}

TEST_CASE("a sealed box opens only with its key and unchanged") {
    SystemRandom random;
    const auto key = X25519Key::from_seed(SecretBytes::random(random, 32).view());
    const auto other = X25519Key::from_seed(SecretBytes::random(random, 32).view());
    Bytes box = box_seal(key.public_key, as_bytes("seed"));
    CHECK(box.size() == 4 + kSealedBoxOverhead);
    CHECK(as_text(box_open(key, box).value().view()) == "seed");
    CHECK_FALSE(box_open(other, box).ok());
    box[40] ^= 1;
    CHECK_FALSE(box_open(key, box).ok());
}

TEST_CASE("SipHash-128 gives the reference answer") {
    // vectors_sip128 of the reference implementation, message of 0 and of 1 byte
    Bytes key(16);
    for (std::uint8_t i = 0; i < 16; ++i) key[i] = i;
    CHECK(hex(siphash128(key, {})) == "a3817f04ba25a8e66df67214c7550293");
    CHECK(hex(siphash128(key, Bytes{0})) == "da87c1d86b99af44347659119b22fc45");
}

TEST_CASE("a secret is wiped, moved and never copied by accident") {
    static_assert(!std::is_copy_constructible_v<SecretBytes>);
    SecretBytes a(as_bytes("key"));
    SecretBytes b = std::move(a);
    CHECK(a.empty());
    CHECK(as_text(b.view()) == "key");
    b.wipe();
    CHECK(b.empty());
}
