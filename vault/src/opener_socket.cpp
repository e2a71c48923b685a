// The opener's door: a Unix socket, a thread for each connection.
#include <unistd.h>

#include <atomic>
#include <list>
#include <thread>

#include "base/local_socket.h"
#include "base/log.h"
#include "vault/opener_protocol.h"
#include "vault/opener_service.h"

namespace kustos::vault {

namespace {

constexpr std::size_t kMostConnections = 64;
constexpr int kLookEvery = 200;          // ms
constexpr int kSilentFor = 10 * 60'000;  // ms

struct Connection {
    LocalSocket socket;
    std::thread thread;
    std::atomic<bool> done{false};
};

void serve_one(OpenerService& service, Connection& connection, const std::atomic<bool>& stopping) {
    const auto caller = service.connect(connection.socket.peer());
    int silent = 0;
    while (!stopping && silent < kSilentFor) {
        if (!connection.socket.readable(kLookEvery)) {
            silent += kLookEvery;
            continue;
        }
        silent = 0;
        auto request = connection.socket.receive_message(kMaxOpenerMessage);
        if (!request.ok()) break;
        const Bytes answer = caller->answer(*request);
        wipe(*request);
        if (!connection.socket.send_message(answer)) break;
    }
}

}  // namespace

Status serve_opener(OpenerService& service, const Path& path, const std::optional<std::uint32_t>& caller,
                    const std::function<Status()>& listening, const std::function<bool()>& stop) {
    const LocalSocket door = TRY_IN("opener", LocalSocket::listen(path, caller.has_value()));
    TRY(listening());
    std::list<Connection> connections;
    std::atomic<bool> stopping{false};
    while (!stop()) {
        auto came = door.accept(kLookEvery);
        service.tick();
        for (auto c = connections.begin(); c != connections.end();) {
            if (!c->done) {
                ++c;
                continue;
            }
            c->thread.join();
            c = connections.erase(c);
        }
        if (!came.ok()) continue;
        const uid_t who = came->peer();
        if (who != geteuid() && who != 0 && !(caller && who == *caller)) {
            (void)came->send_message(opener_answer(Error(Code::denied, "the opener does not work for this user")));
            continue;
        }
        if (connections.size() >= kMostConnections) {
            (void)came->send_message(
                opener_answer(Error(Code::overloaded, "too many connections to the opener").with_hint("try again")));
            continue;
        }
        (void)came->send_message(opener_answer(Bytes()));
        Connection& connection = connections.emplace_back();
        connection.socket = std::move(*came);
        connection.thread = std::thread([&service, &connection, &stopping] {
            serve_one(service, connection, stopping);
            connection.socket = LocalSocket();
            connection.done = true;
        });
    }
    stopping = true;
    for (Connection& c : connections) c.thread.join();
    ::unlink(path.c_str());
    return service.flush();
}

}  // namespace kustos::vault
