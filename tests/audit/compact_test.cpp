// Compaction: what is covered goes, the rest stays byte for byte, whatever happens in between.
#include "audit/compact.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "audit/ledger.h"
#include "tests/audit/failing_fs.h"
#include "tests/audit/sample_entries.h"
#include "tests/audit/sim_fs.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

constexpr SegmentLimits kSmall{4'000, 20, 1'024};
constexpr std::uint64_t kEntries = 100;

class World {
public:
    explicit World(Fs& disk, Path folder) : fs(disk), dir(std::move(folder)) {
        SeededRandom random(5);
        for (std::uint64_t i = 0; i < 2 * kEntries; ++i) {
            if (i % 7 == 3) {
                all.push_back({sample_control(i), {}});
            } else if (i % 40 == 11) {
                all.push_back(sample_sealed(random, i, kOwnFileFrom, Kind::blob));
            } else {
                all.push_back(sample_sealed(random, i, 16 + random.next() % 700));
            }
        }
    }
    HeaderSource headers() const {
        return [this](EntryIndex i) -> Result<EntryHeader> {
            if (i.value >= all.size()) return Error(Code::not_found, "no such entry yet");
            return all[i.value].entry.header;
        };
    }
    std::unique_ptr<SegmentWriter> open(std::uint64_t committed) {
        auto writer = SegmentWriter::open(fs, dir, TreeSize{committed}, headers(), kSmall);
        return writer.ok() ? std::move(*writer) : nullptr;
    }
    void fill(SegmentWriter& writer, std::uint64_t from, std::uint64_t end) const {
        for (std::uint64_t i = from; i < end; ++i)
            REQUIRE(writer.append(EntryIndex{i}, all[i].entry.header, all[i].ciphertext).ok());
        REQUIRE(writer.sync().ok());
        writer.committed();
    }
    bool erased(std::uint64_t entry) const { return gone.contains(EntryIndex{entry}); }
    Result<CompactReport> run(EntryIndex below, CompactOptions options = {}) {
        options.below = below;
        options.reserve = 0;
        return compact(
            fs, dir, headers(), [this](EntryIndex i, const EntryHeader&) { return gone.contains(i); }, options);
    }
    // Everything that is not erased is there; what is erased is gone, or (not all) may be.
    void check(std::uint64_t count, bool all_gone, const SegmentReader* given = nullptr) const {
        const SegmentReader own(fs, dir, headers(),
                                [this](EntryIndex i, const EntryHeader&) { return gone.contains(i); });
        const SegmentReader& reader = given != nullptr ? *given : own;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto bytes = reader.ciphertext(EntryIndex{i}, 1 << 24);
            const SampleSealed& s = all[i];
            const bool may_be_gone = s.ciphertext.empty() || erased(i);
            const bool is_gone = !bytes.ok() && bytes.error().code() == Code::not_found;
            if (!is_gone && (!bytes.ok() || *bytes != s.ciphertext)) FAIL("entry " << i);
            if (is_gone && !may_be_gone) FAIL("entry " << i << " is gone");
            if (all_gone && may_be_gone && !is_gone) FAIL("entry " << i << " is still there");
        }
    }
    Fs& fs;
    Path dir;
    std::vector<SampleSealed> all;
    EntrySet gone;
};

std::map<std::string, Bytes> files(const Path& dir) {
    RealFs fs;
    std::map<std::string, Bytes> out;
    for (const auto& f : std::filesystem::recursive_directory_iterator(dir)) {
        if (f.is_regular_file()) out[f.path().filename().string()] = read_file(fs, f.path(), 1 << 28).value();
    }
    return out;
}

bool contains(const Bytes& all, const Bytes& part) {
    return std::search(all.begin(), all.end(), part.begin(), part.end()) != all.end();
}

}  // namespace

TEST_CASE("what is covered is found in no file afterwards, and the rest byte for byte") {
    RealFs disk;
    FailingFs fs(disk);
    TempDir dir;
    World w(fs, dir.path());
    auto writer = w.open(0);
    w.fill(*writer, 0, kEntries);
    const EntryIndex below = writer->close_current().value();
    CHECK(below.value == kEntries);
    w.gone.add(EntryIndex{8}, EntryIndex{12});
    w.gone.add(EntryIndex{50});
    w.gone.add(EntryIndex{99});
    const auto before = files(dir.path());
    const CompactReport report = w.run(below).value();
    CHECK(report.frames_removed == 6);  // entry 10 has no payload
    CHECK(report.complete());
    CHECK(report.segments_rewritten == 3);
    w.check(kEntries, true);
    std::uint64_t freed = 0, left = 0;
    for (const auto& [name, bytes] : files(dir.path())) {
        left += bytes.size();
        for (std::uint64_t i = 0; i < kEntries; ++i) {
            if (w.erased(i) && !w.all[i].ciphertext.empty()) CHECK(!contains(bytes, w.all[i].ciphertext));
        }
    }
    for (const auto& [name, bytes] : before) freed += bytes.size();
    CHECK(freed - left == report.bytes_freed);
    // Begun again: nothing to do, no file is touched.
    const int changes = fs.changes();
    const CompactReport again = w.run(below).value();
    CHECK(again.frames_removed == 0);
    CHECK(again.frames_gone == 5);
    CHECK(again.segments_rewritten == 0);
    CHECK(fs.changes() == changes);
    CompactOptions few;
    few.candidates = &w.gone;
    CHECK(w.run(below, few)->segments_seen == 3);
    // The writer goes on, in a new segment; and a start after it finds the frames.
    w.fill(*writer, kEntries, kEntries + 30);
    writer.reset();
    writer = w.open(kEntries + 30);
    REQUIRE(writer != nullptr);
    w.fill(*writer, kEntries + 30, 2 * kEntries);
    w.check(2 * kEntries, true);
}

TEST_CASE("a segment is closed between batches only, and a start takes up the closed one") {
    RealFs fs;
    TempDir dir;
    World w(fs, dir.path());
    auto writer = w.open(0);
    w.fill(*writer, 0, 5);
    REQUIRE(writer->append(EntryIndex{5}, w.all[5].entry.header, w.all[5].ciphertext).ok());
    CHECK(writer->close_current().error().code() == Code::usage);
    REQUIRE(writer->rollback().ok());
    CHECK(writer->close_current().value().value == 5);
    CHECK(writer->close_current().value().value == 5);  // nothing is open
    REQUIRE(writer->append(EntryIndex{5}, w.all[5].entry.header, w.all[5].ciphertext).ok());
    REQUIRE(writer->rollback().ok());
    w.gone.add(EntryIndex{4});
    CHECK(w.run(EntryIndex{5})->frames_removed == 1);
    writer = w.open(5);
    REQUIRE(writer != nullptr);
    w.fill(*writer, 5, 60);
    w.check(60, true);
}

TEST_CASE("whatever call fails, every segment is the old or the new one, and a later compaction ends it") {
    int failed = 0;
    for (const auto fault : {SimFs::Fault::not_stored, SimFs::Fault::stored}) {
        for (int at = 1;; ++at) {
            SimFs fs;
            REQUIRE(fs.make_dirs("/a/vault").ok());
            World w(fs, "/a/vault");
            auto writer = w.open(0);
            REQUIRE(writer != nullptr);
            w.fill(*writer, 0, kEntries);
            const EntryIndex below = writer->close_current().value();
            for (const char* name : {"/", "/a", "/a/vault", "/a/vault/segments", "/a/vault/blobs"})
                REQUIRE(fs.sync_dir(name).ok());
            for (std::uint64_t i = 0; i < kEntries; i += 3) w.gone.add(EntryIndex{i});
            fs.fail_at(at, fault);
            const auto report = w.run(below);
            const bool ended = !fs.has_failed();
            CHECK(report.ok() == ended);
            writer.reset();
            fs.crash(static_cast<std::uint64_t>(at));
            failed += ended ? 0 : 1;
            w.check(kEntries, false);
            writer = w.open(kEntries);
            if (writer == nullptr) FAIL("the archive does not open after call " << at);
            const EntryIndex closed = writer->close_current().value();
            if (!w.run(closed).ok()) FAIL("compaction does not go on after call " << at);
            w.check(kEntries, true);
            w.fill(*writer, kEntries, kEntries + 10);
            w.check(kEntries + 10, false);
            if (ended) break;
        }
    }
    CHECK(failed > 30);
    MESSAGE(failed << " calls failed");
}

TEST_CASE("it stops where it is told to, goes on where it was, and asks for room first") {
    RealFs disk;
    FailingFs fs(disk);
    TempDir dir;
    World w(fs, dir.path());
    auto writer = w.open(0);
    w.fill(*writer, 0, kEntries);
    const EntryIndex below = writer->close_current().value();
    for (std::uint64_t i = 0; i < kEntries; i += 2) w.gone.add(EntryIndex{i});
    CompactOptions options;
    int asked = 0;
    options.stop = [&asked] { return ++asked > 2; };
    std::uint64_t done = 0, total = 0;
    options.progress = [&](std::uint64_t d, std::uint64_t t) { done = d, total = t; };
    const CompactReport part = w.run(below, options).value();
    CHECK(part.interrupted);
    CHECK(!part.complete());
    CHECK(part.segments_rewritten == 2);
    CHECK(done < total);
    fs.set_free(1'000);
    CHECK(w.run(below).error().code() == Code::environment);
    fs.set_free(~std::uint64_t{0});
    options.stop = {};
    CHECK(w.run(below, options)->complete());
    CHECK(done == total);
    w.check(kEntries, true);
}

TEST_CASE("a segment that can't be walked is left as it is, and the others are done") {
    RealFs fs;
    TempDir dir;
    World w(fs, dir.path());
    auto writer = w.open(0);
    w.fill(*writer, 0, kEntries);
    const EntryIndex below = writer->close_current().value();
    const EntryIndex second = list_segments(fs, dir.path()).value().at(1);
    Bytes bytes = read_file(fs, segment_file(dir.path(), second), 1 << 20).value();
    bytes[0] = 1;
    std::filesystem::remove(segment_file(dir.path(), second));
    REQUIRE(replace_file(fs, segment_file(dir.path(), second), bytes).ok());
    for (std::uint64_t i = 0; i < kEntries; ++i) w.gone.add(EntryIndex{i});
    const CompactReport report = w.run(below).value();
    CHECK(report.damaged == std::vector<EntryIndex>{second});
    CHECK(!report.complete());
    CHECK(report.segments_rewritten > 2);
    CHECK(read_file(fs, segment_file(dir.path(), second), 1 << 20).value() == bytes);
}

TEST_CASE("readers read on while segments are replaced, and what they ask for after forget() is gone") {
    RealFs fs;
    TempDir dir;
    World w(fs, dir.path());
    auto writer = w.open(0);
    w.fill(*writer, 0, kEntries);
    const EntryIndex below = writer->close_current().value();
    const SegmentReader reader(fs, dir.path(), w.headers(),
                               [&](EntryIndex i, const EntryHeader&) { return w.gone.contains(i); });
    for (std::uint64_t i = 1; i < kEntries; i += 4) w.gone.add(EntryIndex{i});
    w.check(kEntries, false, &reader);
    const Frame kept = reader.frame(EntryIndex{1}).value();  // asked for before
    std::atomic<bool> stop = false;
    std::atomic<int> wrong = 0, reads = 0;
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint64_t n = t; !stop || n < 500; n += 3) {
                const std::uint64_t i = n * 31 % kEntries;
                const auto bytes = reader.ciphertext(EntryIndex{i}, 1 << 24);
                ++reads;
                const bool gone = !bytes.ok() && bytes.error().code() == Code::not_found;
                if (gone ? !(w.all[i].ciphertext.empty() || w.erased(i)) : !bytes.ok() || *bytes != w.all[i].ciphertext)
                    ++wrong;
            }
        });
    }
    CompactOptions options;
    options.replaced = [&reader] { reader.forget(); };
    CHECK(w.run(below, options)->complete());
    w.check(kEntries, true, &reader);
    stop = true;
    for (std::thread& t : threads) t.join();
    CHECK(wrong == 0);
    CHECK(reads > 300);
    Bytes bytes(static_cast<std::size_t>(kept.length()));
    CHECK(kept.read(0, bytes).ok());
    CHECK(bytes == w.all[1].ciphertext);
}
