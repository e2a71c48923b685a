// Makes a large archive for the benches: a real one, founded by the vault (keys, key trees, builtin authority), and
// grown by audit's own writers: entries, tiles, segments, signed checkpoints, published checkpoints with time stamps,
// and the entries that name them. kustos-verify accepts it and Archive::open opens it. What it is not: the ciphertext
// is noise (no record can be opened), and vault/duplicates.db has no row for it.
//
// Usage: make_ledger DIR ENTRIES [CIPHERTEXT_BYTES [STAMP_EVERY]]
//   DIR/archive, DIR/state are made. CIPHERTEXT_BYTES: on average (default 700). STAMP_EVERY: entries between two
//   published and stamped checkpoints (default 2,000: at one a minute, 33 entries a second).
// The same arguments make the same entries but for the keys and what they sign. Nothing is synced: not for real use.
#include <cstdio>
#include <cstdlib>

#include "audit/anchors.h"
#include "audit/imprint.h"
#include "audit/ledger.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "audit/timestamp.h"
#include "audit/tsa_authority.h"
#include "base/crypto.h"
#include "vault/archive.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

constexpr std::uint64_t kLeavesUsed = kLeavesPerKeyTree - 1;  // the founding draft took leaf 0
constexpr std::int64_t kStampMs = 60'000;

// The real disk, in no hurry to be safe.
class UnsyncedFs final : public Fs {
public:
    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
        return std::unique_ptr<File>(std::make_unique<Unsynced>(TRY(disk_.open(path, mode))));
    }
    Status make_dirs(const Path& path) override { return disk_.make_dirs(path); }
    Status rename(const Path& from, const Path& to) override { return disk_.rename(from, to); }
    Status remove(const Path& path) override { return disk_.remove(path); }
    Status sync_dir(const Path&) override { return {}; }
    bool exists(const Path& path) override { return disk_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return disk_.list(path); }
    Result<bool> is_dir(const Path& path) override { return disk_.is_dir(path); }
    std::uint64_t free_bytes(const Path& path) override { return disk_.free_bytes(path); }

private:
    class Unsynced final : public File {
    public:
        explicit Unsynced(std::unique_ptr<File> file) : file_(std::move(file)) {}
        Status write_at(std::uint64_t offset, ByteView bytes) override { return file_->write_at(offset, bytes); }
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            return file_->read_at(offset, out);
        }
        Status sync() override { return {}; }
        Status truncate(std::uint64_t size) override { return file_->truncate(size); }
        Result<std::uint64_t> size() override { return file_->size(); }

    private:
        std::unique_ptr<File> file_;
    };
    RealFs disk_;
};

struct Plan {
    Path dir;
    std::uint64_t entries = 0;
    std::uint64_t ciphertext = 700;
    std::uint64_t stamp_every = 2'000;
    std::uint64_t trees() const { return entries / kLeavesUsed + 1; }
};

// Ciphertext that costs no time to make: pieces of one pool, each begun with its entry's number.
class Noise {
public:
    explicit Noise(Random& random) : pool_(4u << 20) { random.fill(pool_); }
    ByteView piece(std::uint64_t number, std::size_t length) {
        CHECK(length >= 16 && length < pool_.size());
        const std::size_t at = (number * 0x9E3779B97F4A7C15u >> 20) % (pool_.size() - length);
        store_u64(pool_.data() + at, number);
        return ByteView(pool_).subspan(at, length);
    }

private:
    Bytes pool_;
};

class Maker {
public:
    explicit Maker(Plan plan) : plan_(std::move(plan)) {}

    Status make() {
        TRY(found());
        TRY(open());
        while (next_ < plan_.entries) {
            const std::uint64_t stop = std::min(plan_.entries, next_ + plan_.stamp_every);
            while (next_ < stop) TRY(add_record());
            TRY(commit());
            if (next_ < plan_.entries) TRY(stamp());
        }
        return {};
    }

private:
    Environment environment() { return {fs_, clock_, random_}; }
    Path archive() const { return plan_.dir / "archive"; }

    // By the vault: an archive with a source and, by a draft each, as many key trees as the entries need.
    Status found() {
        vault::CreateOptions options;
        options.with_builtin_authority = true;
        TRY(vault::Archive::create(environment(), archive(), plan_.dir / "state", std::move(options)));
        vault::OpenOptions open;
        open.state = plan_.dir / "state";
        const auto made = TRY(vault::Archive::open(environment(), archive(), std::move(open)));
        const vault::SourceInfo source = TRY(made->add_source("bench", "import", ClassCode{100}));
        std::vector<vault::Draft> drafts;
        for (std::uint64_t i = 0; i < plan_.trees(); ++i) {
            vault::Message message;
            message.native_id = "founding " + std::to_string(i);
            message.received_at = clock_.now();
            vault::Draft draft;
            draft.source = source.id;
            draft.retention_class = ClassCode{static_cast<std::uint16_t>(100 + i)};
            draft.content = TRY(vault::compose(std::move(message)));
            drafts.push_back(std::move(draft));
        }
        TRY(made->seal(std::move(drafts)));
        source_ = source.id;
        vault_ = made->vault_id();
        return made->settle();
    }

    // From here on with audit's parts, going on from what is there.
    Status open() {
        const Path state = plan_.dir / "state" / vault_.hex();
        signer_ = TRY(FileSigner::open(environment(), state / "signer"));
        authority_ = TRY(BuiltinAuthority::open(environment(), state / "tsa"));
        const auto reader = TRY(LedgerReader::open(fs_, archive() / "ledger"));
        state_ = TRY(reader->load_state());
        next_ = state_.size().value;
        for (const Bytes& bytes : TRY(reader->entries(EntryIndex(0), next_))) TRY(learn(bytes));
        segments_ = TRY(SegmentWriter::open(fs_, archive() / "vault", state_.size(),
                                            [&](EntryIndex i) { return reader->header(i); }));
        return {};
    }
    Status learn(const Bytes& bytes) {
        const Entry entry = TRY(decode_entry(bytes));
        ++(entry.header.source.value == 0 ? own_sequence_ : source_sequence_);
        groups_.push_back(group_of(bytes, entry.header));
        if (control_action(entry) != ControlAction::tree_opened) return {};
        const auto body = TRY(BodyReader::parse(entry.body));
        trees_.emplace_back(KeyTreeId{body.find_u32(Tag::tree).value()},
                            ClassCode{body.find_u16(Tag::retention_class).value()});
        return {};
    }

    static ImprintGroup group_of(ByteView bytes, const EntryHeader& header) {
        ImprintGroup group{sha256(bytes), {}};
        if (header.suite != Suite::none) group.ciphertext = header.ciphertext_hash;
        return group;
    }

    Status add_record() {
        const std::uint64_t record = records_++;
        const auto& [tree, retention_class] = trees_.at(record / kLeavesUsed);
        Entry entry;
        EntryHeader& h = entry.header;
        h.kind = Kind::record;
        h.suite = Suite::aes256_gcm;
        h.retention_class = retention_class;
        h.source = source_;
        h.sequence = source_sequence_++;
        h.record = random_.make<RecordId>();
        h.tree = tree;
        h.leaf = LeafNumber{static_cast<std::uint32_t>(1 + record % kLeavesUsed)};
        h.field_count = 16;
        h.content_root = random_.make<Hash>();
        // Half of the average to one and a half of it, padded as sealing pads, and the tag.
        const std::uint64_t size = plan_.ciphertext / 2 + random_.next() % (plan_.ciphertext + 1);
        const ByteView ciphertext = noise_.piece(next_, static_cast<std::size_t>((size + 63) / 64 * 64 + 16));
        h.ciphertext_length = ciphertext.size();
        h.ciphertext_hash = sha256(ciphertext);
        return add(entry, ciphertext);
    }
    Status add_control(Body body) {
        Entry entry;
        entry.header.kind = Kind::control;
        entry.header.retention_class = ClassCode{1};
        entry.header.sequence = own_sequence_++;
        entry.header.record = random_.make<RecordId>();
        entry.body = body.put_time(Tag::time, clock_.now()).encode();
        return add(entry, {});
    }
    Status add(const Entry& entry, ByteView ciphertext) {
        TRY(segments_->append(EntryIndex(next_++), entry.header, ciphertext));
        batch_.push_back(encode(entry));
        leaves_.push_back(leaf_hash(batch_.back()));
        groups_.push_back(group_of(batch_.back(), entry.header));
        return {};
    }

    Status commit() {
        AppendPlan plan = plan_append(state_, batch_);
        TRY(segments_->sync());
        note_ = TRY(signer_->advance(state_.head(), plan.after.head(), {state_.range.hashes(), leaves_}));
        segments_->committed();
        TRY(install(fs_, archive() / "ledger", plan.writes, note_));
        state_ = std::move(plan.after);
        batch_.clear();
        leaves_.clear();
        return {};
    }

    // What Kustos does once a minute.
    Status stamp() {
        clock_.advance_ms(kStampMs);
        const AnchorSpan span{stamped_, state_.size()};
        const Hash digest = sha256(as_bytes(note_));
        TRY(store_published(fs_, archive() / "ledger", span.size, note_));
        const TimestampRequest request = TimestampRequest::make(imprint_root(digest, groups_), random_);
        const Bytes token = TRY(token_from_response(TRY(authority_->answer(request.encode()))));
        AnchorStore store(fs_, archive() / "ledger");
        TRY(store.store(span, as_bytes(note_), token, "builtin"));
        stamped_ = span.size;
        groups_.clear();
        TRY(add_control(Body(ControlAction::checkpoint_published)
                            .put_u64(Tag::checkpoint_size, span.size.value)
                            .put_hash(Tag::note_hash, digest)));
        return add_control(Body(ControlAction::anchor_stored)
                               .put_u64(Tag::previous_size, span.previous.value)
                               .put_u64(Tag::checkpoint_size, span.size.value)
                               .put_hash(Tag::note_hash, digest)
                               .put_hash(Tag::token_hash, sha256(token))
                               .put_text(Tag::authority, "builtin"));
    }

    Plan plan_;
    UnsyncedFs fs_;
    FixedClock clock_{UtcTime{1'772'445'600'000}};
    SeededRandom random_{1};
    Noise noise_{random_};
    VaultId vault_;
    SourceId source_;
    std::vector<std::pair<KeyTreeId, ClassCode>> trees_;
    std::unique_ptr<FileSigner> signer_;
    std::unique_ptr<BuiltinAuthority> authority_;
    std::unique_ptr<SegmentWriter> segments_;
    LedgerState state_;
    std::string note_;
    std::uint64_t next_ = 0, records_ = 0, own_sequence_ = 0, source_sequence_ = 0;
    std::vector<Bytes> batch_;
    std::vector<Hash> leaves_;
    std::vector<ImprintGroup> groups_;  // since the last time stamp
    TreeSize stamped_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || argc > 5) {
        std::fprintf(stderr, "usage: make_ledger DIR ENTRIES [CIPHERTEXT_BYTES [STAMP_EVERY]]\n");
        return 2;
    }
    Plan plan;
    plan.dir = argv[1];
    plan.entries = std::strtoull(argv[2], nullptr, 10);
    if (argc > 3) plan.ciphertext = std::strtoull(argv[3], nullptr, 10);
    if (argc > 4) plan.stamp_every = std::strtoull(argv[4], nullptr, 10);
    if (plan.stamp_every == 0 || plan.ciphertext > 1u << 19) return 2;
    const Status made = Maker(std::move(plan)).make();
    if (!made.ok()) std::fprintf(stderr, "make_ledger: %s\n", made.error().message().c_str());
    return made.ok() ? 0 : 1;
}
