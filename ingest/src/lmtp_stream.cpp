// A mail listener: LMTP or SMTP, for journals and compliance copies (docs/architecture/streams.md).
//
// A thread accepts; each connection has a thread of its own, at most max_connections. What is answered with 250 is
// sealed on the disk; everything else stays in the counterpart's queue.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "ingest/src/all_streams.h"
#include "ingest/src/intake_sink.h"
#include "ingest/src/smtp_connection.h"
#include "ingest/src/smtp_delivery.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kSettings =
    "# Mails by LMTP or SMTP. Postfix: always_bcc = archive@archive.internal, and in the transport map\n"
    "#   archive.internal lmtp:inet:127.0.0.1:2424\n"
    "listen: \"127.0.0.1:2424\"   # an address and a port; [::1]:2424 for IPv6\n"
    "protocol: lmtp             # or smtp\n"
    "# name: archive.example.de # that it greets with\n"
    "# networks: [127.0.0.0/8]  # who may connect; without it, this machine alone\n"
    "# recipients: [archive@archive.internal]  # others are refused. Without it every address is taken, and each\n"
    "#                            mail gets its envelope as a record of its own: it alone proves a Bcc\n"
    "max_size_mib: 256          # of one mail; larger ones are refused for good (552)\n"
    "memory_mib: 512            # for all mails on their way; above it: again later (452)\n"
    "max_connections: 32\n"
    "max_per_client: 24         # of these, from one address: nobody can keep the others out\n"
    "timeout_seconds: 300       # for one command\n"
    "# tls_certificate: lmtp.crt  # PEM, the chain; with tls_key STARTTLS is offered\n"
    "# tls_key: lmtp.key          # PEM, chmod 600\n"
    "# require_tls: true\n"
    "# users: lmtp.users          # lines name:SHA-256 of the password in hex, chmod 600; then AUTH is a must\n"
    "# client_certificates: [\"...\"]  # SHA-256 fingerprints; such clients need no AUTH\n";

std::optional<NetAddress> address_of(const sockaddr_storage& from) {
    char text[INET6_ADDRSTRLEN] = {};
    if (from.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, text, sizeof text);
    } else if (from.ss_family == AF_INET6) {
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, text, sizeof text);
    }
    return parse_net_address(text);
}

// A socket that listens. Errors: environment.
Result<int> listen_on(const std::string& host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return Error(Code::environment, "no socket for the mail listener");
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage where{};
    socklen_t size = sizeof(sockaddr_in);
    if (v6) {
        auto& address = reinterpret_cast<sockaddr_in6&>(where);
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        ::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr);
        size = sizeof(sockaddr_in6);
    } else {
        auto& address = reinterpret_cast<sockaddr_in&>(where);
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    }
    if (::bind(fd, reinterpret_cast<sockaddr*>(&where), size) == 0 && ::listen(fd, 64) == 0) return fd;
    ::close(fd);
    return Error(Code::environment, "the mail listener's port can't be had");
}

std::uint16_t port_of(int fd) {
    sockaddr_storage where{};
    socklen_t size = sizeof where;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) != 0) return 0;
    return ntohs(where.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(where).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(where).sin_port);
}

// OpenSSL writes without MSG_NOSIGNAL: a counterpart that is gone must not end the server.
void block_sigpipe() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

class LmtpStream final : public Stream {
public:
    LmtpStream(LmtpSettings settings, std::unique_ptr<SmtpTls> tls, Intake& intake)
        : settings_(std::move(settings)), tls_(std::move(tls)), intake_(intake), budget_(settings_.memory) {}
    ~LmtpStream() override { stop(); }

    Status start() override {
        thread_ = std::thread([this] { run(); });
        return {};
    }

    void stop() override {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
    }

    StreamStatus status() const override {
        StreamStatus out;
        {
            const std::lock_guard lock(mutex_);
            out = status_;
        }
        if (out.state == StreamStatus::State::running && !intake_.room().ok()) {
            out.state = StreamStatus::State::waiting;
            out.problem = "the archive takes nothing now; mails stay with their sender";
        }
        out.taken = counts_.sealed;
        out.refused = counts_.refused;
        if (const std::int64_t ms = counts_.last_ms; ms >= 0) out.last = UtcTime{ms};
        return out;
    }

private:
    struct Running {
        NetAddress client{};
        std::thread thread;
        std::atomic<bool> done = false;
    };

    bool ends() const { return stop_ || intake_.stopping(); }

    void run() {
        block_sigpipe();
        std::int64_t wait = 1000;
        while (!ends()) {
            const auto listening = listen_on(settings_.host, settings_.port);
            if (!listening.ok()) {
                say(StreamStatus::State::failing, listening.error().message(), 0);
                log(LogLevel::error, "a mail listener has no port", {{"port", settings_.port}});
                for (std::int64_t rested = 0; rested < wait && !ends(); rested += 50) usleep(50'000);
                wait = std::min<std::int64_t>(wait * 2, 300'000);
                continue;
            }
            say(StreamStatus::State::running, "", port_of(*listening));
            while (!ends()) accept_one(*listening);
            ::close(*listening);
        }
        for (Running& one : running_) one.thread.join();
        running_.clear();
        say(StreamStatus::State::stopped, "", 0);
    }

    void accept_one(int listening) {
        pollfd poll{listening, POLLIN, 0};
        const bool comes = ::poll(&poll, 1, 100) > 0;
        running_.remove_if([](Running& one) {
            if (one.done) one.thread.join();
            return one.done.load();
        });
        if (!comes) return;
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const int fd = ::accept4(listening, reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC);
        if (fd < 0) {
            usleep(20'000);  // no descriptors, most likely
            return;
        }
        const auto address = address_of(from);
        const bool welcome = address && std::any_of(settings_.networks.begin(), settings_.networks.end(),
                                                    [&](const Network& network) { return network.holds(*address); });
        if (!welcome) return turn_away(fd, "554 5.7.1 not from there\r\n");
        if (running_.size() >= settings_.max_connections) return turn_away(fd, "421 4.3.2 too many connections\r\n");
        const auto of_client =
            std::count_if(running_.begin(), running_.end(), [&](const Running& one) { return one.client == *address; });
        if (static_cast<std::size_t>(of_client) >= settings_.max_per_client)
            return turn_away(fd, "421 4.7.0 too many connections from you\r\n");
        Running& one = running_.emplace_back();
        one.client = *address;
        one.thread = std::thread([this, fd, &one] {
            serve(fd);
            one.done = true;
        });
    }

    void turn_away(int fd, std::string_view why) {
        SmtpWire wire(fd);
        (void)wire.write(why, 100);
        ++counts_.refused;
    }

    void serve(int fd) {
        block_sigpipe();
        SmtpWire wire(fd);
        SmtpDelivery delivery(settings_, intake_, budget_, counts_);
        const SmtpService service{settings_.session, tls_.get(), settings_.certificates,
                                  smtp_times(settings_.timeout_ms), [this] { return ends(); }};
        serve_smtp(wire, service, delivery);
    }

    void say(StreamStatus::State state, std::string problem, std::uint16_t port) {
        const std::lock_guard lock(mutex_);
        status_.state = state;
        status_.problem = std::move(problem);
        status_.port = port;
    }

    const LmtpSettings settings_;
    const std::unique_ptr<SmtpTls> tls_;
    Intake& intake_;
    MailBudget budget_;
    SmtpCounts counts_;
    std::thread thread_;
    std::list<Running> running_;  // of the accepting thread
    std::atomic<bool> stop_ = false;
    mutable std::mutex mutex_;
    StreamStatus status_;
};

Result<std::unique_ptr<Stream>> make_lmtp(const StreamSettings& settings, Intake& intake) {
    LmtpSettings read = TRY(read_lmtp_settings(settings, intake.environment().fs));
    std::unique_ptr<SmtpTls> tls;
    if (!read.certificate_file.empty()) tls = TRY(SmtpTls::load(read.certificate_file, read.key));
    read.key.wipe();
    return std::unique_ptr<Stream>(std::make_unique<LmtpStream>(std::move(read), std::move(tls), intake));
}

}  // namespace

const StreamKind kLmtpStream = {
    "lmtp",
    {"listen", "protocol", "name", "networks", "recipients", "max_size_mib", "memory_mib", "max_connections",
     "max_per_client", "users", "tls_key", "tls_certificate", "require_tls", "client_certificates", "timeout_seconds"},
    kSettings,
    make_lmtp};

}  // namespace kustos::ingest
