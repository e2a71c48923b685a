#include "audit/der.h"

#include <doctest/doctest.h>

using namespace kustos;
using namespace kustos::audit;

namespace {
Bytes hexed(const char* text) {
    return parse_hex(text).value();
}
}  // namespace

TEST_CASE("DER is read strictly") {
    CHECK(check_der(hexed("30030201ff")).ok());
    for (const char* bad : {"", "30", "3003", "300302", "30030201", "30800000", "3081030201ff", "308200030201ff",
                            "3003020100ff", "1f8101ff", "0000", "3085000000000100", "30840000000100", "3003310102"}) {
        CAPTURE(std::string(bad));
        const auto status = check_der(hexed(bad));
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().code() == Code::bad_input);
    }
}

TEST_CASE("DER is refused below a fixed depth") {
    for (const unsigned depth : {kMaxDerDepth, kMaxDerDepth + 1, 10'000u}) {
        Bytes value = hexed("0500");
        for (unsigned i = 1; i < depth; ++i) {
            Bytes outer;
            put_der(outer, der::kSequence, value);
            value = std::move(outer);
        }
        CHECK(check_der(value).ok() == (depth <= kMaxDerDepth));
    }
}

TEST_CASE("a reader takes values in order and notices what is left") {
    const Bytes bytes = hexed("3008020105040401020304");  // length says 8, eleven bytes are there
    CHECK_FALSE(check_der(bytes).ok());
    const Bytes good = hexed("3009020105040401020304");
    DerReader outer(good);
    DerReader fields = outer.enter(der::kSequence).value();
    CHECK(outer.expect_end().ok());
    CHECK_FALSE(fields.next(der::kOctetString).ok());
    CHECK(der_small_uint(fields.next(der::kInteger)->content).value() == 5);
    CHECK_FALSE(fields.expect_end().ok());
    CHECK(hex(fields.any()->content) == "01020304");
    CHECK(fields.expect_end().ok());
    CHECK_FALSE(fields.any().ok());
    CHECK(der_single(good, der::kSequence)->content.size() == 9);
    CHECK_FALSE(der_single(good, der::kSet).ok());
}

TEST_CASE("integers are minimal and in range") {
    CHECK(der_small_uint(hexed("00")).value() == 0);
    CHECK(der_small_uint(hexed("7fffffff")).value() == 0x7fffffff);
    for (const char* bad : {"", "0001", "ff", "80", "0080000000", "ff80"}) {
        CAPTURE(std::string(bad));
        CHECK_FALSE(der_small_uint(hexed(bad)).ok());
    }
    CHECK(hex(der_unsigned(hexed("0080")).value()) == "80");
    CHECK(hex(der_integer(hexed("80")).value()) == "80");
    Bytes out;
    put_der_uint(out, hexed("000080"));
    put_der_uint(out, hexed("7f"));
    put_der_uint(out, {});
    CHECK(hex(out) ==
          "02020080"
          "02017f"
          "020100");
}

TEST_CASE("object identifiers have arcs of any size up to 128 bits") {
    CHECK(der_oid_text(hexed("2a864886f70d0109100104")).value() == "1.2.840.113549.1.9.16.1.4");
    CHECK(der_oid_text(hexed("00")).value() == "0.0");
    CHECK(der_oid_text(hexed("27")).value() == "0.39");
    CHECK(der_oid_text(hexed("4f")).value() == "1.39");
    CHECK(der_oid_text(hexed("8837")).value() == "2.999");
    // 2.25 and a UUID of all ones
    CHECK(der_oid_text(hexed("6983ffffffffffffffffffffffffffffffffff7f")).value() ==
          "2.25.340282366920938463463374607431768211455");
    for (const char* bad : {"", "80", "2a80", "8001", "2a8001", "6984ffffffffffffffffffffffffffffffffffff7f"}) {
        CAPTURE(std::string(bad));
        CHECK_FALSE(der_oid_text(hexed(bad)).ok());
    }
}

TEST_CASE("generalized times are in UTC, to the millisecond") {
    const auto text = [](std::string_view time) {
        const auto parsed = der_generalized_time(as_bytes(time));
        return parsed.ok() ? format_rfc3339(*parsed) : std::string("refused");
    };
    CHECK(text("20260302100000Z") == "2026-03-02T10:00:00Z");
    CHECK(text("20261123084029.703Z") == "2026-11-23T08:40:29.703Z");
    CHECK(text("20261123084029.7Z") == "2026-11-23T08:40:29.700Z");
    CHECK(text("20261123084029.703999999Z") == "2026-11-23T08:40:29.703Z");
    for (const char* bad : {"", "20260302100000", "20260302100000+0100", "202603021000Z", "20260231100000Z",
                            "20260302250000Z", "20260302100060Z", "20260302100000.Z", "20260302100000,5Z",
                            "20260302100000.5x5Z", "00000101000000Z", "2026030210 000Z"}) {
        CAPTURE(std::string(bad));
        CHECK(text(bad) == "refused");
    }
}

TEST_CASE("what is written is read back") {
    for (const std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 65'535u, 65'536u}) {
        Bytes out;
        put_der(out, der::kOctetString, Bytes(size, 0xAB));
        CHECK(check_der(out).ok());
        CHECK(der_single(out, der::kOctetString)->content.size() == size);
    }
}
