// One ciphertext that is right under two keys (made by two_keys.py): the ciphers take it, the content root does not.
#include <doctest/doctest.h>

#include "vault/seal.h"
#include "vault/stream_cipher.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

struct TwoKeys {
    audit::Suite suite;
    const char* ciphertext;
};

const TwoKeys kBoth[] = {
    {audit::Suite::aes256_gcm,
     "079f264fb5c671b067ae005c90014e6c3d8b69069b85558fab2f6f7271850cf21d8a50ab97e80ae4806c529babdb67c9"
     "ed9ee30c97b34c048756fa0383d5ed36338cc3f6a4757852604d47ff0414c766d730a21e17e2813a418b719b34eec1f8"
     "fd977f76cdeb434b32544741a337cd4c2974dbe076292333d13fbfb0a623694fa5d393c26fb26896ca7dead421279851"
     "044f3c91a4f92390d1fb723d83ec099013da157cc6be30e1680bfbf485b72b80c9248615bda5505a5f5505a1bfb5af6c"
     "b46f03672ab4159fac5dc504ea83b371266cc2474d70326517b8764e914396237c59408d9863630914bd287aed426bd4"
     "4f2213cccd1f2262ff565ab51dc857265e8f143a1fdd744ddbdaa54b9a69737285e21f1d100f2f63a692482e392ae1e4"
     "48cd600353e3ae77aaa7746dcd8dfaf5b329bbc98be8ae542892f819b194c6d7d2ed1c5f074de54641a41f8fec71d96b"},
    {audit::Suite::xchacha20_poly1305,
     "c85415afffb572d164adbe599c34bd360522a3fe8063fb97f21e020fbc4d8546c1e443841735ec213ce1d13df8a495e1"
     "b3635c6e392a09aee36272b6fb3e1df264c1badbc0143fc259f801de0f47d8eae2a3c97c8324f8a712e4b32b80785f70"
     "37d9a4156bf6b1e5f0a1c750d75595b0000f7602a37d00b37fb0e40435cd32505e1f4baa6e2e995849e1222b4f44ccdd"
     "03e92bc2fe6169602ad3c04fd19c6cfffb1e45bf6db5fbe338db738143732a13c367e26f9845bbe1db708fee86450027"
     "e14a7820780b9569dd02e4687a6027413107d5889942bc54f6dc695f1e3ba115d6e53cf93f6ffa79261f459fd2cf4565"
     "21e21d7e57a6ed9cb51e1f4fa9a44ba9eee61eff505c8afa2f37dedb40e5fcf12646e3727f555f880cd5aa5c14c6abc3"
     "d4fcc7a81dbb94449b069757a1c1e2bf25b4985e10c4a1fd50d26e329a0cc1f6c608ab79b01c62e53281980025a485c4"},
};

VaultId vault_id() {
    VaultId v;
    for (std::size_t i = 0; i < 16; ++i) v.bytes[i] = static_cast<std::uint8_t>(i);
    return v;
}

audit::EntryHeader header_of(audit::Suite suite, ByteView ciphertext) {
    audit::EntryHeader h;
    h.kind = audit::Kind::record;
    h.suite = suite;
    h.retention_class = ClassCode(100);
    h.source = SourceId(3);
    h.sequence = 41;
    for (std::size_t i = 0; i < 16; ++i) h.record.bytes[i] = static_cast<std::uint8_t>(0xA0 + i);
    h.tree = KeyTreeId(1);
    h.leaf = LeafNumber(40);
    h.field_count = 8;
    h.content_root.bytes.fill(0x5C);
    h.ciphertext_length = ciphertext.size();
    h.ciphertext_hash = sha256(ciphertext);
    return h;
}

Bytes encryption_key(std::uint8_t dek, const audit::EntryHeader& h) {
    const SecretBytes prk = hkdf_extract(vault_id().view(), Bytes(32, dek));
    Bytes info = to_bytes("kustos1/enc");
    put_u8(info, static_cast<std::uint8_t>(h.suite));
    put(info, h.record.view());
    Bytes key(32);
    hkdf_expand_into(prk.view(), info, key);
    return key;
}

}  // namespace

TEST_CASE(
    "a ciphertext whose tag is right under two keys opens under neither: the key commitment is in the content root") {
    for (const TwoKeys& both : kBoth) {
        CAPTURE(static_cast<int>(both.suite));
        const Bytes ciphertext = parse_hex(both.ciphertext).value();
        const audit::EntryHeader h = header_of(both.suite, ciphertext);
        const Hash aad = audit::chunk_aad(vault_id(), h, {});
        const auto one = stream_open(both.suite, encryption_key(0x11, h), aad, ciphertext);
        const auto other = stream_open(both.suite, encryption_key(0x22, h), aad, ciphertext);
        REQUIRE(one.ok());  // else this test tests nothing
        REQUIRE(other.ok());
        CHECK(*one != *other);
        const auto opened = open_payload(vault_id(), Bytes(32, 0x11), h, {}, ciphertext);
        REQUIRE_FALSE(opened.ok());
        CHECK(opened.error().code() == Code::corrupt);
        CHECK(opened.error().message() == "the content does not match its commitments");
        CHECK(open_payload(vault_id(), Bytes(32, 0x22), h, {}, ciphertext).error().code() == Code::corrupt);
    }
}
