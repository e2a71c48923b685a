// The one local account of this version, for the pages of `kustos serve`. A later issue brings roles and approvals.
//
// The password is kept as Argon2id (RFC 9106; 64 MiB, 3 passes) in access.db. Threads: safe (own lock).
#pragma once

#include <mutex>
#include <string>

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

// Tokens of push sources: 32 random bytes, base64url; only their SHA-256 is kept. Shown once.
class PushTokens {
public:
    static Result<PushTokens> open(const Path& file, Random& random);
    Result<std::string> issue(std::uint32_t source);  // replaces the source's token
    Result<bool> check(std::uint32_t source, const std::string& token);
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
