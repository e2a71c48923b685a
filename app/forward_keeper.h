// Who keeps the forward state's memory while no server runs (docs/format/forward-state.md): systemd, where it started
// us and offers it (FDSTORE, sd_notify(3)), else a small process of our own, `kustos keep`, which does nothing but hold
// the descriptor. It hands it to the next program of the same user that opens the archive, and wipes the memory and
// ends when nobody has come for a while, when it is told to, or when its socket is taken away.
//
// Threads: one.
#pragma once

#include <memory>
#include <string>

#include "base/local_socket.h"
#include "vault/forward_memory.h"

namespace kustos::app {

class ForwardKeeper {
public:
    // What an earlier process left; `state`: the folder of the archive's signer's store. Null: nothing. From then on
    // the keeper knows that somebody is there, until this object ends.
    std::unique_ptr<vault::ForwardMemory> find(const Path& state);
    // Lets somebody keep it; `minutes`: how long without a server.
    Status entrust(const Path& state, const vault::ForwardMemory& memory, std::int64_t minutes);
    const std::string& keeper() const { return keeper_; }  // "systemd", "keeper"; empty: nobody

private:
    Status call(const Path& socket);
    LocalSocket lifeline_;
    std::string keeper_;
};

// The process `kustos keep SOCKET MINUTES`: the memory is descriptor 3; one byte to descriptor 4 when it listens.
int run_keeper(const Path& socket, std::int64_t minutes);

}  // namespace kustos::app
