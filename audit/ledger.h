// The ledger on disk: tlog-tiles files, checkpoints and anchors (docs/format/ledger.md). A pure planner says which
// files a batch writes; install() writes them; LedgerReader reads 10 million entries without loading them.
//
//   ledger/checkpoint                  note of the last commit, overwritten
//   ledger/published/<size, 12 digits> notes that are kept
//   ledger/cosigned/<size, 12 digits>  the same with cosignatures of witnesses
//   ledger/tile/...                    C2SP tlog-tiles
//   ledger/anchors/...                 anchors.h
//
// How the writer drives it (docs/format/staging.md):
//   LedgerState state = TRY(reader.load_state());
//   AppendPlan plan = plan_append(state, encoded entries);
//   frames synced, staging written, signer.advance(state.head(), plan.after.head()) -> note     <- commit
//   TRY(install(fs, ledger_dir, plan.writes, note)); state = move(plan.after); reader.advance(state.size());
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "audit/merkle.h"
#include "audit/tiles.h"
#include "base/fs.h"

namespace kustos::audit {

// --- writing ----------------------------------------------------------------------------------------
// What an appender remembers: the compact range and the unfinished tiles at the right edge. A value, at most some 100
// KB plus the unfinished bundle.
struct LedgerState {
    CompactRange range;
    std::vector<std::vector<Hash>> edge;  // edge[level]: hashes of the unfinished tile, fewer than 256
    Bytes bundle;                         // the unfinished entry bundle, encoded
    TreeSize size() const { return range.size(); }
    TreeHead head() const { return {range.size(), range.root()}; }
};

struct TileWrites {
    struct File {
        std::string path;  // below ledger/, made by tiles.h
        Bytes bytes;
    };
    std::vector<File> files;
    std::vector<std::string> superseded;  // unfinished tiles that a file above replaces
};

struct AppendPlan {
    TileWrites writes;
    LedgerState after;
};

// Pure. Each entry at most 65,535 bytes (CHECKed). A batch of n entries makes about n / 128 + 4 files.
AppendPlan plan_append(const LedgerState& before, std::span<const Bytes> entries);

// Writes and syncs every file, then the checkpoint, then removes what is superseded; may be repeated after a crash.
// Durable when it returns. Names of the form *.tmp below ledger/tile are leftovers of a crash and are overwritten.
// Code::environment: the writer must end.
Status install(Fs& fs, const Path& ledger_dir, const TileWrites& writes, std::string_view note);
// The two halves of it, for a committer that syncs many batches at once. Neither removes anything.
// Written and renamed, not synced: adds the files, still open, and the folders whose names changed.
struct Unsynced {
    std::map<std::string, std::unique_ptr<File>> files;  // by path below ledger/
    std::set<Path> folders;
};
Status install_unsynced(Fs& fs, const Path& ledger_dir, std::span<const TileWrites::File> files, Unsynced& out);
Status sync_installed(Fs& fs, const Path& ledger_dir, Unsynced& installed);  // durable, and `installed` is empty

// At start, after a finished or dropped batch: removes unfinished tiles of other widths and temporary names that a
// crash left, from the tiles of a ledger of `from` entries on.
Status clean_tiles(Fs& fs, const Path& ledger_dir, TreeSize from, TreeSize size);

// --- names -------------------------------------------------------------------------------------------
std::string twelve_digits(std::uint64_t number);  // CHECKs below 10^12
Result<std::uint64_t> parse_twelve_digits(std::string_view text);
Path checkpoint_file(const Path& ledger_dir);
Path published_file(const Path& ledger_dir, TreeSize size);
// Keeps the note for good; the same note again is fine, another one is Code::conflict.
Status store_published(Fs& fs, const Path& ledger_dir, TreeSize size, std::string_view note);
Result<std::vector<TreeSize>> list_published(Fs& fs, const Path& ledger_dir);  // ascending; foreign names are left out
// ledger/cosigned/<size>: the published note with the cosignatures of witnesses behind the archive's signature;
// replaced when another one comes.
Path cosigned_file(const Path& ledger_dir, TreeSize size);
Status store_cosigned(Fs& fs, const Path& ledger_dir, TreeSize size, std::string_view note);
Result<std::vector<TreeSize>> list_cosigned(Fs& fs, const Path& ledger_dir);
Result<std::string> read_note(Fs& fs, const Path& file);  // at most kMaxNote

// --- reading -----------------------------------------------------------------------------------------
enum class BundleCheck {
    leaves,  // entries handed out hash to their leaves in the level-0 tile; Code::corrupt if not
    none,    // as they are on disk (for the verifier, which compares by itself)
};

// Reads entries, leaves and proofs up to a size that only grows. Keeps the last used tiles (4 MiB) and bundles (16
// MiB). Threads: every function is safe from any thread; a reader may run while install() replaces unfinished tiles.
// Errors: usage (beyond the size), corrupt (a file is missing or wrong; says which).
class LedgerReader {
public:
    // Takes the size from ledger/checkpoint, whose signature is not checked here. Code::not_found: no checkpoint yet.
    static Result<std::unique_ptr<LedgerReader>> open(Fs& fs, const Path& ledger_dir);
    LedgerReader(Fs& fs, Path ledger_dir, TreeSize size, BundleCheck check = BundleCheck::leaves);
    ~LedgerReader();
    LedgerReader(const LedgerReader&) = delete;
    LedgerReader& operator=(const LedgerReader&) = delete;

    TreeSize size() const;
    void advance(TreeSize size);  // after install() or stage(); never goes back
    // Tiles that are not on the disk yet: looked at before it, until they are dropped. size: of the ledger with them.
    void stage(const TileWrites& writes, TreeSize size);
    void drop_staged(TreeSize size);                          // what was staged up to that size
    std::vector<TileWrites::File> staged_unfinished() const;  // the widest of each tile that is not full

    // At most `count`, fewer at the end; none at from == size.
    Result<std::vector<Bytes>> entries(EntryIndex from, std::uint64_t count) const;
    Result<Bytes> entry_bytes(EntryIndex index) const;
    Result<Entry> entry(EntryIndex index) const;
    Result<EntryHeader> header(EntryIndex index) const;
    Result<Hash> leaf(EntryIndex index) const;
    // In order, without keeping more than one bundle. The callback's error ends the walk.
    Status for_each(EntryIndex from, EntryIndex end, const std::function<Status(EntryIndex, ByteView)>& callback) const;

    NodeSource node_source() const;  // refers to this reader
    Result<Hash> root(TreeSize size) const;
    Result<std::vector<Hash>> proof(EntryIndex index, TreeSize size) const;
    Result<std::vector<Hash>> consistency(TreeSize old_size, TreeSize new_size) const;

    // The appender's state at the present size, read from the tiles at the right edge. Code::corrupt if the unfinished
    // bundle does not hash to its leaves. Compare its head() with the signer's.
    Result<LedgerState> load_state() const;

private:
    struct Cache;
    struct Bundle;
    using TilePtr = std::shared_ptr<const std::vector<Hash>>;
    using BundlePtr = std::shared_ptr<const Bundle>;
    Result<TilePtr> tile(unsigned level, std::uint64_t index, unsigned at_least) const;
    Result<BundlePtr> bundle(std::uint64_t index, unsigned at_least) const;
    Result<std::pair<Bytes, unsigned>> read_tile_file(const TileName& wanted, std::size_t limit) const;
    Result<Hash> node(unsigned level, std::uint64_t index) const;

    Fs& fs_;
    Path dir_;
    BundleCheck check_;
    std::unique_ptr<Cache> cache_;  // its own mutex inside
};

}  // namespace kustos::audit
