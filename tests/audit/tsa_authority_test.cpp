#include "audit/tsa_authority.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "audit/der.h"
#include "base/crypto.h"
#include "tests/audit/openssl_program.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using kustos::test::openssl;
using kustos::test::openssl_log;

namespace {

struct House {
    test::TempDir dir;
    RealFs fs;
    FixedClock clock{parse_rfc3339("2026-03-02T10:00:00.250Z").value()};
    SystemRandom random;
    Environment environment{fs, clock, random};
    std::unique_ptr<BuiltinAuthority> authority = BuiltinAuthority::create(environment, dir / "tsa").value();

    Result<StampedToken> stamp(const Hash& imprint) {
        const auto request = TimestampRequest::make(imprint, random);
        return verify_response(authority->answer(request.encode()).value(), request, authority->trust());
    }
    void write(const char* name, ByteView bytes) { REQUIRE(replace_file(fs, dir / name, bytes).ok()); }
    Bytes read(const char* name) { return read_file(fs, dir / name, 1 << 20).value(); }
};

}  // namespace

TEST_CASE("the builtin authority stamps with the archive's clock and its token verifies with its root") {
    House house;
    const Hash imprint = sha256(as_bytes("checkpoint"));
    const auto stamped = house.stamp(imprint);
    REQUIRE_MESSAGE(stamped.ok(), stamped.error().message());
    const TokenFacts& facts = stamped->facts;
    CHECK(facts.gen_time == house.clock.now());  // to the millisecond
    CHECK(facts.policy == BuiltinAuthority::kPolicy);
    CHECK(facts.accuracy_ms == 1000);
    CHECK_FALSE(facts.ess_v1);
    CHECK(facts.signature == "ecdsa-sha256");
    CHECK(facts.chain_root == house.authority->root_hash());
    CHECK(facts.certificates.size() == 2);  // the signer's and the root's
    CHECK(house.stamp(imprint)->facts.serial != facts.serial);
}

TEST_CASE("the hash of the root is enough to verify a builtin token, because it carries its root") {
    House house;
    const Hash imprint = sha256(as_bytes("checkpoint"));
    const auto stamped = house.stamp(imprint);
    REQUIRE(stamped.ok());
    TokenTrust trust;
    trust.root_hashes.push_back(house.authority->root_hash());
    const auto facts = verify_token(stamped->token, imprint, trust);
    REQUIRE_MESSAGE(facts.ok(), facts.error().message());
    CHECK(facts->chain_root == house.authority->root_hash());
    trust.root_hashes = {sha256(as_bytes("another root"))};
    CHECK_FALSE(verify_token(stamped->token, imprint, trust).ok());
    // the signer's own hash makes no root of it
    trust.root_hashes = {facts->signer};
    CHECK_FALSE(verify_token(stamped->token, imprint, trust).ok());
}

TEST_CASE("the builtin authority is the same after it was opened again, and is created once") {
    House house;
    const auto again = BuiltinAuthority::open(house.environment, house.dir / "tsa");
    REQUIRE(again.ok());
    CHECK((*again)->root_hash() == house.authority->root_hash());
    CHECK((*again)->name() == "builtin");
    const auto second = BuiltinAuthority::create(house.environment, house.dir / "tsa");
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code() == Code::conflict);
    const auto absent = BuiltinAuthority::open(house.environment, house.dir / "nowhere");
    REQUIRE_FALSE(absent.ok());
    CHECK(absent.error().code() == Code::not_found);
    struct stat info {};
    REQUIRE(::stat((house.dir / "tsa/tsa.key").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(house.fs.list(house.dir / "tsa").value() == std::vector<std::string>{"root.crt", "tsa.crt", "tsa.key"});
}

TEST_CASE("an interrupted creation is done again, mixed files are refused") {
    House house;
    REQUIRE(house.fs.remove(house.dir / "tsa/tsa.key").ok());
    const auto again = BuiltinAuthority::create(house.environment, house.dir / "tsa");
    REQUIRE(again.ok());
    CHECK((*again)->root_hash() != house.authority->root_hash());
    REQUIRE(BuiltinAuthority::create(house.environment, house.dir / "other").ok());
    std::filesystem::copy_file(house.dir / "other/tsa.crt", house.dir / "tsa/tsa.crt",
                               std::filesystem::copy_options::overwrite_existing);
    const auto mixed = BuiltinAuthority::open(house.environment, house.dir / "tsa");
    REQUIRE_FALSE(mixed.ok());
    CHECK(mixed.error().code() == Code::corrupt);
}

TEST_CASE("openssl ts -verify accepts what the builtin authority answers to openssl ts -query") {
    House house;
    house.write("data.txt", as_bytes("what was there\n"));
    // no milliseconds and no frozen clock: openssl checks against its own now
    SystemClock clock;
    const Environment environment{house.fs, clock, house.random};
    const auto authority = BuiltinAuthority::create(environment, house.dir / "real").value();
    for (const char* options :
         {"-sha256 -cert", "-sha384 -cert", "-sha512 -cert", "-sha256 -cert -no_nonce", "-sha256"}) {
        CAPTURE(std::string(options));
        REQUIRE(openssl(house.dir.path(), std::string("ts -query -data data.txt ") + options + " -out q.tsq") == 0);
        house.write("r.tsr", authority->answer(house.read("q.tsq")).value());
        const std::string verify =
            "ts -verify -queryfile q.tsq -in r.tsr -CAfile real/root.crt -untrusted real/tsa.crt";
        CHECK_MESSAGE(openssl(house.dir.path(), verify) == 0, openssl_log(house.dir.path()));
        house.write("t.der", token_from_response(house.read("r.tsr")).value());
        CHECK_MESSAGE(openssl(house.dir.path(),
                              "cms -verify -purpose timestampsign -cades -CAfile real/root.crt -certfile real/tsa.crt "
                              "-inform DER -in t.der -out tst.der") == 0,
                      openssl_log(house.dir.path()));
    }
}

TEST_CASE("the builtin authority rejects what it can't stamp, in a well-formed response") {
    House house;
    const auto reason = [&](ByteView tsq) {
        const auto tsr = house.authority->answer(tsq);
        REQUIRE(tsr.ok());
        const auto token = token_from_response(*tsr);
        REQUIRE_FALSE(token.ok());
        return token.error().message();
    };
    TimestampRequest request = TimestampRequest::make(sha256(as_bytes("x")), house.random);
    request.policy = "1.2.3.4.1";
    CHECK(reason(request.encode()).find("does not offer the requested policy") != std::string::npos);
    CHECK(reason(as_bytes("no request")).find("malformed") != std::string::npos);
    CHECK(reason({}).find("malformed") != std::string::npos);
    CHECK(reason(Bytes(kMaxToken, 0x30)).find("malformed") != std::string::npos);
    request.policy = BuiltinAuthority::kPolicy;
    CHECK(token_from_response(house.authority->answer(request.encode()).value()).ok());
    house.write("data.txt", as_bytes("data\n"));
    REQUIRE(openssl(house.dir.path(), "ts -query -data data.txt -sha1 -out sha1.tsq") == 0);
    CHECK(reason(house.read("sha1.tsq")).find("digest algorithm") != std::string::npos);
    const auto large = house.authority->answer(Bytes(kMaxToken + 1));
    REQUIRE_FALSE(large.ok());
    CHECK(large.error().code() == Code::limit);
}

TEST_CASE("several authorities are asked, one that fails does not stop the others, and a wrong clock shows") {
    struct Dead final : TimeAuthority {
        std::string name_ = "dead.example";
        const std::string& name() const override { return name_; }
        Result<Bytes> ask(ByteView) override { return Error(Code::environment, "not reachable"); }
    } dead;
    struct Liar final : TimeAuthority {  // answers every request with its first answer
        explicit Liar(BuiltinAuthority& a) : authority(a) {}
        BuiltinAuthority& authority;
        std::string name_ = "liar.example";
        Bytes first;
        const std::string& name() const override { return name_; }
        Result<Bytes> ask(ByteView tsq) override {
            if (first.empty()) first = TRY(authority.answer(tsq));
            return first;
        }
    };
    House house;
    Liar liar(*house.authority);
    const TokenTrust trust = house.authority->trust();
    const std::vector<AuthorityChoice> all{{&dead, trust}, {house.authority.get(), trust}, {&liar, trust}};
    const Hash imprint = sha256(as_bytes("checkpoint"));
    auto outcomes = stamp(imprint, all, house.clock, house.random);
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].result.error().code() == Code::environment);
    CHECK(outcomes[1].authority == "builtin");
    REQUIRE(outcomes[1].result.ok());
    CHECK(outcomes[1].clock_offset_ms == 0);
    CHECK_FALSE(outcomes[1].clock_suspicious);
    CHECK(outcomes[2].result.ok());
    outcomes = stamp(imprint, all, house.clock, house.random);
    REQUIRE_FALSE(outcomes[2].result.ok());
    CHECK(outcomes[2].result.error().message().find("nonce mismatch") != std::string::npos);
    FixedClock ours(UtcTime{house.clock.now().ms - 60'000});
    outcomes = stamp(imprint, all, ours, house.random);
    CHECK(outcomes[1].result.ok());
    CHECK(outcomes[1].clock_offset_ms == 60'000);
    CHECK(outcomes[1].clock_suspicious);
}

TEST_CASE("an authority's name is short and plain") {
    for (const char* good : {"builtin", "d-trust.net", "tsa1"}) CHECK(is_authority_name(good));
    for (const char* bad : {"", "D-Trust", "a b", "a/b", "..", "-x", "a\n"}) CHECK_FALSE(is_authority_name(bad));
    CHECK_FALSE(is_authority_name(std::string(65, 'a')));
}
