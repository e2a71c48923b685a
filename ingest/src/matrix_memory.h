// What the Matrix stream remembers (Intake::remember): the last transactions, the rooms, how far each was compared.
//
// Threads: safe. Errors: of the intake. Durability: what a call has answered is on the disk.
#pragma once

#include <deque>
#include <map>
#include <mutex>

#include "ingest/intake.h"

namespace kustos::ingest {

// A homeserver repeats a transaction until it is answered, so only the last ones matter: kMost of them.
class MatrixTransactions {
public:
    static constexpr std::size_t kMost = 500;
    enum class Known {
        no,
        same,     // answered before
        changed,  // the same events, but not all have the content they had: one was redacted in between
        reused    // other events
    };
    explicit MatrixTransactions(Intake& intake) : intake_(intake) {}
    // ids, content: digests of all events.
    Result<Known> find(std::string_view id, const Hash& ids, const Hash& content);
    Status remember(std::string_view id, const Hash& ids, const Hash& content);

private:
    Status load();
    Intake& intake_;
    std::mutex mutex_;
    bool loaded_ = false;
    std::deque<std::string> lines_;  // "<id's digest> <ids> <content>", oldest first
};

// Rooms that events have come from, each with a local user who can read it.
class MatrixRooms {
public:
    static constexpr std::size_t kMost = 100'000;  // later ones are not compared with the server
    explicit MatrixRooms(Intake& intake) : intake_(intake) {}
    Status saw(std::string_view room, std::string_view local_user);  // local_user may be empty
    Result<std::map<std::string, std::string>> all();                // room, user

private:
    static constexpr std::size_t kMaxShard = 48u << 10;  // bytes
    Status load();
    Intake& intake_;
    std::mutex mutex_;
    bool loaded_ = false;
    std::map<std::string, std::string> rooms_;
    std::size_t shard_ = 0;
    std::string last_shard_;  // lines "room\tuser"; a later line counts
};

}  // namespace kustos::ingest
