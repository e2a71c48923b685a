#include "audit/trust.h"

#include <doctest/doctest.h>

#include "tests/support/doc_example.h"

using namespace kustos;
using namespace kustos::audit;

namespace {
const std::string kLog =
    "log kustos.archive/00000000000000000000000000000000+752904e9+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs\n";
bool refused(const std::string& text, Code code = Code::bad_input) {
    const auto trust = parse_trust(text);
    return !trust.ok() && trust.error().code() == code;
}
}  // namespace

TEST_CASE("the trust file of the page is read") {
    const auto trust = parse_trust(test::doc_text("trust.md", "policy"));
    if (!trust.ok()) FAIL(trust.error().message());
    REQUIRE(trust->logs.size() == 1);
    CHECK("log " + trust->logs[0].format() + "\n" == kLog);
    REQUIRE(trust->authorities.size() == 1);
    CHECK(trust->authorities[0].name == "example-tsa");
    CHECK(trust->authorities[0].level == AuthorityLevel::qualified);
    CHECK(trust->authorities[0].root.front() == 0x30);
}

TEST_CASE("comments, empty lines, spaces and line ends of any kind are fine") {
    CHECK(parse_trust("# x\r\n\r\n   " + kLog + "quorum none").ok());
    CHECK(parse_trust(kLog + kLog)->logs.size() == 2);
}

TEST_CASE("what is not understood is refused, never passed over") {
    CHECK(refused(""));
    CHECK(refused("# only a comment\n"));
    CHECK(refused(kLog + "logs x\n"));
    CHECK(refused("log\n"));
    CHECK(refused("log x y\n"));
    CHECK(refused("log kustos.archive/0+752904e9+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs\n"));
    CHECK(refused(kLog + "tsa a independent\n"));
    CHECK(refused(kLog + "tsa a trusted AAAA\n"));
    CHECK(refused(kLog + "tsa a qualified AAAA\n"));
    CHECK(refused(kLog + "tsa a qualified !!\n"));
    CHECK(refused(kLog + "tsa a qualified AAAA more\n"));
    CHECK(refused(kLog + "quorum some\n"));
    CHECK(refused(kLog + "witness w key\n"));
    CHECK(refused(std::string(kMaxTrustFile + 1, '#'), Code::limit));
}

TEST_CASE("a signed trust file is taken only with its signer's key, if a key is asked for") {
    const Bytes seed(32, 7), other_seed(32, 8);
    auto signer = SignerKey::make("authority.example/trust", seed),
         other = SignerKey::make("other.example", other_seed);
    REQUIRE(signer.ok());
    REQUIRE(other.ok());
    auto log = SignerKey::make("log.example", seed);
    REQUIRE(log.ok());
    const std::string text = "log " + log->verifier().format() + "\ndigest sha256 2032-01-01\nquorum none\n";
    const std::string note = sign_note(text, *signer);

    const auto plain = parse_trust(text);
    REQUIRE(plain.ok());
    CHECK_FALSE(plain->signature_ignored);
    CHECK(plain->digest_ends.at(DigestAlgorithm::sha256).ms == 1'956'528'000'000);
    CHECK(format_trust(*plain) == text);

    const auto taken = parse_trust(note, true, signer->verifier());
    REQUIRE(taken.ok());
    CHECK(taken->signed_by == "authority.example/trust");
    CHECK_FALSE(taken->signature_ignored);
    CHECK(format_trust(*taken) == text);

    const auto unasked = parse_trust(note);
    REQUIRE(unasked.ok());
    CHECK(unasked->signature_ignored);
    CHECK(unasked->signed_by.empty());

    CHECK_FALSE(parse_trust(text, true, signer->verifier()).ok());
    CHECK_FALSE(parse_trust(note, true, other->verifier()).ok());
    std::string changed = note;
    changed.replace(changed.find("2032"), 4, "2042");
    CHECK_FALSE(parse_trust(changed, true, signer->verifier()).ok());
    CHECK_FALSE(parse_trust(note + "log x\n", true, signer->verifier()).ok());
}

TEST_CASE("an end of a digest algorithm that can't be read is refused with its line") {
    const Bytes seed(32, 7);
    auto log = SignerKey::make("log.example", seed);
    REQUIRE(log.ok());
    const std::string head = "log " + log->verifier().format() + "\n";
    for (const char* line : {"digest md5 2032-01-01", "digest sha256 2032", "digest sha256 2032-13-01", "digest sha256",
                             "digest sha256 2032-01-01\ndigest sha256 2033-01-01"}) {
        const auto bad = parse_trust(head + line + "\n");
        REQUIRE_FALSE(bad.ok());
        CHECK(bad.error().message().find("line ") != std::string::npos);
    }
}
