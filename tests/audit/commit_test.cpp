// The commit protocol of docs/format/staging.md with every disk change failing in turn: nothing, half or all of the
// failing change is kept. Afterwards the archive opens again, holds every acknowledged entry, and at most the one batch
// more.
#include <doctest/doctest.h>

#include "audit/ledger.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "audit/staging.h"
#include "tests/audit/failing_fs.h"
#include "tests/audit/sample_entries.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

// A writer in the smallest form: what vault's engine does, without keys.
class Writer {
public:
    Writer(Fs& fs, Path dir) : fs_(fs), dir_(std::move(dir)) {}

    Status open() {
        signer_ = TRY(FileSigner::open(fs_, dir_ / "signer"));
        staging_.emplace(TRY(StagingFile::open(fs_, dir_ / "staging")));
        TRY(recover());
        const TreeHead head = TRY(signer_->last());
        reader_ = std::make_unique<LedgerReader>(fs_, ledger(), head.size);
        state_ = TRY(reader_->load_state());
        if (!(state_.head() == head)) return Error(Code::conflict, "tiles do not lead to the signer's root");
        segments_ = TRY(SegmentWriter::open(fs_, dir_ / "vault", head.size, headers(), {3'000, 10, 1'024}));
        return {};
    }

    Status seal(const std::vector<SampleSealed>& samples) {
        StagingBundle bundle;
        bundle.vault = signer_->vault();
        EntryIndex index{state_.size().value};
        for (const SampleSealed& s : samples) {
            TRY(segments_->append(index, s.entry.header, s.ciphertext));
            bundle.entries.push_back(encode(s.entry));
            ++index.value;
        }
        AppendPlan plan = plan_append(state_, bundle.entries);
        bundle.before = state_.head();
        bundle.after = plan.after.head();
        bundle.segments = segments_->changes();
        TRY(segments_->sync());
        TRY(staging_->write(bundle));
        const std::string note = TRY(signer_->advance(bundle.before, bundle.after));
        segments_->committed();
        TRY(install(fs_, ledger(), plan.writes, note));
        state_ = std::move(plan.after);
        reader_->advance(state_.size());
        return {};
    }

    TreeHead head() const { return state_.head(); }
    const LedgerReader& reader() const { return *reader_; }
    HeaderSource headers() {
        return [this](EntryIndex i) { return reader_->header(i); };
    }
    Path ledger() const { return dir_ / "ledger"; }

private:
    Status recover() {
        TreeHead installed = empty_head();
        if (fs_.exists(checkpoint_file(ledger()))) {
            const std::string note = TRY(read_note(fs_, checkpoint_file(ledger())));
            installed = TRY(open_checkpoint(as_bytes(note), signer_->verifier())).head();
        }
        const auto staged = TRY(staging_->read());
        const TreeHead last = TRY(signer_->last());
        const Recovery rule = TRY(plan_recovery(staged, last, installed));
        if (rule == Recovery::nothing) return {};
        if (rule == Recovery::finish) {
            const std::string note = TRY(signer_->note());
            TRY(reinstall(fs_, ledger(), *staged, note));
        }
        return staging_->clear();
    }

    Fs& fs_;
    Path dir_;
    std::unique_ptr<FileSigner> signer_;
    std::optional<StagingFile> staging_;
    std::unique_ptr<LedgerReader> reader_;
    std::unique_ptr<SegmentWriter> segments_;
    LedgerState state_;
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
        CHECK(kept_batches > 3);
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
