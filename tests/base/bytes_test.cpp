#include "base/bytes.h"

#include <doctest/doctest.h>

#include "base/ids.h"

using namespace kustos;

TEST_CASE("big-endian numbers come back as they went") {
    Bytes b;
    put_u8(b, 0xAB);
    put_u16(b, 0x0102);
    put_u32(b, 0x03040506);
    put_u64(b, 0x0708090A0B0C0D0Eull);
    CHECK(hex(b) ==
          "ab01020304050607"
          "08090a0b0c0d0e");
    ByteReader r(b);
    CHECK(r.u8().value() == 0xAB);
    CHECK(r.u16().value() == 0x0102);
    CHECK(r.u32().value() == 0x03040506u);
    CHECK(r.u64().value() == 0x0708090A0B0C0D0Eull);
    CHECK(r.expect_end().ok());
}

TEST_CASE("a reader never runs past its end") {
    const Bytes b = {1, 2, 3};
    ByteReader r(b);
    CHECK_FALSE(r.u32().ok());
    CHECK_FALSE(r.take(UINT64_MAX).ok());
    CHECK(r.take(3).ok());
    CHECK(r.u8().error().code() == Code::bad_input);
    CHECK(r.take(0).ok());
}

TEST_CASE("hex and base64 refuse what is not canonical") {
    CHECK(hex(parse_hex("00fF").value()) == "00ff");
    CHECK_FALSE(parse_hex("0").ok());
    CHECK_FALSE(parse_hex("0g").ok());
    // RFC 4648 section 10
    CHECK(base64(as_bytes("")) == "");
    CHECK(base64(as_bytes("f")) == "Zg==");
    CHECK(base64(as_bytes("foobar")) == "Zm9vYmFy");
    CHECK(as_text(parse_base64("Zm9vYg==").value()) == "foob");
    CHECK_FALSE(parse_base64("Zm9vYg").ok());
    CHECK_FALSE(parse_base64("Zm9v Yg==").ok());
    CHECK_FALSE(parse_base64("Zh==").ok());  // unused bits set
    CHECK_FALSE(parse_base64("Zg==\n").ok());
    int digits = 0;  // one way to write each value
    for (int c = 0; c < 256; ++c) digits += parse_base64(std::string("Zm9") + static_cast<char>(c)).ok();
    CHECK(digits == 64);
    CHECK_FALSE(parse_base64("Zm9v\xC3\xA9Zg").ok());
}

TEST_CASE("an id is parsed only at its exact length") {
    CHECK(RecordId::parse("000102030405060708090a0b0c0d0e0f").value().hex() == "000102030405060708090a0b0c0d0e0f");
    CHECK_FALSE(RecordId::parse("00").ok());
}
