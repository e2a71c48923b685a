// Tokens that the openssl program can be made to produce but that prove nothing.
#include <doctest/doctest.h>

#include "audit/der.h"
#include "audit/timestamp.h"
#include "audit/tsa_authority.h"
#include "base/crypto.h"
#include "tests/audit/openssl_program.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using kustos::test::openssl;
using kustos::test::openssl_log;

namespace {

// A root, and certificates under it with whatever extensions a case wants; tokens signed with `openssl cms`, over a
// TSTInfo from the builtin authority.
class Forger {
public:
    Forger() {
        write("ca.cnf",
              "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=Test root\n[ca]\nbasicConstraints=critical,CA:TRUE\n"
              "keyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n");
        run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -sha256 -days 3650 "
            "-config ca.cnf -extensions ca -out ca.crt");
        const auto builtin = BuiltinAuthority::create({fs, clock, random}, dir / "builtin").value();
        const auto request = TimestampRequest::make(imprint, random);
        write("source.der", token_from_response(builtin->answer(request.encode()).value()).value());
        run("cms -verify -noverify -inform DER -in source.der -out tst.der");
    }

    // A certificate NAME.crt under the root.
    void certificate(const std::string& name, const std::string& extensions) {
        write("ext.cnf", "basicConstraints=critical,CA:FALSE\n" + extensions);
        run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name + ".key -subj /CN=" + name +
            " -out " + name + ".csr -config ca.cnf");
        run("x509 -req -in " + name +
            ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 -days 3000 -extfile ext.cnf "
            "-out " +
            name + ".crt");
    }

    Bytes sign(const std::string& name, const std::string& options, const char* content = "tst.der",
               const char* type = "1.2.840.113549.1.9.16.1.4") {
        run("cms -sign -binary -nodetach -outform DER -econtent_type " + std::string(type) + " -in " + content +
            " -signer " + name + ".crt -inkey " + name + ".key -md sha256 -out made.der " + options);
        return read("made.der");
    }

    Result<TokenFacts> verify(ByteView token) {
        TokenTrust trust;
        trust.roots.push_back(read_certificate(read("ca.crt")).value());
        return verify_token(token, imprint, trust);
    }

    void write(const char* name, ByteView bytes) { REQUIRE(replace_file(fs, dir / name, bytes).ok()); }
    void write(const char* name, const std::string& text) { write(name, as_bytes(text)); }
    Bytes read(const std::string& name) { return read_file(fs, dir / name, 1 << 20).value(); }
    void run(const std::string& arguments) {
        REQUIRE_MESSAGE(openssl(dir.path(), arguments) == 0, openssl_log(dir.path()));
    }

    test::TempDir dir;
    RealFs fs;
    FixedClock clock{UtcTime{SystemClock().now().ms + 3'600'000}};  // certificates made in a moment are valid then
    SystemRandom random;
    Hash imprint = sha256(as_bytes("imprint"));
};

constexpr const char* kGood = "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n";

void refused(const Result<TokenFacts>& result, const char* words) {
    REQUIRE_FALSE(result.ok());
    CHECK_MESSAGE(result.error().message().find(words) != std::string::npos, result.error().message());
}

// The TSTInfo again with its tsa field (context tag 0) left out: it names the builtin authority.
Bytes without_tsa(ByteView tst) {
    DerReader outer(tst);
    DerReader fields = outer.enter(der::kSequence).value();
    Bytes content, whole;
    while (!fields.at_end()) {
        const DerValue value = fields.any().value();
        if (value.tag != der::context_constructed(0)) put(content, value.whole);
    }
    put_der(whole, der::kSequence, content);
    return whole;
}

}  // namespace

TEST_CASE("a token is worth what its signer's certificate may do") {
    Forger forger;
    forger.certificate("good", kGood);
    forger.write("named.der", forger.read("tst.der"));
    refused(forger.verify(forger.sign("good", "-cades", "named.der")), "authority name is not the signer");
    forger.write("tst.der", without_tsa(forger.read("named.der")));

    const auto good = forger.verify(forger.sign("good", "-cades"));
    REQUIRE_MESSAGE(good.ok(), good.error().message());
    refused(forger.verify(forger.sign("good", "")), "does not name its signing certificate");
    refused(forger.verify(forger.sign("good", "-noattr")), "signed content type");
    refused(forger.verify(forger.sign("good", "-cades -nocerts")), "neither in the token nor given");
    refused(forger.verify(forger.sign("good", "-cades", "tst.der", "1.2.840.113549.1.7.1")), "not of a time stamp");
    forger.write("noise.der", "no TSTInfo");
    refused(forger.verify(forger.sign("good", "-cades", "noise.der")), "not strict DER");
    forger.write("trailing.der", to_text(forger.read("tst.der")) + "x");
    refused(forger.verify(forger.sign("good", "-cades", "trailing.der")), "not strict DER");

    struct Case {
        const char* extensions;
        const char* words;
    };
    for (const Case& c : {
             Case{"keyUsage=critical,digitalSignature\nextendedKeyUsage=timeStamping\n", "not marked critical"},
             Case{"keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping,emailProtection\n",
                  "not timeStamping alone"},
             Case{"keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,emailProtection\n",
                  "not timeStamping alone"},
             Case{"keyUsage=critical,digitalSignature\n", "no (readable) extended key usage"},
             Case{"keyUsage=critical,keyAgreement\nextendedKeyUsage=critical,timeStamping\n",
                  "key usage does not allow"},
         }) {
        CAPTURE(std::string(c.extensions));
        forger.certificate("bad", c.extensions);
        refused(forger.verify(forger.sign("bad", "-cades")), c.words);
    }
}

TEST_CASE("two signers, another time-stamp version and an unknown critical extension are refused") {
    Forger forger;
    forger.certificate("good", kGood);
    forger.certificate("second", kGood);
    const Bytes tst = without_tsa(forger.read("tst.der"));
    forger.write("tst.der", tst);
    forger.run(
        "cms -sign -binary -nodetach -cades -outform DER -econtent_type 1.2.840.113549.1.9.16.1.4 -in tst.der "
        "-signer good.crt -inkey good.key -signer second.crt -inkey second.key -out two.der");
    refused(forger.verify(forger.read("two.der")), "exactly one signer");

    const DerValue body = der_single(tst, der::kSequence).value();
    Bytes other = to_bytes(body.content), version2;
    REQUIRE(other[2] == 1);
    other[2] = 2;
    put_der(version2, der::kSequence, other);
    forger.write("v2.der", version2);
    refused(forger.verify(forger.sign("good", "-cades", "v2.der")), "another version");

    const auto with_extension = [&](const char* fields_hex) {
        Bytes extension, extensions, content = to_bytes(body.content), whole;
        put_der(extension, der::kSequence, parse_hex(fields_hex).value());
        put_der(extensions, der::context_constructed(1), extension);
        put(content, extensions);
        put_der(whole, der::kSequence, content);
        forger.write("ext.der", whole);
        return forger.verify(forger.sign("good", "-cades", "ext.der"));
    };
    refused(with_extension("06032a0304"
                           "0101ff"
                           "0400"),
            "critical extension");
    const auto harmless = with_extension(
        "06032a0304"
        "0400");
    REQUIRE(harmless.ok());
    CHECK_FALSE(harmless->claims_qualified);
    // as a qualified authority writes it: criticality FALSE spelled out
    const auto qualified = with_extension(
        "06082b06010505070103"
        "010100"
        "040d300b30090607040081975e0101");
    REQUIRE_MESSAGE(qualified.ok(), qualified.error().message());
    CHECK(qualified->claims_qualified);
}

TEST_CASE("no byte of a token can be changed without being found, except where nothing is said") {
    Forger forger;
    const Bytes token = forger.read("source.der");
    TokenTrust trust;
    trust.roots.push_back(read_certificate(forger.read("builtin/root.crt")).value());
    const auto original = verify_token(token, forger.imprint, trust);
    REQUIRE(original.ok());
    std::size_t survived = 0;
    for (std::size_t at = 0; at < token.size(); ++at) {
        for (const std::uint8_t flip : {0x01, 0x80}) {
            Bytes changed = token;
            changed[at] ^= flip;
            const auto facts = verify_token(changed, forger.imprint, trust);
            if (!facts.ok()) continue;
            ++survived;
            // what the signature does not cover: version numbers, the carried root, signer identifiers
            CHECK(facts->gen_time == original->gen_time);
            CHECK(facts->imprint == original->imprint);
            CHECK(facts->chain_root == original->chain_root);
        }
    }
    MESSAGE(survived << " of " << 2 * token.size() << " single-bit changes leave the proof as it is");
}
