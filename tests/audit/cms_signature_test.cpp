#include "audit/cms_signature.h"

#include <doctest/doctest.h>

#include "audit/der.h"
#include "base/crypto.h"
#include "tests/audit/openssl_program.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

struct Made {
    test::TempDir dir;
    RealFs fs;
    Bytes content = to_bytes("what is signed\n"), key, certificate, cms;
    Made() {
        make_key("ec -pkeyopt ec_paramgen_curve:P-256");
        const auto made = make_cms(key, certificate, sha256(content));
        REQUIRE(made.ok());
        cms = *made;
    }
    void make_key(const std::string& kind) {
        REQUIRE(test::openssl(dir.path(), "req -x509 -newkey " + kind +
                                              " -nodes -keyout k.pem -out c.pem -days 30 -subj /CN=Evidence") == 0);
        REQUIRE(test::openssl(dir.path(), "pkcs8 -topk8 -nocrypt -in k.pem -outform DER -out k.der") == 0);
        REQUIRE(test::openssl(dir.path(), "x509 -in c.pem -outform DER -out c.der") == 0);
        key = *read_file(fs, dir / "k.der", 10'000);
        certificate = *read_file(fs, dir / "c.der", 10'000);
    }
};

}  // namespace

TEST_CASE("our CMS verifies here and with openssl cms -verify -cades") {
    const Made m;
    const auto facts = verify_cms(m.cms, sha256(m.content));
    REQUIRE(facts.ok());
    CHECK(facts->certificate == m.certificate);
    RealFs fs;
    REQUIRE(replace_file(fs, m.dir / "s.der", m.cms).ok());
    REQUIRE(replace_file(fs, m.dir / "content", m.content).ok());
    CHECK(
        test::openssl(
            m.dir.path(),
            "cms -verify -cades -binary -inform DER -in s.der -content content -CAfile c.pem -purpose any -out out") ==
        0);
    INFO(test::openssl_log(m.dir.path()));
    REQUIRE(replace_file(fs, m.dir / "content", as_bytes("something else")).ok());
    CHECK(
        test::openssl(
            m.dir.path(),
            "cms -verify -cades -binary -inform DER -in s.der -content content -CAfile c.pem -purpose any -out out") !=
        0);
    CHECK(!verify_cms(m.cms, sha256(as_bytes("something else"))).ok());
}

TEST_CASE("every changed bit of the CMS is refused") {
    const Made m;
    const Hash digest = sha256(m.content);
    for (std::size_t at = 0; at < m.cms.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            Bytes changed = m.cms;
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1u << bit));
            if (verify_cms(changed, digest).ok()) FAIL_CHECK("bit " << bit << " of byte " << at);
        }
        if (verify_cms(ByteView(m.cms).first(at), digest).ok()) FAIL_CHECK("cut at " << at);
    }
    Bytes longer = m.cms;
    longer.push_back(0);
    CHECK(!verify_cms(longer, digest).ok());
}

TEST_CASE("the one form only: what openssl makes otherwise is refused though it verifies") {
    const Made m;
    RealFs fs;
    REQUIRE(replace_file(fs, m.dir / "content", m.content).ok());
    for (const char* options : {"", "-cades", "-cades -nosmimecap", "-cades -nosmimecap -md sha384", "-noattr"}) {
        REQUIRE(test::openssl(
                    m.dir.path(),
                    std::string("cms -sign -binary -outform DER -in content -signer c.pem -inkey k.pem -out o.der ") +
                        options) == 0);
        const auto theirs = read_file(fs, m.dir / "o.der", 100'000);
        REQUIRE(theirs.ok());
        CHECK(!verify_cms(*theirs, sha256(m.content)).ok());
    }
    CHECK(!verify_cms({}, sha256(m.content)).ok());
    CHECK(!verify_cms(Bytes(kMaxCms + 1), sha256(m.content)).ok());
}

TEST_CASE("keys of another kind are refused") {
    Made m;
    const Hash digest = sha256(m.content);
    for (const char* kind : {"rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-384", "ed25519"}) {
        m.make_key(kind);
        CHECK_FALSE(make_cms(m.key, m.certificate, digest).ok());
    }
    CHECK_FALSE(make_cms(as_bytes("no key"), as_bytes("no certificate"), digest).ok());
}

TEST_CASE("another key's signature under the same certificate is refused") {
    const Made a, b;
    const Hash digest = sha256(a.content);
    const auto mixed = make_cms(b.key, a.certificate, digest);
    REQUIRE(mixed.ok());
    CHECK(!verify_cms(*mixed, digest).ok());
}
