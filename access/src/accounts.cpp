#include "access/accounts.h"

#include <algorithm>

namespace kustos::access {

namespace {
constexpr Argon2Cost kCost{64 * 1024, 3};
constexpr std::int64_t kMostAnswers = 100'000;
constexpr std::uint64_t kCountEvery = 1000;
constexpr std::int64_t kSeenEvery = 3'600'000;  // a write is dear

Result<Database> open_database(const Path& file) {
    Database database = TRY(Database::open(file, DatabaseMode::create_or_open));
    TRY(
        database.execute("CREATE TABLE IF NOT EXISTS account(name TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT "
                         "NULL) WITHOUT ROWID;"
                         "CREATE TABLE IF NOT EXISTS push_token(source INTEGER NOT NULL, number INTEGER NOT NULL, hash "
                         "BLOB NOT NULL, issued INTEGER NOT NULL, ends INTEGER, used INTEGER, PRIMARY KEY(source, "
                         "number)) WITHOUT ROWID;"
                         "CREATE TABLE IF NOT EXISTS answer(source INTEGER NOT NULL, key BLOB NOT NULL, body BLOB NOT "
                         "NULL, at INTEGER NOT NULL, "
                         "text TEXT NOT NULL, PRIMARY KEY(source, key)) WITHOUT ROWID;"
                         "CREATE INDEX IF NOT EXISTS answer_at ON answer(source, at);"));
    // Before there could be several there was one a source, without a date.
    auto old = TRY(database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'token'"));
    const bool has_old = TRY(old.step());
    old.reset();  // it would hold the table
    if (has_old)
        TRY(
            database.execute("BEGIN IMMEDIATE;"
                             "INSERT OR IGNORE INTO push_token SELECT source, 1, hash, 0, NULL, NULL FROM token;"
                             "DROP TABLE token;"
                             "COMMIT"));
    return database;
}

bool good_name(const std::string& name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}
}  // namespace

Result<Accounts> Accounts::open(const Path& file, Random& random) {
    return Accounts(TRY(open_database(file)), random);
}

Status Accounts::set_password(const std::string& name, const std::string& password) {
    if (!good_name(name)) return Error(Code::usage, "an account name has 1 to 64 letters, digits, dots or dashes");
    if (password.size() < 12 || password.size() > 1024)
        return Error(Code::usage, "a password has at least 12 characters");
    Bytes salt(16);
    random_->fill(salt);
    const SecretBytes hash = TRY(argon2id(as_bytes(password), salt, kCost, 32));
    const std::lock_guard lock(*lock_);
    auto statement = TRY(database_.prepare("INSERT OR REPLACE INTO account(name, salt, hash) VALUES(?, ?, ?)"));
    return statement.bind(1, std::string_view(name)).bind(2, ByteView(salt)).bind(3, hash.view()).run();
}

Result<bool> Accounts::check(const std::string& name, const std::string& password) {
    Bytes salt(16), wanted(32);
    bool known = false;
    {
        const std::lock_guard lock(*lock_);
        auto statement = TRY(database_.prepare("SELECT salt, hash FROM account WHERE name = ?"));
        statement.bind(1, std::string_view(name));
        if (TRY(statement.step())) {
            salt = statement.column_blob(0);
            wanted = statement.column_blob(1);
            known = salt.size() == 16 && wanted.size() == 32;
            salt.resize(16);
        }
    }
    if (password.size() > 1024) return false;
    const SecretBytes hash = TRY(argon2id(as_bytes(password), salt, kCost, 32));
    return equal_constant_time(hash.view(), wanted) && known;
}

Result<bool> Accounts::any() {
    const std::lock_guard lock(*lock_);
    auto statement = TRY(database_.prepare("SELECT 1 FROM account LIMIT 1"));
    return statement.step();
}

Result<PushTokens> PushTokens::open(const Path& file, Random& random) {
    return PushTokens(TRY(open_database(file)), random);
}

Result<std::string> PushTokens::issue(std::uint32_t source, std::int64_t now_ms, std::int64_t keep_ms) {
    const SecretBytes secret = SecretBytes::random(*random_, 32);
    const std::string token = base64url(secret.view());
    const std::lock_guard lock(*lock_);
    Transaction change = TRY(Transaction::begin(database_));
    auto ending =
        TRY(database_.prepare("UPDATE push_token SET ends = ?2 WHERE source = ?1 AND (ends IS NULL OR ends > ?2)"));
    TRY(ending.bind(1, std::int64_t{source}).bind(2, now_ms + std::max<std::int64_t>(keep_ms, 0)).run());
    auto have = TRY(database_.prepare(
        "SELECT count(*) FILTER (WHERE ends > ?2), coalesce(max(number), 0) FROM push_token WHERE source = ?1"));
    have.bind(1, std::int64_t{source}).bind(2, now_ms);
    TRY(have.step());
    if (have.column_int(0) >= kMostTokens)
        return Error(Code::limit, "this source has " + std::to_string(kMostTokens) + " tokens that have not ended")
            .with_hint("kustos source token NAME shows them, --end NUMBER ends one");
    auto insert = TRY(database_.prepare("INSERT INTO push_token(source, number, hash, issued) VALUES(?, ?, ?, ?)"));
    TRY(insert.bind(1, std::int64_t{source})
            .bind(2, have.column_int(1) + 1)
            .bind(3, sha256(as_bytes(token)).view())
            .bind(4, now_ms)
            .run());
    TRY(change.commit());
    return token;
}

Result<bool> PushTokens::check(std::uint32_t source, const std::string& token, std::int64_t now_ms) {
    const Hash given = sha256(as_bytes(token));
    const std::lock_guard lock(*lock_);
    auto statement = TRY(database_.prepare(
        "SELECT hash, number, coalesce(used, -3600000) FROM push_token WHERE source = ?1 AND (ends IS NULL "
        "OR ends > ?2)"));
    statement.bind(1, std::int64_t{source}).bind(2, now_ms);
    std::optional<std::int64_t> found;
    std::int64_t used = 0;
    while (TRY(statement.step())) {
        if (!equal_constant_time(statement.column_blob(0), given.view())) continue;
        found = statement.column_int(1);
        used = statement.column_int(2);
    }
    if (!found) return false;
    if (now_ms - used >= kSeenEvery) {
        auto seen = TRY(database_.prepare("UPDATE push_token SET used = ?3 WHERE source = ?1 AND number = ?2"));
        TRY(seen.bind(1, std::int64_t{source}).bind(2, *found).bind(3, now_ms).run());
    }
    return true;
}

Result<std::vector<PushTokens::Token>> PushTokens::list(std::uint32_t source) {
    const std::lock_guard lock(*lock_);
    auto statement =
        TRY(database_.prepare("SELECT number, issued, ends, used FROM push_token WHERE source = ? ORDER BY number"));
    statement.bind(1, std::int64_t{source});
    std::vector<Token> all;
    while (TRY(statement.step())) {
        Token t;
        t.number = static_cast<std::uint32_t>(statement.column_int(0));
        t.issued_ms = statement.column_int(1);
        if (!statement.column_is_null(2)) t.ends_ms = statement.column_int(2);
        if (!statement.column_is_null(3)) t.used_ms = statement.column_int(3);
        all.push_back(t);
    }
    return all;
}

Status PushTokens::end(std::uint32_t source, std::uint32_t number, std::int64_t now_ms) {
    const std::lock_guard lock(*lock_);
    auto statement = TRY(database_.prepare(
        "UPDATE push_token SET ends = ?3 WHERE source = ?1 AND number = ?2 AND (ends IS NULL OR ends > ?3)"));
    TRY(statement.bind(1, std::int64_t{source}).bind(2, std::int64_t{number}).bind(3, now_ms).run());
    if (database_.changes() == 0)
        return Error(Code::usage, "this source has no token of that number, or it has ended")
            .with_hint("kustos source token NAME shows them");
    return {};
}

Result<std::string> PushTokens::remembered(std::uint32_t source, const std::string& idempotency_key, const Hash& body) {
    const Hash key = sha256(as_bytes(idempotency_key));
    const std::lock_guard lock(*lock_);
    auto statement = TRY(database_.prepare("SELECT body, text FROM answer WHERE source = ? AND key = ?"));
    statement.bind(1, std::int64_t{source}).bind(2, key.view());
    if (!TRY(statement.step())) return Error(Code::not_found, "this Idempotency-Key is new");
    if (!equal(statement.column_blob(0), body.view())) {
        return Error(Code::conflict, "this Idempotency-Key was used with another body");
    }
    return statement.column_text(1);
}

Status PushTokens::remember(std::uint32_t source, const std::string& idempotency_key, const Hash& body,
                            const std::string& answer, std::int64_t now_ms) {
    const Hash key = sha256(as_bytes(idempotency_key));
    const std::lock_guard lock(*lock_);
    auto insert =
        TRY(database_.prepare("INSERT OR REPLACE INTO answer(source, key, body, at, text) VALUES(?, ?, ?, ?, ?)"));
    TRY(insert.bind(1, std::int64_t{source})
            .bind(2, key.view())
            .bind(3, body.view())
            .bind(4, now_ms)
            .bind(5, std::string_view(answer))
            .run());
    auto drop = TRY(database_.prepare("DELETE FROM answer WHERE source = ? AND at < ?"));
    TRY(drop.bind(1, std::int64_t{source}).bind(2, now_ms - 7 * 86'400'000ll).run());
    if (++remembered_ % kCountEvery != 0) return ok_status();
    auto surplus =
        TRY(database_.prepare("DELETE FROM answer WHERE source = ?1 AND key IN (SELECT key FROM answer WHERE source = "
                              "?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)"));
    return surplus.bind(1, std::int64_t{source}).bind(2, std::int64_t{kMostAnswers}).run();
}

}  // namespace kustos::access
