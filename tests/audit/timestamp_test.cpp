// Every file of ../shared/data/tsa gets the verdict that its README gives it.
#include "audit/timestamp.h"

#include <doctest/doctest.h>

#include "audit/der.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

struct Fixtures {
    Path dir;
    Bytes read(const char* name) const {
        RealFs fs;
        return read_file(fs, dir / name, 1 << 20).value();
    }
    Bytes certificate(const char* name) const { return read_certificate(read(name)).value(); }
    Hash imprint() const { return sha256(read("data.txt")); }
    TokenTrust trust() const {
        TokenTrust trust;
        trust.roots.push_back(certificate("ca.crt"));
        return trust;
    }
    Bytes token(const char* response) const { return token_from_response(read(response)).value(); }
};

std::optional<Fixtures> fixtures() {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return std::nullopt;
    }
    return Fixtures{*shared / "data" / "tsa"};
}

bool says(const Error& error, const char* words) {
    return error.message().find(words) != std::string::npos;
}

template <class T>
void refused(const Result<T>& result, const char* words) {
    REQUIRE_FALSE(result.ok());
    CHECK_MESSAGE(says(result.error(), words), result.error().message());
    CHECK(result.error().code() == Code::bad_input);
}

// What an archive does that knows only the signer's certificate.
TokenTrust pinned(const TokenFacts& facts) {
    TokenTrust trust;
    trust.rule = ChainRule::pinned_signer;
    for (const Bytes& certificate : facts.certificates) {
        if (sha256(certificate) == facts.signer) trust.roots.push_back(certificate);
    }
    return trust;
}

}  // namespace

TEST_CASE("a granted response verifies against its request and the root") {
    const auto f = fixtures();
    if (!f) return;
    const auto request = TimestampRequest::parse(f->read("q.tsq"));
    REQUIRE(request.ok());
    CHECK(request->imprint == Imprint(f->imprint()));
    CHECK_FALSE(request->nonce.empty());
    CHECK(request->certificates);
    for (const char* name : {"r.tsr", "r2.tsr"}) {
        const auto stamped = verify_response(f->read(name), *request, f->trust());
        REQUIRE_MESSAGE(stamped.ok(), name << ": " << stamped.error().message());
        CHECK(stamped->facts.chain_root == sha256(f->certificate("ca.crt")));
        CHECK(stamped->facts.chain.size() == 2);
        CHECK_FALSE(stamped->facts.ess_v1);
        CHECK(stamped->facts.nonce == request->nonce);
        CHECK(stamped->facts.accuracy_ms == 1000);
        CHECK(civil_date(stamped->facts.gen_time).year == 2026);
    }
    const auto stamped = verify_response(f->read("r.tsr"), *request, f->trust());
    CHECK(stamped->token == f->read("t.der"));  // byte for byte what the authority sent
    CHECK(stamped->facts.signer == sha256(f->certificate("tsa.crt")));
    CHECK(stamped->facts.signature == "ecdsa-sha256");
    CHECK(stamped->facts.tsa_name.find("Test TSA 1") != std::string::npos);
    CHECK(verify_response(f->read("r2.tsr"), *request, f->trust())->facts.signature == "rsa-sha256");
}

TEST_CASE("tokens made with CMS verify, RSASSA-PSS included") {
    const auto f = fixtures();
    if (!f) return;
    const auto pkcs1 = verify_token(f->read("tp1.der"), f->imprint(), f->trust());
    REQUIRE_MESSAGE(pkcs1.ok(), pkcs1.error().message());
    CHECK(pkcs1->signature == "rsa-sha256");
    const auto pss = verify_token(f->read("tpss.der"), f->imprint(), f->trust());
    REQUIRE_MESSAGE(pss.ok(), pss.error().message());
    CHECK(pss->signature == "rsassa-pss-sha256");
}

TEST_CASE("a signing certificate bound by SHA-1 (ESSCertID v1) is accepted and flagged") {
    const auto f = fixtures();
    if (!f) return;
    CHECK(f->token("rs1.tsr") == f->read("ts1.der"));
    const auto facts = verify_token(f->read("ts1.der"), f->imprint(), f->trust());
    REQUIRE_MESSAGE(facts.ok(), facts.error().message());
    CHECK(facts->ess_v1);
}

TEST_CASE("an answer to another request is refused: nonce mismatch") {
    const auto f = fixtures();
    if (!f) return;
    const auto request = TimestampRequest::parse(f->read("q2.tsq"));
    REQUIRE(request.ok());
    refused(verify_response(f->read("r.tsr"), *request, f->trust()), "nonce mismatch");
}

TEST_CASE("a token without certificates verifies only when the signer's is given") {
    const auto f = fixtures();
    if (!f) return;
    const auto request = TimestampRequest::parse(f->read("q3.tsq"));
    REQUIRE(request.ok());
    CHECK_FALSE(request->certificates);
    refused(verify_response(f->read("r3.tsr"), *request, f->trust()), "neither in the token nor given");
    TokenTrust trust = f->trust();
    trust.untrusted.push_back(f->certificate("tsa.crt"));
    const auto stamped = verify_response(f->read("r3.tsr"), *request, trust);
    REQUIRE_MESSAGE(stamped.ok(), stamped.error().message());
    CHECK(read_token(stamped->token)->signer.is_zero());
    // another authority's certificate does not help
    trust.untrusted = {f->certificate("tsa2.crt")};
    refused(verify_response(f->read("r3.tsr"), *request, trust), "neither in the token nor given");
}

TEST_CASE("a rejection is told with the authority's reason") {
    const auto f = fixtures();
    if (!f) return;
    const auto token = token_from_response(f->read("r4.tsr"));
    refused(token, "refused to stamp (status 2): it does not offer the requested policy");
    CHECK_FALSE(token.error().hint().empty());
    const auto request = TimestampRequest::parse(f->read("q4.tsq"));
    REQUIRE(request.ok());
    refused(verify_response(f->read("r4.tsr"), *request, f->trust()), "refused to stamp");
    TokenTrust trust = f->trust();
    trust.policy = request->policy;
    refused(verify_token(f->read("t.der"), f->imprint(), trust), "another policy");
}

TEST_CASE("one flipped bit in the signature is found") {
    const auto f = fixtures();
    if (!f) return;
    const auto request = TimestampRequest::parse(f->read("q.tsq"));
    refused(verify_response(f->read("rflip.tsr"), *request, f->trust()), "signature does not fit");
}

TEST_CASE("a certificate whose key usage for time stamps is not critical can't be an authority's") {
    const auto f = fixtures();
    if (!f) return;
    refused(check_tsa_certificate(f->certificate("tsabad.crt")), "not marked critical");
    refused(check_tsa_certificate(f->certificate("ca.crt")), "extended key usage");
    CHECK(check_tsa_certificate(f->certificate("tsa.crt")).ok());
    CHECK(check_tsa_certificate(f->certificate("tsa2.crt")).ok());
}

TEST_CASE("other data, no root, another root and a later time are refused with their reason") {
    const auto f = fixtures();
    if (!f) return;
    const Bytes token = f->read("t.der");
    refused(verify_token(token, sha256(as_bytes("other")), f->trust()), "message imprint mismatch");
    refused(verify_token(token, Imprint(DigestAlgorithm::sha512, Bytes(64)), f->trust()), "another algorithm");
    refused(verify_token(token, f->imprint(), TokenTrust{}), "not trusted");
    TokenTrust other;
    other.roots.push_back(f->certificate("tsa2.crt"));
    refused(verify_token(token, f->imprint(), other), "not trusted");
    TokenTrust late = f->trust();
    late.at = parse_rfc3339("2099-01-01T00:00:00Z").value();
    refused(verify_token(token, f->imprint(), late), "expired");
}

TEST_CASE("without a chain the signature still has to fit, and no root is claimed") {
    const auto f = fixtures();
    if (!f) return;
    TokenTrust trust;
    trust.rule = ChainRule::none;
    const auto facts = verify_token(f->read("t.der"), f->imprint(), trust);
    REQUIRE_MESSAGE(facts.ok(), facts.error().message());
    CHECK(facts->chain_root.is_zero());
    refused(verify_token(f->token("rflip.tsr"), f->imprint(), trust), "signature does not fit");
}

TEST_CASE("tokens of German authorities verify with their signer's certificate pinned, at their own time") {
    const auto f = fixtures();
    if (!f) return;
    struct Case {
        const char* name;
        const char* signature;
        DigestAlgorithm imprint;
    };
    for (const Case& c : {Case{"real-dtrust-qualified-pss.der", "rsassa-pss-sha256", DigestAlgorithm::sha256},
                          Case{"real-governikus-ocsp-in-crls.der", "rsa-sha256", DigestAlgorithm::sha256},
                          Case{"real-fujitsu-pss-sha512.der", "rsassa-pss-sha512", DigestAlgorithm::sha512},
                          Case{"real-dfn-pkcs1.der", "rsa-sha256", DigestAlgorithm::sha512}}) {
        CAPTURE(c.name);
        const Bytes token = f->read(c.name);
        const auto read = read_token(token);
        REQUIRE_MESSAGE(read.ok(), read.error().message());
        CHECK(read->signature == c.signature);
        CHECK(read->imprint.algorithm == c.imprint);
        CHECK_FALSE(read->tsa_name.empty());
        const auto facts = verify_token(token, read->imprint, pinned(*read));
        CHECK_MESSAGE(facts.ok(), facts.error().message());
    }
}
