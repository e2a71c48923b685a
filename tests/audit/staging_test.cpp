#include "audit/staging.h"

#include <doctest/doctest.h>

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

TEST_CASE("the staging file is overwritten in place, and a write that fails half way leaves a torn one") {
    RealFs real;
    TempDir dir;
    auto file = StagingFile::open(real, dir / "staging").value();
    CHECK_FALSE(file.read().value().has_value());
    REQUIRE(file.write(sample(0, 50)).ok());
    REQUIRE(file.write(sample(50, 2)).ok());  // shorter: the rest of the first stays behind it
    CHECK(StagingFile::open(real, dir / "staging").value().read().value() == sample(50, 2));
    FailingFs fs(real);
    auto failing = StagingFile::open(fs, dir / "staging").value();
    fs.fail_from(0);
    CHECK_FALSE(failing.write(sample(52, 40)).ok());
    CHECK_FALSE(file.read().value().has_value());
    REQUIRE(file.write(sample(50, 2)).ok());
    REQUIRE(file.clear().ok());
    CHECK_FALSE(file.read().value().has_value());
}

TEST_CASE("the recovery rule") {
    const StagingBundle staged = sample(100, 5);
    const TreeHead before = staged.before, after = staged.after;
    const TreeHead older = head(90, "older"), newer = head(200, "newer");
    const auto rule = [](const std::optional<StagingBundle>& s, const TreeHead& signer, const TreeHead& installed) {
        return plan_recovery(s, signer, installed);
    };
    const auto refuses = [&](const std::optional<StagingBundle>& s, const TreeHead& signer, const TreeHead& installed) {
        const auto r = rule(s, signer, installed);
        if (r.ok()) return false;
        const bool archive_is_older = installed.size < signer.size;
        return r.error().code() == (archive_is_older ? Code::rolled_back : Code::conflict);
    };
    CHECK(rule({}, before, before).value() == Recovery::nothing);
    CHECK(rule({}, empty_head(), empty_head()).value() == Recovery::nothing);
    CHECK(rule(staged, after, before).value() == Recovery::finish);  // committed, tiles not installed
    CHECK(rule(staged, after, after).value() == Recovery::finish);   // or installed as well: once more does no harm
    CHECK(rule(staged, before, before).value() == Recovery::drop);   // the signer never saw it
    CHECK(rule(staged, newer, newer).value() == Recovery::drop);     // a leftover
    CHECK(refuses({}, after, before));                               // rolled back archive
    CHECK(refuses({}, before, after));                               // rolled back signer
    CHECK(refuses(staged, before, after));
    CHECK(refuses(staged, newer, before));
    CHECK(refuses(staged, newer, after));
    CHECK(refuses(staged, after, older));  // the batch does not start where the ledger ends
    CHECK(refuses(staged, older, before));
    CHECK(refuses({}, head(100, "other"), before));  // same size, other root
    CHECK(refuses(staged, head(105, "other"), before));
}
