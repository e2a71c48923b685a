// What a Matrix application service answers (Matrix specification 1.13, application service API): transactions, ping,
// queries. No sockets here: requests come in as they were read, answers go out as they are to be written.
//
// 200 to a transaction means: every event of it is sealed, a duplicate, or left out by the capture profile. Threads:
// safe; transactions are taken one after the other.
#pragma once

#include <atomic>
#include <optional>

#include "base/secret.h"
#include "ingest/src/matrix_memory.h"
#include "ingest/src/matrix_taker.h"

namespace kustos::ingest {

struct MatrixRequest {
    std::string_view method;         // "PUT"
    std::string_view target;         // path and query as sent: percent-encoded
    std::string_view authorization;  // the header's value
    ByteView body;
};

struct MatrixAnswer {
    int status = 200;
    std::string body = "{}";         // JSON
    std::int64_t retry_after_s = 0;  // 0: the header is not sent
};

struct MatrixRoute {
    enum class Is { unknown, transaction, ping, user, room };
    Is is = Is::unknown;
    std::string id;  // decoded: the transaction's, the user's, the room alias
    bool method_fits = false;
};
// With the paths of today (/_matrix/app/v1/...), of MSC2659 (ping), and the legacy ones without a prefix.
MatrixRoute matrix_route(std::string_view method, std::string_view target);
// {"errcode": "M_FORBIDDEN", "error": "..."}; text: ours, without characters that JSON escapes.
MatrixAnswer matrix_error(int status, std::string_view errcode, std::string_view text);

struct MatrixServiceSettings {
    SecretBytes hs_token;
    std::string own_server;        // "amt.example"
    std::string bot = "kustos";    // sender_localpart of the registration: the one user that exists
    std::function<void()> pinged;  // a homeserver that has just started may have lost events
};

class MatrixService {
public:
    static constexpr std::size_t kMaxBody = 32u << 20;  // bytes; the specification's events have at most 64 KiB
    MatrixService(MatrixServiceSettings settings, Intake& intake, MatrixTaker& taker, MatrixRooms& rooms)
        : settings_(std::move(settings)), intake_(intake), taker_(taker), rooms_(rooms), transactions_(intake) {}
    // By the head alone, before anything else is read: unknown token (401, 403), path (404), method (405).
    std::optional<MatrixAnswer> refuse(const MatrixRequest& request) const;
    MatrixAnswer answer(const MatrixRequest& request);  // refuses, too
    // A body above kMaxBody, which would hold the homeserver's queue up for ever: a finding.
    MatrixAnswer too_large(const MatrixRequest& request);
    std::uint64_t sealed() const { return sealed_; }  // since start
    std::uint64_t refused() const { return refused_; }

private:
    struct Transaction;
    bool known_token(const MatrixRequest& request) const;
    MatrixAnswer transaction(const std::string& id, ByteView body);
    Status take(const std::string& id, ByteView body);
    Result<Transaction> read(const std::string& id, ByteView body);

    MatrixServiceSettings settings_;
    Intake& intake_;
    MatrixTaker& taker_;
    MatrixRooms& rooms_;
    MatrixTransactions transactions_;
    std::mutex mutex_;  // of a transaction
    std::atomic<std::uint64_t> sealed_ = 0, refused_ = 0;
};

}  // namespace kustos::ingest
