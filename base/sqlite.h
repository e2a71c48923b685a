// SQLite, opened the way the threat model asks: secure_delete=ON, DELETE journal, synchronous=FULL,
// temp_store=MEMORY, foreign keys on, and never a key or content in the clear inside.
//
// Threads: a Database belongs to one thread at a time; the owner locks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/result.h"

namespace kustos {

class Database;

// A prepared statement. bind() positions from 1; column() positions from 0.
class Statement {
public:
    ~Statement();
    Statement(Statement&&) noexcept;
    Statement& bind(int position, std::int64_t value);
    Statement& bind(int position, std::string_view text);
    Statement& bind(int position, ByteView blob);
    Statement& bind_null(int position);
    Result<bool> step();  // true: a row is there; false: done
    Status run();         // step until done, then reset
    void reset();
    std::int64_t column_int(int position) const;
    std::string column_text(int position) const;
    Bytes column_blob(int position) const;
    bool column_is_null(int position) const;

private:
    friend class Database;
    struct State;
    explicit Statement(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

class DatabaseCopy;

enum class DatabaseMode { create_or_open, read_only };

class Database {
public:
    static Result<Database> open(const Path& path, DatabaseMode mode);
    ~Database();
    Database(Database&&) noexcept;
    Status execute(const char* sql);  // literal SQL, several statements allowed
    Result<Statement> prepare(const char* sql);
    std::int64_t last_insert_id() const;
    std::int64_t changes() const;
    // A copy into a new file, some pages at a time; what this connection writes meanwhile comes in. Others must not
    // write.
    Result<DatabaseCopy> begin_copy(const Path& file);

private:
    struct State;
    explicit Database(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Threads: as its source, which must outlive it.
class DatabaseCopy {
public:
    ~DatabaseCopy();
    DatabaseCopy(DatabaseCopy&&) noexcept;
    Result<bool> step(int pages);  // false: it is complete, and closed

private:
    friend class Database;
    struct State;
    explicit DatabaseCopy(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// BEGIN IMMEDIATE now; ROLLBACK in the destructor unless commit() succeeded.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept;
    ~Transaction();
    Status commit();

private:
    explicit Transaction(Database* database) : database_(database) {}
    Database* database_;
};

}  // namespace kustos
