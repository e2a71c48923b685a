// Whose ledger it is, which keys it has had, and going on from an earlier verification.
#include <algorithm>

#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

void ArchiveCheck::go_on_from(const VerifiedState& state) {
    if (state.vkey != key_->format()) {
        report_.problem("ledger.rewritten", "ledger", "is another one than an earlier verification saw");
        return;
    }
    const LedgerReader reader(fs_, ledger_, size_, BundleCheck::none);
    const auto root = state.size <= size_ ? reader.root(state.size) : Result<Hash>(Error(Code::usage, ""));
    if (!root.ok() || !(*root == state.root)) {
        report_.problem("ledger.rewritten", "ledger",
                        "the first " + std::to_string(state.size.value) +
                            " entries are not those that an earlier verification saw");
        return;
    }
    if (!(state.trust == options_.trust_digest)) {
        report_.remark(RemarkCode::state_set_aside);
        return;
    }
    if (!begin_at(reader, state.resume)) return;
    if (!announced_before(reader, state)) {
        report_.problem("key.rotation", "ledger/rotations", "the ledger does not announce these keys");
        return;
    }
    judge_.begin(size_, state.resume);
    if (!judge_.go_on_from(state)) {
        judge_.begin(size_, 0);
        tops_ = {};
        edge_.clear();
        report_.problem("ledger.rewritten", "ledger",
                        "the first " + std::to_string(state.size.value) +
                            " entries are not those that an earlier verification saw");
        return;
    }
    generation_ = judge_.generation_before();
    since_ = &state;
    from_ = state.resume;
    frames_from_ = state.segment;
    anchored_ = state.anchored;
    at_segment_ = at_anchor_ = {from_, state.sequences};
    sequence_.insert(state.sequences.begin(), state.sequences.end());
    for (const auto& [source, next] : state.sequences) sources_.insert(source);
    report_.mode = "since";
    report_.since_size = state.size.value;
    report_.checked["entries_verified_before"] = from_;
    if (state.time != TimeLevel::none) {
        report_.time = state.time;
        report_.proven_since = state.proven_since;
        report_.proven_size = state.proven_size;
    }
}

bool ArchiveCheck::announced_before(const LedgerReader& reader, const VerifiedState& state) const {
    for (const KeyHistory::Step& step : history_->steps()) {
        if (step.proven.value == 0 || step.entry.value >= state.resume) continue;
        const auto proof = reader.proof(step.entry, state.size);
        if (!proof.ok() || !verify_inclusion(step.entry, state.size, step.leaf, *proof, state.root).ok()) return false;
    }
    return true;
}

bool ArchiveCheck::begin_at(const LedgerReader& reader, std::uint64_t from) {
    const NodeSource nodes = reader.node_source();
    std::vector<Hash> peaks;
    const std::uint64_t tiles = from / kTileWidth;
    std::uint64_t done = 0;
    for (int bit = 63; bit >= 0; --bit) {
        if ((tiles >> bit & 1) == 0) continue;
        const auto node = nodes(static_cast<unsigned>(bit) + kTileHeight, done >> bit);
        if (!node.ok()) return false;
        peaks.push_back(*node);
        done += std::uint64_t{1} << bit;
    }
    auto range = CompactRange::from(TreeSize(tiles), std::move(peaks));
    if (!range.ok()) return false;
    std::vector<Level> edge(1);
    edge[0].index = tiles;
    for (unsigned level = 1; tiles >> (kTileHeight * (level - 1)) != 0; ++level) {
        const std::uint64_t count = tiles >> (kTileHeight * (level - 1));
        Level l;
        l.index = count / kTileWidth;
        for (std::uint64_t i = l.index * kTileWidth; i < count; ++i) {
            const auto node = nodes(level * kTileHeight, i);
            if (!node.ok()) return false;
            l.hashes.push_back(*node);
        }
        edge.push_back(std::move(l));
    }
    tops_ = std::move(*range);
    edge_ = std::move(edge);
    return true;
}

VerifiedState ArchiveCheck::state() const {
    VerifiedState s;
    s.vkey = key_->format();
    s.trust = options_.trust_digest;
    s.size = interrupted_ ? TreeSize(tops_.size().value * kTileWidth) : size_;
    s.root = interrupted_ ? tops_.root() : root_;
    if (since_ != nullptr && s.size < since_->size) {  // interrupted before it had come as far again
        s.size = since_->size;
        s.root = since_->root;
    }
    const Snapshot& snapshot = at_segment_.at < at_anchor_.at ? at_segment_ : at_anchor_;
    s.resume = snapshot.at;
    const std::size_t begun = interrupted_ ? segment_ : segments_.size();
    s.segment = std::max(frames_from_, begun == 0 ? 0 : segments_[begun - 1].value);
    s.sequences = snapshot.sequences;
    s.anchored = anchored_;
    s.time = report_.time;
    s.proven_since = report_.proven_since;
    s.proven_size = report_.proven_size;
    return s;
}

std::size_t ArchiveCheck::expected_announcements() const {
    std::size_t count = 0;
    for (const KeyHistory::Step& step : history_->steps())
        count += step.proven.value != 0 && step.entry.value >= from_ ? 1 : 0;
    return count;
}

Status ArchiveCheck::learn_identity() {
    const Bytes bundle = TRY_IN("ledger/tile/entries", read_bundle(0));
    ByteReader in(bundle);
    const ByteView bytes = TRY(in.take(TRY(in.u16())));
    const Entry entry = TRY_IN("entry 0", decode_entry(bytes));
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    const auto vkey = body.find_text(Tag::vkey), origin = body.find_text(Tag::origin);
    const auto vault = body.find_bytes(Tag::vault_id);
    if (control_action(entry) != ControlAction::archive_created || !vkey || !origin || !vault ||
        vault->size() != VaultId::kSize) {
        return Error(Code::corrupt, "entry 0 does not introduce an archive");
    }
    key_ = TRY_IN("entry 0", VerifierKey::parse(*vkey));
    if (key_->name != *origin || *origin != origin_of(TRY(VaultId::from(*vault))))
        report_.problem("ledger.entries", "entry 0", "origin, key and vault id do not belong together");
    builtin_root_ = body.find_hash(Tag::tsa_root_hash);
    report_.fingerprint = key_fingerprint(key_->format());
    return {};
}

void ArchiveCheck::learn_history() {
    history_.emplace(*key_);
    const auto continuations = read_continuations(fs_, ledger_);
    if (!continuations.ok()) {
        report_.problem("ledger.continuation", "ledger/continuations", continuations.error().message());
        return;
    }
    const auto rotations = read_rotations(fs_, ledger_);
    if (!rotations.ok()) {
        report_.problem("key.rotation", "ledger/rotations", rotations.error().message());
        return;
    }
    const Status added = add_all(*history_, *rotations, *continuations);
    for (const KeyHistory::Step& step : history_->steps()) {
        if (step.proven.value == 0) continue;
        if (step.continuation) {
            report_.checked["continuations"] += 1;
        } else {
            rotations_ += 1;
            report_.checked["rotations"] += 1;
        }
    }
    if (!added.ok()) report_.problem("key.rotation", "ledger/rotations", added.error().message());
    for (const KeyHistory::Step& step : history_->steps()) {
        if (step.continuation) continuations_.push_back(step.entry);
    }
    report_.fingerprint = key_fingerprint(history_->first().format());
}

Result<Bytes> ArchiveCheck::read_bundle(std::uint64_t index) {
    for (unsigned w = kTileWidth; w > 0; --w) {
        auto bytes = read_file(fs_, ledger_ / bundle_path(index, w), kMaxBundleFile);
        if (bytes.ok() || bytes.error().code() != Code::not_found) return bytes;
    }
    return Error(Code::not_found, "the file is missing");
}

}  // namespace kustos::audit
