#include "base/sqlite.h"

#include <doctest/doctest.h>

#include "base/compress.h"
#include "tests/support/temp_dir.h"

using namespace kustos;

TEST_CASE("rows come back, and a transaction without commit leaves nothing") {
    test::TempDir dir;
    auto db = Database::open(dir / "t.db", DatabaseMode::create_or_open);
    REQUIRE(db.ok());
    REQUIRE(db->execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c BLOB)").ok());
    auto insert = db->prepare("INSERT INTO t(b, c) VALUES(?, ?)");
    REQUIRE(insert.ok());
    CHECK(insert->bind(1, std::string_view("text")).bind(2, ByteView(Bytes{1, 0, 2})).run().ok());
    {
        auto transaction = Transaction::begin(*db);
        REQUIRE(transaction.ok());
        CHECK(insert->bind(1, std::string_view("gone")).bind_null(2).run().ok());
    }
    auto select = db->prepare("SELECT b, c FROM t");
    REQUIRE(select.ok());
    REQUIRE(select->step().value());
    CHECK(select->column_text(0) == "text");
    CHECK(select->column_blob(1) == Bytes{1, 0, 2});
    CHECK_FALSE(select->step().value());
}

TEST_CASE("compressed bytes carry no length and are checked against the one that is given") {
    const Bytes plain(10'000, 'a');
    const Bytes stored = zstd_compress(plain, 3);
    CHECK(stored.size() < 100);
    CHECK(zstd_decompress(stored, plain.size()).value() == plain);
    CHECK_FALSE(zstd_decompress(stored, plain.size() - 1).ok());
    CHECK_FALSE(zstd_decompress(stored, plain.size() + 1).ok());
    CHECK_FALSE(zstd_decompress(Bytes{1, 2, 3}, 3).ok());
}
