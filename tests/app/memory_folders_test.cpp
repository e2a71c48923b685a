// Folders in memory behave as on a disk, and nothing of them gets there.
#include "app/src/memory_folders.h"

#include <doctest/doctest.h>

#include "app/src/drill_folder.h"
#include "tests/support/temp_dir.h"
#include "vault/epoch.h"

using namespace kustos;
using namespace kustos::app;

namespace {

struct World {
    RealFs real;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SystemRandom random;
    test::TempDir dir;
    MemoryFolders fs{real, {dir / "archive" / "keys", dir / "state"}};
    Environment environment() { return {fs, clock, random}; }
};

std::vector<std::string> all_on_disk(const Path& dir) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir))
        names.push_back(entry.path().lexically_relative(dir).string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

TEST_CASE("a generation's secret is stored, read back and destroyed, and no disk ever has it") {
    World w;
    const Path keys = w.dir / "archive" / "keys";
    const auto epochs = vault::file_epochs(w.environment(), keys);
    const Bytes secret(32, 0x5a);
    REQUIRE(epochs->store(3, secret).ok());
    CHECK(equal(epochs->load(3)->view(), secret));
    CHECK(w.fs.exists(keys / "generation-3" / "e"));
    CHECK(w.fs.list(keys / "generation-3").value() == std::vector<std::string>{"e"});
    CHECK(w.fs.list(w.dir / "archive").value() == std::vector<std::string>{"keys"});
    CHECK(all_on_disk(w.dir.path()) == std::vector<std::string>{"archive"});
    REQUIRE(epochs->destroy(3).ok());
    CHECK(epochs->load(3).error().code() == Code::not_found);
}

TEST_CASE("other paths are the disk's, and nothing is renamed from memory to the disk or back") {
    World w;
    REQUIRE(make_dirs_synced(w.fs, w.dir / "archive" / "vault").ok());
    REQUIRE(make_dirs_synced(w.fs, w.dir / "state").ok());
    REQUIRE(replace_file(w.fs, w.dir / "archive" / "vault" / "a", as_bytes("ciphertext")).ok());
    REQUIRE(replace_file(w.fs, w.dir / "state" / "a.key", as_bytes("secret")).ok());
    CHECK(all_on_disk(w.dir.path()) == std::vector<std::string>{"archive", "archive/vault", "archive/vault/a"});
    CHECK(w.fs.rename(w.dir / "state" / "a.key", w.dir / "archive" / "a").error().code() == Code::environment);
    CHECK(w.fs.rename(w.dir / "archive" / "vault" / "a", w.dir / "state" / "b").error().code() == Code::environment);
    // A folder with nearly that name is another one.
    REQUIRE(replace_file(w.fs, w.dir / "state-of-others", as_bytes("x")).ok());
    CHECK(w.real.exists(w.dir / "state-of-others"));
    // No detour by dots.
    REQUIRE(replace_file(w.fs, w.dir / "archive" / ".." / "state" / "c", as_bytes("secret")).ok());
    CHECK(w.fs.exists(w.dir / "state" / "c"));
    CHECK_FALSE(w.real.exists(w.dir / "state"));
}

TEST_CASE("files and folders in memory answer as those of a disk do") {
    World w;
    const Path state = w.dir / "state";
    CHECK(w.fs.open(state / "a", OpenMode::create_new).error().code() == Code::not_found);  // no folder yet
    REQUIRE(w.fs.make_dirs(state / "x" / "signer").ok());
    CHECK(w.fs.is_dir(state / "x").value());
    CHECK(w.fs.open(state / "x", OpenMode::read).error().code() == Code::environment);
    CHECK(w.fs.open(state / "x" / "a", OpenMode::read).error().code() == Code::not_found);
    CHECK(w.fs.open(state / "x" / "a", OpenMode::read_write).error().code() == Code::not_found);
    {
        auto file = w.fs.open(state / "x" / "signer" / "head", OpenMode::create_new).value();
        REQUIRE(file->write_at(4, as_bytes("five")).ok());
        CHECK(file->size().value() == 8);
        Bytes back(16, 0xff);
        CHECK(file->read_at(2, back).value() == 6);
        CHECK(as_text(ByteView(back).first(6)) == std::string_view("\0\0five", 6));
        CHECK(file->read_at(9, back).value() == 0);
        REQUIRE(file->truncate(5).ok());
        CHECK(file->size().value() == 5);
    }
    CHECK(w.fs.open(state / "x" / "signer" / "head", OpenMode::create_new).error().code() == Code::conflict);
    CHECK_FALSE(w.fs.is_dir(state / "x" / "signer" / "head").value());
    // A folder moves with what is in it.
    REQUIRE(w.fs.rename(state / "x" / "signer", state / "x" / "signer.old").ok());
    CHECK(w.fs.exists(state / "x" / "signer.old" / "head"));
    CHECK_FALSE(w.fs.exists(state / "x" / "signer"));
    CHECK(w.fs.rename(state / "x" / "signer", state / "x" / "y").error().code() == Code::not_found);
    CHECK_FALSE(w.fs.remove_dir(state / "x" / "signer.old").ok());
    REQUIRE(w.fs.remove(state / "x" / "signer.old" / "head").ok());
    CHECK(w.fs.remove(state / "x" / "signer.old" / "head").error().code() == Code::not_found);
    REQUIRE(w.fs.remove_dir(state / "x" / "signer.old").ok());
    CHECK(w.fs.list(state / "x").value().empty());
    CHECK(w.fs.list(state / "none").error().code() == Code::not_found);
}

TEST_CASE("what a killed drill left is taken away, and what runs or is another's stays") {
    World w;
    const char* const before = std::getenv("TMPDIR");
    const std::string kept = before == nullptr ? "" : before;
    REQUIRE(setenv("TMPDIR", w.dir.path().c_str(), 1) == 0);
    const Environment e{w.real, w.clock, w.random};
    {
        const auto running = DrillFolder::make(e).value();
        REQUIRE(w.real.make_dirs(w.dir / "kustos-drill-dead01" / "archive" / "keys").ok());
        REQUIRE(replace_file(w.real, w.dir / "kustos-drill-dead01" / "lock", {}).ok());
        REQUIRE(vault::file_epochs(e, w.dir / "kustos-drill-dead02" / "archive" / "keys")->store(4, Bytes(32, 1)).ok());
        REQUIRE(w.real.make_dirs(w.dir / "elsewhere").ok());
        REQUIRE(replace_file(w.real, w.dir / "elsewhere" / "lock", {}).ok());
        std::filesystem::create_directory_symlink(w.dir / "elsewhere", w.dir / "kustos-drill-link01");
        CHECK(remove_killed_drills(e) == 2);
        CHECK(w.real.exists(running->archive().parent_path()));
        CHECK(w.real.exists(w.dir / "kustos-drill-link01"));
        CHECK(w.real.exists(w.dir / "elsewhere" / "lock"));
        CHECK_FALSE(w.real.exists(w.dir / "kustos-drill-dead01"));
        CHECK_FALSE(w.real.exists(w.dir / "kustos-drill-dead02"));
    }
    CHECK(w.real.list(w.dir.path()).value() == std::vector<std::string>{"elsewhere", "kustos-drill-link01"});
    if (kept.empty()) {
        unsetenv("TMPDIR");
    } else {
        setenv("TMPDIR", kept.c_str(), 1);
    }
}
