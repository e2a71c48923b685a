// Every disk change of an archive's day fails in turn, in two ways, and then the power: append, publication, time
// stamp, settling, restart. Afterwards: what was acknowledged is there and proven, what was not is absent or whole, the
// public verification finds nothing, and the archive goes on without a hand. The same day on the real disk.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <thread>

#include "audit/anchors.h"
#include "audit/committer.h"
#include "audit/imprint.h"
#include "audit/tsa_authority.h"
#include "audit/verify_archive.h"
#include "tests/audit/failing_fs.h"
#include "tests/audit/sample_entries.h"
#include "tests/audit/sim_fs.h"
#include "tests/support/stride.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

const UtcTime kStart{1'800'000'000'000};

// An archive as the vault writes it, without keys.
class Day {
public:
    Day(Fs& fs, Path dir, BuiltinAuthority& authority) : fs_(fs), dir_(std::move(dir)), authority_(authority) {}

    Status create() {
        SeededRandom random(4);
        FixedClock clock(kStart);
        for (const char* part : {"ledger", "vault", "staging"}) TRY(make_dirs_synced(fs_, archive() / part));
        return FileSigner::create({fs_, clock, random}, dir_ / "signer", random.make<VaultId>());
    }
    Status open() {
        signer_ = TRY(FileSigner::open({fs_, clock_, random_}, dir_ / "signer"));
        CommitLimits limits;
        limits.log_entries = 40;
        limits.segments = {3'000, 10, 1'024};
        log_ = TRY(Committer::open(fs_, archive(), *signer_, nullptr, limits));
        REQUIRE(log_->head().size.value <= handed_in_.size());
        acknowledged_ = std::max(acknowledged_, log_->head().size);
        own_ = records_ = 0;
        TRY(log_->ledger().for_each(EntryIndex(0), EntryIndex(log_->head().size.value),
                                    [this](EntryIndex i, ByteView bytes) -> Status {
                                        // Acknowledged or not: what is there is whole, and is what was handed in.
                                        if (!equal(bytes, handed_in_[i.value])) FAIL("entry " << i.value);
                                        const EntryHeader h = TRY(decode_header(bytes));
                                        (h.source.value == 0 ? own_ : records_) += 1;
                                        return {};
                                    }));
        handed_in_.resize(log_->head().size.value);
        if (log_->head().size.value == 0) TRY(found());
        return {};
    }
    // The whole of it: what may fail.
    Status run() {
        TRY(records(7));
        TRY(records(1));
        TRY(anchor(TRY(publish())));
        TRY(records(30));
        TRY(records(12));  // the log starts anew here
        TRY(log_->settle());
        TRY(records(3));
        TRY(anchor(TRY(publish())));
        TRY(records(2));
        return {};
    }
    Status records(std::uint64_t count) {
        SeededRandom random(records_ + 1);
        for (std::uint64_t i = 0; i < count; ++i) {
            SampleSealed s =
                sample_sealed(random, records_, (records_ % 19) == 7 ? kOwnFileFrom : 16 + random.next() % 300,
                              (records_ % 19) == 7 ? Kind::blob : Kind::record);
            s.entry.header.source = SourceId(1);
            handed_in_.push_back(encode(s.entry));
            TRY(log_->add(s.entry, s.ciphertext));
            ++records_;
        }
        return commit();
    }
    // Less of it, all kinds of change included.
    Status short_run() {
        TRY(records(4));
        TRY(anchor(TRY(publish())));
        TRY(records(1));
        return {};
    }
    // What a crash has left between a file and the entry that names it.
    Status name_forgotten() {
        std::set<std::uint64_t> published;
        std::set<Hash> tokens;
        TRY(log_->ledger().for_each(EntryIndex(0), EntryIndex(log_->head().size.value),
                                    [&](EntryIndex, ByteView bytes) -> Status {
                                        const Entry entry = TRY(decode_entry(bytes));
                                        const auto body = TRY(BodyReader::parse(entry.body));
                                        const auto action = control_action(entry);
                                        if (action == ControlAction::checkpoint_published)
                                            published.insert(*body.find_u64(Tag::checkpoint_size));
                                        if (action == ControlAction::anchor_stored)
                                            tokens.insert(*body.find_hash(Tag::token_hash));
                                        return {};
                                    }));
        for (const TreeSize size : TRY(list_published(fs_, archive() / "ledger"))) {
            if (published.count(size.value) == 0)
                TRY(name_published(size, TRY(read_note(fs_, published_file(archive() / "ledger", size)))));
        }
        AnchorStore store(fs_, archive() / "ledger");
        for (const AnchorSpan& span : TRY(store.list())) {
            const Anchor anchor = TRY(store.read(span));
            for (const AnchorToken& t : anchor.tokens) {
                if (tokens.count(sha256(t.token)) == 0) TRY(name_anchor(span, anchor.note, t.token));
            }
        }
        return {};
    }
    Status name_published(TreeSize size, const std::string& note) {
        Body body(ControlAction::checkpoint_published);
        body.put_u64(Tag::checkpoint_size, size.value).put_hash(Tag::note_hash, sha256(as_bytes(note)));
        return control(body);
    }
    Status name_anchor(const AnchorSpan& span, ByteView note, ByteView token) {
        Body body(ControlAction::anchor_stored);
        body.put_u64(Tag::checkpoint_size, span.size.value)
            .put_u64(Tag::previous_size, span.previous.value)
            .put_hash(Tag::note_hash, sha256(note))
            .put_hash(Tag::token_hash, sha256(token))
            .put_text(Tag::authority, "builtin");
        return control(body);
    }
    Result<TreeSize> publish() {
        TRY(name_forgotten());
        const std::string note = TRY(log_->commit());
        const TreeSize size = log_->head().size;
        TRY(store_published(fs_, archive() / "ledger", size, note));
        TRY(name_published(size, note));
        return size;
    }
    Status anchor(TreeSize size) {
        AnchorStore store(fs_, archive() / "ledger");
        const auto spans = TRY(store.list());
        const TreeSize previous = spans.empty() ? TreeSize(0) : spans.back().size;
        const std::string note = TRY(read_note(fs_, published_file(archive() / "ledger", size)));
        ImprintBuilder imprint(sha256(as_bytes(note)));
        TRY(log_->ledger().for_each(EntryIndex(previous.value), EntryIndex(size.value),
                                    [&](EntryIndex, ByteView bytes) -> Status {
                                        const EntryHeader h = TRY(decode_header(bytes));
                                        ImprintGroup group{sha256(bytes), {}};
                                        if (h.suite != Suite::none) group.ciphertext = h.ciphertext_hash;
                                        imprint.add(group);
                                        return {};
                                    }));
        FixedClock clock(kStart);
        SeededRandom random(size.value);
        const auto stamped = stamp(imprint.root(), {{&authority_, authority_.trust()}}, clock, random);
        const Bytes& token = TRY(stamped[0].result).token;
        TRY(store.store({previous, size}, as_bytes(note), token, "builtin"));
        return name_anchor({previous, size}, as_bytes(note), token);
    }
    TreeSize acknowledged() const { return acknowledged_; }
    TreeHead head() const { return log_->head(); }
    const LedgerReader& ledger() const { return log_->ledger(); }
    Status settle() { return log_->settle(); }
    void power_off() {
        log_.reset();
        signer_.reset();
    }
    Path archive() const { return dir_ / "archive"; }
    // Every entry of up to `size` has its proof.
    void check_proofs(TreeSize size) const {
        const TreeHead now = head();
        for (std::uint64_t i = 0; i < size.value; ++i) {
            const auto proof = log_->ledger().proof(EntryIndex(i), now.size);
            REQUIRE(proof.ok());
            CHECK(verify_inclusion(EntryIndex(i), now.size, leaf_hash(handed_in_[i]), *proof, now.root).ok());
        }
    }
    // The same archive, on a copy of its disk.
    void remember(const Day& other) {
        handed_in_ = other.handed_in_;
        acknowledged_ = other.acknowledged_;
    }

private:
    Status found() {
        Body created(ControlAction::archive_created);
        created.put_bytes(Tag::vault_id, signer_->vault().view())
            .put_text(Tag::origin, origin_of(signer_->vault()))
            .put_text(Tag::vkey, signer_->verifier().format())
            .put_hash(Tag::tsa_root_hash, authority_.root_hash());
        TRY(add_control(created));
        Body source(ControlAction::source_added);
        source.put_text(Tag::name, "s").put_text(Tag::source_kind, "import").put_u16(Tag::retention_class, 100);
        TRY(add_control(source));
        return commit();
    }
    Status add_control(Body body) {
        Entry entry;
        entry.header.kind = Kind::control;
        entry.header.sequence = own_++;
        entry.header.record.bytes.fill(static_cast<std::uint8_t>(own_));
        entry.body = body.put_time(Tag::time, kStart).encode();
        handed_in_.push_back(encode(entry));
        return log_->add(entry, {});
    }
    Status control(const Body& body) {
        TRY(add_control(body));
        return commit();
    }
    Status commit() {
        TRY(log_->commit());
        acknowledged_ = log_->head().size;
        return {};
    }

    Fs& fs_;
    Path dir_;
    FixedClock clock_{kStart};
    SeededRandom random_{9};
    BuiltinAuthority& authority_;
    std::unique_ptr<FileSigner> signer_;
    std::unique_ptr<Committer> log_;
    std::uint64_t own_ = 0, records_ = 0;
    std::vector<Bytes> handed_in_;
    TreeSize acknowledged_;
};

struct Authority {
    TempDir dir;
    RealFs fs;
    FixedClock clock{kStart};
    SeededRandom random{9};
    std::unique_ptr<BuiltinAuthority> it =
        std::move(BuiltinAuthority::create({fs, clock, random}, dir / "tsa").value());
};

// A disk on which settling gets as far as the checkpoint and waits there.
class HeldFs final : public Fs {
public:
    explicit HeldFs(Fs& inner) : inner_(inner) {}
    void hold() {
        const std::lock_guard lock(mutex_);
        held_ = true;
    }
    void wait_until_somebody_waits() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_; });
    }
    void let_go(bool fail) {
        {
            const std::lock_guard lock(mutex_);
            held_ = false;
            fail_ = fail;
        }
        changed_.notify_all();
    }
    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
        if (path.filename() == "checkpoint.tmp") {
            std::unique_lock lock(mutex_);
            waiting_ = held_;
            changed_.notify_all();
            changed_.wait(lock, [this] { return !held_; });
            if (std::exchange(waiting_, false) && fail_) return Error(Code::environment, "the power is off");
        }
        return inner_.open(path, mode);
    }
    Status make_dirs(const Path& path) override { return inner_.make_dirs(path); }
    Status rename(const Path& from, const Path& to) override { return inner_.rename(from, to); }
    Status remove(const Path& path) override { return inner_.remove(path); }
    Status sync_dir(const Path& path) override { return inner_.sync_dir(path); }
    bool exists(const Path& path) override { return inner_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return inner_.list(path); }
    Result<bool> is_dir(const Path& path) override { return inner_.is_dir(path); }

private:
    Fs& inner_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool held_ = false, waiting_ = false, fail_ = false;
};

// Opened again after whatever happened; and a whole day more, or a part of one.
void check_and_go_on(Day& day, Fs& fs, TreeSize acknowledged, bool whole_day = true) {
    const Status opened = day.open();
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().message()));
    CHECK(day.head().size >= acknowledged);
    CHECK(day.head().size.value <= acknowledged.value + 30);  // at most one batch more
    CHECK(*root_of(day.head().size, day.ledger().node_source()) == day.head().root);
    day.check_proofs(acknowledged);
    const Status went_on = whole_day ? day.run() : day.short_run();
    REQUIRE_MESSAGE(went_on.ok(), (went_on.ok() ? "" : went_on.error().message()));
    REQUIRE(day.settle().ok());
    const Report report = verify_archive(fs, day.archive(), {}).report;
    if (!report.ok) FAIL(report.to_text("en"));
    CHECK(report.checked.at("entries") == day.head().size.value);
}

std::uint64_t given_seed() {
    const char* given = std::getenv("KUSTOS_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

constexpr int kStep = kustos::test::kStride;

constexpr SimFs::Fault kFaults[] = {SimFs::Fault::not_stored, SimFs::Fault::stored};
constexpr SimFs::Then kThen[] = {SimFs::Then::all_fail, SimFs::Then::all_well};

// An archive of 92 entries on a disk, closed.
struct Morning {
    Authority authority;
    SimFs fs;
    Day day{fs, "/sim", *authority.it};
    Morning() {
        REQUIRE(day.create().ok());
        REQUIRE(day.open().ok());
        REQUIRE(day.records(90).ok());
        day.power_off();
        fs.crash(1);
    }
};

// A copy of a morning, to be broken.
struct Drill {
    std::unique_ptr<SimFs> fs;
    Day day;
    explicit Drill(Morning& from) : fs(from.fs.copy()), day(*fs, "/sim", *from.authority.it) { day.remember(from.day); }
};

}  // namespace

TEST_CASE("whatever disk change of a day fails, and then the power, nothing acknowledged is lost") {
    Morning morning;
    int drills = 0;
    const std::uint64_t seed = given_seed();
    for (const auto fault : kFaults) {
        for (const auto then : kThen) {
            for (int k = 1;; k += kStep) {
                CAPTURE(k);
                CAPTURE(static_cast<int>(fault));
                CAPTURE(static_cast<int>(then));
                Drill drill(morning);
                Day& day = drill.day;
                drill.fs->fail_at(k, fault, then);
                const bool whole = day.open().ok() && day.run().ok() && !drill.fs->has_failed();
                const TreeSize acknowledged = day.acknowledged();
                day.power_off();
                drill.fs->crash(seed * 1000 + static_cast<std::uint64_t>(k));
                check_and_go_on(day, *drill.fs, acknowledged, k % 8 == 0);
                ++drills;
                if (whole) break;
            }
        }
    }
    MESSAGE(drills << " drills, seed " << seed);
    CHECK(drills > 600 / kStep);
}

TEST_CASE("the restart after a crash fails at any of its disk changes, and then the power again") {
    Morning morning;
    int drills = 0;
    const std::uint64_t seed = given_seed();
    for (const auto fault : kFaults) {
        // Places all over the day at which the power fails; among them such that a batch is staged and not signed,
        // signed and not installed, installed in part.
        for (int k = 3; k < 160; k += 12) {
            for (int j = 1;; j += kStep) {
                CAPTURE(k);
                CAPTURE(j);
                CAPTURE(static_cast<int>(fault));
                Drill drill(morning);
                Day& day = drill.day;
                drill.fs->fail_at(k, fault);
                CHECK((!day.open().ok() || !day.run().ok()));
                day.power_off();
                drill.fs->crash(seed * 1000 + static_cast<std::uint64_t>(k));
                const TreeSize acknowledged = day.acknowledged();
                drill.fs->fail_at(j, fault);
                const bool whole = day.open().ok();
                day.power_off();
                drill.fs->crash(seed * 2000 + static_cast<std::uint64_t>(j));
                check_and_go_on(day, *drill.fs, std::max(acknowledged, day.acknowledged()), j % 8 == 0);
                ++drills;
                if (whole) break;
            }
        }
    }
    MESSAGE(drills << " drills, seed " << seed);
    CHECK(drills > 200 / kStep);
}

// After a failed sync the page cache shows bytes that are not on the disk and that no later sync will write. A program
// that starts again without a power failure in between reads them, and must not take them for stored.
TEST_CASE("after a failed change the program starts again, and the power fails later") {
    Morning morning;
    int drills = 0;
    const std::uint64_t seed = given_seed();
    for (const auto fault : kFaults) {
        for (const bool at_once : {true, false}) {
            for (int k = 1;; k += kStep) {
                CAPTURE(k);
                CAPTURE(static_cast<int>(fault));
                CAPTURE(at_once);
                Drill drill(morning);
                Day& day = drill.day;
                drill.fs->fail_at(k, fault, SimFs::Then::all_well);
                const bool whole = day.open().ok() && day.run().ok() && !drill.fs->has_failed();
                day.power_off();
                drill.fs->heal();
                const Status again = day.open();
                REQUIRE_MESSAGE(again.ok(), (again.ok() ? "" : again.error().message()));
                if (!at_once) REQUIRE(day.records(3).ok());
                const TreeSize acknowledged = day.acknowledged();
                day.power_off();
                drill.fs->crash(seed * 3000 + static_cast<std::uint64_t>(k));
                check_and_go_on(day, *drill.fs, acknowledged, k % 8 == 0);
                ++drills;
                if (whole) break;
            }
        }
    }
    MESSAGE(drills << " drills, seed " << seed);
    CHECK(drills > 600 / kStep);
}

TEST_CASE("the power fails after any number of batches, by seed, and only what was not synced is lost") {
    Authority authority;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        SimFs fs;
        Day day(fs, "/sim", *authority.it);
        REQUIRE(day.create().ok());
        REQUIRE(day.open().ok());
        CAPTURE(seed);
        for (std::uint64_t batch = 0; batch < seed; ++batch) REQUIRE(day.records(1 + (seed * 7 + batch) % 9).ok());
        const TreeSize acknowledged = day.acknowledged();
        day.power_off();
        fs.crash(seed + 1000 * given_seed());
        check_and_go_on(day, fs, acknowledged);
    }
}

TEST_CASE("batches go on while the log before is settled, and a power cut then loses nothing of either") {
    Authority authority;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        SimFs disk;
        HeldFs fs(disk);
        Day day(fs, "/sim", *authority.it);
        REQUIRE(day.create().ok());
        REQUIRE(day.open().ok());
        REQUIRE(day.records(90).ok());
        REQUIRE(day.settle().ok());
        fs.hold();
        REQUIRE(day.records(45).ok());  // more than a log takes
        fs.wait_until_somebody_waits();
        for (std::uint64_t batch = 0; batch < seed % 7; ++batch) REQUIRE(day.records(1 + (seed + batch) % 9).ok());
        CHECK(*root_of(day.head().size, day.ledger().node_source()) == day.head().root);
        const TreeSize acknowledged = day.acknowledged();
        disk.crash(seed);
        fs.let_go(true);
        day.power_off();
        CAPTURE(seed);
        // 45 entries in the one log, and in the other what came then.
        auto one = StagingLog::open(disk, day.archive() / "staging", kStagingLogs[0]).value();
        auto other = StagingLog::open(disk, day.archive() / "staging", kStagingLogs[1]).value();
        CHECK((one.read()->size() == 1 || other.read()->size() == 1));
        CHECK(read_staged(one, other)->size() == 1 + seed % 7);
        check_and_go_on(day, fs, acknowledged);
    }
}

TEST_CASE("who commits faster than the disk settles waits, and goes on") {
    Authority authority;
    SimFs disk;
    HeldFs fs(disk);
    Day day(fs, "/sim", *authority.it);
    REQUIRE(day.create().ok());
    REQUIRE(day.open().ok());
    REQUIRE(day.records(10).ok());
    fs.hold();
    constexpr int kBatches = 12;  // of 30: nine times what one log takes
    std::atomic<int> committed{0};
    std::atomic<bool> failed{false};
    std::thread writer([&] {
        for (int i = 0; i < kBatches && !failed; ++i) {
            if (!day.records(30).ok()) failed = true;
            ++committed;
        }
    });
    fs.wait_until_somebody_waits();
    for (int seen = -1; seen != committed;) {  // until nothing moves any more
        seen = committed;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    CHECK(committed < kBatches);
    fs.let_go(false);
    writer.join();
    CHECK_FALSE(failed.load());
    CHECK(committed == kBatches);
    day.power_off();
    disk.crash(1);
    check_and_go_on(day, fs, day.acknowledged());
}

TEST_CASE("the same day on the real disk") {
    Authority authority;
    RealFs disk;
    int drills = 0;
    for (const Kept kept : {Kept::nothing, Kept::half, Kept::all}) {
        for (int k = 0;; k += kStep) {
            TempDir dir;
            FailingFs fs(disk);
            Day day(fs, dir.path(), *authority.it);
            REQUIRE(day.create().ok());
            REQUIRE(day.open().ok());
            fs.fail_from(k, kept);
            const bool whole = day.run().ok();
            fs.heal();
            const TreeSize acknowledged = day.acknowledged();
            day.power_off();
            CAPTURE(k);
            check_and_go_on(day, fs, acknowledged, k % 8 == 0);
            ++drills;
            if (whole) break;
        }
    }
    MESSAGE(drills << " drills on the real disk");
    CHECK(drills > 300 / kStep);
}
