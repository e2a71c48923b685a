#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>

#include "audit/ledger.h"
#include "audit/src/lru.h"

namespace kustos::audit {

namespace {

constexpr std::uint64_t kTileBudget = 4ULL << 20;
constexpr std::uint64_t kBundleBudget = 16ULL << 20;

using TileKey = std::pair<unsigned, std::uint64_t>;

std::string path_of(const TileName& name) {
    return name.level ? tile_path(*name.level, name.index, name.width) : bundle_path(name.index, name.width);
}

Error missing(const TileName& name) {
    return Error(Code::corrupt, "ledger file is missing: " + path_of(name)).with_hint("run verify");
}

Error beyond() {
    return Error(Code::usage, "beyond the end of the ledger");
}

Error as_corrupt(const TileName& name, const Error& cause) {
    if (cause.code() == Code::environment) return cause;
    return Error(Code::corrupt, path_of(name) + ": " + cause.message()).with_hint("run verify");
}

std::pair<int, std::uint64_t> staged_key(const TileName& name) {
    return {name.level ? static_cast<int>(*name.level) : -1, name.index};
}

}  // namespace

struct LedgerReader::Bundle {
    Bytes bytes;
    std::vector<ByteView> entries;  // into bytes
};

struct LedgerReader::Cache {
    std::atomic<std::uint64_t> size{0};
    std::mutex mutex;
    Lru<TileKey, TilePtr> tiles{kTileBudget};
    Lru<std::uint64_t, BundlePtr> bundles{kBundleBudget};
    struct Staged {
        unsigned width;
        TreeSize size;
        std::shared_ptr<const Bytes> bytes;
    };
    std::map<std::pair<int, std::uint64_t>, Staged> staged;  // level (-1: entries), index
};

Result<std::unique_ptr<LedgerReader>> LedgerReader::open(Fs& fs, const Path& ledger_dir) {
    const std::string text = TRY_IN("ledger checkpoint", read_note(fs, checkpoint_file(ledger_dir)));
    const Note note = TRY_IN("ledger checkpoint", parse_note(as_bytes(text)));
    const Checkpoint checkpoint = TRY(parse_checkpoint(note.text));
    return std::make_unique<LedgerReader>(fs, ledger_dir, checkpoint.size);
}

LedgerReader::LedgerReader(Fs& fs, Path ledger_dir, TreeSize size, BundleCheck check)
    : fs_(fs), dir_(std::move(ledger_dir)), check_(check), cache_(std::make_unique<Cache>()) {
    cache_->size = size.value;
}

LedgerReader::~LedgerReader() = default;

TreeSize LedgerReader::size() const {
    return TreeSize{cache_->size.load()};
}

void LedgerReader::advance(TreeSize size) {
    CHECK(size.value >= cache_->size.load());
    cache_->size = size.value;
}

void LedgerReader::stage(const TileWrites& writes, TreeSize size) {
    const std::lock_guard lock(cache_->mutex);
    for (const TileWrites::File& file : writes.files) {
        const auto name = parse_tile_path(file.path);
        CHECK(name.ok());
        cache_->staged[staged_key(*name)] = {name->width, size, std::make_shared<const Bytes>(file.bytes)};
    }
}

void LedgerReader::drop_staged(TreeSize size) {
    const std::lock_guard lock(cache_->mutex);
    std::erase_if(cache_->staged, [size](const auto& s) { return s.second.size <= size; });
}

std::vector<TileWrites::File> LedgerReader::staged_unfinished() const {
    const std::lock_guard lock(cache_->mutex);
    std::vector<TileWrites::File> files;
    for (const auto& [key, staged] : cache_->staged) {
        if (staged.width == kTileWidth) continue;
        TileName name;
        if (key.first >= 0) name.level = static_cast<unsigned>(key.first);
        name.index = key.second;
        name.width = staged.width;
        files.push_back({path_of(name), *staged.bytes});
    }
    return files;
}

// The file of that width; else, because the writer may just have replaced it, the full one or the narrowest that is
// wide enough.
Result<std::pair<Bytes, unsigned>> LedgerReader::read_tile_file(const TileName& wanted, std::size_t limit) const {
    {
        const std::lock_guard lock(cache_->mutex);
        const auto staged = cache_->staged.find(staged_key(wanted));
        if (staged != cache_->staged.end() && staged->second.width >= wanted.width)
            return std::pair(*staged->second.bytes, staged->second.width);
    }
    auto exact = read_file(fs_, dir_ / path_of(wanted), limit);
    if (exact.ok()) return std::pair(std::move(exact).value(), wanted.width);
    if (exact.error().code() != Code::not_found) return as_corrupt(wanted, exact.error());
    // The writer replaces an unfinished tile by a wider one while we look. The widest there is lives longest; a listing
    // may miss a name that is just coming, so it is read again.
    for (int attempt = 0; attempt < 100; ++attempt) {
        TileName name = wanted;
        name.width = kTileWidth;
        if (!fs_.exists(dir_ / path_of(name))) {
            const Path folder = (dir_ / path_of({wanted.level, wanted.index, 1})).parent_path();
            const auto names = fs_.list(folder);
            unsigned widest = 0;
            for (const std::string& text : names.ok() ? *names : std::vector<std::string>{}) {
                unsigned width = 0;
                const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), width);
                if (error == std::errc{} && end == text.data() + text.size() && width < kTileWidth)
                    widest = std::max(widest, width);
            }
            if (widest < wanted.width) {
                if (attempt >= 2 && widest != 0) break;  // there are only narrower ones
                continue;
            }
            name.width = widest;
        }
        auto found = read_file(fs_, dir_ / path_of(name), limit);
        if (found.ok()) return std::pair(std::move(found).value(), name.width);
        if (found.error().code() != Code::not_found) return as_corrupt(name, found.error());
    }
    return missing(wanted);
}

Result<LedgerReader::TilePtr> LedgerReader::tile(unsigned level, std::uint64_t index, unsigned at_least) const {
    const unsigned width = tile_width(size(), level, index);
    if (width < at_least) return beyond();
    const TileKey key{level, index};
    {
        const std::lock_guard lock(cache_->mutex);
        if (const TilePtr* cached = cache_->tiles.find(key); cached && (*cached)->size() >= at_least) return *cached;
    }
    const TileName name{level, index, width};
    const auto [bytes, found] = TRY(read_tile_file(name, kMaxTileFile));
    auto hashes = parse_tile(bytes, found);
    if (!hashes.ok()) return as_corrupt(name, hashes.error());
    auto made = std::make_shared<const std::vector<Hash>>(std::move(hashes).value());
    const std::lock_guard lock(cache_->mutex);
    cache_->tiles.put(key, made, made->size() * Hash::kSize);
    return made;
}

Result<LedgerReader::BundlePtr> LedgerReader::bundle(std::uint64_t index, unsigned at_least) const {
    const unsigned width = tile_width(size(), 0, index);
    if (width < at_least) return beyond();
    {
        const std::lock_guard lock(cache_->mutex);
        if (const BundlePtr* cached = cache_->bundles.find(index); cached && (*cached)->entries.size() >= at_least) {
            return *cached;
        }
    }
    const TileName name{std::nullopt, index, width};
    auto [bytes, found] = TRY(read_tile_file(name, kMaxBundleFile));
    auto made = std::make_shared<Bundle>();
    made->bytes = std::move(bytes);
    auto entries = parse_bundle(made->bytes, found);
    if (!entries.ok()) return as_corrupt(name, entries.error());
    made->entries = std::move(entries).value();
    if (check_ == BundleCheck::leaves) {
        // The writer may be ahead of us: hand out only what has a leaf to compare with.
        const TilePtr leaves = TRY(tile(0, index, width));
        made->entries.resize(std::min(made->entries.size(), leaves->size()));
        for (std::size_t i = 0; i < made->entries.size(); ++i) {
            if (leaf_hash(made->entries[i]) != (*leaves)[i]) {
                return as_corrupt(name, Error(Code::corrupt, "entry " + std::to_string(index * kTileWidth + i) +
                                                                 " does not hash to its leaf"));
            }
        }
    }
    const std::lock_guard lock(cache_->mutex);
    const std::uint64_t cost = made->bytes.size() + made->entries.size() * sizeof(ByteView);
    cache_->bundles.put(index, made, cost);
    return BundlePtr(made);
}

Result<std::vector<Bytes>> LedgerReader::entries(EntryIndex from, std::uint64_t count) const {
    const std::uint64_t end = size().value;
    if (from.value > end) return beyond();
    std::vector<Bytes> out;
    const EntryIndex stop{from.value + std::min(count, end - from.value)};
    TRY(for_each(from, stop, [&](EntryIndex, ByteView bytes) -> Status {
        out.push_back(to_bytes(bytes));
        return {};
    }));
    return out;
}

Result<Bytes> LedgerReader::entry_bytes(EntryIndex index) const {
    const auto within = static_cast<unsigned>(index.value % kTileWidth);
    const BundlePtr found = TRY(bundle(index.value / kTileWidth, within + 1));
    return to_bytes(found->entries[within]);
}

Result<Entry> LedgerReader::entry(EntryIndex index) const {
    return TRY_IN("entry " + std::to_string(index.value), decode_entry(TRY(entry_bytes(index))));
}

Result<EntryHeader> LedgerReader::header(EntryIndex index) const {
    const auto within = static_cast<unsigned>(index.value % kTileWidth);
    const BundlePtr found = TRY(bundle(index.value / kTileWidth, within + 1));
    return TRY_IN("entry " + std::to_string(index.value), decode_header(found->entries[within]));
}

Result<Hash> LedgerReader::leaf(EntryIndex index) const {
    return node(0, index.value);
}

Status LedgerReader::for_each(EntryIndex from, EntryIndex end,
                              const std::function<Status(EntryIndex, ByteView)>& callback) const {
    if (end.value > size().value) return beyond();
    for (std::uint64_t i = from.value; i < end.value;) {
        const std::uint64_t index = i / kTileWidth;
        const std::uint64_t stop = std::min(end.value, (index + 1) * kTileWidth);
        const BundlePtr found = TRY(bundle(index, static_cast<unsigned>(stop - index * kTileWidth)));
        for (; i < stop; ++i) TRY(callback(EntryIndex{i}, found->entries[i % kTileWidth]));
    }
    return {};
}

Result<Hash> LedgerReader::node(unsigned level, std::uint64_t index) const {
    const unsigned tile_level = level / kTileHeight, inside = level % kTileHeight;
    if (tile_level > kMaxTileLevel || index > (~std::uint64_t{0} >> inside)) return beyond();
    const std::uint64_t first = index << inside;  // 2^inside hashes of one tile
    const std::uint64_t offset = first % kTileWidth, count = std::uint64_t{1} << inside;
    const TilePtr row = TRY(tile(tile_level, first / kTileWidth, static_cast<unsigned>(offset + count)));
    if (inside == 0) return (*row)[offset];
    return root_of(std::span(*row).subspan(offset, count));
}

NodeSource LedgerReader::node_source() const {
    return [this](unsigned level, std::uint64_t index) { return node(level, index); };
}

Result<Hash> LedgerReader::root(TreeSize at) const {
    return root_of(at, node_source());
}

Result<std::vector<Hash>> LedgerReader::proof(EntryIndex index, TreeSize at) const {
    return inclusion_proof(index, at, node_source());
}

Result<std::vector<Hash>> LedgerReader::consistency(TreeSize old_size, TreeSize new_size) const {
    return consistency_proof(old_size, new_size, node_source());
}

namespace {
// Perfect subtrees of the unfinished rows, from the top level down: exactly the compact range.
std::vector<Hash> range_hashes(const std::vector<std::vector<Hash>>& edge) {
    std::vector<Hash> out;
    for (auto row = edge.rbegin(); row != edge.rend(); ++row) {
        std::size_t offset = 0;
        for (unsigned bit = kTileHeight; bit-- > 0;) {
            const std::size_t count = std::size_t{1} << bit;
            if ((row->size() & count) == 0) continue;
            out.push_back(root_of(std::span(*row).subspan(offset, count)));
            offset += count;
        }
    }
    return out;
}
}  // namespace

Result<LedgerState> LedgerReader::load_state() const {
    const TreeSize at = size();
    LedgerState state;
    for (unsigned level = 0; level <= kMaxTileLevel && tile_hashes(at, level) > 0; ++level) {
        const std::uint64_t hashes = tile_hashes(at, level);
        const auto width = static_cast<unsigned>(hashes % kTileWidth);
        state.edge.emplace_back();
        if (width == 0) continue;
        const TilePtr row = TRY(tile(level, hashes / kTileWidth, width));
        state.edge.back().assign(row->begin(), row->begin() + width);
    }
    state.range = TRY(CompactRange::from(at, range_hashes(state.edge)));
    if (const auto width = static_cast<unsigned>(at.value % kTileWidth); width > 0) {
        const BundlePtr unfinished = TRY(bundle(at.value / kTileWidth, width));
        for (unsigned i = 0; i < width; ++i) append_to_bundle(state.bundle, unfinished->entries[i]);
    }
    return state;
}

}  // namespace kustos::audit
