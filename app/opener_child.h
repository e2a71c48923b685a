// The opener as a child of `kustos serve` (config.yaml, opener.start): a process of its own behind its own walls, under
// a user of its own where the server is root. When it ends it is started again, after 1, 2, 4 ... 60 seconds; it is
// closed then. It ends with the server. Threads: one of its own; words() from any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/environment.h"

namespace kustos::app {

class OpenerChild {
public:
    // Null: config.yaml does not ask for it. Code::usage: opener.start without opener.socket, no such user. state:
    // where the server's own is; the opener's is opener.state, else the folder kustos-opener beside it.
    static Result<std::unique_ptr<OpenerChild>> start_as_configured(Environment environment, const Path& archive,
                                                                    const Path& state);
    ~OpenerChild();  // ends it: SIGTERM, after 10 seconds SIGKILL
    // "the opener runs (process 4711)", "the opener ended (exit code 6) and is started again in 4 s".
    std::string words(bool german) const;

private:
    struct User {
        std::uint32_t uid = 0, gid = 0;
    };
    OpenerChild(Environment environment, std::vector<std::string> call, std::optional<User> user)
        : environment_(environment), call_(std::move(call)), user_(user) {}
    void watch();
    bool launch();
    void rest_until_ended();
    [[noreturn]] static void become(std::vector<char*>& words, const std::optional<User>& user, int parent);

    Environment environment_;
    std::vector<std::string> call_;
    std::optional<User> user_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    int pid_ = 0;        // guarded by mutex_, as all below; 0: none
    std::string ended_;  // how the last one did
    std::uint64_t restarts_ = 0;
    std::int64_t next_start_ms_ = 0;  // monotonic
    std::thread thread_;              // last: it uses all above
};

}  // namespace kustos::app
