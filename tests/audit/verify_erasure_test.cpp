// An archive of which something was erased, judged without keys: what may be missing, what must be, and forgeries.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "audit/compact.h"
#include "audit/erasures.h"
#include "audit/report_text.h"
#include "audit/verify_archive.h"
#include "audit/verify_draw.h"
#include "tests/audit/verify_sample.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

struct World {
    TempDir dir;
    VerifySample sample{dir.path(), 41};
    RealFs fs;
    VerifyOptions options;
    std::uint32_t generation = 1;
    std::uint8_t number = 0;
    EntrySet erased;

    World() {
        options.trust = *parse_trust(sample.trust_text());
        sample.extend(400);
    }
    Path vault() const { return sample.archive() / "vault"; }
    Verification judge() { return verify_archive(fs, sample.archive(), options); }
    std::set<std::string> codes() {
        std::set<std::string> out;
        for (const Problem& p : judge().report.problems) out.insert(p.code);
        return out;
    }
    Body run(ErasureAction action) const {
        return Body(action)
            .put_time(Tag::time, UtcTime{1'772'445'600'000})
            .put_bytes(Tag::erasure, Bytes(16, number))
            .put_u32(Tag::generation, generation + 1);
    }
    LeafRange range(std::uint64_t first, std::uint64_t last) const {
        const EntryHeader a = sample.header(first), b = sample.header(last);
        return {a.tree, a.leaf, b.leaf, EntryIndex{first}, EntryIndex{last}};
    }
    // Entries that are neighbours are given as one pair.
    using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
    void begin(const Pairs& entries) {
        ++number;
        Body body = run(ErasureAction::begun);
        body.put_text(Tag::method, "erasure").put_u32(Tag::part, 0).put_u32(Tag::parts, 1);
        for (const auto& [first, last] : entries) body.put_leaf_range(range(first, last));
        sample.append_erasure(body);
    }
    void end(const Pairs& entries) {
        const Path old = sample.archive() / "keys" / ("generation-" + std::to_string(generation)) / "e";
        const Hash page = sample.open_generation(generation + 1);
        if (generation > 1) CHECK(replace_file(fs, old, Bytes(4096)).ok());
        std::uint64_t count = 0;
        for (const auto& [first, last] : entries) {
            for (std::uint64_t i = first; i <= last; ++i) {
                const Kind kind = sample.header(i).kind;
                count += kind == Kind::record || kind == Kind::blob ? 1 : 0;
            }
            erased.add(EntryIndex{first}, EntryIndex{last});
        }
        sample.append_erasure(run(ErasureAction::done).put_hash(Tag::keyring_hash, page).put_u64(Tag::count, count));
        ++generation;
        sample.commit();
    }
    void erase(const Pairs& entries) {
        begin(entries);
        end(entries);
    }
    CompactReport compact_all(const EntrySet& what) {
        CompactOptions some;
        some.below = sample.close_segment();
        return compact(
                   fs, vault(), [this](EntryIndex i) -> Result<EntryHeader> { return sample.header(i.value); },
                   [&](EntryIndex i, const EntryHeader&) { return what.contains(i); }, some)
            .value();
    }
    void say_removed(std::uint64_t count) {
        sample.append_erasure(Body(ErasureAction::ciphertext_removed)
                                  .put_time(Tag::time, UtcTime{1'772'445'600'000})
                                  .put_u64(Tag::checkpoint_size, sample.size())
                                  .put_u64(Tag::count, count));
        sample.commit();
    }
    std::uint64_t count(const char* name) {
        const auto checked = judge().report.checked;
        const auto found = checked.find(name);
        return found == checked.end() ? 0 : found->second;
    }
    std::uint64_t big_blob() const {
        for (std::uint64_t i = 0;; ++i) {
            if (has_own_file(sample.header(i))) return i;
        }
    }
};

const World::Pairs kSome = {{20, 20}, {40, 60}, {300, 330}, {400, 400}};

EntrySet set_of(const World::Pairs& pairs) {
    EntrySet out;
    for (const auto& [first, last] : pairs) out.add(EntryIndex{first}, EntryIndex{last});
    return out;
}

}  // namespace

TEST_CASE("an archive is intact after an erasure, before, while and after it is compacted") {
    World w;
    const std::uint64_t frames = w.count("frames"), blob = w.big_blob();
    World::Pairs what = kSome;
    what.emplace_back(blob, blob);
    w.erase(what);
    REQUIRE(w.codes().empty());
    CHECK(w.count("frames") == frames);
    CHECK(w.count("erasures") == 1);
    CHECK(w.count("ciphertexts_removed") == 0);
    CHECK(w.compact_all(set_of({{40, 50}})).frames_removed == 11);  // interrupted there
    REQUIRE(w.codes().empty());
    const std::uint64_t rest = w.compact_all(w.erased).frames_removed;
    REQUIRE(w.codes().empty());
    CHECK(w.count("frames") == frames - rest - 11);
    CHECK(w.count("ciphertexts_removed") == rest + 11);
    w.say_removed(rest + 11);
    for (const unsigned threads : {1U, 2U, 5U}) {
        w.options.threads = threads;
        const Report report = w.judge().report;
        CHECK_MESSAGE(report.ok, report.to_json());
        CHECK(report.erasures.runs == 1);
        CHECK(report.erasures.contents == rest + 11);
        CHECK(report.erasures.unreadable == 1);
        CHECK(report.to_json().find(R"("erasures":{"ciphertext_gone":0,"contents":)") != std::string::npos);
        CHECK(report.to_text("de").find("Löschungen") != std::string::npos);
        CHECK(report.to_text("en").find("Erasures") != std::string::npos);
    }
    w.sample.extend(300);
    w.erase({{500, 500}});
    CHECK(w.codes().empty());
}

TEST_CASE("ciphertext that is missing without a finished erasure is a finding that names the entry") {
    World w;
    w.compact_all(set_of({{41, 41}}));
    const auto named = [&](std::uint64_t entry) {
        const Report report = w.judge().report;
        INFO(report.to_json());
        REQUIRE(report.problems.size() == 1);
        CHECK(report.problems[0].code == "vault.missing");
        CHECK(report.problems[0].where.find("(entry " + std::to_string(entry) + ")") != std::string::npos);
    };
    named(41);
    w.begin({{41, 41}});
    w.sample.commit();
    named(41);  // begun is no permission
    CHECK(w.judge().report.to_json().find("erasure_begun") != std::string::npos);
    w.end({{41, 41}});
    CHECK(w.codes().empty());
    w.compact_all(set_of({{41, 42}}));  // a neighbour
    named(42);
    w.erase({{43, 60}});  // another range
    named(42);
    const std::uint64_t blob = w.big_blob();
    w.compact_all(set_of({{blob, blob}}));
    CHECK(w.judge().report.problems.size() == 2);
}

TEST_CASE("ciphertext that an entry says was removed must be gone") {
    World w;
    const std::uint64_t blob = w.big_blob();
    w.erase({{20, 22}, {blob, blob}});
    w.compact_all(set_of({{20, 21}}));
    w.say_removed(4);
    const Report report = w.judge().report;
    REQUIRE(report.problems.size() == 2);
    CHECK(report.problems[0].code == "erasure.ciphertext");
    CHECK(report.problems[0].where.find("(entry 22)") != std::string::npos);
    CHECK(report.problems[1].where.find("vault/blobs/") != std::string::npos);
    w.compact_all(w.erased);
    CHECK(w.codes().empty());
    w.erase({{23, 23}});  // what was erased since may be there
    CHECK(w.codes().empty());
}

TEST_CASE("malformed erasure entries are findings, whatever else is right") {
    const auto one = [](const std::function<void(World&)>& forge) {
        World w;
        forge(w);
        w.sample.commit();
        return w.codes();
    };
    const std::set<std::string> entry = {"erasure.entry"};
    CHECK(one([](World& w) { w.sample.append_erasure(w.run(ErasureAction::done).put_u64(Tag::count, 1)); }) == entry);
    CHECK(one([](World& w) { w.sample.append_erasure(w.run(ErasureAction::begun)); }) == entry);
    CHECK(one([](World& w) {
              LeafRange range = w.range(20, 22);
              range.last.value += 1;
              range.first.value += 1;
              w.sample.append_erasure(w.run(ErasureAction::begun)
                                          .put_text(Tag::method, "erasure")
                                          .put_u32(Tag::part, 0)
                                          .put_u32(Tag::parts, 1)
                                          .put_leaf_range(range));
          }) == entry);
    CHECK(one([](World& w) {
              w.erase({{20, 20}}), w.say_removed(2);
          }) == std::set<std::string>{"erasure.entry"});  // and asks for nothing
    CHECK(one([](World& w) {
              w.sample.append_erasure(Body(ErasureAction::terms_removed)
                                          .put_u64(Tag::checkpoint_size, w.sample.size() + 1)
                                          .put_u64(Tag::count, 1));
          }) == entry);
    CHECK(one([](World& w) {
              w.begin({{20, 20}});
              w.sample.append_erasure(
                  w.run(ErasureAction::done).put_hash(Tag::keyring_hash, {}).put_u64(Tag::count, 1));
          }) == entry);
}

TEST_CASE("keys of destroyed generations must be gone, boxes of older ones may be") {
    World w;
    REQUIRE(w.fs.make_dirs(w.sample.archive() / "keys/generation-1").ok());
    const Path e = w.sample.archive() / "keys/generation-1/e";
    REQUIRE(replace_file(w.fs, e, Bytes(4096, 3)).ok());
    CHECK(w.codes().empty());
    w.begin({{20, 20}});
    w.sample.commit();
    CHECK(w.codes().empty());  // not done yet
    w.end({{20, 20}});
    CHECK(w.codes() == std::set<std::string>{"erasure.key"});
    REQUIRE(replace_file(w.fs, e, Bytes(4096, 0)).ok());
    CHECK(w.codes().empty());
    std::filesystem::remove_all(w.sample.archive() / "keys/generation-1");
    CHECK(w.codes().empty());
    const Path box = w.sample.archive() / "keys/boxes/tree-00000001.a";
    const Bytes bytes = read_file(w.fs, box, 4096).value();
    REQUIRE(replace_file(w.fs, box, Bytes(200, 1)).ok());
    CHECK(w.codes() == std::set<std::string>{"keys.box"});
    std::filesystem::remove(box);
    CHECK(w.codes().empty());  // the newer generation has adopted it
    REQUIRE(replace_file(w.fs, box, bytes).ok());
    const Path root = w.sample.archive() / "keys/generation-2/root";
    REQUIRE(replace_file(w.fs, root, Bytes(100, 1)).ok());
    CHECK(w.codes() == std::set<std::string>{"keys.box"});
}

TEST_CASE("a box of the newest generation may not be missing") {
    World w;
    std::filesystem::remove(w.sample.archive() / "keys/boxes/tree-00000001.a");
    CHECK(w.codes() == std::set<std::string>{"keys.box"});
}

TEST_CASE("a verification that goes on knows what was begun before") {
    World w;
    const auto remember = [&] {
        w.options.since.reset();
        const Verification v = w.judge();
        REQUIRE_MESSAGE(v.report.ok, v.report.to_json());
        w.options.since = VerifiedState::parse(v.state->format()).value();
        CHECK(*w.options.since == *v.state);
    };
    w.begin({{600, 640}});
    for (int i = 0; i < 3; ++i) w.sample.extend(300);
    remember();
    REQUIRE(w.options.since->resume > 700);
    CHECK(w.options.since->erasures.count() == 1);
    w.end({{600, 640}});
    const std::uint64_t last = w.sample.size() - 10;
    w.sample.extend(5);
    w.erase({{last, last}});
    w.compact_all(w.erased);
    w.say_removed(1);
    Verification v = w.judge();
    CHECK_MESSAGE(v.report.ok, v.report.to_json());
    CHECK(v.report.mode == "since");
    CHECK(v.report.erasures.runs == 2);
    w.options.since = v.state;
    CHECK(w.judge().report.ok);
    w.sample.extend(5);
    std::uint64_t newest = w.sample.size() - 1;
    while (w.sample.header(newest).suite == Suite::none) --newest;
    w.compact_all(set_of({{newest, newest}}));
    CHECK(w.codes() == std::set<std::string>{"vault.missing"});
    w.options.since->erasures.add(EntryIndex{0}, EntryIndex{3});  // nothing of that kind: passed over
    CHECK(w.codes() == std::set<std::string>{"vault.missing"});
    w.options.since->root.bytes[0] ^= 1;
    CHECK(w.codes().count("ledger.rewritten") == 1);
}

TEST_CASE("an interrupted verification remembers what is missing until an entry allows it") {
    World w;
    for (int i = 0; i < 3; ++i) w.sample.extend(300);
    for (const bool allowed : {true, false}) {
        if (allowed) {
            w.erase({{20, 25}});
            w.compact_all(w.erased);
        } else {
            w.compact_all(set_of({{30, 30}}));
        }
        int asked = 0;
        w.options.since.reset();
        w.options.stop = [&asked] { return ++asked > 3; };
        const Verification part = w.judge();
        REQUIRE(part.interrupted);
        REQUIRE(part.state.has_value());
        CHECK(part.state->gone.size() == (allowed ? 1 : 2));
        w.options.since = VerifiedState::parse(part.state->format()).value();
        CHECK(*w.options.since == *part.state);
        w.options.stop = {};
        const Report report = w.judge().report;
        CHECK(report.mode == "since");
        CHECK_MESSAGE(report.ok == allowed, report.to_json());
        if (!allowed) CHECK(report.problems[0].code == "vault.missing");
    }
}

TEST_CASE("compaction under a verification's feet is no finding") {
    World w;
    for (int i = 0; i < 3; ++i) w.sample.extend(300);
    World::Pairs scattered;
    for (std::uint64_t i = 10; i + 60 < w.sample.size(); i += 7) {
        if (w.sample.header(i).suite != Suite::none) scattered.emplace_back(i, i);
    }
    w.erase(scattered);
    for (const unsigned threads : {1U, 3U}) {
        w.options.threads = threads;
        EntrySet part;
        for (std::size_t i = threads; i < scattered.size(); i += 4) part.add(EntryIndex{scattered[i].first});
        bool compacted = false;
        w.options.progress = [&](std::uint64_t done, std::uint64_t) {
            if (done > 500 && !std::exchange(compacted, true)) w.compact_all(part);
        };
        const Report report = w.judge().report;
        CHECK_MESSAGE(report.ok, report.to_json());
        CHECK(compacted);
    }
}

TEST_CASE("scattered holes in every segment are met as quickly and as surely by threads as without") {
    World w;
    for (int i = 0; i < 6; ++i) w.sample.extend(400);
    World::Pairs scattered;
    for (std::uint64_t i = 10; i < w.sample.size(); i += 3) {
        if (w.sample.header(i).suite != Suite::none) scattered.emplace_back(i, i);
    }
    w.erase(scattered);
    w.compact_all(w.erased);
    w.say_removed(scattered.size());
    for (const bool damaged : {false, true}) {
        if (damaged) {
            const auto segments = list_segments(w.fs, w.vault()).value();
            Bytes bytes = read_file(w.fs, segment_file(w.vault(), segments[5]), 1 << 20).value();
            bytes[bytes.size() - 1] ^= 1;
            REQUIRE(replace_file(w.fs, segment_file(w.vault(), segments[5]), bytes).ok());
        }
        std::set<std::string> seen;
        for (const unsigned threads : {1U, 2U, 8U}) {
            w.options.threads = threads;
            seen.insert(w.judge().report.to_json());
        }
        CHECK(seen.size() == 1);
        CHECK_MESSAGE((seen.begin()->find("\"ok\":true") != std::string::npos) != damaged, *seen.begin());
    }
}

TEST_CASE("a drawn entry that was erased is passed over, and one that is merely missing is not") {
    World w;
    w.erase(kSome);
    w.compact_all(w.erased);
    const Bytes nonce(16, 9);
    Report report = verify_drawn(w.fs, w.sample.archive(), nonce, 100'000, w.options.trust);
    CHECK_MESSAGE(report.ok, report.to_json());
    CHECK(report.sampled == w.sample.size() - set_of(kSome).count());
    CHECK(report.to_json().find("\"passed_over\":" + std::to_string(set_of(kSome).count())) != std::string::npos);
    w.compact_all(set_of({{30, 30}}));
    report = verify_drawn(w.fs, w.sample.archive(), nonce, 100'000, w.options.trust);
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems[0].code == "vault.missing");
}
