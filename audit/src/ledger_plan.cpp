// Which files a batch writes. Pure.
#include "audit/ledger.h"

namespace kustos::audit {

namespace {

// Grows a state leaf by leaf and notes the tiles that become full on the way.
class Planner {
public:
    explicit Planner(const LedgerState& before) : before_(before.size()), state_(before) {}

    void append(ByteView entry) {
        append_to_bundle(state_.bundle, entry);
        const Hash leaf = leaf_hash(entry);
        state_.range.append(leaf);
        push(0, leaf);
    }

    AppendPlan finish() {
        if (state_.size() != before_) {
            write_unfinished();
            note_superseded();
        }
        return {std::move(writes_), std::move(state_)};
    }

private:
    std::uint64_t last_full(unsigned level) const { return tile_hashes(state_.size(), level) / kTileWidth - 1; }

    void push(unsigned level, const Hash& hash) {
        if (state_.edge.size() <= level) state_.edge.resize(level + 1);
        if (touched_ <= level) touched_ = level + 1;
        std::vector<Hash>& row = state_.edge[level];
        row.push_back(hash);
        if (row.size() < kTileWidth) return;
        const std::uint64_t index = last_full(level);
        writes_.files.push_back({tile_path(level, index, kTileWidth), encode_tile(row)});
        if (level == 0) {
            writes_.files.push_back({bundle_path(index, kTileWidth), std::move(state_.bundle)});
            state_.bundle = {};
        }
        const Hash root = root_of(row);
        row.clear();
        push(level + 1, root);
    }

    void write_unfinished() {
        for (unsigned level = 0; level < touched_; ++level) {
            const std::vector<Hash>& row = state_.edge[level];
            if (row.empty()) continue;
            const std::uint64_t index = tile_hashes(state_.size(), level) / kTileWidth;
            const auto width = static_cast<unsigned>(row.size());
            writes_.files.push_back({tile_path(level, index, width), encode_tile(row)});
            if (level == 0) writes_.files.push_back({bundle_path(index, width), state_.bundle});
        }
    }

    // Whatever was unfinished and has grown.
    void note_superseded() {
        for (unsigned level = 0; level < touched_; ++level) {
            const std::uint64_t hashes = tile_hashes(before_, level);
            const auto width = static_cast<unsigned>(hashes % kTileWidth);
            if (width == 0) continue;
            writes_.superseded.push_back(tile_path(level, hashes / kTileWidth, width));
            if (level == 0) writes_.superseded.push_back(bundle_path(hashes / kTileWidth, width));
        }
    }

    TreeSize before_;
    LedgerState state_;
    TileWrites writes_;
    unsigned touched_ = 0;  // levels below this one got hashes
};

}  // namespace

AppendPlan plan_append(const LedgerState& before, std::span<const Bytes> entries) {
    Planner planner(before);
    for (const Bytes& entry : entries) planner.append(entry);
    return planner.finish();
}

}  // namespace kustos::audit
