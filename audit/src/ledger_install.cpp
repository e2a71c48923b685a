// Tiles onto the disk, and the names of the other files below ledger/.
//
// Order: contents synced, names changed, folders synced once, checkpoint, and only then the superseded tiles go: at any
// moment the tiles of the old or of the new size are complete.
#include <algorithm>
#include <set>

#include "audit/ledger.h"

namespace kustos::audit {

namespace {

Path temporary_of(const Path& path) {
    Path temporary = path;
    temporary += ".tmp";
    return temporary;
}

Status write_synced(Fs& fs, const Path& path, ByteView bytes) {
    auto file = TRY(fs.open(path, OpenMode::create_or_open));
    TRY(file->truncate(0));
    TRY(file->write_at(0, bytes));
    return file->sync();
}

// Folders whose list of names changes, those made on the way included.
Status make_folders(Fs& fs, const Path& folder, const Path& top, std::set<Path>& changed) {
    for (Path missing = folder; missing != top && !fs.exists(missing); missing = missing.parent_path()) {
        changed.insert(missing.parent_path());
    }
    changed.insert(folder);
    return fs.make_dirs(folder);
}

Status remove_if_there(Fs& fs, const Path& path) {
    const Status removed = fs.remove(path);
    if (!removed.ok() && removed.error().code() != Code::not_found) return removed;
    return {};
}

Status write_tiles(Fs& fs, const Path& dir, const std::vector<TileWrites::File>& files) {
    std::set<Path> changed;
    for (const TileWrites::File& file : files) {
        const Path path = dir / file.path;
        TRY(make_folders(fs, path.parent_path(), dir, changed));
        // A folder that is there may be one whose name nobody has synced: a program made it and was killed.
        for (Path above = path.parent_path(); above != dir; above = above.parent_path())
            changed.insert(above.parent_path());
        TRY(write_synced(fs, temporary_of(path), file.bytes));
    }
    for (const TileWrites::File& file : files) TRY(fs.rename(temporary_of(dir / file.path), dir / file.path));
    for (const Path& folder : changed) TRY(fs.sync_dir(folder));
    return {};
}

Status write_checkpoint(Fs& fs, const Path& dir, std::string_view note) {
    const Path path = checkpoint_file(dir);
    TRY(write_synced(fs, temporary_of(path), as_bytes(note)));
    TRY(fs.rename(temporary_of(path), path));
    return fs.sync_dir(dir);
}

// Unfinished tiles of other widths, and temporary names, in the folder of one tile.
Status clean_tile(Fs& fs, const Path& dir, const TileName& name) {
    const auto path_of = [&](unsigned width) {
        return name.level ? tile_path(*name.level, name.index, width) : bundle_path(name.index, width);
    };
    const Path folder = (dir / path_of(1)).parent_path();
    TRY(remove_if_there(fs, temporary_of(dir / path_of(kTileWidth))));
    if (!fs.exists(folder)) return {};
    const std::string keep = std::to_string(name.width);
    for (const std::string& file : TRY(fs.list(folder))) {
        if (name.width == kTileWidth || file != keep) TRY(remove_if_there(fs, folder / file));
    }
    return {};
}

}  // namespace

Status install(Fs& fs, const Path& ledger_dir, const TileWrites& writes, std::string_view note) {
    TRY_IN("ledger", fs.make_dirs(ledger_dir));
    TRY_IN("ledger tiles", write_tiles(fs, ledger_dir, writes.files));
    TRY_IN("ledger checkpoint", write_checkpoint(fs, ledger_dir, note));
    for (const std::string& path : writes.superseded) {
        TRY_IN("superseded tile", remove_if_there(fs, ledger_dir / path));
    }
    return {};
}

Status install_unsynced(Fs& fs, const Path& ledger_dir, std::span<const TileWrites::File> files, Unsynced& out) {
    for (const TileWrites::File& file : files) {
        const Path path = ledger_dir / file.path;
        TRY_IN("ledger", make_folders(fs, path.parent_path(), ledger_dir, out.folders));
        auto open = TRY_IN("ledger", fs.open(temporary_of(path), OpenMode::create_or_open));
        TRY_IN("ledger", open->truncate(0));
        TRY_IN("ledger", open->write_at(0, file.bytes));
        TRY_IN("ledger", fs.rename(temporary_of(path), path));
        out.files[file.path] = std::move(open);
    }
    return {};
}

Status sync_installed(Fs& fs, const Path& ledger_dir, Unsynced& installed) {
    for (const auto& [path, file] : installed.files) TRY_IN("ledger", file->sync());
    for (const Path& folder : installed.folders) TRY_IN("ledger", fs.sync_dir(folder));
    TRY_IN("ledger", fs.sync_dir(ledger_dir));
    installed = {};
    return {};
}

Status clean_tiles(Fs& fs, const Path& ledger_dir, TreeSize from, TreeSize size) {
    // Tiles: a removal is durable with the settling after its own, and until then a log's worth of entries away: four
    // times 16,384 and a batch (committer.h).
    constexpr std::uint64_t kLookBack = 520;
    TRY(remove_if_there(fs, temporary_of(checkpoint_file(ledger_dir))));
    for (unsigned level = 0; level <= kMaxTileLevel; ++level) {
        const std::uint64_t first = tile_hashes(from, level) / kTileWidth;
        const std::uint64_t last = tile_hashes(size, level) / kTileWidth;
        for (std::uint64_t index = first - std::min(first, kLookBack); index <= last + 1; ++index) {
            const unsigned width = tile_width(size, level, index);
            if (width == 0 && level > 0) continue;
            TRY_IN("ledger tiles", clean_tile(fs, ledger_dir, {level, index, width}));
            if (level == 0) TRY_IN("ledger tiles", clean_tile(fs, ledger_dir, {std::nullopt, index, width}));
        }
    }
    return {};
}

std::string twelve_digits(std::uint64_t number) {
    CHECK(number < 1'000'000'000'000ULL);
    const std::string digits = std::to_string(number);
    return std::string(12 - digits.size(), '0') + digits;
}

Result<std::uint64_t> parse_twelve_digits(std::string_view text) {
    const bool plain = text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
    if (!plain) return Error(Code::bad_input, "not a number of twelve digits");
    std::uint64_t number = 0;
    for (const char c : text) number = number * 10 + static_cast<std::uint64_t>(c - '0');
    return number;
}

Path checkpoint_file(const Path& ledger_dir) {
    return ledger_dir / "checkpoint";
}

Path published_file(const Path& ledger_dir, TreeSize size) {
    return ledger_dir / "published" / twelve_digits(size.value);
}

Status store_published(Fs& fs, const Path& ledger_dir, TreeSize size, std::string_view note) {
    const Path path = published_file(ledger_dir, size);
    if (!fs.exists(path.parent_path())) {
        TRY(fs.make_dirs(path.parent_path()));
        TRY(fs.sync_dir(ledger_dir));
    }
    return put_once(fs, path, as_bytes(note));
}

namespace {
Result<std::vector<TreeSize>> list_sizes(Fs& fs, const Path& folder) {
    std::vector<TreeSize> sizes;
    if (!fs.exists(folder)) return sizes;
    for (const std::string& name : TRY(fs.list(folder))) {
        const auto size = parse_twelve_digits(name);
        if (size.ok()) sizes.emplace_back(*size);
    }
    return sizes;
}
}  // namespace

Result<std::vector<TreeSize>> list_published(Fs& fs, const Path& ledger_dir) {
    return TRY_IN("published checkpoints", list_sizes(fs, ledger_dir / "published"));
}

Path cosigned_file(const Path& ledger_dir, TreeSize size) {
    return ledger_dir / "cosigned" / twelve_digits(size.value);
}

Status store_cosigned(Fs& fs, const Path& ledger_dir, TreeSize size, std::string_view note) {
    const Path path = cosigned_file(ledger_dir, size);
    if (!fs.exists(path.parent_path())) {
        TRY(fs.make_dirs(path.parent_path()));
        TRY(fs.sync_dir(ledger_dir));
    }
    return replace_file(fs, path, as_bytes(note));
}

Result<std::vector<TreeSize>> list_cosigned(Fs& fs, const Path& ledger_dir) {
    return TRY_IN("cosigned checkpoints", list_sizes(fs, ledger_dir / "cosigned"));
}

Result<std::string> read_note(Fs& fs, const Path& file) {
    return to_text(TRY(read_file(fs, file, kMaxNote)));
}

}  // namespace kustos::audit
