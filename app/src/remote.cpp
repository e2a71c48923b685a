#include "app/remote.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/log.h"
#include "base/progress.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::uint32_t kMaxRequest = 4u << 20;
constexpr std::uint32_t kMaxSecret = 4096;
constexpr std::size_t kMostWorkers = 16;
constexpr const char* kName = "serve.sock";

// Socket addresses hold about 100 characters; a path through an open directory is always short.
bool address_of(const Path& archive, int& dir, sockaddr_un& address) {
    dir = open(archive.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return false;
    address = {};
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(dir) + "/" + kName;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return true;
}

bool send_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

bool receive_all(int fd, std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t n = recv(fd, out.data() + done, out.size() - done, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += static_cast<std::size_t>(n);
    }
    return true;
}

bool send_frame(int fd, std::uint8_t channel, ByteView bytes) {
    Bytes head;
    put_u8(head, channel);
    put_u32(head, static_cast<std::uint32_t>(bytes.size()));
    return send_all(fd, head) && send_all(fd, bytes);
}

std::string absolute(const std::string& path) {
    std::error_code ignored;
    return path.empty() ? path : std::filesystem::absolute(path, ignored).string();
}

json to_json(const Call& c) {
    std::vector<std::string> paths;
    for (const std::string& p : c.paths) paths.push_back(absolute(p));
    return {{"command", c.command},
            {"archive", absolute(c.archive.string())},
            {"json", c.json},
            {"german", c.language == Language::german},
            {"paths", paths},
            {"name", c.name},
            {"source", c.source},
            {"format", c.format},
            {"kind", c.kind},
            {"class", c.retention_class},
            {"matter", c.matter},
            {"reference", c.reference},
            {"ground", c.ground},
            {"query", c.query},
            {"records_file", absolute(c.records_file)},
            {"record", c.record},
            {"out", absolute(c.out)},
            {"as", c.as},
            {"sort", c.sort},
            {"redact", c.redact},
            {"trust", absolute(c.trust)},
            {"password_file", absolute(c.password_file)},
            {"limit", c.limit},
            {"original", c.original},
            {"deep", c.deep},
            {"watched", isatty(STDERR_FILENO) != 0}};
}

Call from_json(const json& j) {
    Call c;
    c.command = j.at("command");
    c.archive = j.at("archive").get<std::string>();
    c.json = j.at("json");
    c.language = j.at("german") ? Language::german : Language::english;
    c.paths = j.at("paths").get<std::vector<std::string>>();
    c.name = j.at("name");
    c.source = j.at("source");
    c.format = j.at("format");
    c.kind = j.at("kind");
    c.retention_class = j.at("class");
    c.matter = j.at("matter");
    c.reference = j.at("reference");
    c.ground = j.at("ground");
    c.query = j.at("query");
    c.records_file = j.at("records_file");
    c.record = j.at("record");
    c.out = j.at("out");
    c.as = j.at("as");
    c.sort = j.at("sort");
    c.redact = j.at("redact");
    c.trust = j.at("trust");
    c.password_file = j.at("password_file");
    c.limit = j.at("limit");
    c.original = j.at("original");
    c.deep = j.at("deep");
    return c;
}

}  // namespace

Result<std::unique_ptr<RemoteServer>> RemoteServer::start(House& house) {
    const Path& dir = house.archive().dir();
    ::unlink((dir / kName).c_str());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int dir_fd = -1;
    sockaddr_un address;
    if (fd < 0 || !address_of(dir, dir_fd, address))
        return Error(Code::environment, "the command socket can't be made");
    const mode_t before = umask(0177);
    const bool bound =
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && listen(fd, 16) == 0;
    umask(before);
    close(dir_fd);
    if (!bound) {
        close(fd);
        return Error(Code::environment, "the command socket can't be made");
    }
    auto server = std::unique_ptr<RemoteServer>(new RemoteServer(house, fd));
    server->thread_ = std::thread([raw = server.get()] { raw->accept_loop(); });
    return server;
}

RemoteServer::~RemoteServer() {
    stop();
}

void RemoteServer::stop() {
    if (stopping_.exchange(true)) return;
    if (thread_.joinable()) thread_.join();
    close(fd_);
    ::unlink((house_.archive().dir() / kName).c_str());
}

void RemoteServer::accept_loop() {
    while (!stopping_) {
        for (auto worker = workers_.begin(); worker != workers_.end();) {
            if (!worker->done) {
                ++worker;
                continue;
            }
            worker->thread.join();
            worker = workers_.erase(worker);
        }
        pollfd waiting{fd_, POLLIN, 0};
        if (poll(&waiting, 1, 200) <= 0) continue;
        if (workers_.size() >= kMostWorkers) {  // those who wait stay in the queue of the socket
            usleep(50'000);
            continue;
        }
        const int connection = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) continue;
        const timeval patience{30, 0};
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        Worker& worker = workers_.emplace_back();
        worker.thread = std::thread([this, connection, &worker] {
            handle(connection);
            close(connection);
            worker.done = true;
        });
    }
    for (Worker& worker : workers_) worker.thread.join();
    workers_.clear();
}

void RemoteServer::handle(int connection) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        (peer.uid != geteuid() && peer.uid != 0))
        return;
    std::uint8_t head[4];
    if (!receive_all(connection, head) || load_u32(head) > kMaxRequest) return;
    Bytes request(load_u32(head));
    if (!receive_all(connection, request)) return;
    if (!receive_all(connection, head) || load_u32(head) > kMaxSecret) return;
    SecretBytes passphrase(load_u32(head));
    if (!receive_all(connection, passphrase.writable())) return;

    Work work;
    work.gone = [connection] {
        pollfd state{connection, POLLRDHUP, 0};
        return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    };
    std::ostringstream out, err;
    int code = 70;
    try {
        const json parsed = json::parse(as_text(request));
        Call call = from_json(parsed);
        call.actor = user_name(peer.uid);
        if (parsed.at("watched").get<bool>()) {
            work.show = [connection](std::string_view line) { send_frame(connection, 4, as_bytes(line)); };
        }
        const ScopedWork scope(work);
        code = run_command_in(house_, call, passphrase, {out, err});
    } catch (const json::exception&) {
        err << "kustos: the request is not understood\n";
    }
    Bytes exit;
    put_u32(exit, static_cast<std::uint32_t>(code));
    const std::string out_text = out.str(), err_text = err.str();
    if (send_frame(connection, 1, as_bytes(out_text)) && send_frame(connection, 2, as_bytes(err_text)))
        send_frame(connection, 3, exit);
}

std::optional<int> run_remotely(Environment environment, const Call& call, Streams streams) {
    if (call.archive.empty() || call.command == "init" || call.command == "try" || call.command == "serve" ||
        call.command == "tsa serve")
        return std::nullopt;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int dir_fd = -1;
    sockaddr_un address;
    if (fd < 0 || !address_of(call.archive, dir_fd, address)) {
        if (fd >= 0) close(fd);
        return std::nullopt;
    }
    const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(dir_fd);
    if (!connected) {
        close(fd);
        return std::nullopt;
    }
    SecretBytes passphrase;
    if (!call.passphrase_file.empty()) {
        auto secret = read_secret(environment, call.passphrase_file, "passphrase");
        if (!secret.ok()) {
            close(fd);
            streams.err << "kustos: " << secret.error().message() << "\n";
            return exit_code(secret.error().code());
        }
        passphrase = std::move(*secret);
    }
    const std::string request = to_json(call).dump();
    Bytes head, secret_head;
    put_u32(head, static_cast<std::uint32_t>(request.size()));
    put_u32(secret_head, static_cast<std::uint32_t>(passphrase.size()));
    std::optional<int> code;
    if (send_all(fd, head) && send_all(fd, as_bytes(request)) && send_all(fd, secret_head) &&
        send_all(fd, passphrase.view())) {
        std::uint8_t frame[5];
        while (receive_all(fd, frame)) {
            Bytes bytes(load_u32(frame + 1));
            if (!receive_all(fd, bytes)) break;
            if (frame[0] == 1)
                streams.out.write(reinterpret_cast<const char*>(bytes.data()),
                                  static_cast<std::streamsize>(bytes.size()));
            if (frame[0] == 2)
                streams.err.write(reinterpret_cast<const char*>(bytes.data()),
                                  static_cast<std::streamsize>(bytes.size()));
            if (frame[0] == 4) streams.err << "\r\033[K" << as_text(bytes) << std::flush;
            if (frame[0] == 3 && bytes.size() == 4) {
                code = static_cast<int>(load_u32(bytes.data()));
                break;
            }
        }
    }
    close(fd);
    streams.out.flush();
    if (!code) {
        streams.err << "kustos: the running server ended before it answered\n";
        return 6;
    }
    return code;
}

}  // namespace kustos::app
