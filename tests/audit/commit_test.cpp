// The commit protocol of docs/format/staging.md with every disk change failing in turn: nothing, half or all of the
// failing change is kept. Afterwards the archive opens again, holds every acknowledged entry, and at most the one batch
// more.
#include <doctest/doctest.h>

#include "audit/committer.h"
#include "tests/audit/failing_fs.h"
#include "tests/audit/sample_entries.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

// A signer's store and a committer over it.
class Writer {
public:
    Writer(Fs& fs, Path dir) : fs_(fs), dir_(std::move(dir)) {}
    Writer(const Writer&) = delete;

    Status open() {
        signer_ = TRY(FileSigner::open({fs_, clock_, random_}, dir_ / "signer"));
        CommitLimits limits;
        limits.log_entries = 23;  // so that drills see it start anew
        limits.segments = {3'000, 10, 1'024};
        log_ = TRY(Committer::open(fs_, dir_, *signer_, nullptr, limits));
        return {};
    }
    Status seal(const std::vector<SampleSealed>& samples) {
        for (const SampleSealed& s : samples) TRY(log_->add(s.entry, s.ciphertext));
        TRY(log_->commit());
        return {};
    }
    Status settle() { return log_->settle(); }
    TreeHead head() const { return log_->head(); }
    const LedgerReader& reader() const { return log_->ledger(); }
    HeaderSource headers() {
        return [this](EntryIndex i) { return reader().header(i); };
    }

private:
    Fs& fs_;
    Path dir_;
    FixedClock clock_{UtcTime{1'800'000'000'000}};
    SeededRandom random_{9};
    std::unique_ptr<FileSigner> signer_;
    std::unique_ptr<Committer> log_;
};

std::vector<SampleSealed> batch(std::uint64_t from, std::uint64_t count) {
    SeededRandom random(from + 1);
    std::vector<SampleSealed> out;
    for (std::uint64_t i = from; i < from + count; ++i) {
        if (i % 5 == 2) {
            out.push_back({sample_control(i), {}});
        } else {
            const bool big = i % 97 == 9;
            out.push_back(sample_sealed(random, i, big ? kOwnFileFrom : 16 + random.next() % 300,
                                        big ? Kind::blob : Kind::record));
        }
    }
    return out;
}

// Everything reads back: entries, leaves, roots, frames; and the old head is a prefix of the new one.
void check_whole(Fs& fs, const Path& dir, Writer& writer, const TreeHead& acknowledged,
                 const std::vector<SampleSealed>& all) {
    const TreeHead now = writer.head();
    REQUIRE(now.size.value <= all.size());
    std::vector<Hash> leaves;
    for (std::uint64_t i = 0; i < now.size.value; ++i) leaves.push_back(leaf_hash(encode(all[i].entry)));
    CHECK(root_of(leaves) == now.root);
    CHECK(root_of(std::span<const Hash>(leaves).first(acknowledged.size.value)) == acknowledged.root);
    const SegmentReader frames(fs, dir / "vault", writer.headers());
    for (std::uint64_t i = 0; i < now.size.value; ++i) {
        if (writer.reader().entry_bytes(EntryIndex{i}).value() != encode(all[i].entry)) FAIL("entry " << i);
        if (all[i].ciphertext.empty()) continue;
        if (frames.ciphertext(EntryIndex{i}, 1 << 24).value() != all[i].ciphertext) FAIL("frame " << i);
    }
}

}  // namespace

TEST_CASE("whichever disk change of a commit fails, nothing acknowledged is lost and nothing is half there") {
    RealFs disk;
    for (const Kept kept : {Kept::nothing, Kept::half, Kept::all}) {
        int kept_batches = 0, lost_batches = 0;
        for (int k = 0;; ++k) {
            CAPTURE(static_cast<int>(kept));
            CAPTURE(k);
            TempDir dir;
            FixedClock clock{UtcTime{1'772'445'600'000}};
            SeededRandom random(7);
            FailingFs fs(disk);
            REQUIRE(FileSigner::create({fs, clock, random}, dir / "signer", random.make<VaultId>()).ok());
            std::vector<SampleSealed> all = batch(0, 120);
            bool finished = false;
            TreeHead acknowledged;
            {
                Writer writer(fs, dir.path());
                REQUIRE(writer.open().ok());
                REQUIRE(writer.seal({all.begin(), all.begin() + 90}).ok());
                REQUIRE(writer.seal({all.begin() + 90, all.begin() + 100}).ok());
                acknowledged = writer.head();
                fs.fail_from(k, kept);
                finished = writer.seal({all.begin() + 100, all.end()}).ok();
                fs.heal();
                if (finished) acknowledged = writer.head();
            }
            // The restart may fail as well; the one after it doesn't.
            {
                Writer unlucky(fs, dir.path());
                fs.fail_from(k % 7, kept);
                const Status ignored = unlucky.open();
                (void)ignored;
                fs.heal();
            }
            Writer writer(fs, dir.path());
            const Status opened = writer.open();
            if (!opened.ok()) FAIL(opened.error().message());
            check_whole(fs, dir.path(), writer, acknowledged, all);
            ++(writer.head().size.value == 120 ? kept_batches : lost_batches);
            CHECK((writer.head().size.value == 100 || writer.head().size.value == 120));
            // And it goes on.
            const std::uint64_t from = writer.head().size.value;
            const std::vector<SampleSealed> more = batch(from, 200);
            all.resize(from);
            all.insert(all.end(), more.begin(), more.end());
            REQUIRE(writer.seal(more).ok());
            check_whole(fs, dir.path(), writer, acknowledged, all);
            if (finished) break;
        }
        CHECK(kept_batches > 1);
        CHECK(lost_batches > 3);
    }
}

TEST_CASE("an archive restored from a copy is refused, and so is a restored signer") {
    RealFs disk;
    FailingFs fs(disk);
    TempDir dir, copy;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SeededRandom random(8);
    REQUIRE(FileSigner::create({fs, clock, random}, dir / "signer", random.make<VaultId>()).ok());
    const auto seal = [&](std::uint64_t from) {
        Writer writer(fs, dir.path());
        REQUIRE(writer.open().ok());
        REQUIRE(writer.seal(batch(from, 5)).ok());
        REQUIRE(writer.settle().ok());
    };
    const auto copy_tree = [](const Path& from, const Path& to) {
        std::filesystem::remove_all(to);
        std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    };
    seal(0);
    for (const char* part : {"ledger", "vault", "staging", "signer"}) copy_tree(dir / part, copy / part);
    seal(5);
    seal(10);
    TempDir newest;
    for (const char* part : {"ledger", "vault", "staging", "signer"}) copy_tree(dir / part, newest / part);
    const auto opened = [&] {
        const Status status = Writer(fs, dir.path()).open();
        return status.ok() ? std::string("opened") : std::string(code_name(status.error().code()));
    };
    CHECK(opened() == "opened");
    for (const char* part : {"ledger", "vault", "staging"}) copy_tree(copy / part, dir / part);
    CHECK(opened() == "rolled_back");
    for (const char* part : {"ledger", "vault", "staging"}) copy_tree(newest / part, dir / part);
    CHECK(opened() == "opened");
    copy_tree(copy / "signer", dir / "signer");
    CHECK(opened() == "conflict");  // the signer is the older one
}
