#include "ingest/clamd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/bytes.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMostReply = 4096, kMostName = 120, kPiece = 64u << 10;

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, kMostName))
        if (c > 0x20 && c < 0x7F) out += c;
    return out;
}

bool send_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
}

// Up to its end or a NUL.
std::string receive_reply(int fd) {
    std::string out;
    char buffer[512];
    while (out.size() < kMostReply) {
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        out.append(buffer, static_cast<std::size_t>(got));
        if (const std::size_t end = out.find('\0'); end != std::string::npos) return out.substr(0, end);
    }
    return out;
}

class Connection {
public:
    explicit Connection(int fd) : fd_(fd) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }

private:
    int fd_;
};

}  // namespace

ScanVerdict parse_clamd_reply(std::string_view reply) {
    ScanVerdict out;
    while (!reply.empty() && (reply.back() == '\0' || reply.back() == '\n' || reply.back() == ' '))
        reply.remove_suffix(1);
    constexpr std::string_view kStart = "stream: ", kFound = " FOUND";
    if (reply.substr(0, kStart.size()) != kStart) return out;
    reply.remove_prefix(kStart.size());
    if (reply == "OK") {
        out.result = ScanVerdict::Result::clean;
    } else if (reply.size() > kFound.size() && reply.substr(reply.size() - kFound.size()) == kFound) {
        out.result = ScanVerdict::Result::found;
        out.signature = printable(reply.substr(0, reply.size() - kFound.size()));
    }
    return out;
}

Result<Clamd> Clamd::at(const std::string& address, std::int64_t timeout_ms) {
    if (!address.empty() && address.front() == '/' && address.size() < sizeof(sockaddr_un{}.sun_path))
        return Clamd(address, false, 0, timeout_ms);
    for (const bool v6 : {false, true}) {
        const std::string_view host = v6 ? "[::1]:" : "127.0.0.1:";
        if (address.rfind(host, 0) != 0) continue;
        std::uint16_t port = 0;
        const char* end = address.data() + address.size();
        const auto [read, error] = std::from_chars(address.data() + host.size(), end, port);
        if (error == std::errc() && read == end && port != 0) return Clamd("", v6, port, timeout_ms);
    }
    return Error(Code::usage,
                 "clamd is at the path of its socket, or at 127.0.0.1:PORT: content never leaves this machine")
        .with_hint("for example /run/clamav/clamd.ctl");
}

int Clamd::connect() const {
    const int family = !path_.empty() ? AF_UNIX : v6_ ? AF_INET6 : AF_INET;
    const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const timeval patience{static_cast<time_t>(timeout_ms_ / 1000),
                           static_cast<suseconds_t>(timeout_ms_ % 1000 * 1000)};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int done = -1;
    if (!path_.empty()) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::memcpy(to.sun_path, path_.data(), path_.size());
        done = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    } else if (v6_) {
        sockaddr_in6 to{};
        to.sin6_family = AF_INET6;
        to.sin6_addr = in6addr_loopback;
        to.sin6_port = htons(port_);
        done = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    } else {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port_);
        done = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    if (done == 0) return fd;
    ::close(fd);
    return -1;
}

std::string Clamd::ask_version() const {
    const Connection daemon(connect());
    if (daemon.fd() < 0 || !send_all(daemon.fd(), as_bytes(std::string_view("zVERSION\0", 9)))) return "";
    std::string out;
    for (const char c : receive_reply(daemon.fd()).substr(0, kMostName))
        if (c >= 0x20 && c < 0x7F) out += c;
    return out;
}

Result<ScanVerdict> Clamd::scan(const std::function<Status(const ByteSink&)>& give) const {
    const std::string engine = ask_version();
    if (engine.empty()) return ScanVerdict{};
    const Connection daemon(connect());
    bool fine = daemon.fd() >= 0 && send_all(daemon.fd(), as_bytes(std::string_view("zINSTREAM\0", 10)));
    if (!fine) return ScanVerdict{};
    TRY(give([&](ByteView piece) -> Status {
        while (fine && !piece.empty()) {
            const ByteView part = piece.first(std::min(piece.size(), kPiece));
            Bytes length;
            put_u32(length, static_cast<std::uint32_t>(part.size()));
            fine = send_all(daemon.fd(), length) && send_all(daemon.fd(), part);
            piece = piece.subspan(part.size());
        }
        return ok_status();
    }));
    const std::uint8_t end[4] = {0, 0, 0, 0};
    // It may have said already that this is too large for it; either way there is an answer, or none.
    if (fine) fine = send_all(daemon.fd(), end);
    ScanVerdict out = fine ? parse_clamd_reply(receive_reply(daemon.fd())) : ScanVerdict{};
    if (out.result != ScanVerdict::Result::unchecked) out.engine = engine;
    return out;
}

}  // namespace kustos::ingest
