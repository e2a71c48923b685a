#include "audit/net/tsa_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "audit/net/tsa_client.h"
#include "base/crypto.h"
#include "tests/audit/openssl_program.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

struct Running {
    test::TempDir dir;
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<BuiltinAuthority> authority = BuiltinAuthority::create({fs, clock, random}, dir / "tsa").value();
    std::unique_ptr<PostServer> server =
        serve_time_stamps("127.0.0.1", 0, [this](ByteView tsq) { return authority->answer(tsq); }).value();

    // What the server says to these bytes, until it closes the connection.
    std::string raw(const std::string& request) {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(server->port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
        ::shutdown(fd, SHUT_WR);
        std::string answer;
        char buffer[4096];
        for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
            answer.append(buffer, static_cast<std::size_t>(n));
        ::close(fd);
        return answer;
    }
};

}  // namespace

TEST_CASE("the builtin authority behind the server stamps for our client, from several threads") {
    Running running;
    const auto http = HttpAuthority::make("house", running.server->url()).value();
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
            SystemRandom random;
            const Hash imprint = sha256(as_bytes("thread " + std::to_string(t)));
            const auto outcomes = stamp(imprint, {{http.get(), running.authority->trust()}}, running.clock, random);
            good += outcomes[0].result.ok();
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(good == 6);
}

TEST_CASE("openssl ts -query and curl's way of asking are answered so that openssl ts -verify accepts") {
    Running running;
    REQUIRE(replace_file(running.fs, running.dir / "data.txt", as_bytes("data\n")).ok());
    REQUIRE(test::openssl(running.dir.path(), "ts -query -data data.txt -sha256 -cert -out q.tsq") == 0);
    const Bytes tsq = read_file(running.fs, running.dir / "q.tsq", 1 << 16).value();
    const std::string answer = running.raw(
        "POST /tsr HTTP/1.1\r\nHost: x\r\nContent-Type: application/timestamp-query\r\n"
        "Content-Length: " +
        std::to_string(tsq.size()) + "\r\n\r\n" + to_text(tsq));
    CHECK(answer.rfind("HTTP/1.1 200 ", 0) == 0);
    CHECK(answer.find("application/timestamp-reply") != std::string::npos);
    const std::size_t body = answer.find("\r\n\r\n");
    REQUIRE(body != std::string::npos);
    REQUIRE(replace_file(running.fs, running.dir / "r.tsr", as_bytes(answer.substr(body + 4))).ok());
    CHECK_MESSAGE(test::openssl(running.dir.path(), "ts -verify -queryfile q.tsq -in r.tsr -CAfile tsa/root.crt") == 0,
                  test::openssl_log(running.dir.path()));
}

TEST_CASE("the server refuses everything but a time-stamp request of at most 64 KiB") {
    Running running;
    const std::string type = "Content-Type: application/timestamp-query\r\n";
    CHECK(running.raw("GET / HTTP/1.0\r\n\r\n").find(" 405 ") != std::string::npos);
    CHECK(running.raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").find(" 415 ") != std::string::npos);
    CHECK(running.raw("POST / HTTP/1.1\r\nHost: x\r\n" + type + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
              .find(" 411 ") != std::string::npos);
    CHECK(running.raw("POST / HTTP/1.1\r\nHost: x\r\n" + type + "Content-Length: 65537\r\n\r\n").find(" 413 ") !=
          std::string::npos);
    CHECK(running.raw("POST / HTTP/1.1\r\nHost: x\r\n" + type + "Content-Length: -5\r\n\r\n").find(" 200 ") ==
          std::string::npos);
    CHECK(running.raw("POST / HTTP/1.1\r\nHost: x\r\n" + type + "Content-Length: 100\r\n\r\nshort").find(" 200 ") ==
          std::string::npos);
    // and goes on
    const std::string noise = running.raw("POST / HTTP/1.1\r\nHost: x\r\n" + type + "Content-Length: 5\r\n\r\nnoise");
    CHECK(noise.find(" 200 ") != std::string::npos);  // a well-formed rejection
}

TEST_CASE("a failing authority and a taken port are told") {
    const auto server =
        serve_time_stamps("127.0.0.1", 0, [](ByteView) -> Result<Bytes> { return Error(Code::environment, "no"); });
    REQUIRE(server.ok());
    const auto answer = post_query((*server)->url(), as_bytes("x"));
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().message().find("HTTP 500") != std::string::npos);
    const auto second =
        serve_time_stamps("127.0.0.1", (*server)->port(), [](ByteView) { return Result<Bytes>(Bytes()); });
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code() == Code::environment);
}
