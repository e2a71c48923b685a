#include "audit/src/verify_erasures.h"

#include <algorithm>

#include "audit/segment.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kMostLines = 50'000;  // of a state, for entries; and for leaves
constexpr std::size_t kKeyFile = 4096;

// Intervals that lie close together become one, until there are few enough.
EntrySet thinned(const EntrySet& all, std::size_t most) {
    EntrySet out = all;
    for (std::uint64_t gap = 8; out.intervals().size() > most; gap *= 2) {
        EntrySet wider;
        for (const EntrySet::Interval& i : out.intervals()) {
            const auto& before = wider.intervals();
            const bool close = !before.empty() && i.first.value - before.back().last.value <= gap;
            wider.add(close ? EntryIndex{before.back().last.value + 1} : i.first, i.last);
        }
        out = std::move(wider);
    }
    return out;
}

bool concerns(const Entry& entry) {
    return entry.header.kind == Kind::erasure || control_action(entry) == ControlAction::generation_opened;
}

}  // namespace

void ErasureJudge::begin(TreeSize size, std::uint64_t from) {
    size_ = size;
    from_ = from;
    reader_ = std::make_unique<LedgerReader>(fs_, dir_ / "ledger", size, BundleCheck::none);
    erasures_.emplace([this](EntryIndex i) { return reader_->header(i); });
    erasures_->counts_from(EntryIndex(from));
}

bool ErasureJudge::learn(const LedgerReader& reader, EntryIndex index, const VerifiedState& state) {
    const auto bytes = reader.entry_bytes(index);
    const auto proof = reader.proof(index, state.size);
    if (!bytes.ok() || !proof.ok() || !verify_inclusion(index, state.size, leaf_hash(*bytes), *proof, state.root).ok())
        return false;
    const auto entry = decode_entry(*bytes);
    if (!entry.ok() || !concerns(*entry)) return entry.ok();
    (void)erasures_->take(index, *entry);  // a malformed one was a finding then
    if (entry->header.kind == Kind::control) {
        const auto body = BodyReader::parse(entry->body);
        const auto number = body->find_u32(Tag::generation);
        const auto hash = body->find_hash(Tag::keyring_hash);
        if (number && hash) generation_before_ = {*number, *hash};
    }
    return true;
}

bool ErasureJudge::go_on_from(const VerifiedState& state) {
    for (const EntrySet::Interval& i : state.erasures.intervals()) {
        for (std::uint64_t at = i.first.value; at <= i.last.value; ++at) {
            if (!learn(*reader_, EntryIndex(at), state)) return false;
        }
    }
    named_ = state.erasures;
    for (const LeafSpan& span : state.gone) gone_.add(span);
    return true;
}

void ErasureJudge::take_entry(EntryIndex index, const EntryHeader& header) {
    if (header.suite == Suite::none) return;
    sealed_.add(header.tree, header.leaf);
    if (!erasures_->seal(header))
        report_.problem("erasure.entry", "entry " + std::to_string(index.value),
                        "uses a key that an earlier entry says was destroyed");
}

void ErasureJudge::take_erasure(EntryIndex index, const Entry& entry) {
    if (!concerns(entry)) return;
    if (entry.header.kind == Kind::control) {
        // The first one is in every archive, and needs no memory of it.
        const auto body = BodyReader::parse(entry.body);
        if (body.ok() && body->find_u32(Tag::generation).value_or(0) > 1) named_.add(index);
    } else {
        named_.add(index);
    }
    if (const Status taken = erasures_->take(index, entry); !taken.ok())
        report_.problem("erasure.entry", "entry " + std::to_string(index.value), taken.error().message());
}

std::string ErasureJudge::frame_name(EntryIndex index, const EntryHeader& header,
                                     const std::vector<EntryIndex>& segments) const {
    const std::string entry = " (entry " + std::to_string(index.value) + ")";
    if (has_own_file(header)) return "vault/blobs/" + blob_file(dir_, index).filename().string() + entry;
    const auto above = std::upper_bound(segments.begin(), segments.end(), index);
    if (above == segments.begin()) return entry.substr(2, entry.size() - 3);
    return "vault/segments/" + segment_file(dir_, *(above - 1)).filename().string() + entry;
}

void ErasureJudge::judge(const std::vector<EntryIndex>& segments) {
    const LeafSet unexplained = gone_.without(erasures_->covered());
    const LeafSet left = erasures_->removed().common(sealed_).without(gone_).without(unseen_);
    if (const std::uint64_t gone = gone_.common(sealed_).common(erasures_->covered()).count(); gone != 0)
        report_.checked["ciphertexts_removed"] += gone;
    if (unexplained.empty() && left.empty()) return;
    // Which entries that are is asked of the ledger once more.
    std::uint64_t named = 0;
    const auto walked =
        reader_->for_each(EntryIndex(from_), EntryIndex(size_.value), [&](EntryIndex index, ByteView bytes) -> Status {
            const auto header = decode_header(bytes);
            if (!header.ok() || header->suite == Suite::none) return {};
            if (unexplained.contains(header->tree, header->leaf)) {
                report_.problem("vault.missing", frame_name(index, *header, segments),
                                "the ciphertext is gone and no entry allows it");
                ++named;
            } else if (left.contains(header->tree, header->leaf)) {
                report_.problem("erasure.ciphertext", frame_name(index, *header, segments),
                                "an entry says that this ciphertext was removed, but it is there");
                ++named;
            }
            return {};
        });
    if (named == 0 || !walked.ok()) {
        if (!unexplained.empty())
            report_.problem("vault.missing", "vault", "the ciphertext is gone and no entry allows it");
        if (!left.empty())
            report_.problem("erasure.ciphertext", "vault",
                            "an entry says that this ciphertext was removed, but it is there");
    }
}

// Where a generation was destroyed, its key and those before it are gone from here, too.
void ErasureJudge::judge_keys(const std::optional<std::uint32_t>& generation) {
    const std::uint32_t below = std::min(erasures_->destroyed_below(), generation.value_or(0));
    if (below == 0) return;
    const auto names = fs_.list(dir_ / "keys");
    if (!names.ok()) return;
    constexpr std::string_view kPrefix = "generation-";
    for (const std::string& name : *names) {
        if (name.rfind(kPrefix, 0) != 0 || name.size() > kPrefix.size() + 10) continue;
        const std::string digits = name.substr(kPrefix.size());
        if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos || digits[0] == '0') continue;
        if (std::stoull(digits) >= below) continue;
        const auto file = fs_.open(dir_ / "keys" / name / "e", OpenMode::read);
        if (!file.ok()) continue;
        Bytes bytes(kKeyFile);
        const auto got = (*file)->read_at(0, bytes);
        if (!got.ok()) continue;
        bytes.resize(*got);
        if (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b != 0; }))
            report_.problem("erasure.key", "keys/" + name + "/e", "the key of an older generation is still here");
    }
}

void ErasureJudge::tell() {
    for (const ErasureRun& run : erasures_->runs()) {
        if (!run.done) {
            if (!run.begun.empty())
                report_.remark(RemarkCode::erasure_begun, {std::to_string(run.begun.front().value)});
            continue;
        }
        ReportedErasures& e = report_.erasures;
        ++e.runs;
        e.contents += run.count;
        const RunState state = state_of(run);
        e.unreadable += state == RunState::unreadable ? 1 : 0;
        e.terms_gone += state == RunState::terms_gone ? 1 : 0;
        e.ciphertext_gone += state == RunState::ciphertext_gone ? 1 : 0;
        e.final_ += state == RunState::final_ ? 1 : 0;
    }
    if (report_.erasures.runs != 0) report_.checked["erasures"] += report_.erasures.runs;
}

bool ErasureJudge::put_into(VerifiedState& state, std::uint64_t resume, bool interrupted) const {
    EntrySet before;
    const EntrySet all = thinned(named_, kMostLines);
    for (const EntrySet::Interval& i : all.intervals()) {
        if (i.first.value >= resume) break;
        before.add(i.first, EntryIndex(std::min(i.last.value, resume - 1)));
    }
    state.erasures = std::move(before);
    if (!interrupted) return true;
    state.gone = gone_.without(erasures_->covered()).spans();
    return state.gone.size() <= kMostLines;
}

}  // namespace kustos::audit
