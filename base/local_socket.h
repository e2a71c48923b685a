// Sockets of this machine (AF_UNIX, stream), for programs that talk to each other: a command and the running server, an
// archive and its signer.
//
// Paths may be of any length: the socket is reached through its opened folder (an address holds about 100 characters).
// Every read and write has a limit of 30 s, except where said. Errors: environment. Threads: one at a time per socket.
#pragma once

#include <sys/types.h>

#include <span>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/result.h"

namespace kustos {

class LocalSocket {
public:
    LocalSocket() = default;
    explicit LocalSocket(int fd) : fd_(fd) {}
    LocalSocket(LocalSocket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    LocalSocket& operator=(LocalSocket&& other) noexcept;
    ~LocalSocket();

    static Result<LocalSocket> connect(const Path& path);
    // Replaces a socket that an ended program left behind. For this user alone (mode 0600), or for everybody who may
    // enter the folder (0666): then ask peer().
    static Result<LocalSocket> listen(const Path& path, bool everybody = false);
    // The next caller; nothing: none within `patience_ms`.
    Result<LocalSocket> accept(int patience_ms) const;  // Code::not_found: nobody came

    bool open() const { return fd_ >= 0; }
    int fd() const { return fd_; }
    bool send(ByteView bytes) const;                    // all of it
    bool receive(std::span<std::uint8_t> bytes) const;  // exactly so many
    // A length of 4 bytes, big-endian, then so many bytes.
    bool send_message(ByteView bytes) const;
    Result<Bytes> receive_message(std::size_t limit) const;  // Code::not_found: the other side has ended
    bool readable(int patience_ms) const;
    bool ended() const;  // the other side has gone away
    uid_t peer() const;  // who is on the other side (SO_PEERCRED); nobody (65534) if that can't be told

private:
    int fd_ = -1;
};

}  // namespace kustos
