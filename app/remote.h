// One archive, one writer: while `kustos serve` runs, every other command is carried out by it, over a socket in the
// archive directory (mode 0600; only the same user or root is served). The caller sees no difference.
//
// Frames: u8 channel (1 output, 2 errors, 3 exit code as u32), u32 length, bytes. The request is one JSON object, u32
// length.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "app/commands.h"
#include "app/house.h"

namespace kustos::app {

class RemoteServer {
public:
    static Result<std::unique_ptr<RemoteServer>> start(House& house);
    ~RemoteServer();
    void stop();

private:
    RemoteServer(House& house, int fd) : house_(house), fd_(fd) {}
    void accept_loop();
    void handle(int connection);
    House& house_;
    int fd_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

// Hands the call to the running server. Absent: there is none (the socket does not answer).
std::optional<int> run_remotely(const Call& call, Streams streams);

}  // namespace kustos::app
