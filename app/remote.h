// One archive, one writer: while `kustos serve` runs, every other command is carried out by it, over a socket in the
// archive directory (mode 0600; only the same user or root is served). The caller sees no difference.
//
// Request: u32 length, JSON object; u32 length, secrets (bring_secret.h). Answer: frames of u8 channel (1 output,
// 2 errors, 3 exit code as u32, 4 a line of progress), u32 length, bytes. A caller who hangs up ends his command.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "app/commands.h"
#include "app/house.h"
#include "base/local_socket.h"

namespace kustos::app {

class RemoteServer {
public:
    static Result<std::unique_ptr<RemoteServer>> start(House& house);
    ~RemoteServer();
    void stop();

private:
    RemoteServer(House& house, LocalSocket socket) : house_(house), socket_(std::move(socket)) {}
    struct Worker {
        std::thread thread;
        std::atomic<bool> done{false};
    };
    void accept_loop();
    void handle(const LocalSocket& connection);
    House& house_;
    LocalSocket socket_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
    std::list<Worker> workers_;  // of accept_loop()
};

// Hands the call to the running server. Absent: there is none (the socket does not answer).
std::optional<int> run_remotely(Environment environment, const Call& call, Streams streams);

}  // namespace kustos::app
