// A whole archive directory, judged without keys: whatever is changed, removed, added or swapped is named.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "audit/anchors.h"
#include "audit/verify_archive.h"
#include "tests/audit/verify_sample.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

struct Bench {
    TempDir dir;
    VerifySample sample{dir.path(), 21};
    RealFs fs;
    VerifyOptions options;
    Bench() { options.trust = *parse_trust(sample.trust_text()); }
    Report judge() { return verify_archive(fs, sample.archive(), options).report; }
};

std::set<std::string> codes(const Report& report) {
    std::set<std::string> out;
    for (const Problem& p : report.problems) out.insert(p.code);
    return out;
}

// Changes a file for as long as it lives.
class Changed {
public:
    Changed(Fs& fs, Path path) : fs_(fs), path_(std::move(path)), before_(*read_file(fs_, path_, 64u << 20)) {}
    ~Changed() { write(before_); }
    Bytes before() const { return before_; }
    void write(const Bytes& bytes) {
        std::filesystem::remove(path_);
        CHECK(replace_file(fs_, path_, bytes).ok());
    }
    void remove() { std::filesystem::remove(path_); }

private:
    Fs& fs_;
    Path path_;
    Bytes before_;
};

// Which codes are right for a changed byte of this file; others may come with them.
std::set<std::string> right_codes(const std::string& name) {
    const auto in = [&](const char* folder) { return name.rfind(folder, 0) == 0; };
    if (name == "ledger/checkpoint") return {"checkpoint"};
    if (in("ledger/published/")) return {"checkpoint.published"};
    if (in("ledger/tile/entries/")) return {"ledger.entries", "ledger.tile"};
    if (in("ledger/tile/")) return {"ledger.tile"};
    if (in("ledger/anchors/")) return {"anchor.token", "anchor.imprint", "anchor.missing"};
    if (in("vault/segments/")) return {"vault.segment", "vault.missing"};
    if (in("vault/blobs/")) return {"vault.blob"};
    if (in("keys/boxes/")) return {"keys.box"};
    return {};
}

std::vector<std::string> all_files(const Path& dir) {
    std::vector<std::string> out;
    for (const auto& e : std::filesystem::recursive_directory_iterator(dir)) {
        if (e.is_regular_file()) out.push_back(e.path().lexically_relative(dir).string());
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

TEST_CASE("an intact archive is intact, and every kind of part was looked at") {
    Bench b;
    const Report report = b.judge();
    INFO(report.to_json());
    CHECK(report.ok);
    CHECK(report.origin == Origin::pinned);
    CHECK(report.time == TimeLevel::self);
    CHECK(report.checked.at("entries") == 270);
    CHECK(report.checked.at("tiles") == 3);
    CHECK(report.checked.at("anchors") == 1);
    CHECK(report.checked.at("blobs") == 1);
    CHECK(report.checked.at("boxes") == 1);
    CHECK(report.checked.at("checkpoints") == 2);
    CHECK(report.checked.at("frames") == 264);
    VerifyOptions plain;
    CHECK(verify_archive(b.fs, b.sample.archive(), plain).report.origin == Origin::unknown);
    TempDir other_dir;
    VerifySample other(other_dir.path(), 22);
    CHECK(codes(verify_archive(b.fs, other.archive(), b.options).report) == std::set<std::string>{"origin.mismatch"});
    CHECK(codes(verify_archive(b.fs, b.dir / "nowhere", plain).report) == std::set<std::string>{"archive.unreadable"});
}

TEST_CASE("a changed byte in any kind of file is found and named") {
    Bench b;
    SeededRandom random(9);
    int flips = 0;
    std::set<std::string> kinds;
    for (const std::string& name : all_files(b.sample.archive())) {
        const std::set<std::string> right = right_codes(name);
        if (right.empty()) FAIL_CHECK("no code for " << name);
        Changed file(b.fs, b.sample.archive() / name);
        const Bytes before = file.before();
        REQUIRE(!before.empty());
        for (int n = 0; n < 15; ++n) {
            Bytes changed = before;
            const std::size_t at = random.next() % changed.size();
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1u << (random.next() % 8)));
            file.write(changed);
            const Report report = b.judge();
            ++flips;
            const auto got = codes(report);
            const bool named =
                std::any_of(right.begin(), right.end(), [&](const std::string& c) { return got.count(c) != 0; });
            if (report.ok || !named) FAIL_CHECK(name << " byte " << at << ": " << report.to_json());
            kinds.insert(got.begin(), got.end());
        }
        // Cut by a byte, and gone altogether.
        file.write(Bytes(before.begin(), before.end() - 1));
        const bool zero_tail = name.rfind("vault/segments/", 0) == 0 && before.back() == 0;
        if (b.judge().ok && !zero_tail) FAIL_CHECK(name << " cut");
        file.remove();
        const Report gone = b.judge();
        if (gone.ok) FAIL_CHECK(name << " removed");
    }
    CHECK(flips >= 200);
    CHECK(b.judge().ok);
    MESSAGE(flips << " changes; " << kinds.size() << " codes seen");
}

TEST_CASE("files that nothing refers to are named, wherever they lie; a crash's left-overs are no finding") {
    Bench b;
    const Bytes junk = to_bytes("junk");
    for (const char* name :
         {"ledger/extra", "ledger/published/extra", "ledger/tile/0/001", "ledger/tile/extra",
          "ledger/tile/entries/001.p/3", "ledger/anchors/extra", "ledger/anchors/000000000000-000000000268/extra",
          "ledger/anchors/000000000000-000000000268/note.2", "vault/segments/extra", "vault/segments/000000000999.seg",
          "vault/blobs/000000000001.blob", "vault/blobs/extra"}) {
        const Path path = b.sample.archive() / name;
        REQUIRE(b.fs.make_dirs(path.parent_path()).ok());
        REQUIRE(replace_file(b.fs, path, junk).ok());
        const Report report = b.judge();
        if (codes(report) != std::set<std::string>{"file.unreferenced"}) FAIL_CHECK(name << ": " << report.to_json());
        REQUIRE(b.fs.remove(path).ok());
        REQUIRE(replace_file(b.fs, b.sample.archive() / (std::string(name) + ".tmp"), junk).ok());
        if (const Report again = b.judge(); !again.ok) FAIL_CHECK(name << ".tmp: " << again.to_json());
        REQUIRE(b.fs.remove(b.sample.archive() / (std::string(name) + ".tmp")).ok());
    }
    CHECK(b.judge().ok);
}

TEST_CASE("an older state of the directory, and another archive's parts, are found") {
    Bench b;
    TempDir other_dir;
    VerifySample other(other_dir.path(), 23);
    for (const std::string& name : all_files(b.sample.archive())) {
        const Path theirs = other.archive() / name;
        if (!b.fs.exists(theirs)) continue;
        const Bytes bytes = *read_file(b.fs, theirs, 64u << 20);
        Changed file(b.fs, b.sample.archive() / name);
        if (bytes == file.before()) continue;
        file.write(bytes);
        if (b.judge().ok) FAIL_CHECK(name << " of another archive is accepted");
    }
    // The published checkpoint in place of the last one: the ledger's end is cut off.
    Changed checkpoint(b.fs, b.sample.archive() / "ledger/checkpoint");
    checkpoint.write(*read_file(b.fs, b.sample.archive() / "ledger/published/000000000268", 1 << 20));
    CHECK(!b.judge().ok);
}
