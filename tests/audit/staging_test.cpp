#include "audit/staging.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/audit/failing_fs.h"
#include "tests/audit/sample_entries.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

TreeHead head(std::uint64_t size, const char* root) {
    return {TreeSize{size}, sha256(as_bytes(root))};
}

StagingBundle sample(std::uint64_t from, std::size_t count) {
    StagingBundle bundle;
    bundle.vault.bytes.fill(9);
    bundle.before = head(from, "before");
    bundle.after = head(from + count, "after");
    for (std::size_t i = 0; i < count; ++i) bundle.entries.push_back(encode(sample_control(from + i)));
    bundle.segments.push_back({EntryIndex{0}, 800, 2'000});
    bundle.segments.push_back({EntryIndex{from + count - 1}, 0, 8});
    bundle.duplicates.push_back({SourceId{3}, sha256(as_bytes("mac")), EntryIndex{from}});
    return bundle;
}

}  // namespace

TEST_CASE("a staging bundle comes back as it was encoded") {
    const StagingBundle bundle = sample(100, 5);
    const Bytes bytes = encode(bundle);
    REQUIRE(decode_staging(bytes).ok());
    CHECK(*decode_staging(bytes) == bundle);
    Bytes with_tail = bytes;
    put(with_tail, Bytes(77, 0xEE));  // the rest of an older, longer batch
    CHECK(decode_staging(with_tail).value() == bundle);
    StagingBundle empty;
    CHECK(decode_staging(encode(empty)).value() == empty);
}

TEST_CASE("the batch on the format page is read") {
    const Bytes bytes = doc_example("staging.md", "batch");
    const auto bundle = decode_staging(bytes);
    REQUIRE(bundle.ok());
    CHECK(bundle->before.size.value == 2);
    CHECK(bundle->after.size.value == 3);
    REQUIRE(bundle->entries.size() == 1);
    CHECK(bundle->entries[0] == doc_example("ledger.md", "control"));
    REQUIRE(bundle->segments.size() == 1);
    CHECK(bundle->segments[0] == SegmentChange{EntryIndex{0}, 16, 24});
    REQUIRE(bundle->duplicates.size() == 1);
    CHECK(bundle->duplicates[0].mac == sha256(as_bytes("mac")));
    CHECK(encode(*bundle) == bytes);
}

TEST_CASE("a batch torn at any byte is seen as torn") {
    const Bytes whole = encode(sample(100, 3));
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        if (decode_staging(ByteView(whole).first(cut)).ok()) FAIL("cut at " << cut);
        Bytes half_new(whole.size(), 0);  // only the beginning reached the disk
        std::copy(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut), half_new.begin());
        const auto torn = decode_staging(half_new);
        if (torn.ok() || torn.error().code() != Code::corrupt) FAIL("torn at " << cut);
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        Bytes changed = whole;
        changed[at] ^= 0x10;
        if (decode_staging(changed).ok()) FAIL("changed at " << at);
    }
}

TEST_CASE("a complete batch of another version is not taken for a torn one") {
    Bytes bytes = encode(sample(0, 1));
    bytes[4] = 2;
    bytes.resize(bytes.size() - Hash::kSize);
    put(bytes, sha256(bytes).view());
    CHECK(decode_staging(bytes).error().code() == Code::bad_input);
}

TEST_CASE("the log gives back what continues, and takes nothing else for a batch") {
    RealFs real;
    TempDir dir;
    const auto bundle = [](std::uint64_t from, std::size_t count) {
        StagingBundle b = sample(from, count);
        b.before = head(from, std::to_string(from).c_str());
        b.after = head(from + count, std::to_string(from + count).c_str());
        return b;
    };
    auto log = StagingLog::open(real, dir / "staging", "batch").value();
    CHECK(log.read().value().empty());
    for (const auto& b : {bundle(0, 50), bundle(50, 2), bundle(52, 9)}) REQUIRE(log.append(encode(b)).ok());
    REQUIRE(log.sync().ok());
    const auto reread = [&] { return StagingLog::open(real, dir / "staging", "batch").value().read().value(); };
    CHECK(reread() == std::vector<StagingBundle>{bundle(0, 50), bundle(50, 2), bundle(52, 9)});
    REQUIRE(log.clear().ok());
    CHECK(reread().empty());
    // The next round is shorter: what lies behind it is of the last one and does not continue.
    REQUIRE(log.append(encode(bundle(61, 50))).ok());
    CHECK(reread() == std::vector<StagingBundle>{bundle(61, 50)});
    REQUIRE(log.append(encode(bundle(111, 1))).ok());
    CHECK(reread().size() == 2);
    // A write that fails half way leaves a torn one, and what is before it stands.
    FailingFs fs(real);
    auto failing = StagingLog::open(fs, dir / "staging", "batch").value();
    REQUIRE(failing.read().value().size() == 2);
    fs.fail_from(0);
    CHECK_FALSE(failing.append(encode(bundle(112, 40))).ok());
    CHECK(reread().size() == 2);
    fs.heal();
    // A batch larger than all before: the file grows, and is cut back when it is emptied.
    StagingBundle large = bundle(112, 300);
    for (Bytes& entry : large.entries) entry.resize(65'535, 1);
    REQUIRE(failing.append(encode(large)).ok());
    CHECK(reread().size() == 3);
    REQUIRE(failing.clear().ok());
    CHECK(reread().empty());
    CHECK(std::filesystem::file_size(dir / "staging/batch") == 0);
}

TEST_CASE("of two logs the second counts only where it continues the first, whichever file it is") {
    RealFs real;
    TempDir dir;
    const auto bundle = [](std::uint64_t from, std::size_t count) {
        StagingBundle b = sample(from, count);
        b.before = head(from, std::to_string(from).c_str());
        b.after = head(from + count, std::to_string(from + count).c_str());
        return b;
    };
    auto one = StagingLog::open(real, dir / "staging", kStagingLogs[0]).value();
    auto other = StagingLog::open(real, dir / "staging", kStagingLogs[1]).value();
    CHECK(read_staged(one, other)->empty());
    REQUIRE(other.append(encode(bundle(10, 5))).ok());
    CHECK(*read_staged(one, other) == std::vector{bundle(10, 5)});
    REQUIRE(one.append(encode(bundle(15, 2))).ok());
    REQUIRE(one.append(encode(bundle(17, 1))).ok());
    CHECK(*read_staged(one, other) == std::vector{bundle(10, 5), bundle(15, 2), bundle(17, 1)});
    REQUIRE(other.clear().ok());
    CHECK(*read_staged(one, other) == std::vector{bundle(15, 2), bundle(17, 1)});
    REQUIRE(other.append(encode(bundle(19, 3))).ok());  // 18 is missing
    CHECK(*read_staged(one, other) == std::vector{bundle(15, 2), bundle(17, 1)});
    StagingBundle foreign = bundle(18, 3);
    foreign.vault.bytes[0] ^= 1;
    REQUIRE(other.clear().ok());
    REQUIRE(other.append(encode(foreign)).ok());
    CHECK(*read_staged(one, other) == std::vector{bundle(15, 2), bundle(17, 1)});
}

TEST_CASE("the recovery rule") {
    const std::vector<StagingBundle> none;
    StagingBundle one = sample(100, 5), two = sample(105, 5);
    two.before = one.after;
    two.after = head(110, "later");
    const std::vector<StagingBundle> first{one}, both{one, two};
    const TreeHead before = one.before, middle = one.after, after = two.after;
    const TreeHead older = head(90, "older"), newer = head(200, "newer");
    const auto rule = [](const std::vector<StagingBundle>& log, const TreeHead& signer,
                         const std::optional<TreeHead>& installed) {
        const auto plan = plan_recovery(log, signer, installed);
        return std::make_pair(plan->what, plan->bundles);
    };
    const auto refuses = [&](const std::vector<StagingBundle>& log, const TreeHead& signer, const TreeHead& installed) {
        const auto r = plan_recovery(log, signer, installed);
        if (r.ok()) return false;
        const bool archive_is_older = installed.size < signer.size;
        return r.error().code() == (archive_is_older ? Code::rolled_back : Code::conflict);
    };
    const auto finish = [](std::size_t bundles) { return std::make_pair(Recovery::finish, bundles); };
    const auto nothing = std::make_pair(Recovery::nothing, std::size_t{0}),
               drop = std::make_pair(Recovery::drop, std::size_t{0});
    CHECK(rule(none, before, before) == nothing);
    CHECK(rule(none, empty_head(), empty_head()) == nothing);
    CHECK(rule(first, middle, before) == finish(1));  // committed, tiles not installed
    CHECK(rule(first, middle, middle) == finish(1));  // or installed as well: once more does no harm
    CHECK(rule(first, before, before) == drop);       // the signer never saw it
    CHECK(rule(first, newer, newer) == drop);         // a leftover
    CHECK(rule(both, after, before) == finish(2));
    CHECK(rule(both, after, middle) == finish(2));
    CHECK(rule(both, after, after) == finish(2));
    CHECK(rule(both, after, std::nullopt) == finish(2));  // a checkpoint torn by a power cut
    CHECK(rule(both, middle, before) == finish(1));       // the second was never committed
    CHECK(rule(both, middle, middle) == finish(1));
    CHECK(rule(both, before, before) == drop);
    CHECK(refuses(none, middle, before));  // rolled back archive
    CHECK(refuses(none, before, middle));  // rolled back signer
    CHECK(refuses(first, before, middle));
    CHECK(refuses(both, middle, after));  // a checkpoint that the signer does not know
    CHECK(refuses(first, newer, before));
    CHECK(refuses(first, newer, middle));
    CHECK(refuses(first, middle, older));  // the batch does not start where the ledger ends
    CHECK(refuses(first, older, before));
    CHECK(refuses(none, head(100, "other"), before));  // same size, other root
    CHECK(refuses(first, head(105, "other"), before));
    CHECK_FALSE(plan_recovery(none, before, std::nullopt).ok());
}
