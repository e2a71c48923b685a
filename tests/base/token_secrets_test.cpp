// Against softhsm2: keys that wrap and stay, objects that can be destroyed.
#include <doctest/doctest.h>

#include "base/pkcs11.h"
#include "tests/support/emulators.h"

using namespace kustos;

TEST_CASE("an AES key in a token opens what it sealed, never twice the same, and stays there") {
    const test::SoftToken soft;
    RealFs fs;
    SystemRandom random;
    const auto token = HardwareToken::open(fs, TokenUri::parse(soft.uri("slot")).value()).value();
    REQUIRE(token->make_aes("slot").ok());
    CHECK(token->make_aes("slot").error().code() == Code::conflict);
    const Bytes secret(32, 7);
    const Bytes sealed = token->aes_seal("slot", secret, random).value(),
                again = token->aes_seal("slot", secret, random).value();
    CHECK(sealed != again);
    CHECK(sealed[0] == 1);  // AES-GCM
    CHECK(sealed.size() == 1 + 12 + 32 + 16);
    CHECK(equal(token->aes_open("slot", sealed)->view(), secret));
    CHECK(equal(token->aes_open("slot", again)->view(), secret));
    Bytes changed = sealed;
    changed.back() ^= 1;
    CHECK(token->aes_open("slot", changed).error().code() == Code::denied);
    for (std::size_t i = 0; i < sealed.size(); ++i)
        CHECK_FALSE(token->aes_open("slot", ByteView(sealed).first(i)).ok());
    changed = sealed;
    changed[0] = 3;
    CHECK(token->aes_open("slot", changed).error().code() == Code::not_in_version);
    REQUIRE(token->make_aes("other").ok());
    CHECK(token->aes_open("other", sealed).error().code() == Code::denied);
    REQUIRE(token->forget_aes("slot").ok());
    CHECK(token->aes_open("slot", sealed).error().code() == Code::not_found);
    CHECK(token->forget_aes("slot").ok());

    // Data objects.
    CHECK(token->read_data("e-1").error().code() == Code::not_found);
    REQUIRE(token->keep_data("e-1", Bytes(32, 5)).ok());
    CHECK(token->keep_data("e-1", Bytes(32, 6)).error().code() == Code::conflict);
    CHECK(equal(token->read_data("e-1")->view(), Bytes(32, 5)));
    REQUIRE(token->forget_data("e-1").ok());
    CHECK(token->read_data("e-1").error().code() == Code::not_found);
    CHECK(token->forget_data("e-1").ok());
}
