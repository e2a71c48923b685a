// What was derived from erased records leaves no byte behind.
#include "vault/derived.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/random.h"
#include "tests/support/temp_dir.h"

namespace kustos::vault {
namespace {

Bytes random_object(SeededRandom& random, std::size_t size) {
    Bytes out(size);
    random.fill(out);
    return out;
}

// Every byte of every file of the folder.
std::string bytes_of(const Path& dir) {
    RealFs fs;
    std::string out;
    for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
        const auto bytes = read_file(fs, file.path(), 1u << 30);
        REQUIRE(bytes.ok());
        out += to_text(*bytes);
    }
    return out;
}

// Pieces of an object as they may lie on a page.
bool holds_piece(const std::string& all, const Bytes& object) {
    for (std::size_t at = 0; at + 16 <= object.size(); at += 512) {
        if (all.find(to_text(ByteView(object).subspan(at, 16))) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("what was derived from erased entries is gone from the file, its free pages and memory; the rest stays") {
    kustos::test::TempDir dir;
    SeededRandom random(5);
    std::vector<Bytes> objects;
    EntrySet gone;
    {
        auto store = DerivedStore::open(dir / "derived.db");
        REQUIRE(store.ok());
        for (std::uint64_t entry = 0; entry < 60; ++entry) {
            objects.push_back(random_object(random, 200 + entry * 400));
            REQUIRE((*store)->put(EntryIndex(entry), "attachment-text/0", objects.back()).ok());
            if (entry % 3 == 0) REQUIRE((*store)->put(EntryIndex(entry), "attachment-text/1", objects.back()).ok());
            if (entry == 40) REQUIRE((*store)->flush().ok());
        }
        for (const std::uint64_t entry : {3, 4, 5, 6, 17, 30, 39, 41, 50, 59}) gone.add(EntryIndex(entry));
        CHECK(holds_piece(bytes_of(dir.path()), objects[39]));
        const auto removed = (*store)->remove(gone);
        REQUIRE(removed.ok());
        CHECK(*removed == 7 + 4);  // 41, 50 and 59 waited in memory
        for (std::uint64_t entry = 0; entry < 60; ++entry) {
            const auto got = (*store)->get(EntryIndex(entry), "attachment-text/0");
            CHECK(got.ok() == !gone.contains(EntryIndex(entry)));
        }
        REQUIRE((*store)->flush().ok());  // what waited and was erased does not come after all
        const std::string open_files = bytes_of(dir.path());
        for (std::uint64_t entry = 0; entry < 60; ++entry)
            CHECK(holds_piece(open_files, objects[entry]) == !gone.contains(EntryIndex(entry)));
        CHECK(*(*store)->remove(gone) == 0);
        CHECK(*(*store)->remove({}) == 0);
    }
    const std::string closed = bytes_of(dir.path());
    for (std::uint64_t entry = 0; entry < 60; ++entry)
        CHECK(holds_piece(closed, objects[entry]) == !gone.contains(EntryIndex(entry)));
    auto again = DerivedStore::open(dir / "derived.db");
    for (std::uint64_t entry = 0; entry < 60; ++entry) {
        const auto got = (*again)->get(EntryIndex(entry), "attachment-text/0");
        REQUIRE(got.ok() == !gone.contains(EntryIndex(entry)));
        if (got.ok()) CHECK(*got == objects[entry]);
    }
}

TEST_CASE("a whole archive's worth of derived objects goes in one interval") {
    kustos::test::TempDir dir;
    auto store = DerivedStore::open(dir / "derived.db");
    for (std::uint64_t entry = 0; entry < 10; ++entry)
        REQUIRE((*store)->put(EntryIndex(entry), "p", Bytes(10, 1)).ok());
    REQUIRE((*store)->flush().ok());
    EntrySet all;
    all.add(EntryIndex(0), EntryIndex(~std::uint64_t{0} - 1));
    CHECK(*(*store)->remove(all) == 10);
}

}  // namespace kustos::vault
