// What was verified once is not hashed again, and is still not believed blindly; and samples that nobody could foresee.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "audit/tiles.h"
#include "audit/verify_archive.h"
#include "audit/verify_draw.h"
#include "tests/audit/verify_sample.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

struct World {
    TempDir dir;
    VerifySample sample{dir.path(), 33};
    RealFs fs;
    VerifyOptions options;

    Verification judge() {
        const auto v = verify_archive(fs, sample.archive(), options);
        INFO(v.report.to_json());
        CHECK(v.report.ok == v.state.has_value());
        return v;
    }
    // Goes on from what a whole verification left.
    void remember() {
        options.since.reset();
        auto v = judge();
        REQUIRE(v.report.ok);
        options.since = VerifiedState::parse(v.state->format()).value();
        CHECK(*options.since == *v.state);
    }
    std::set<std::string> codes() {
        std::set<std::string> out;
        for (const Problem& p : judge().report.problems) out.insert(p.code);
        return out;
    }
    Path file(const std::string& name) const { return sample.archive() / name; }
    void flip(const std::string& name, std::size_t at) {
        Bytes bytes = read_file(fs, file(name), 64u << 20).value();
        bytes.at(at) ^= 1;
        std::filesystem::remove(file(name));
        REQUIRE(replace_file(fs, file(name), bytes).ok());
    }
    std::uint64_t count(const Report& report, const char* name) {
        const auto found = report.checked.find(name);
        return found == report.checked.end() ? 0 : found->second;
    }
};

}  // namespace

TEST_CASE("a verification goes on from an earlier one and looks at what is new") {
    World w;
    for (int round = 0; round < 3; ++round) w.sample.extend(200);
    w.remember();
    const std::uint64_t before = w.sample.size();
    REQUIRE(w.options.since->resume > 0);
    w.sample.extend(300);
    const Verification next = w.judge();
    REQUIRE(next.report.ok);
    CHECK(next.report.mode == "since");
    CHECK(next.report.since_size == before);
    CHECK(w.count(next.report, "entries") == w.sample.size() - w.options.since->resume);
    CHECK(w.count(next.report, "anchors") >= 1);
    CHECK(next.report.time == TimeLevel::self);
    CHECK(next.state->size.value == w.sample.size());
    CHECK(next.state->resume > w.options.since->resume);
    // and so on, from state to state; each time it comes to the same as from the beginning
    w.options.since = next.state;
    w.sample.extend(10);
    const Verification third = w.judge();
    CHECK(third.report.ok);
    CHECK(third.report.mode == "since");
    w.options.since.reset();
    CHECK(*w.judge().state == *third.state);
}

TEST_CASE("nothing new is fine, and so is a state of an archive without time stamps or with a single entry more") {
    World w;
    w.remember();
    CHECK(w.judge().report.ok);
    w.sample.extend(1);
    CHECK(w.judge().report.ok);
}

TEST_CASE("whoever changes what was verified before, or cuts it off, is found by the root") {
    World w;
    w.sample.extend(600);
    w.remember();
    const VerifiedState state = *w.options.since;
    w.sample.extend(50);
    w.options.since->root.bytes[3] ^= 1;  // as if another history stood here now
    CHECK(w.codes().count("ledger.rewritten") == 1);
    w.options.since = state;
    w.options.since->size = TreeSize(w.sample.size() + 5);
    CHECK(w.codes().count("ledger.rewritten") == 1);
}

TEST_CASE("what is new is checked as ever: entries, ciphertexts, tiles, sequences, time stamps") {
    World w;
    for (int round = 0; round < 3; ++round) w.sample.extend(200);
    w.remember();
    w.sample.extend(500);
    REQUIRE(w.codes().empty());
    std::string newest_segment;
    for (const auto& e : std::filesystem::directory_iterator(w.file("vault/segments")))
        newest_segment = std::max(newest_segment, e.path().filename().string());
    w.flip("vault/segments/" + newest_segment, 20);
    CHECK(w.codes().count("vault.segment") == 1);
    w.flip("vault/segments/" + newest_segment, 20);
    const std::uint64_t last = w.sample.size() / 256;
    const std::string full = bundle_path(last - 1, 256);
    w.flip("ledger/" + full, 60);
    CHECK(!w.codes().empty());
    w.flip("ledger/" + full, 60);
    w.flip("ledger/" + tile_path(0, last - 1, 256), 60);
    CHECK(w.codes().count("ledger.tile") + w.codes().count("ledger.rewritten") > 0);
    w.flip("ledger/" + tile_path(0, last - 1, 256), 60);
    std::string newest_anchor;
    for (const auto& e : std::filesystem::directory_iterator(w.file("ledger/anchors")))
        newest_anchor = std::max(newest_anchor, e.path().filename().string());
    w.flip("ledger/anchors/" + newest_anchor + "/0.der", 200);
    CHECK(!w.codes().empty());
    w.flip("ledger/anchors/" + newest_anchor + "/0.der", 200);
    CHECK(w.codes().empty());
    std::filesystem::remove(w.file("vault/segments/" + newest_segment));
    CHECK(w.codes().count("vault.missing") + w.codes().count("vault.segment") > 0);
}

TEST_CASE("under another trust file everything is looked at, and the past is compared all the same") {
    World w;
    w.sample.extend(600);
    w.remember();
    w.options.trust_digest = sha256(as_bytes("another"));
    const Verification whole = w.judge();
    CHECK(whole.report.ok);
    CHECK(whole.report.mode == "whole");
    w.options.since->root.bytes[3] ^= 1;
    CHECK(w.codes().count("ledger.rewritten") == 1);
}

TEST_CASE("another archive in the place of the one that was seen is a finding, however whole it is") {
    World w;
    w.remember();
    VerifySample other(w.dir / "other", 34);
    const auto foreign = verify_archive(w.fs, other.archive(), w.options);
    CHECK(foreign.report.mode == "whole");
    REQUIRE(foreign.report.problems.size() == 1);
    CHECK(foreign.report.problems.front().code == "ledger.rewritten");
    CHECK(!foreign.state.has_value());
}

TEST_CASE("a state that was tampered with or cut is refused, never half believed") {
    World w;
    w.remember();
    const std::string text = w.options.since->format();
    CHECK(VerifiedState::parse(text).ok());
    for (std::size_t end = 0; end < text.size(); ++end) {
        const auto cut = VerifiedState::parse(std::string_view(text).substr(0, end));
        if (cut.ok()) CHECK(cut->format() == text.substr(0, end));  // only whole lines of sources may be missing
    }
    for (const char* bad : {"", "kustos-verified/2\n", "resume", "\n\n\n"}) CHECK(!VerifiedState::parse(bad).ok());
    std::string odd = text;
    odd.replace(odd.find("\nresume 0") + 8, 1, "7");
    CHECK(!VerifiedState::parse(odd).ok());
}

TEST_CASE("threads, or none, find the same") {
    World w;
    for (int round = 0; round < 4; ++round) w.sample.extend(180);
    for (const bool damaged : {false, true}) {
        if (damaged) {
            for (const auto& e : std::filesystem::directory_iterator(w.file("vault/segments")))
                w.flip("vault/segments/" + e.path().filename().string(), 300);
        }
        std::set<std::string> seen;
        for (const unsigned threads : {1u, 2u, 3u, 8u}) {
            w.options.threads = threads;
            seen.insert(w.judge().report.to_json());
        }
        CHECK(seen.size() == 1);
        CHECK((seen.begin()->find("\"ok\":true") != std::string::npos) != damaged);
    }
}

TEST_CASE("a verification that is interrupted says where, and the next one goes on from there") {
    World w;
    for (int round = 0; round < 4; ++round) w.sample.extend(180);
    const Verification whole = w.judge();
    REQUIRE(whole.state.has_value());
    for (int most = 1; most < 5; ++most) {
        w.options.since.reset();
        int rounds = 0;
        for (;; ++rounds) {
            int asked = 0;
            w.options.stop = [&asked, most] { return ++asked > most; };
            const auto v = verify_archive(w.fs, w.sample.archive(), w.options);
            INFO(v.report.to_json());
            REQUIRE(v.report.ok);
            REQUIRE(v.state.has_value());
            if (v.report.to_json().find("it was interrupted") == std::string::npos) {
                CHECK(*v.state == *whole.state);
                break;
            }
            REQUIRE(rounds < 20);
            if (w.options.since && v.state->size <= w.options.since->size) break;  // shorter than one segment
            w.options.since = VerifiedState::parse(v.state->format()).value();
        }
    }
    w.options.stop = {};
}

TEST_CASE("a sample is drawn by the nonce alone, without repetition, and another nonce draws another") {
    const Hash root = sha256(as_bytes("root"));
    const Bytes nonce = to_bytes("nonce of the auditor");
    const auto drawn = draw_entries(root, TreeSize(10'000), nonce, 500).value();
    REQUIRE(drawn.size() == 500);
    CHECK(draw_entries(root, TreeSize(10'000), nonce, 500).value() == drawn);
    CHECK(draw_entries(root, TreeSize(10'000), to_bytes("nonce of the auditoR"), 500).value() != drawn);
    const std::set<EntryIndex> distinct(drawn.begin(), drawn.end());
    CHECK(distinct.size() == 500);
    CHECK(distinct.rbegin()->value < 10'000);
    CHECK(draw_entries(root, TreeSize(7), nonce, 500).value().size() == 7);
    CHECK(draw_entries(root, TreeSize(0), nonce, 5).value().empty());
    CHECK(!draw_entries(root, TreeSize(7), to_bytes("short"), 5).ok());
    CHECK(!draw_entries(root, TreeSize(7), nonce, 0).ok());
    // docs/format/report.md, "Samples": what another program must draw
    const Hash first = sha256({root.view(), nonce, ByteView(Bytes(8, 0))});
    std::uint64_t rest = 0;
    for (std::size_t i = 0; i < 16; ++i) rest = (rest * 256 + first.bytes[i]) % 10'000;
    CHECK(drawn.front().value == rest);
    // What is refused is drawn again in its place.
    const auto even = draw_entries(root, TreeSize(1000), nonce, 100, [](EntryIndex i) -> Result<bool> {
                          return i.value % 2 == 0;
                      }).value();
    CHECK(even.size() == 100);
    for (const EntryIndex i : even) CHECK(i.value % 2 == 0);
}

TEST_CASE("a drawn entry that was changed is found, and the rest is said to be unseen") {
    World w;
    w.sample.extend(300);
    const Bytes nonce(16, 9);
    const auto trust = std::optional(parse_trust(w.sample.trust_text()).value());
    const Report good = verify_drawn(w.fs, w.sample.archive(), nonce, 1'000, trust);
    INFO(good.to_json());
    CHECK(good.ok);
    CHECK(good.mode == "sampled");
    CHECK(good.origin == Origin::pinned);
    CHECK(good.sampled == w.sample.size());
    CHECK(good.to_json().find("everything but the drawn entries") != std::string::npos);
    for (const auto& e : std::filesystem::directory_iterator(w.file("vault/segments")))
        w.flip("vault/segments/" + e.path().filename().string(), 300);
    CHECK(!verify_drawn(w.fs, w.sample.archive(), nonce, 1'000, trust).ok);
    w.flip("ledger/checkpoint", 90);
    CHECK(!verify_drawn(w.fs, w.sample.archive(), nonce, 3, trust).ok);
}

TEST_CASE("the state on docs/format/report.md is read, and written the same") {
    const std::string text = doc_text("report.md", "state");
    const auto state = VerifiedState::parse(text);
    REQUIRE(state.ok());
    CHECK(state->format() == text);
    CHECK(state->resume == 1024);
    CHECK(state->sequences.at(2) == 1015);
}
