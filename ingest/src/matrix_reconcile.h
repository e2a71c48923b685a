// What a homeserver has of each room, compared with the archive: backwards from now to where the last comparison began.
// Homeservers lose events on their way to an application service (Synapse at a restart); what the archive lacks is
// sealed then, and counted as the finding "matrix:gap" about the room, which is resolved once the room is whole.
//
// A room that can't be read leaves the finding open until it can. A room whose history ends before the last comparison
// is reached (the server has purged it) leaves one about the stretch, for people to resolve. Threads: one.
#pragma once

#include <atomic>

#include "ingest/src/matrix_memory.h"
#include "ingest/src/matrix_taker.h"

namespace kustos::ingest {

struct MatrixReconcileSettings {
    // Younger events are left to the transactions, which may be on their way.
    std::int64_t settle_ms = 120'000;
    bool history = false;  // also what was before the source was there
};

class MatrixReconcile {
public:
    static constexpr int kPages = 200;  // of a room in one round; the next goes on from there
    MatrixReconcile(MatrixReconcileSettings settings, Intake& intake, MatrixHomeserver& homeserver, MatrixTaker& taker,
                    MatrixRooms& rooms)
        : settings_(settings), intake_(intake), homeserver_(homeserver), taker_(taker), rooms_(rooms) {}
    // All rooms. Errors: Code::environment: the homeserver can't be asked; those of take(); interrupted.
    Status round();
    Status room(const std::string& room, const std::string& user);
    std::uint64_t sealed() const { return sealed_; }

private:
    struct Pass;
    Result<MatrixPage> page(Pass& pass);
    Status take_page(Pass& pass, MatrixPage page);
    Status finish(Pass& pass);
    Result<std::int64_t> since();
    MatrixReconcileSettings settings_;
    Intake& intake_;
    MatrixHomeserver& homeserver_;
    MatrixTaker& taker_;
    MatrixRooms& rooms_;
    std::atomic<std::uint64_t> sealed_ = 0;
};

}  // namespace kustos::ingest
