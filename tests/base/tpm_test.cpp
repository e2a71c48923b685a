// Against swtpm, without a resource manager: what the chip holds after each call is what a real one would hold.
#include "base/tpm.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "tests/support/emulators.h"

using namespace kustos;

namespace {
Bytes secret(std::uint8_t byte) {
    return Bytes(32, byte);
}
}  // namespace

TEST_CASE("a TPM gives back what it sealed, also after a power cut, and nothing stays loaded in 50 rounds") {
    test::SoftTpm chip;
    Tpm::Sealed kept;
    {
        auto tpm = Tpm::open(chip.address());
        REQUIRE(tpm.ok());
        for (int round = 0; round < 50; ++round) {
            auto sealed = (*tpm)->seal(secret(static_cast<std::uint8_t>(round)), {});
            REQUIRE(sealed.ok());
            auto back = (*tpm)->unseal(*sealed, {});
            REQUIRE(back.ok());
            CHECK(equal(back->view(), secret(static_cast<std::uint8_t>(round))));
            CHECK(*(*tpm)->loaded() == 0);
            kept = std::move(*sealed);
        }
    }
    chip.restart();
    auto tpm = Tpm::open(chip.address());
    REQUIRE(tpm.ok());
    CHECK(equal((*tpm)->unseal(kept, {})->view(), secret(49)));
    CHECK(*(*tpm)->loaded() == 0);
}

TEST_CASE("what a TPM sealed is of no use to another one, and the message says so") {
    test::SoftTpm chip, other;
    Tpm::Sealed sealed = (*Tpm::open(chip.address()))->seal(secret(7), {}).value();
    auto tpm = Tpm::open(other.address());
    REQUIRE(tpm.ok());
    const auto refused = (*tpm)->unseal(sealed, {});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::conflict);
    CHECK(refused.error().message().find("another chip") != std::string::npos);
    // Also where somebody wrote the other chip's name into it.
    sealed.parent_name = (*tpm)->seal(secret(1), {}).value().parent_name;
    CHECK((*tpm)->unseal(sealed, {}).error().code() == Code::conflict);
    CHECK(*(*tpm)->loaded() == 0);
    sealed.private_part.back() ^= 1;
    CHECK_FALSE((*Tpm::open(chip.address()))->unseal(sealed, {}).ok());
    sealed.private_part.clear();
    CHECK((*tpm)->unseal(sealed, {}).error().code() == Code::corrupt);
}

TEST_CASE("a PIN is asked for, and after too many wrong ones the TPM locks what has one and nothing else") {
    test::SoftTpm chip;
    auto tpm = Tpm::open(chip.address());
    REQUIRE(tpm.ok());
    const Tpm::Sealed with = (*tpm)->seal(secret(7), as_bytes("4711")).value(),
                      without = (*tpm)->seal(secret(8), {}).value();
    CHECK(with.with_pin);
    CHECK(equal((*tpm)->unseal(with, as_bytes("4711"))->view(), secret(7)));
    CHECK((*tpm)->unseal(with, as_bytes("4712")).error().code() == Code::denied);
    CHECK(equal((*tpm)->unseal(with, as_bytes("4711"))->view(), secret(7)));
    Error last(Code::internal, "");
    for (int i = 0; i < 40; ++i) last = (*tpm)->unseal(with, as_bytes("0000")).error();
    CHECK(last.code() == Code::denied);
    CHECK(last.message().find("locked itself") != std::string::npos);
    CHECK((*tpm)->unseal(with, as_bytes("4711")).error().code() == Code::denied);
    CHECK(equal((*tpm)->unseal(without, {})->view(), secret(8)));
    CHECK(*(*tpm)->loaded() == 0);
    CHECK((*tpm)->seal(secret(1), Bytes(33, 'x')).error().code() == Code::usage);
}

TEST_CASE("a place in the TPM keeps 32 bytes, gives them to its authorisation alone, and forgets") {
    test::SoftTpm chip;
    const Bytes key = secret(3);
    constexpr std::uint32_t kPlace = 0x01400010;
    {
        auto tpm = Tpm::open(chip.address());
        REQUIRE(tpm.ok());
        CHECK_FALSE(*(*tpm)->nv_exists(kPlace));
        CHECK((*tpm)->nv_read(kPlace, key).error().code() == Code::not_found);
        REQUIRE((*tpm)->nv_define(kPlace, key).ok());
        CHECK((*tpm)->nv_define(kPlace, key).error().code() == Code::conflict);
        CHECK((*tpm)->nv_read(kPlace, key).error().code() == Code::not_found);  // nothing was written yet
        REQUIRE((*tpm)->nv_write(kPlace, key, secret(9)).ok());
        CHECK((*tpm)->nv_write(kPlace, secret(4), secret(9)).error().code() == Code::denied);
        CHECK((*tpm)->nv_read(kPlace, secret(4)).error().code() == Code::denied);
        CHECK(*(*tpm)->loaded() == 0);
    }
    chip.restart();
    auto tpm = Tpm::open(chip.address());
    REQUIRE(tpm.ok());
    CHECK(*(*tpm)->nv_exists(kPlace));
    CHECK(equal((*tpm)->nv_read(kPlace, key)->view(), secret(9)));
    REQUIRE((*tpm)->nv_write(kPlace, key, secret(0)).ok());
    CHECK(equal((*tpm)->nv_read(kPlace, key)->view(), secret(0)));
    REQUIRE((*tpm)->nv_remove(kPlace).ok());
    CHECK_FALSE(*(*tpm)->nv_exists(kPlace));
    CHECK((*tpm)->nv_read(kPlace, key).error().code() == Code::not_found);
    CHECK((*tpm)->nv_remove(kPlace).error().code() == Code::not_found);
    CHECK(*(*tpm)->loaded() == 0);
    CHECK((*tpm)->nv_define(0x01800000, key).error().code() == Code::usage);
}

TEST_CASE("what killed programs left in a TPM is cleared away by the next one, whose chip it is alone") {
    test::SoftTpm chip;
    const auto sealed = (*Tpm::open(chip.address()))->seal(secret(3), {});
    REQUIRE(sealed.ok());
    int left = 0;
    while (left < 100 && chip.leave_session()) ++left;
    REQUIRE(left > 0);
    REQUIRE(left < 100);  // it is full
    auto tpm = Tpm::open(chip.address());
    REQUIRE(tpm.ok());
    CHECK(*(*tpm)->loaded() == 0);
    CHECK(equal((*tpm)->unseal(*sealed, {})->view(), secret(3)));
}

TEST_CASE("a TPM's address is one that can't run a program or lead to another machine") {
    for (const char* good : {"device:/dev/tpm0", "device:/dev/tpmrm12", "swtpm:host=127.0.0.1,port=2321",
                             "swtpm:path=/run/chip.sock", "swtpm:"})
        CHECK(tpm_address(good).ok());
    for (const char* bad : {"", "cmd:rm -rf /", "device:/etc/passwd", "device:/dev/tpm0/../sda", "device:/dev/tpm",
                            "swtpm:host=10.0.0.1,port=1", "swtpm:port=123456", "swtpm:path=x", "swtpm:port",
                            "mssim:host=127.0.0.1", "tabrmd:bus_type=session", "libtss2-tcti-cmd.so:id", "device"})
        CHECK(tpm_address(bad).error().code() == Code::usage);
    CHECK(Tpm::open("swtpm:host=127.0.0.1,port=9").error().code() == Code::environment);
}
