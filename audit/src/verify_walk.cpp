// The walk over the entries, and the tiles that they lead to.
#include <algorithm>
#include <thread>

#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

namespace {

constexpr unsigned kMostThreads = 8;

}  // namespace

void ArchiveCheck::walk_entries() {
    LookaheadOptions ahead;
    ahead.size = size_;
    ahead.from = from_;
    ahead.live = live_;
    ahead.threads = options_.threads != 0 ? options_.threads - 1
                                          : std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
    ahead.stamped = [this](std::uint64_t first) {  // a span holds some of this bundle
        const auto behind =
            std::lower_bound(spans_.begin(), spans_.end(), first + kTileWidth,
                             [](const AnchorSpan& span, std::uint64_t at) { return span.previous.value < at; });
        return behind != spans_.begin() && reach_[static_cast<std::size_t>(behind - spans_.begin()) - 1] > first;
    };
    lookahead_.emplace(fs_, dir_, segments_, std::move(ahead));
    while (const auto bundle = lookahead_->next(place())) {
        if (options_.stop && options_.stop()) {
            interrupted_ = true;
            report_.remark(RemarkCode::interrupted, {std::to_string(bundle->first)});
            return;
        }
        if (!take_bundle(*bundle)) return;  // without entries nothing later can be told
        if (options_.progress) options_.progress(bundle->first + bundle->width - from_, size_.value - from_);
    }
    complete_ = true;
}

bool ArchiveCheck::take_bundle(const LookedAt& b) {
    const std::string where = "ledger/" + bundle_path(b.first / kTileWidth, b.width);
    if (!b.file.ok()) {
        report_.problem("ledger.entries", where, b.file.error().message());
        return false;
    }
    take_snapshots(b.first);
    for (unsigned i = 0; i < b.entries.size(); ++i) take_entry(b, i, where);
    if (b.entries.size() < b.width) {
        report_.problem("ledger.entries", where, "ends in the middle of an entry");
        return false;
    }
    if (b.trailing && !live_) report_.problem("ledger.entries", where, "has bytes after its last entry");
    if (b.width == kTileWidth) {
        if (b.tile_holds) {
            ++tiles_;
        } else {
            compare_tile(0, b.first / kTileWidth, b.leaves);
        }
        tops_.append(b.top);
        add_to_level(1, b.top);
    } else {
        at_level(0) = {b.leaves, b.first / kTileWidth};
    }
    return true;
}

void ArchiveCheck::take_snapshots(std::uint64_t first) {
    if (first >= at_next_anchor_ || first == from_) {
        at_anchor_ = {first, sequence_};
        const auto next = std::upper_bound(reach_.begin(), reach_.end(), first + kTileWidth - 1);
        at_next_anchor_ = next == reach_.end() ? kNever : *next / kTileWidth * kTileWidth;
    }
    const auto next = std::lower_bound(segments_.begin(), segments_.end(), EntryIndex(first));
    if (first == from_ || (next != segments_.end() && next->value < first + kTileWidth))
        at_segment_ = {first, sequence_};
}

Hash ArchiveCheck::root_with(std::span<const Hash> leaves) const {
    CompactRange rest;
    for (const Hash& leaf : leaves) rest.append(leaf);
    return joined_root(tops_, rest);
}

void ArchiveCheck::take_entry(const LookedAt& b, unsigned i, const std::string& bundle) {
    const EntryIndex index(b.first + i);
    ++entries_;
    if (index.value >= open_until_) {
        close_spans(index.value);
        open_until_ = kNever;
        for (const OpenSpan& s : open_spans_) open_until_ = std::min(open_until_, s.anchor.span.size.value);
    }
    if (index.value >= open_from_) open_spans(index.value);
    if (next_published_ < published_sizes_.size() && published_sizes_[next_published_] <= index.value) {
        if (published_sizes_[next_published_] == index.value)
            check_published(index.value, root_with(std::span(b.leaves).first(i)));
        ++next_published_;
    }
    for (const EntryIndex continuation : continuations_) {
        if (continuation == index) root_so_far_ = root_with(std::span(b.leaves).first(i));
    }
    if (!b.headers[i]) {
        const auto entry = decode_entry(b.entries[i]);
        report_.problem("ledger.entries", bundle + " (" + name_of(index) + ")",
                        entry.ok() ? "is not well-formed" : entry.error().message());
        return;
    }
    const EntryHeader& h = *b.headers[i];
    for (OpenSpan& s : open_spans_) {
        if (s.anchor.span.covers(index)) s.imprint.add(b.groups[i]);
    }
    check_sequence(index, h);
    judge_.take_entry(index, h);
    take_frame(index, h, b.frame_holds[i], b.frame_gone[i], b.frame_at[i]);
    if (h.kind == Kind::control) take_control(index, *decode_entry(b.entries[i]), name_of(index));
    if (h.kind == Kind::erasure) judge_.take_erasure(index, *decode_entry(b.entries[i]));
}

void ArchiveCheck::check_sequence(EntryIndex index, const EntryHeader& h) {
    if (h.source.value != 0 && sources_.count(h.source.value) == 0)
        report_.problem("ledger.sequence", name_of(index), "names a source that no earlier entry introduced");
    std::uint64_t& next = sequence_[h.source.value];
    if (h.sequence != next)
        report_.problem(
            "ledger.sequence", name_of(index),
            "has number " + std::to_string(h.sequence) + " of its source, " + std::to_string(next) + " is due");
    next = h.sequence + 1;
}

ArchiveCheck::Level& ArchiveCheck::at_level(unsigned level) {
    if (edge_.size() <= level) edge_.resize(level + 1);
    return edge_[level];
}

void ArchiveCheck::add_to_level(unsigned level, const Hash& hash) {
    at_level(level).hashes.push_back(hash);
    if (edge_[level].hashes.size() < kTileWidth) return;
    compare_tile(level, edge_[level].index, edge_[level].hashes);
    const Hash top = root_of(edge_[level].hashes);
    edge_[level].hashes.clear();
    ++edge_[level].index;
    add_to_level(level + 1, top);
}

void ArchiveCheck::compare_tile(unsigned level, std::uint64_t index, const std::vector<Hash>& hashes) {
    const auto width = static_cast<unsigned>(hashes.size());
    const std::string where = "ledger/" + tile_path(level, index, width);
    const auto bytes = read_of_width(
        fs_, ledger_, [&](unsigned w) { return tile_path(level, index, w); }, width, live_, kMaxTileFile);
    const Bytes wanted = encode_tile(hashes);
    if (!bytes.ok()) {
        report_.problem("ledger.tile", where, bytes.error().message());
    } else if (live_ ? bytes->size() < wanted.size() || !equal(ByteView(*bytes).first(wanted.size()), wanted)
                     : !equal(*bytes, wanted)) {
        report_.problem("ledger.tile", where, "does not hold the hashes of its entries");
    }
    ++tiles_;
}

void ArchiveCheck::finish_tiles() {
    if (!complete_) return;
    tiles_ = 0;
    const Hash root = root_with(at_level(0).hashes);
    for (unsigned level = 0; level < edge_.size(); ++level) {
        if (!edge_[level].hashes.empty()) compare_tile(level, edge_[level].index, edge_[level].hashes);
    }
    report_.checked["tiles"] += tiles_;
    close_spans(size_.value);
    report_stamps(0);
    if (next_published_ < published_sizes_.size() && published_sizes_[next_published_] == size_.value)
        check_published(size_.value, root);
    if (!(root == root_))
        report_.problem("checkpoint", "ledger/checkpoint", "states a root that the entries do not lead to");
}

}  // namespace kustos::audit
