#include "base/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace kustos {

namespace {
Error sqlite_error(sqlite3* db, int code) {
    // sqlite3_errmsg may quote values; the code's own words never do.
    const Code kind = (code & 0xff) == SQLITE_CONSTRAINT                                  ? Code::conflict
                      : (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED    ? Code::overloaded
                      : (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB ? Code::corrupt
                                                                                          : Code::environment;
    const int extended = db != nullptr ? sqlite3_extended_errcode(db) : code;
    return Error(kind, std::string("database: ") + sqlite3_errstr(code) + " (" + std::to_string(extended) + ")");
}
}  // namespace

struct Statement::State {
    sqlite3* db;
    sqlite3_stmt* stmt;
};

Statement::Statement(std::unique_ptr<State> state) : state_(std::move(state)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement::~Statement() {
    if (state_) sqlite3_finalize(state_->stmt);
}

Statement& Statement::bind(int position, std::int64_t value) {
    sqlite3_bind_int64(state_->stmt, position, value);
    return *this;
}
Statement& Statement::bind(int position, std::string_view text) {
    sqlite3_bind_text64(state_->stmt, position, text.data() != nullptr ? text.data() : "", text.size(),
                        SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}
Statement& Statement::bind(int position, ByteView blob) {
    static const std::uint8_t empty = 0;
    sqlite3_bind_blob64(state_->stmt, position, blob.data() != nullptr ? blob.data() : &empty, blob.size(),
                        SQLITE_TRANSIENT);
    return *this;
}
Statement& Statement::bind_null(int position) {
    sqlite3_bind_null(state_->stmt, position);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(state_->stmt);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    Error error = sqlite_error(state_->db, code);
    sqlite3_reset(state_->stmt);
    return error;
}

Status Statement::run() {
    while (true) {
        if (!TRY(step())) break;
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(state_->stmt);
    sqlite3_clear_bindings(state_->stmt);
}

std::int64_t Statement::column_int(int position) const {
    return sqlite3_column_int64(state_->stmt, position);
}
std::string Statement::column_text(int position) const {
    const auto* text = sqlite3_column_text(state_->stmt, position);
    if (text == nullptr) return {};
    return std::string(reinterpret_cast<const char*>(text),
                       static_cast<std::size_t>(sqlite3_column_bytes(state_->stmt, position)));
}
Bytes Statement::column_blob(int position) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(state_->stmt, position));
    if (data == nullptr) return {};
    return Bytes(data, data + sqlite3_column_bytes(state_->stmt, position));
}
bool Statement::column_is_null(int position) const {
    return sqlite3_column_type(state_->stmt, position) == SQLITE_NULL;
}

struct Database::State {
    sqlite3* db = nullptr;
    ~State() { sqlite3_close_v2(db); }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const Path& path, DatabaseMode mode) {
    auto state = std::make_unique<State>();
    const int flags =
        SQLITE_OPEN_NOMUTEX |
        (mode == DatabaseMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    const int code = sqlite3_open_v2(path.c_str(), &state->db, flags, nullptr);
    if (code != SQLITE_OK) return sqlite_error(state->db, code);
    sqlite3_busy_timeout(state->db, 10'000);
    Database database(std::move(state));
    TRY(database.execute("PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"));
    if (mode != DatabaseMode::read_only) {
        TRY(database.execute(
            "PRAGMA secure_delete=ON; PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA page_size=4096;"));
    }
    return database;
}

Status Database::execute(const char* sql) {
    const int code = sqlite3_exec(state_->db, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(state_->db, code);
    return {};
}

Result<Statement> Database::prepare(const char* sql) {
    auto state = std::make_unique<Statement::State>();
    state->db = state_->db;
    const int code = sqlite3_prepare_v3(state_->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &state->stmt, nullptr);
    if (code != SQLITE_OK) return sqlite_error(state_->db, code);
    return Statement(std::move(state));
}

std::int64_t Database::last_insert_id() const {
    return sqlite3_last_insert_rowid(state_->db);
}
std::int64_t Database::changes() const {
    return sqlite3_changes64(state_->db);
}

struct DatabaseCopy::State {
    sqlite3* to = nullptr;
    sqlite3_backup* backup = nullptr;
    ~State() {
        if (backup != nullptr) sqlite3_backup_finish(backup);
        sqlite3_close_v2(to);
    }
};

DatabaseCopy::DatabaseCopy(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatabaseCopy::DatabaseCopy(DatabaseCopy&&) noexcept = default;
DatabaseCopy::~DatabaseCopy() = default;

Result<DatabaseCopy> Database::begin_copy(const Path& file) {
    auto state = std::make_unique<DatabaseCopy::State>();
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(file.c_str(), &state->to, flags, nullptr);
    if (code != SQLITE_OK) return sqlite_error(state->to, code);
    state->backup = sqlite3_backup_init(state->to, "main", state_->db, "main");
    if (state->backup == nullptr) return sqlite_error(state->to, sqlite3_errcode(state->to));
    return DatabaseCopy(std::move(state));
}

Result<bool> DatabaseCopy::step(int pages) {
    const int code = sqlite3_backup_step(state_->backup, pages);
    if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) return true;
    if (code != SQLITE_DONE) return sqlite_error(state_->to, code);
    sqlite3_backup_finish(state_->backup);
    state_->backup = nullptr;
    // One file, whatever the journal mode of the source was.
    char* message = nullptr;
    const int mode = sqlite3_exec(state_->to, "PRAGMA journal_mode=DELETE", nullptr, nullptr, &message);
    sqlite3_free(message);
    if (mode != SQLITE_OK) return sqlite_error(state_->to, mode);
    sqlite3_close_v2(state_->to);
    state_->to = nullptr;
    return false;
}

Result<Transaction> Transaction::begin(Database& database) {
    TRY(database.execute("BEGIN IMMEDIATE"));
    return Transaction(&database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
    if (database_ != nullptr) (void)database_->execute("ROLLBACK").ok();
}

Status Transaction::commit() {
    TRY(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace kustos
