#include "audit/ledger.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <thread>

#include "tests/audit/failing_fs.h"
#include "tests/audit/naive_merkle.h"
#include "tests/audit/sample_entries.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

Bytes numbered_entry(std::uint64_t i) {
    return encode(sample_control(i));
}

std::vector<Bytes> numbered_entries(std::uint64_t from, std::uint64_t count) {
    std::vector<Bytes> out;
    for (std::uint64_t i = from; i < from + count; ++i) out.push_back(numbered_entry(i));
    return out;
}

// The note only has to be there: signatures are the signer's business.
std::string note_of(const TreeHead& head) {
    static const SignerKey key = SignerKey::make("origin", Bytes(32, 1)).value();
    return sign_note(format_checkpoint({"origin", head.size, head.root, {}}), key);
}

LedgerState grow(Fs& fs, const Path& dir, const LedgerState& state, std::uint64_t count) {
    AppendPlan plan = plan_append(state, numbered_entries(state.size().value, count));
    REQUIRE(install(fs, dir, plan.writes, note_of(plan.after.head())).ok());
    return std::move(plan.after);
}

std::set<std::string> files_below(const Path& dir) {
    std::set<std::string> out;
    for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
        if (file.is_regular_file()) out.insert(std::filesystem::relative(file.path(), dir).string());
    }
    return out;
}

// What tlog-tiles says must be there for a size, and nothing else.
std::set<std::string> expected_files(TreeSize size) {
    std::set<std::string> out{"checkpoint"};
    for (unsigned level = 0; level <= kMaxTileLevel; ++level) {
        for (std::uint64_t index = 0; tile_width(size, level, index) > 0; ++index) {
            out.insert(tile_path(level, index, tile_width(size, level, index)));
            if (level == 0) out.insert(bundle_path(index, tile_width(size, level, index)));
        }
    }
    return out;
}

bool same_state(const LedgerState& a, const LedgerState& b) {
    std::vector<std::vector<Hash>> left = a.edge, right = b.edge;
    while (!left.empty() && left.back().empty()) left.pop_back();
    while (!right.empty() && right.back().empty()) right.pop_back();
    return a.head() == b.head() && left == right && a.bundle == b.bundle && a.range.hashes() == b.range.hashes();
}

}  // namespace

TEST_CASE("batches of any size leave exactly the files of tlog-tiles, and the state is read back from them") {
    RealFs fs;
    TempDir dir;
    LedgerState state;
    for (const std::uint64_t count :
         {1ULL, 1ULL, 100ULL, 153ULL, 1ULL, 1ULL, 255ULL, 512ULL, 700ULL, 324ULL, 3'000ULL}) {
        state = grow(fs, dir.path(), state, count);
        CAPTURE(state.size().value);
        CHECK(files_below(dir.path()) == expected_files(state.size()));
        const auto reader = LedgerReader::open(fs, dir.path()).value();
        CHECK(reader->size() == state.size());
        CHECK(same_state(reader->load_state().value(), state));
        CHECK(reader->root(state.size()).value() == state.range.root());
    }
}

TEST_CASE("a batch of 512 entries writes few files") {
    LedgerState state;
    for (int i = 0; i < 20; ++i) {
        AppendPlan plan = plan_append(state, numbered_entries(state.size().value, 512));
        CHECK(plan.writes.files.size() <= 7);
        state = std::move(plan.after);
        AppendPlan one = plan_append(state, numbered_entries(state.size().value, 1));
        CHECK(one.writes.files.size() == 2);
        state = std::move(one.after);
    }
    CHECK(plan_append(state, {}).writes.files.empty());
}

TEST_CASE("entries, leaves and proofs of any smaller size come out of the tiles") {
    RealFs disk;
    FailingFs fs(disk);
    TempDir dir;
    constexpr std::uint64_t kCount = 70'000;  // three levels of tiles
    LedgerState state;
    while (state.size().value < kCount) state = grow(fs, dir.path(), state, 10'000);
    std::vector<Hash> leaves;
    for (std::uint64_t i = 0; i < kCount; ++i) leaves.push_back(leaf_hash(numbered_entry(i)));
    const LedgerReader reader(fs, dir.path(), TreeSize{kCount});
    SeededRandom random(5);
    for (int i = 0; i < 60; ++i) {
        const std::uint64_t n = 1 + random.next() % kCount, at = random.next() % n, m = 1 + random.next() % n;
        const Hash root = root_of(Leaves(leaves).first(n)), old_root = root_of(Leaves(leaves).first(m));
        CHECK(reader.root(TreeSize{n}).value() == root);
        CHECK(reader.leaf(EntryIndex{at}).value() == leaves[at]);
        const auto proof = reader.proof(EntryIndex{at}, TreeSize{n}).value();
        CHECK(verify_inclusion(EntryIndex{at}, TreeSize{n}, leaves[at], proof, root).ok());
        const auto path = reader.consistency(TreeSize{m}, TreeSize{n}).value();
        CHECK(verify_consistency(TreeSize{m}, TreeSize{n}, old_root, root, path).ok());
        CHECK(reader.entry_bytes(EntryIndex{at}).value() == numbered_entry(at));
    }
    const auto some = reader.entries(EntryIndex{kCount - 300}, 1'000).value();
    CHECK(some.size() == 300);
    CHECK(some.back() == numbered_entry(kCount - 1));
    CHECK(reader.entries(EntryIndex{kCount}, 5).value().empty());
    CHECK(reader.entries(EntryIndex{kCount + 1}, 5).error().code() == Code::usage);
    CHECK(reader.entry_bytes(EntryIndex{kCount}).error().code() == Code::usage);
    CHECK(reader.leaf(EntryIndex{~0ULL}).error().code() == Code::usage);
    CHECK(reader.proof(EntryIndex{0}, TreeSize{kCount + 1}).error().code() == Code::usage);
    CHECK(reader.entry(EntryIndex{69'999}).value().header.sequence == 69'999);
}

TEST_CASE("a changed or missing file is corrupt, and says which") {
    RealFs fs;
    TempDir dir;
    LedgerState state = grow(fs, dir.path(), {}, 600);
    const auto reader = [&] { return LedgerReader(fs, dir.path(), TreeSize{600}); };
    const Path bundle = dir / bundle_path(1, 256);
    Bytes bytes = read_file(fs, bundle, kMaxBundleFile).value();
    bytes[500] ^= 1;
    REQUIRE(replace_file(fs, bundle, bytes).ok());
    const auto failed = reader().entry_bytes(EntryIndex{300});
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error().code() == Code::corrupt);
    CHECK(failed.error().message().find("tile/entries/001") != std::string::npos);
    CHECK(LedgerReader(fs, dir.path(), TreeSize{600}, BundleCheck::none).entry_bytes(EntryIndex{300}).ok());
    REQUIRE(fs.remove(bundle).ok());
    CHECK(reader().entry_bytes(EntryIndex{300}).error().code() == Code::corrupt);
    REQUIRE(replace_file(fs, dir / tile_path(0, 2, 88), Bytes(31)).ok());
    CHECK(reader().load_state().error().code() == Code::corrupt);
    REQUIRE(fs.remove(dir / "checkpoint").ok());
    CHECK(LedgerReader::open(fs, dir.path()).error().code() == Code::not_found);
}

TEST_CASE("a reader keeps reading while unfinished tiles are replaced under it") {
    RealFs disk;
    FailingFs fs(disk);
    TempDir dir;
    LedgerState state = grow(fs, dir.path(), {}, 3);
    LedgerReader reader(fs, dir.path(), state.size());
    std::atomic<bool> done = false;
    std::atomic<int> failures = 0, reads = 0;
    std::thread other([&] {
        while (!done) {
            const LedgerReader fresh(fs, dir.path(), TreeSize{3});  // an old size, no cache
            for (const LedgerReader* r : {&fresh, static_cast<const LedgerReader*>(&reader)}) {
                if (!r->entry(EntryIndex{r->size().value - 1}).ok() || !r->leaf(EntryIndex{2}).ok()) ++failures;
                ++reads;
            }
        }
    });
    for (int i = 0; i < 300; ++i) {
        AppendPlan plan = plan_append(state, numbered_entries(state.size().value, 1));
        if (!install(fs, dir.path(), plan.writes, note_of(plan.after.head())).ok()) ++failures;
        state = std::move(plan.after);
        reader.advance(state.size());
    }
    done = true;
    other.join();
    CHECK(failures == 0);
    CHECK(reads > 0);
}

TEST_CASE("an installation cut short at any change is repeated to the same bytes") {
    RealFs disk;
    FailingFs real(disk);
    for (const std::uint64_t before : {5ULL, 511ULL}) {
        for (int k = 0;; ++k) {
            CAPTURE(before);
            CAPTURE(k);
            TempDir dir;
            const LedgerState old_state = grow(real, dir.path(), {}, before);
            const AppendPlan plan = plan_append(old_state, numbered_entries(before, 300));
            const std::string note = note_of(plan.after.head());
            FailingFs fs(disk);
            fs.fail_from(k);
            const bool whole = install(fs, dir.path(), plan.writes, note).ok();
            // A restart knows the old size and the batch.
            const LedgerReader reader(real, dir.path(), TreeSize{before});
            const auto again_from = reader.load_state();
            REQUIRE(again_from.ok());
            CHECK(same_state(*again_from, old_state));
            const AppendPlan again = plan_append(*again_from, numbered_entries(before, 300));
            REQUIRE(install(real, dir.path(), again.writes, note).ok());
            REQUIRE(clean_tiles(real, dir.path(), TreeSize(0), again.after.size()).ok());
            CHECK(files_below(dir.path()) == expected_files(TreeSize{before + 300}));
            CHECK(same_state(LedgerReader::open(real, dir.path()).value()->load_state().value(), plan.after));
            if (whole) break;
        }
    }
}

TEST_CASE("published notes are kept once") {
    RealFs fs;
    TempDir dir;
    CHECK(list_published(fs, dir.path()).value().empty());
    const std::string note = note_of(empty_head());
    REQUIRE(store_published(fs, dir.path(), TreeSize{12}, note).ok());
    REQUIRE(store_published(fs, dir.path(), TreeSize{12}, note).ok());
    REQUIRE(store_published(fs, dir.path(), TreeSize{7}, note).ok());
    CHECK(store_published(fs, dir.path(), TreeSize{12}, note + "x").error().code() == Code::conflict);
    CHECK(list_published(fs, dir.path()).value() == std::vector<TreeSize>{TreeSize{7}, TreeSize{12}});
    CHECK(read_note(fs, published_file(dir.path(), TreeSize{12})).value() == note);
    CHECK(parse_twelve_digits("000000000012").value() == 12);
    for (const char* bad : {"", "12", "0000000000012", "00000000001x", "-00000000012"}) {
        CHECK_FALSE(parse_twelve_digits(bad).ok());
    }
}
