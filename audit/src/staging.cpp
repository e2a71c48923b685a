#include "audit/staging.h"

#include <algorithm>

#include "audit/ledger.h"
#include "audit/tiles.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::string_view kMagic = "KSTG";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kPrefix = 4 + 1 + 8;  // magic, version, length of the whole
constexpr std::size_t kSmallest =
    kPrefix + VaultId::kSize + 2 * (8 + Hash::kSize) + 4 + 2 + 4 + Hash::kSize;  // no entry, no row

Error torn() {
    return Error(Code::corrupt, "staging bundle is torn");
}

void put_head(Bytes& out, const TreeHead& head) {
    put_u64(out, head.size.value);
    put(out, head.root.view());
}

Result<TreeHead> read_head(ByteReader& in) {
    TreeHead head;
    head.size.value = TRY(in.u64());
    head.root = TRY(Hash::from(TRY(in.take(Hash::kSize))));
    return head;
}

Status read_entries(ByteReader& in, StagingBundle& bundle) {
    const std::uint32_t count = TRY(in.u32());
    if (count > kMaxBatch || bundle.after.size < bundle.before.size ||
        bundle.after.size.value - bundle.before.size.value != count) {
        return Error(Code::bad_input, "number of entries does not fit the sizes");
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint16_t length = TRY(in.u16());
        bundle.entries.push_back(to_bytes(TRY(in.take(length))));
    }
    return {};
}

Status read_segments(ByteReader& in, StagingBundle& bundle) {
    const std::uint16_t count = TRY(in.u16());
    for (std::uint16_t i = 0; i < count; ++i) {
        SegmentChange change;
        change.first.value = TRY(in.u64());
        change.before = TRY(in.u64());
        change.after = TRY(in.u64());
        if (change.after < change.before) return Error(Code::bad_input, "a segment that shrinks");
        bundle.segments.push_back(change);
    }
    return {};
}

Status read_duplicates(ByteReader& in, StagingBundle& bundle) {
    const std::uint32_t count = TRY(in.u32());
    if (count > kMaxBatch) return Error(Code::bad_input, "too many duplicate rows");
    for (std::uint32_t i = 0; i < count; ++i) {
        DuplicateRow row;
        row.source.value = TRY(in.u32());
        row.mac = TRY(Hash::from(TRY(in.take(Hash::kSize))));
        row.entry.value = TRY(in.u64());
        bundle.duplicates.push_back(row);
    }
    return {};
}

Result<StagingBundle> decode_complete(ByteView bytes) {
    ByteReader in(bytes);
    TRY(in.take(4));
    if (TRY(in.u8()) != kVersion) return Error(Code::bad_input, "made by another version of kustos");
    TRY(in.u64());
    StagingBundle bundle;
    bundle.vault = TRY(VaultId::from(TRY(in.take(VaultId::kSize))));
    bundle.before = TRY(read_head(in));
    bundle.after = TRY(read_head(in));
    TRY(read_entries(in, bundle));
    TRY(read_segments(in, bundle));
    TRY(read_duplicates(in, bundle));
    TRY(in.expect_end());
    return bundle;
}

}  // namespace

Bytes encode(const StagingBundle& bundle) {
    CHECK(bundle.entries.size() <= kMaxBatch && bundle.duplicates.size() <= kMaxBatch);
    CHECK(bundle.segments.size() <= 0xFFFF);
    CHECK(bundle.before.size.value + bundle.entries.size() == bundle.after.size.value);
    std::size_t size = kSmallest + bundle.segments.size() * 24 + bundle.duplicates.size() * (4 + Hash::kSize + 8);
    for (const Bytes& entry : bundle.entries) size += 2 + entry.size();
    Bytes out;
    out.reserve(size);
    put(out, kMagic);
    put_u8(out, kVersion);
    put_u64(out, size);
    put(out, bundle.vault.view());
    put_head(out, bundle.before);
    put_head(out, bundle.after);
    put_u32(out, static_cast<std::uint32_t>(bundle.entries.size()));
    for (const Bytes& entry : bundle.entries) append_to_bundle(out, entry);
    put_u16(out, static_cast<std::uint16_t>(bundle.segments.size()));
    for (const SegmentChange& change : bundle.segments) {
        put_u64(out, change.first.value);
        put_u64(out, change.before);
        put_u64(out, change.after);
    }
    put_u32(out, static_cast<std::uint32_t>(bundle.duplicates.size()));
    for (const DuplicateRow& row : bundle.duplicates) {
        put_u32(out, row.source.value);
        put(out, row.mac.view());
        put_u64(out, row.entry.value);
    }
    put(out, sha256(out).view());
    CHECK(out.size() == size);
    return out;
}

Result<StagingBundle> decode_staging(ByteView bytes) {
    if (bytes.size() < kSmallest || as_text(bytes.first(kMagic.size())) != kMagic) return torn();
    const std::uint64_t length = load_u64(bytes.data() + 5);
    if (length < kSmallest || length > bytes.size()) return torn();
    const ByteView whole = bytes.first(static_cast<std::size_t>(length));
    const ByteView hashed = whole.first(whole.size() - Hash::kSize);
    if (!equal(sha256(hashed).view(), whole.last(Hash::kSize))) return torn();
    return TRY_IN("staging bundle", decode_complete(hashed));
}

namespace {
bool continues(const StagingBundle& one, const StagingBundle& next) {
    return next.before == one.after && next.vault == one.vault;
}
}  // namespace

Result<StagingLog> StagingLog::open(Fs& fs, const Path& staging_dir, std::string_view name) {
    TRY_IN("staging", fs.make_dirs(staging_dir));
    auto file = TRY_IN("staging", fs.open(staging_dir / name, OpenMode::create_or_open));
    TRY_IN("staging", fs.sync_dir(staging_dir));
    TRY_IN("staging", fs.sync_dir(staging_dir.parent_path()));
    StagingLog log(std::move(file));
    log.allocated_ = TRY_IN("staging", log.file_->size());
    return log;
}

Result<std::vector<StagingBundle>> StagingLog::read() {
    std::vector<StagingBundle> log;
    used_ = 0;
    while (true) {
        Bytes bytes(kPrefix);
        bytes.resize(TRY_IN("staging", file_->read_at(used_, bytes)));
        if (bytes.size() < kPrefix || as_text(ByteView(bytes).first(kMagic.size())) != kMagic) return log;
        // Only as much as it says it has; what lies behind is of an older batch.
        const std::uint64_t length = load_u64(bytes.data() + 5);
        if (length < kSmallest || length > allocated_ || used_ > allocated_ - length || length > kMaxStaging)
            return log;
        bytes.resize(static_cast<std::size_t>(length));
        bytes.resize(TRY_IN("staging", file_->read_at(used_, bytes)));
        auto bundle = decode_staging(bytes);
        if (!bundle.ok() && bundle.error().code() == Code::corrupt) return log;
        if (!bundle.ok()) return std::move(bundle).error();
        if (!log.empty() && !continues(log.back(), *bundle)) return log;
        log.push_back(std::move(*bundle));
        used_ += length;
    }
}

// Zeros are written ahead in large steps: overwriting costs half of what appending costs to sync.
Status StagingLog::grow(std::uint64_t size) {
    constexpr std::uint64_t kStep = 4u << 20;
    if (size <= allocated_) return {};
    const std::uint64_t target = (size + kStep - 1) / kStep * kStep;
    const Bytes zeros(static_cast<std::size_t>(std::min<std::uint64_t>(kStep, target - allocated_)));
    while (allocated_ < target) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), target - allocated_));
        TRY(file_->write_at(allocated_, ByteView(zeros).first(n)));
        allocated_ += n;
    }
    return {};
}

Status StagingLog::append(ByteView encoded) {
    if (encoded.size() > kMaxStaging) return Error(Code::limit, "staging bundle beyond 1 GiB");
    TRY_IN("staging", grow(used_ + encoded.size()));
    TRY_IN("staging", file_->write_at(used_, encoded));
    used_ += encoded.size();
    return {};
}

Status StagingLog::sync() {
    TRY_IN("staging", file_->sync());
    return {};
}

Status StagingLog::clear() {
    constexpr std::uint64_t kKept = 16u << 20;
    if (allocated_ > kKept) {  // after an unusually large batch
        TRY_IN("staging", file_->truncate(0));
        allocated_ = 0;
    } else if (allocated_ != 0) {
        const Bytes zeros(kPrefix);
        TRY_IN("staging", file_->write_at(0, zeros));
    }
    TRY_IN("staging", file_->sync());
    used_ = 0;
    return {};
}

Result<std::vector<StagingBundle>> read_staged(StagingLog& one, StagingLog& other) {
    std::vector<StagingBundle> first = TRY(one.read()), second = TRY(other.read());
    const bool swapped = first.empty() || (!second.empty() && second[0].before.size < first[0].before.size);
    if (swapped) first.swap(second);
    if (!second.empty() && continues(first.back(), second.front()))
        first.insert(first.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
    return first;
}

Result<RecoveryPlan> plan_recovery(std::span<const StagingBundle> log, const TreeHead& signer,
                                   const std::optional<TreeHead>& installed) {
    const auto refused = [](Code code, const char* why) {
        return Error(code, why).with_hint(
            "nothing is written until this is understood: docs/operations.md, \"Rolled back\"");
    };
    // First whether batches on their way explain what differs.
    for (std::size_t i = 0; i < log.size(); ++i) {
        if (!(log[i].after == signer)) continue;
        bool fits = !installed || *installed == log[0].before;
        for (std::size_t k = 0; k <= i; ++k) fits = fits || *installed == log[k].after;
        if (fits) return RecoveryPlan{Recovery::finish, i + 1};
    }
    if (!installed) return Error(Code::corrupt, "ledger/checkpoint can't be read").with_hint("run kustos-verify");
    if (*installed == signer) return RecoveryPlan{log.empty() ? Recovery::nothing : Recovery::drop, 0};
    if (installed->size < signer.size) {
        return refused(Code::rolled_back,
                       "the archive is older than its signer remembers: it was rolled back or restored from a copy");
    }
    if (installed->size > signer.size) {
        return refused(Code::conflict,
                       "the signer's store is older than the archive: it was rolled back or belongs to another copy");
    }
    return refused(Code::conflict, "the archive and its signer have different roots for the same size");
}

Status reinstall(Fs& fs, const Path& ledger_dir, std::span<const StagingBundle> log, std::string_view note) {
    CHECK(!log.empty());
    const TreeHead &from = log.front().before, &to = log.back().after;
    const LedgerReader reader(fs, ledger_dir, from.size);
    const LedgerState before = TRY_IN("ledger before the batch", reader.load_state());
    std::vector<Bytes> entries;
    for (const StagingBundle& bundle : log) entries.insert(entries.end(), bundle.entries.begin(), bundle.entries.end());
    const AppendPlan plan = plan_append(before, entries);
    if (!(before.head() == from) || !(plan.after.head() == to)) {
        return Error(Code::corrupt, "tiles and staging bundle do not lead to the signer's root")
            .with_hint("run verify");
    }
    TRY(install(fs, ledger_dir, plan.writes, note));
    return clean_tiles(fs, ledger_dir, from.size, to.size);
}

}  // namespace kustos::audit
