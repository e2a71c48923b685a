// A connection inside this process over 127.0.0.1, for a library that wants a socket and no bytes: the one who connects
// is known by the port that was bound for it, so that no other program on this machine gets in. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace kustos::ingest {

// A file descriptor that closes itself.
class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(-1); }
    void reset(int fd);
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

class Loopback {
public:
    Status listen();                              // Code::environment
    std::uint16_t port() const { return port_; }  // to connect to
    // The library's socket, before it connects. False: it can't be bound, or is above what select() takes.
    bool prepare(int fd);
    Status accept(int wait_ms);  // Code::environment: nobody came
    // It is read by the same thread: false where it does not fit at once, for it never will.
    bool write(std::string_view text);
    std::string read();  // what is there; empty: nothing

private:
    Fd listener_, connection_;
    std::uint16_t port_ = 0, peer_ = 0;
};

}  // namespace kustos::ingest
