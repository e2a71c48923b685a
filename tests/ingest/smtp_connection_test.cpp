// A connection's times, over a pair of sockets.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "ingest/src/smtp_connection.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

class Host final : public SmtpHost {
public:
    MailAnswer room() override { return MailAnswer::sealed; }
    bool knows_recipient(std::string_view) override { return true; }
    bool log_in(std::string_view, ByteView) override { return false; }
    MailAnswer begin_mail() override { return MailAnswer::sealed; }
    MailAnswer mail_bytes(ByteView) override { return MailAnswer::sealed; }
    MailAnswer end_mail(const SmtpEnvelope&) override {
        ++mails;
        return MailAnswer::sealed;
    }
    void drop_mail() override { ++dropped; }
    std::atomic<int> mails = 0, dropped = 0;
};

struct Line {
    explicit Line(SmtpTimes times) : service{options, nullptr, none, times, [this] { return stops.load(); }} {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        server = std::thread([this] {
            SmtpWire wire(fds[1]);
            serve_smtp(wire, service, host);
        });
    }
    ~Line() {
        ::close(fds[0]);
        server.join();
    }
    void say(std::string_view text) { CHECK(::send(fds[0], text.data(), text.size(), MSG_NOSIGNAL) > 0); }
    // Everything until `end` has come, or the connection is closed.
    std::string hear(std::string_view end) {
        std::string out;
        char buffer[1000];
        while (out.find(end) == std::string::npos) {
            pollfd poll{fds[0], POLLIN, 0};
            if (::poll(&poll, 1, 20'000) <= 0) break;
            const ssize_t got = ::recv(fds[0], buffer, sizeof buffer, 0);
            if (got <= 0) break;
            out.append(buffer, static_cast<std::size_t>(got));
        }
        return out;
    }
    void begin() {
        say("LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.example>\r\nDATA\r\n");
        CHECK(hear("354").find("354") != std::string::npos);
    }

    SmtpOptions options;
    std::vector<Hash> none;
    std::atomic<bool> stops = false;
    Host host;
    SmtpService service;
    int fds[2] = {-1, -1};
    std::thread server;
};

SmtpTimes times(std::int64_t command, std::int64_t silence, std::int64_t mail) {
    SmtpTimes out;
    out.command_ms = command;
    out.silence_ms = silence;
    out.mail_ms = mail;
    return out;
}

}  // namespace

TEST_CASE("a mail may take longer than a command") {
    Line line(times(600, 10'000, 20'000));
    line.begin();
    for (int i = 0; i < 4; ++i) {
        line.say("x\r\n");
        ::usleep(300'000);
    }
    line.say(".\r\n");
    CHECK(line.hear("250").rfind("250 2.0.0", 0) == 0);
    line.say("NOOP\r\n");
    CHECK(line.hear("250").rfind("250 2.0.0", 0) == 0);
    CHECK(line.host.mails == 1);
}

TEST_CASE("a mail that drips, and one that falls silent, are given up and not handed on") {
    for (const SmtpTimes& slow : {times(10'000, 300, 20'000), times(10'000, 10'000, 300)}) {
        Line line(slow);
        line.begin();
        line.say("x\r\n");
        CHECK(line.hear("too slow").find("421 4.4.2") != std::string::npos);
        CHECK(line.host.mails == 0);
        CHECK(line.host.dropped == 1);
    }
}

TEST_CASE("when the server ends, who is between two commands is told so") {
    Line line(SmtpTimes{});
    CHECK(line.hear("220").find("220") == 0);
    line.stops = true;
    CHECK(line.hear("421 4.3.2").find("421 4.3.2") != std::string::npos);
}
