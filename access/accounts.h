// The one local account of this version, for the pages of `kustos serve`. A later issue brings roles and approvals.
//
// The password is kept as Argon2id (RFC 9106; 64 MiB, 3 passes) in access.db. Threads: safe (own lock).
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/environment.h"
#include "base/sqlite.h"

namespace kustos::access {

class Accounts {
public:
    static Result<Accounts> open(const Path& file, Random& random);
    // usage: name of other than 1..64 letters, digits, dot, dash; password below 12 characters.
    Status set_password(const std::string& name, const std::string& password);
    // Takes the same time whether or not the name exists.
    Result<bool> check(const std::string& name, const std::string& password);
    Result<bool> any();

private:
    Accounts(Database database, Random& random)
        : database_(std::move(database)), random_(&random), lock_(new std::mutex) {}
    Database database_;
    Random* random_;
    std::unique_ptr<std::mutex> lock_;
};

// Tokens of push sources: 32 random bytes, base64url; only their SHA-256 is kept. Shown once. A source may have several
// for a while, so that a sender can be given a new one before the old one ends. Times are milliseconds since 1970.
class PushTokens {
public:
    static constexpr std::uint32_t kMostTokens = 16;  // of one source that have not ended
    struct Token {
        std::uint32_t number = 0;  // of this source, from 1; never used again
        std::int64_t issued_ms = 0;
        std::optional<std::int64_t> ends_ms;  // from then on it opens nothing
        std::optional<std::int64_t> used_ms;  // last seen, to the hour
    };
    static Result<PushTokens> open(const Path& file, Random& random);
    // A new one. Those that there are end `keep_ms` from now, if they don't end before; 0: at once.
    // Code::limit: too many that have not ended.
    Result<std::string> issue(std::uint32_t source, std::int64_t now_ms, std::int64_t keep_ms = 0);
    // Whether it opens this source now.
    Result<bool> check(std::uint32_t source, const std::string& token, std::int64_t now_ms);
    Result<std::vector<Token>> list(std::uint32_t source);  // oldest first; those that ended, too
    // Ends one now. Code::usage: there is none of that number, or it has ended.
    Status end(std::uint32_t source, std::uint32_t number, std::int64_t now_ms);
    // Answers of pushes, so that a repeated Idempotency-Key gets the receipts of the first time. Kept for 7 days, at
    // most some 100,000 per source. The key is stored as SHA-256.
    Result<std::string> remembered(std::uint32_t source, const std::string& idempotency_key,
                                   const Hash& body);  // conflict: other body
    Status remember(std::uint32_t source, const std::string& idempotency_key, const Hash& body,
                    const std::string& answer, std::int64_t now_ms);

private:
    PushTokens(Database database, Random& random)
        : database_(std::move(database)), random_(&random), lock_(new std::mutex) {}
    Database database_;
    Random* random_;
    std::unique_ptr<std::mutex> lock_;
    std::uint64_t remembered_ = 0;  // guarded by lock_
};

}  // namespace kustos::access
