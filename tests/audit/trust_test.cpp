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
