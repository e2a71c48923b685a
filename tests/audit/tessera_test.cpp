// A log made by Tessera (Go): its tiles, bundles and signed checkpoints are read and verified with our code.
#include <doctest/doctest.h>

#include "audit/checkpoint.h"
#include "audit/ledger.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {
constexpr const char* kVkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
const std::vector<std::string> kWords = {"one",  "two", "three",  "four",  "five",     "six",     "seven", "eit",
                                         "nain", "ten", "ileven", "twelf", "threeten", "fourten", "fivten"};
}  // namespace

TEST_CASE("Tessera's log is read, and every checkpoint, entry and proof verifies") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    const Path dir = *shared / "data/merkle/tessera-log/testdata/log";
    const VerifierKey key = VerifierKey::parse(kVkey).value();
    CHECK(key.format() == kVkey);
    LedgerState state;
    std::vector<Hash> roots;
    for (std::uint64_t n = 0; n <= 15; ++n) {
        CAPTURE(n);
        const std::string note = read_note(fs, dir / ("checkpoint." + std::to_string(n))).value();
        const Checkpoint checkpoint = open_checkpoint(as_bytes(note), key).value();
        CHECK(checkpoint.size.value == n);
        CHECK(format_checkpoint(checkpoint) == parse_note(as_bytes(note)).value().text);
        roots.push_back(checkpoint.root);
        // Our planner makes the same root and the same bytes of tiles and bundles.
        CHECK(state.range.root() == checkpoint.root);
        if (n == 15) break;
        const AppendPlan plan = plan_append(state, std::vector<Bytes>{to_bytes(kWords[n])});
        CHECK(plan.writes.files.size() == 2);
        for (const auto& file : plan.writes.files) {
            CAPTURE(file.path);
            CHECK(read_file(fs, dir / file.path, 100'000).value() == file.bytes);
        }
        state = plan.after;
    }
    const auto reader = LedgerReader::open(fs, dir).value();
    CHECK(reader->size().value == 15);
    CHECK(reader->entries(EntryIndex{0}, 100).value().size() == 15);
    for (std::uint64_t n = 1; n <= 15; ++n) {
        const TreeSize size{n};
        CHECK(reader->root(size).value() == roots[n]);
        for (std::uint64_t i = 0; i < n; ++i) {
            const Bytes entry = reader->entry_bytes(EntryIndex{i}).value();
            CHECK(to_text(entry) == kWords[i]);
            const auto proof = reader->proof(EntryIndex{i}, size).value();
            CHECK(verify_inclusion(EntryIndex{i}, size, leaf_hash(entry), proof, roots[n]).ok());
        }
        for (std::uint64_t m = 1; m <= n; ++m) {
            const auto proof = reader->consistency(TreeSize{m}, size).value();
            CHECK(verify_consistency(TreeSize{m}, size, roots[m], roots[n], proof).ok());
        }
    }
    // Words are no entries of ours.
    CHECK_FALSE(reader->entry(EntryIndex{0}).ok());
}
