// RFC 3161 over HTTP with an authority that is not ours: `openssl ts -reply` behind a small Python server.
#include "audit/net/tsa_client.h"

#include <doctest/doctest.h>

#include <chrono>

#include "base/crypto.h"
#include "tests/audit/net/reply_server.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

TokenTrust trust_of(const test::ReplyServer& server) {
    RealFs fs;
    TokenTrust trust;
    trust.roots.push_back(read_certificate(read_file(fs, server.folder() / "root.crt", 1 << 16).value()).value());
    return trust;
}

std::unique_ptr<HttpAuthority> authority(const std::string& name, const std::string& url, HttpOptions options = {}) {
    return HttpAuthority::make(name, url, options).value();
}

}  // namespace

TEST_CASE("an independent authority stamps over HTTP, another one's failure does not stop it") {
    const test::ReplyServer server;
    REQUIRE(server.runs());
    SystemClock clock;
    SystemRandom random;
    const auto good = authority("independent.test", server.url());
    const auto broken = authority("broken.test", server.url("/broken"));
    const auto typed = authority("typed.test", server.url("/typed?customer=1"));
    const auto replay = authority("replay.test", server.url("/replay"));
    const TokenTrust trust = trust_of(server);
    const Hash imprint = sha256(as_bytes("checkpoint"));
    const auto outcomes =
        stamp(imprint, {{broken.get(), trust}, {good.get(), trust}, {typed.get(), trust}, {replay.get(), trust}}, clock,
              random);
    REQUIRE(outcomes.size() == 4);
    CHECK(outcomes[0].result.error().code() == Code::environment);
    for (const std::size_t i : {1u, 2u}) {
        REQUIRE_MESSAGE(outcomes[i].result.ok(), outcomes[i].result.error().message());
        const TokenFacts& facts = outcomes[i].result->facts;
        CHECK(facts.imprint == Imprint(imprint));
        CHECK(facts.policy == "1.2.3.4.1");
        CHECK(facts.chain_root == sha256(trust.roots[0]));
        CHECK(facts.tsa_name == "CN=Independent test authority");
        CHECK_FALSE(outcomes[i].clock_suspicious);
        CHECK(outcomes[i].round_trip_ms >= 0);
    }
    REQUIRE_FALSE(outcomes[3].result.ok());
    CHECK(outcomes[3].result.error().message().find("nonce mismatch") != std::string::npos);
    // with somebody else's root the same answer is worth nothing
    const auto untrusted = stamp(imprint, {{good.get(), TokenTrust{}}}, clock, random);
    REQUIRE_FALSE(untrusted[0].result.ok());
    CHECK(untrusted[0].result.error().message().find("not trusted") != std::string::npos);
    TokenTrust policy = trust;
    policy.policy = "1.2.3.4.9";
    const auto refused = stamp(imprint, {{good.get(), policy}}, clock, random);
    REQUIRE_FALSE(refused[0].result.ok());
    CHECK(refused[0].result.error().message().find("does not offer the requested policy") != std::string::npos);
}

TEST_CASE("https asks for a trusted certificate of the right name") {
    const test::ReplyServer server;
    REQUIRE(server.runs());
    SystemRandom random;
    const auto request = TimestampRequest::make(sha256(as_bytes("x")), random);
    HttpOptions options;
    options.ca_file = (server.folder() / "root.crt").string();
    const auto good = post_query(server.tls_url(), request.encode(), options);
    REQUIRE_MESSAGE(good.ok(), good.error().message());
    CHECK(verify_response(*good, request, trust_of(server)).ok());
    const auto wrong_name = post_query(server.tls_url("127.0.0.2"), request.encode(), options);
    REQUIRE_FALSE(wrong_name.ok());
    CHECK(wrong_name.error().code() == Code::environment);
    CHECK(wrong_name.error().message().find("certificate") != std::string::npos);
    const auto unknown_root = post_query(server.tls_url(), request.encode());
    REQUIRE_FALSE(unknown_root.ok());
    CHECK(unknown_root.error().message().find("certificate") != std::string::npos);
}

TEST_CASE("an authority that knows its customers gets a certificate or a password, and a stranger is told") {
    const test::ReplyServer server;
    REQUIRE(server.runs());
    SystemRandom random;
    const auto request = TimestampRequest::make(sha256(as_bytes("x")), random);
    HttpOptions options;
    options.ca_file = (server.folder() / "root.crt").string();
    const auto stranger = post_query(server.client_url(), request.encode(), options);
    REQUIRE_FALSE(stranger.ok());
    CHECK(stranger.error().code() == Code::environment);
    options.client_certificate = (server.folder() / "client.crt").string();
    options.client_key = (server.folder() / "client.key").string();
    const auto known = post_query(server.client_url(), request.encode(), options);
    REQUIRE_MESSAGE(known.ok(), known.error().message());
    CHECK(verify_response(*known, request, trust_of(server)).ok());
    options.client_key = (server.folder() / "tls.key").string();  // another certificate's
    CHECK_FALSE(post_query(server.client_url(), request.encode(), options).ok());

    HttpOptions password;
    const auto unnamed = post_query(server.url("/customers"), request.encode(), password);
    REQUIRE_FALSE(unnamed.ok());
    CHECK(unnamed.error().message().find("401") != std::string::npos);
    password.user = "kunde";
    password.password = "geheim: wort";
    const auto answer = post_query(server.url("/customers"), request.encode(), password);
    REQUIRE_MESSAGE(answer.ok(), answer.error().message());
    password.password = "falsch";
    const auto wrong = post_query(server.url("/customers"), request.encode(), password);
    REQUIRE_FALSE(wrong.ok());
    CHECK((wrong.error().message() + wrong.error().hint()).find("falsch") == std::string::npos);
}

TEST_CASE("an authority that misbehaves is refused with a next step, and never for long") {
    const test::ReplyServer server;
    REQUIRE(server.runs());
    SystemRandom random;
    const Bytes tsq = TimestampRequest::make(sha256(as_bytes("x")), random).encode();
    HttpOptions options;
    options.read_timeout_ms = 1'000;
    options.total_timeout_ms = 1'500;
    struct Case {
        const char* path;
        Code code;
        const char* words;
    };
    for (const Case& c : {
             Case{"/html", Code::bad_input, "not of type application/timestamp-reply"},
             Case{"/redirect", Code::bad_input, "redirect (HTTP 302), which is not followed"},
             Case{"/forbidden", Code::bad_input, "refused access (HTTP 403)"},
             Case{"/missing", Code::bad_input, "HTTP 404"},
             Case{"/broken", Code::environment, "failed (HTTP 500)"},
             Case{"/busy", Code::environment, "overloaded"},
             Case{"/large", Code::limit, "larger than 64 KiB"},
             Case{"/endless", Code::limit, "larger than 64 KiB"},
             Case{"/cut", Code::environment, "ended before the whole answer"},
             Case{"/drip", Code::environment, "did not answer in time"},
             Case{"/silent", Code::environment, "did not answer in time"},
             Case{"/noise", Code::bad_input, "not HTTP"},
         }) {
        CAPTURE(std::string(c.path));
        const auto start = std::chrono::steady_clock::now();
        const auto answer = post_query(server.url(std::string(c.path) + "?secret-customer"), tsq, options);
        const auto took = std::chrono::steady_clock::now() - start;
        REQUIRE_FALSE(answer.ok());
        CHECK(answer.error().code() == c.code);
        CHECK_MESSAGE(answer.error().message().find(c.words) != std::string::npos, answer.error().message());
        CHECK_FALSE(answer.error().hint().empty());
        CHECK((answer.error().message() + answer.error().hint()).find("secret") == std::string::npos);
        CHECK(took < std::chrono::seconds(4));
    }
}

TEST_CASE("an authority that is not there says so") {
    const auto refused = post_query("http://127.0.0.1:1/", {});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message().find("refused") != std::string::npos);
    const auto unknown = post_query("http://nowhere.invalid/", {});
    REQUIRE_FALSE(unknown.ok());
    CHECK(unknown.error().code() == Code::environment);
}

TEST_CASE("an address that can't be used is refused before anything is connected") {
    for (const char* bad : {"", "tsa.example", "ftp://tsa.example/", "http://", "http://user:secret@tsa.example/",
                            "http://tsa.example/#x", "http://tsa.example:99999/", "file:///etc/passwd"}) {
        CAPTURE(std::string(bad));
        const auto made = HttpAuthority::make("tsa", bad);
        REQUIRE_FALSE(made.ok());
        CHECK(made.error().code() == Code::usage);
        CHECK_FALSE(made.error().hint().empty());
        CHECK(made.error().message().find("secret") == std::string::npos);
    }
    CHECK_FALSE(HttpAuthority::make("Bad Name", "http://tsa.example/").ok());
    CHECK_FALSE(HttpAuthority::make("builtin", "http://tsa.example/").ok());
    CHECK(HttpAuthority::make("tsa.example", "https://tsa.example/rfc3161?x=1").ok());
}
