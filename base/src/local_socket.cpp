#include "base/local_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kustos {

namespace {

// The folder, held open while its number is part of the address.
class Address {
public:
    explicit Address(const Path& path) {
        const Path parent = path.has_parent_path() ? path.parent_path() : Path(".");
        dir_ = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const std::string text = "/proc/self/fd/" + std::to_string(dir_) + "/" + path.filename().string();
        if (text.size() >= sizeof address_.sun_path) return;
        address_.sun_family = AF_UNIX;
        std::memcpy(address_.sun_path, text.c_str(), text.size() + 1);
        good_ = dir_ >= 0;
    }
    ~Address() {
        if (dir_ >= 0) close(dir_);
    }
    Address(const Address&) = delete;
    Address& operator=(const Address&) = delete;
    bool good() const { return good_; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
    static constexpr socklen_t kSize = sizeof(sockaddr_un);

private:
    int dir_ = -1;
    bool good_ = false;
    sockaddr_un address_{};
};

void set_patience(int fd) {
    const timeval patience{30, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

LocalSocket& LocalSocket::operator=(LocalSocket&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) close(fd_);
        fd_ = other.fd_;
        other.fd_ = -1;
    }
    return *this;
}

LocalSocket::~LocalSocket() {
    if (fd_ >= 0) close(fd_);
}

Result<LocalSocket> LocalSocket::connect(const Path& path) {
    LocalSocket made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address address(path);
    if (!made.open() || !address.good() || ::connect(made.fd_, address.get(), Address::kSize) != 0)
        return Error(Code::environment, "nobody answers at the socket " + path.string());
    set_patience(made.fd_);
    return made;
}

Result<LocalSocket> LocalSocket::listen(const Path& path, bool everybody) {
    const Error failed(Code::environment, "the socket " + path.string() + " can't be made");
    if (connect(path).ok()) return Error(Code::conflict, "another program listens at " + path.string());
    LocalSocket made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address address(path);
    if (!made.open() || !address.good()) return failed;
    struct stat old {};
    if (lstat(path.c_str(), &old) == 0) {
        if (!S_ISSOCK(old.st_mode)) return failed;  // somebody's file
        ::unlink(path.c_str());
    }
    const mode_t before = umask(everybody ? 0111 : 0177);
    const bool bound = bind(made.fd_, address.get(), Address::kSize) == 0 && ::listen(made.fd_, 16) == 0;
    umask(before);
    if (!bound) return failed;
    return made;
}

Result<LocalSocket> LocalSocket::accept(int patience_ms) const {
    if (!readable(patience_ms)) return Error(Code::not_found, "nobody came");
    LocalSocket caller(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
    if (!caller.open()) return Error(Code::not_found, "nobody came");
    set_patience(caller.fd_);
    return caller;
}

bool LocalSocket::send(ByteView bytes) const {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

bool LocalSocket::receive(std::span<std::uint8_t> bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = recv(fd_, bytes.data() + done, bytes.size() - done, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += static_cast<std::size_t>(n);
    }
    return true;
}

bool LocalSocket::send_message(ByteView bytes) const {
    Bytes framed;
    framed.reserve(bytes.size() + 4);
    put_u32(framed, static_cast<std::uint32_t>(bytes.size()));
    put(framed, bytes);
    return send(framed);
}

Result<Bytes> LocalSocket::receive_message(std::size_t limit) const {
    std::uint8_t head[4];
    if (!receive(head)) return Error(Code::not_found, "the other side has ended");
    if (load_u32(head) > limit) return Error(Code::limit, "a message is longer than allowed");
    Bytes bytes(load_u32(head));
    if (!receive(bytes)) return Error(Code::not_found, "the other side has ended");
    return bytes;
}

bool LocalSocket::readable(int patience_ms) const {
    pollfd waiting{fd_, POLLIN, 0};
    return poll(&waiting, 1, patience_ms) > 0;
}

bool LocalSocket::ended() const {
    pollfd state{fd_, POLLRDHUP, 0};
    return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

uid_t LocalSocket::peer() const {
    ucred peer{};
    socklen_t length = sizeof peer;
    return getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.uid : 65534;
}

}  // namespace kustos
