#include "ingest/src/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace kustos::ingest {

namespace {

sockaddr_in any_port() {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

// The port that it has got; 0: none.
std::uint16_t bind_any(int fd) {
    sockaddr_in address = any_port();
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return ntohs(address.sin_port);
}

}  // namespace

void Fd::reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

Status Loopback::listen() {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (listener_.get() >= 0) port_ = bind_any(listener_.get());
    if (port_ == 0 || ::listen(listener_.get(), 4) != 0) return Error(Code::environment, "no socket on this machine");
    return {};
}

bool Loopback::prepare(int fd) {
    if (fd >= FD_SETSIZE) return false;
    peer_ = bind_any(fd);
    return peer_ != 0;
}

Status Loopback::accept(int wait_ms) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
        pollfd poll{listener_.get(), POLLIN, 0};
        if (left <= 0 || ::poll(&poll, 1, static_cast<int>(left)) <= 0)
            return Error(Code::environment, "no connection on this machine");
        sockaddr_in from{};
        socklen_t size = sizeof from;
        Fd fd(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd.get() < 0 || peer_ == 0 || ntohs(from.sin_port) != peer_) continue;
        connection_.reset(fd.release());
        listener_.reset(-1);
        return {};
    }
}

bool Loopback::write(std::string_view text) {
    return ::send(connection_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string Loopback::read() {
    std::array<char, 16 * 1024> piece{};
    const ssize_t got = ::recv(connection_.get(), piece.data(), piece.size(), 0);
    return got > 0 ? std::string(piece.data(), static_cast<std::size_t>(got)) : std::string();
}

}  // namespace kustos::ingest
