#include "base/fs.h"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.h"

using namespace kustos;

TEST_CASE("a foreign path leaves its place in no way") {
    for (const char* bad :
         {"", "/etc/passwd", "..", "a/../b", "a/..", "./a", "a//b", "a/", "a\\b", "C:evil", "../../x"}) {
        CAPTURE(bad);
        CHECK_FALSE(RelPath::parse(bad).ok());
    }
    CHECK_FALSE(RelPath::parse(std::string_view("a\0b", 3)).ok());
    CHECK_FALSE(RelPath::parse(std::string(5000, 'a')).ok());
    CHECK(RelPath::parse("files/p1/f1-Prüfbericht.pdf").value().under("/base") ==
          Path("/base/files/p1/f1-Prüfbericht.pdf"));
    CHECK(RelPath::parse("..a/b..").ok());
}

TEST_CASE("put_once keeps the first bytes, replace_file the last") {
    test::TempDir dir;
    RealFs fs;
    CHECK(put_once(fs, dir / "a", as_bytes("one")).ok());
    CHECK(put_once(fs, dir / "a", as_bytes("one")).ok());
    CHECK(put_once(fs, dir / "a", as_bytes("two")).error().code() == Code::conflict);
    CHECK(replace_file(fs, dir / "a", as_bytes("two")).ok());
    CHECK(as_text(read_file(fs, dir / "a", 10).value()) == "two");
    CHECK(read_file(fs, dir / "a", 2).error().code() == Code::limit);
    CHECK(read_file(fs, dir / "absent", 2).error().code() == Code::not_found);
    CHECK(fs.list(dir.path()).value() == std::vector<std::string>{"a"});
}

TEST_CASE("a lock is held by one") {
    test::TempDir dir;
    auto first = FileLock::acquire(dir / "lock");
    REQUIRE(first.ok());
    CHECK(FileLock::acquire(dir / "lock").error().code() == Code::conflict);
}
