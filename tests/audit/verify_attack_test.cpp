// The verifier against somebody who may write whatever he likes into the archive's directory: no layout of files makes
// it say "ok" where something is wrong, and none holds it up. What is computed ahead changes no word of the judgement.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "audit/checkpoint.h"
#include "audit/segment.h"
#include "audit/tiles.h"
#include "audit/tlog_proof.h"
#include "audit/verify_archive.h"
#include "tests/audit/verify_sample.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;
namespace sfs = std::filesystem;

namespace {

struct Target {
    TempDir dir;
    VerifySample sample;
    RealFs fs;
    VerifyOptions options;
    explicit Target(std::uint64_t seed = 77) : sample(dir.path(), seed) {}

    Path file(const std::string& name) const { return sample.archive() / name; }
    Path vault() const { return sample.archive() / "vault"; }
    Report judge(unsigned threads = 2) {
        options.threads = threads;
        return verify_archive(fs, sample.archive(), options).report;
    }
    bool has(const Report& report, const std::string& code) {
        return std::any_of(report.problems.begin(), report.problems.end(),
                           [&](const Problem& p) { return p.code == code; });
    }
    void remember() {
        options.since.reset();
        const auto v = verify_archive(fs, sample.archive(), options);
        INFO(v.report.to_json());
        REQUIRE(v.state.has_value());
        options.since = VerifiedState::parse(v.state->format()).value();
    }
    Bytes read(const Path& path) { return read_file(fs, path, 64u << 20).value(); }
    void write(const Path& path, const Bytes& bytes) {
        sfs::remove_all(path);
        REQUIRE(replace_file(fs, path, bytes).ok());
    }
};

std::vector<std::string> names_below(const Path& dir) {
    std::vector<std::string> out;
    for (const auto& e : sfs::recursive_directory_iterator(dir)) {
        if (e.is_regular_file()) out.push_back(e.path().lexically_relative(dir).string());
    }
    std::sort(out.begin(), out.end());
    return out;
}

// One change somebody might make to a copy of the archive.
void damage(const Path& dir, SeededRandom& random, RealFs& fs) {
    const auto names = names_below(dir);
    const Path a = dir / names[random.next() % names.size()], b = dir / names[random.next() % names.size()];
    const Bytes before = read_file(fs, a, 64u << 20).value();
    const auto put = [&](const Path& path, const Bytes& bytes) {
        sfs::remove(path);
        REQUIRE(replace_file(fs, path, bytes).ok());
    };
    Bytes bytes = before;
    switch (random.next() % 11) {
        case 0:
            if (!bytes.empty())
                bytes[random.next() % bytes.size()] ^= static_cast<std::uint8_t>(1 + random.next() % 255);
            return put(a, bytes);
        case 1:
            sfs::remove(a);
            return;
        case 2:
            bytes.resize(bytes.empty() ? 0 : random.next() % bytes.size());
            return put(a, bytes);
        case 3:
            bytes.resize(bytes.size() + 1 + random.next() % 40, static_cast<std::uint8_t>(random.next() % 3));
            return put(a, bytes);
        case 4: {
            const Bytes other = read_file(fs, b, 64u << 20).value();
            put(b, bytes);
            return put(a, other);
        }
        case 5:
            return put(a, {});
        case 6:
            sfs::remove(a);
            REQUIRE(::mkfifo(a.c_str(), 0600) == 0);
            return;
        case 7:
            sfs::remove(a);
            sfs::create_symlink(random.next() % 2 == 0 ? b : Path("."), a);
            return;
        case 8:
            sfs::remove(a);
            sfs::create_directory(a);
            return;
        case 9:  // another segment, which begins anywhere
            if (a.extension() != ".seg") return put(a.parent_path() / (a.filename().string() + "9"), bytes);
            return put(segment_file(dir / "vault", EntryIndex(random.next() % 900)), bytes);
        default:  // frames moved between files
            if (a.extension() != ".seg" || bytes.size() < 16) return;
            const std::size_t cut = random.next() % bytes.size();
            put(segment_file(dir / "vault", EntryIndex(random.next() % 900)), Bytes(bytes.begin() + cut, bytes.end()));
            bytes.resize(cut);
            return put(a, bytes);
    }
}

}  // namespace

TEST_CASE("whatever is damaged, threads or none say the same, and none of it holds the verifier up") {
    Target t;
    t.sample.extend(230);
    t.sample.extend_to_blob(30);
    t.sample.extend(200);
    REQUIRE(t.judge().ok);
    t.remember();
    const VerifiedState state = *t.options.since;
    t.sample.extend_to_blob(90);
    SeededRandom random(4711);
    int found = 0, rounds = 0;
    for (; rounds < 16; ++rounds) {
        const Path copy = t.dir / "copy";
        sfs::remove_all(copy);
        sfs::copy(t.sample.archive(), copy, sfs::copy_options::recursive);
        const int changes = 1 + static_cast<int>(random.next() % 3);
        for (int i = 0; i < changes; ++i) damage(copy, random, t.fs);
        for (const bool since : {false, true}) {
            t.options.since = since ? std::optional(state) : std::nullopt;
            std::set<std::string> said;
            bool ok = false;
            for (const unsigned threads : {1u, 3u}) {
                t.options.threads = threads;
                const Report report = verify_archive(t.fs, copy, t.options).report;
                said.insert(report.to_json());
                ok = report.ok;
            }
            if (said.size() != 1) FAIL_CHECK("round " << rounds << ": " << *said.begin() << *said.rbegin());
            found += ok ? 0 : 1;
        }
    }
    CHECK(found > rounds);
}

TEST_CASE("a segment that begins with a blob's entry is read as the archive reads it: nothing can hide in one") {
    Target t;
    t.sample.extend_to_blob(40);
    REQUIRE(t.judge().ok);
    // The ledger ends: blob, and two control entries without payload. Their frames are 16 zeros.
    const EntryIndex blob(t.sample.size() - 3);
    std::vector<EntryIndex> segments = list_segments(t.fs, t.vault()).value();
    for (; segments.back() >= blob; segments.pop_back()) sfs::remove(segment_file(t.vault(), segments.back()));
    const Path last = segment_file(t.vault(), segments.back());
    Bytes frames = t.read(last);
    std::uint64_t used = 0;
    const LedgerReader reader(t.fs, t.file("ledger"), TreeSize(t.sample.size()));
    for (EntryIndex i = segments.back(); i < blob; ++i.value) used += frame_size(reader.header(i).value());
    frames.resize(static_cast<std::size_t>(used));
    t.write(last, frames);
    t.write(segment_file(t.vault(), blob), Bytes(8, 0x5a));
    t.write(segment_file(t.vault(), EntryIndex(blob.value + 1)), Bytes(16, 0));
    for (const unsigned threads : {1u, 2u, 4u}) CHECK(!t.judge(threads).ok);
}

TEST_CASE("a pipe in a file's place, or a link that leads back up, ends in a finding") {
    for (const char* name : {"ledger/checkpoint", "ledger/tile/0/000", "vault/blobs/000000000108.blob"}) {
        Target t;
        Path at = t.file(name);
        if (!sfs::exists(at)) {
            for (const auto& e : sfs::directory_iterator(t.file("vault/blobs"))) at = e.path();
        }
        sfs::remove(at);
        REQUIRE(::mkfifo(at.c_str(), 0600) == 0);
        CHECK(!t.judge().ok);
    }
    Target t;
    for (const char* name : {"a", "b", "c"}) sfs::create_directory_symlink(".", t.file("ledger/tile") / name);
    const Report report = t.judge();
    CHECK(t.has(report, "file.unreferenced"));
    CHECK(report.problems.size() == 3);
}

TEST_CASE("going on: a source that was introduced before, and sends its first record only now, is known") {
    Target t;
    const std::uint64_t source = t.sample.add_source();
    for (int round = 0; round < 4; ++round) t.sample.extend(200);
    t.remember();
    REQUIRE(t.options.since->resume > source);
    t.sample.append_of(source);
    t.sample.extend(20);
    const Report next = t.judge();
    INFO(next.to_json());
    CHECK(next.ok);
    t.options.since.reset();
    CHECK(t.judge().ok);
}

TEST_CASE("going on: a key that no entry of then announced is not believed") {
    Target t;
    for (int round = 0; round < 4; ++round) t.sample.extend(200);
    t.remember();
    REQUIRE(t.options.since->resume > 256);
    REQUIRE(t.judge().ok);
    // Who has the key states, in a tree of his own, that another key follows.
    const SignerKey key = t.sample.key();
    const SignerKey next = SignerKey::make(key.verifier().name, Bytes(32, 9)).value();
    Entry entry;
    entry.header.kind = Kind::control;
    entry.header.retention_class = ClassCode{1};
    entry.body = Body(ControlAction::key_rotated)
                     .put_time(Tag::time, UtcTime{1'772'445'600'000})
                     .put_text(Tag::vkey, next.verifier().format())
                     .encode();
    std::vector<Hash> leaves(static_cast<std::size_t>(t.sample.size()), sha256(as_bytes("other")));
    leaves[1] = leaf_hash(encode(entry));
    const TreeSize size(leaves.size());
    const NodeSource nodes = [&leaves](unsigned level, std::uint64_t at) -> Result<Hash> {
        const std::size_t width = std::size_t{1} << level;
        return root_of(std::span(leaves).subspan(at * width, width));
    };
    TlogProof proof;
    proof.index = EntryIndex(1);
    proof.proof = inclusion_proof(proof.index, size, nodes).value();
    proof.note = sign_note(format_checkpoint({key.verifier().name, size, root_of(size, nodes).value(), {}}), key);
    sfs::create_directory(t.file("ledger/rotations"));
    t.write(t.file("ledger/rotations/000001.entry"), encode(entry));
    t.write(t.file("ledger/rotations/000001.tlog-proof"), to_bytes(proof.format()));
    const Report report = t.judge();
    INFO(report.to_json());
    CHECK(t.has(report, "key.rotation"));
    t.options.since.reset();
    CHECK(t.has(t.judge(), "key.rotation"));
}

TEST_CASE("going on twice: what a run that saw nothing new leaves is no less than what it began with") {
    Target t;
    for (const std::uint64_t records : {200u, 700u}) t.sample.extend(records);  // a span that began before `resume`
    t.remember();
    const VerifiedState first = *t.options.since;
    for (int again = 0; again < 3; ++again) {
        const auto v = verify_archive(t.fs, t.sample.archive(), t.options);
        INFO(v.report.to_json());
        REQUIRE(v.report.ok);
        CHECK(*v.state == first);
        t.options.since = v.state;
    }
    t.sample.extend(20);
    CHECK(t.judge().ok);
}

TEST_CASE("going on: who interrupts a run does not make it forget how far the one before had come") {
    Target t;
    for (int round = 0; round < 4; ++round) t.sample.extend(200);
    t.remember();
    const VerifiedState first = *t.options.since;
    REQUIRE(first.resume + 256 < first.size.value);
    for (int most = 0; most < 3; ++most) {
        int asked = 0;
        t.options.since = first;
        t.options.stop = [&asked, most] { return ++asked > most; };
        auto v = verify_archive(t.fs, t.sample.archive(), t.options);
        t.options.stop = {};
        REQUIRE(v.state.has_value());
        CHECK(v.state->size == first.size);
        CHECK(v.state->root == first.root);
        CHECK(v.state->anchored == first.anchored);
        CHECK(v.state->resume >= first.resume);
        t.options.since = VerifiedState::parse(v.state->format()).value();
        const Report next = t.judge();
        INFO(next.to_json());
        CHECK(next.ok);
        CHECK(next.since_size == first.size.value);
    }
}
