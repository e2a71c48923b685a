// One run of a backup: which files of the archive belong to the size that was taken, and how each is read.
#include <algorithm>
#include <set>

#include "audit/anchors.h"
#include "audit/checkpoint.h"
#include "audit/tiles.h"
#include "vault/backup.h"
#include "vault/boxes.h"
#include "vault/src/backup_store.h"

namespace kustos::vault {

using audit::EntryHeader;

namespace {

constexpr std::uint64_t kMaxSmall = 64u << 20;
constexpr int kMostTries = 5;

// "x.tmp12-3": a write on its way.
bool is_temporary(const std::string& name) {
    return name.find(".tmp") != std::string::npos;
}

class Run {
public:
    Run(Archive& archive, Environment e, const BackupOptions& options)
        : archive_(archive),
          e_(e),
          fs_(e.fs),
          options_(options),
          dir_(archive.dir()),
          store_(e.fs, options.to, options.stop) {
        store_.advanced = [this](std::uint64_t bytes) {
            done_ += bytes;
            if (options_.progress) options_.progress(std::min(done_, total_), total_);
        };
    }

    Result<BackupReport> run() {
        TRY(make_dirs_synced(fs_, options_.to / "objects"));
        FileLock lock = TRY(FileLock::acquire(options_.to / "lock"));
        TRY(look_at_last());
        // Ciphertext may have been taken away meanwhile by an erasure that the size does not know: then once more.
        for (int n = 0;; ++n) {
            TRY(take_all());
            const auto runs = archive_.erasure_runs();
            const bool erased = std::any_of(runs.begin(), runs.end(), [this](const audit::ErasureRun& r) {
                return r.done && r.done->value >= manifest_.size.value;
            });
            if (!erased) break;
            if (n == kMostTries)
                return Error(Code::overloaded, "erasures kept coming in").with_hint("run the backup again later");
        }
        TRY(store_.make_durable());
        TRY(replace_file(fs_, options_.to / "manifest", as_bytes(format(manifest_))));
        return finish();
    }

private:
    Status look_at_last() {
        auto last = load_backup(fs_, options_.to);
        if (!last.ok() && last.error().code() != Code::not_found)
            return Error(last.error().code(), last.error().message())
                .with_hint("remove the file manifest there: everything is looked at again");
        if (!last.ok()) return {};
        if (!(last->vault == archive_.vault_id()))
            return Error(Code::conflict, "the folder holds the backup of another archive");
        last_ = std::move(*last);
        // What never changes is taken over by its name, if it is this ledger's past that lies there.
        const bool behind = last_->size <= archive_.head().size && last_->size.value != 0;
        continues_ = behind && TRY(archive_.ledger().root(last_->size)) == last_->root;
        const auto runs = archive_.erasure_runs();
        compacted_ = std::any_of(runs.begin(), runs.end(), [this](const audit::ErasureRun& r) {
            return r.done && (!r.ciphertext || r.ciphertext->value >= last_->size.value);
        });
        return {};
    }

    Status take_all() {
        TRY(archive_.settle());
        const std::string note = TRY(audit::read_note(fs_, audit::checkpoint_file(dir_ / "ledger")));
        const audit::Checkpoint head = TRY(audit::parse_checkpoint(TRY(audit::parse_note(as_bytes(note))).text));
        manifest_ = {};
        manifest_.vault = archive_.vault_id();
        manifest_.made = e_.clock.now();
        manifest_.size = head.size;
        manifest_.root = head.root;
        manifest_.generation = archive_.ledger_generation();
        done_ = 0;
        total_ = expected_bytes();
        TRY(take_bytes("ledger/checkpoint", as_bytes(note)));
        TRY(take_tiles());
        TRY(take_ledger_folder("ledger"));
        TRY(take_segments());
        TRY(take_blobs());
        TRY(take_boxes());
        for (const char* name : {"config.yaml", "trust.policy", "keys/slots", "keys/intake.pub"})
            TRY(take_file_if_there(name));
        TRY(take_source_settings());
        TRY(take_databases());
        return {};
    }

    // sources/NAME.yaml: there is no secret in them.
    Status take_source_settings() {
        if (!fs_.exists(dir_ / "sources")) return {};
        for (const std::string& name : TRY(fs_.list(dir_ / "sources")))
            if (Path(name).extension() == ".yaml") TRY(take_file_if_there("sources/" + name));
        return {};
    }

    // For the remaining time; what is not known yet is taken to be as the last time.
    std::uint64_t expected_bytes() const {
        std::uint64_t bytes = 0;
        const auto segments = audit::list_segments(fs_, dir_ / "vault");
        if (segments.ok())
            for (const EntryIndex s : *segments)
                bytes += reusable(segment_name(s)) ? 0 : size_of(audit::segment_file(dir_ / "vault", s));
        const auto blobs = audit::list_blobs(fs_, dir_ / "vault");
        if (blobs.ok())
            for (const EntryIndex b : *blobs)
                bytes += reusable(blob_name(b)) ? 0 : size_of(audit::blob_file(dir_ / "vault", b));
        bytes += size_of(dir_ / "vault" / "duplicates.db");
        return bytes + (1u << 20);
    }
    std::uint64_t size_of(const Path& file) const {
        const auto opened = fs_.open(file, OpenMode::read);
        return opened.ok() ? (*opened)->size().value() : 0;
    }
    const BackupFile* last(const std::string& name) const {
        if (!last_) return nullptr;
        const auto found = last_->files.find(name);
        return found == last_->files.end() ? nullptr : &found->second;
    }
    bool reusable(const std::string& name) const {
        const BackupFile* before = continues_ ? last(name) : nullptr;
        return before != nullptr && std::all_of(before->pieces.begin(), before->pieces.end(), [this](const auto& p) {
                   return fs_.exists(object_file(options_.to, p.hash));
               });
    }
    Status check_stop() const {
        if (options_.stop && options_.stop())
            return Error(Code::interrupted, "interrupted; the backup before still counts")
                .with_hint("run the same command again: what was copied is not copied twice");
        return {};
    }

    Status take_bytes(const std::string& name, ByteView bytes) {
        manifest_.files[name] = TRY_IN(name, store_.put(source_of(bytes), last(name)));
        return {};
    }
    Status take_file(const std::string& name, std::uint64_t length) {
        auto file = TRY_IN(name, fs_.open(dir_ / name, OpenMode::read));
        manifest_.files[name] = TRY_IN(name, store_.put(source_of(*file, length), last(name)));
        return {};
    }
    Status take_file_if_there(const std::string& name) {
        const auto bytes = read_file(fs_, dir_ / name, kMaxSmall);
        if (!bytes.ok() && bytes.error().code() == Code::not_found) return {};
        return take_bytes(name, TRY(bytes));
    }
    // Written once and never changed.
    Status take_unchanging(const std::string& name) {
        TRY(check_stop());
        if (reusable(name)) {
            manifest_.files[name] = *last(name);
            return {};
        }
        return take_bytes(name, TRY_IN(name, read_file(fs_, dir_ / name, kMaxSmall)));
    }

    // --- tiles of exactly this size: wider ones are cut ---
    Status take_tiles() {
        for (unsigned level = 0; level <= audit::kMaxTileLevel; ++level) {
            const std::uint64_t hashes = audit::tile_hashes(manifest_.size, level);
            if (hashes == 0) break;
            TRY(take_level(
                hashes, [level](std::uint64_t i, unsigned w) { return audit::tile_path(level, i, w); },
                [](ByteView bytes, unsigned width) -> Result<std::size_t> {
                    if (bytes.size() < width * Hash::kSize) return Error(Code::corrupt, "a tile is short");
                    return width * Hash::kSize;
                }));
        }
        return take_level(manifest_.size.value, audit::bundle_path,
                          [](ByteView bytes, unsigned width) -> Result<std::size_t> {
                              ByteReader in(bytes);
                              for (unsigned i = 0; i < width; ++i) TRY(in.take(TRY(in.u16())));
                              return in.position();
                          });
    }
    using TileCut = std::function<Result<std::size_t>(ByteView, unsigned)>;
    Status take_level(std::uint64_t count, const std::function<std::string(std::uint64_t, unsigned)>& path,
                      const TileCut& cut) {
        const std::uint64_t full = count / audit::kTileWidth;
        for (std::uint64_t i = 0; i < full; ++i) TRY(take_unchanging("ledger/" + path(i, audit::kTileWidth)));
        const auto rest = static_cast<unsigned>(count % audit::kTileWidth);
        if (rest == 0) return {};
        // It may be replaced by a wider one while we look.
        for (int n = 0; n < 50; ++n) {
            for (unsigned width = rest; width <= audit::kTileWidth; ++width) {
                const auto bytes = read_file(fs_, dir_ / "ledger" / path(full, width), audit::kMaxBundleFile);
                if (!bytes.ok()) continue;
                return take_bytes("ledger/" + path(full, rest), ByteView(*bytes).first(TRY(cut(*bytes, rest))));
            }
        }
        return Error(Code::corrupt, "ledger/" + path(full, rest) + " is missing").with_hint("kustos verify");
    }

    // Published notes, time stamps, rotations, ...: all but tiles and what a later size brought.
    Status take_ledger_folder(const std::string& folder) {
        for (const std::string& name : TRY(fs_.list(dir_ / folder))) {
            const std::string path = folder + "/" + name;
            if (is_temporary(name) || path == "ledger/tile" || path == "ledger/checkpoint") continue;
            if (TRY(fs_.is_dir(dir_ / path))) {
                if (folder == "ledger/anchors") {
                    const auto span = audit::AnchorSpan::parse(name);
                    if (span.ok() && span->size > manifest_.size) continue;
                }
                TRY(take_ledger_folder(path));
                continue;
            }
            if (is_of_later(folder, name)) continue;
            if (folder == "ledger/published") {
                TRY(take_unchanging(path));
            } else {
                TRY(take_bytes(path, TRY_IN(path, read_file(fs_, dir_ / path, kMaxSmall))));
            }
        }
        return {};
    }
    bool is_of_later(const std::string& folder, const std::string& name) const {
        const auto number = audit::parse_twelve_digits(std::string_view(name).substr(0, 12));
        if (!number.ok()) return false;
        if (folder == "ledger/published" || folder == "ledger/cosigned") return *number > manifest_.size.value;
        return folder == "ledger/continuations" && *number >= manifest_.size.value;
    }

    // --- ciphertext ---
    static std::string segment_name(EntryIndex first) {
        return "vault/segments/" + audit::segment_file({}, first).filename().string();
    }
    static std::string blob_name(EntryIndex entry) {
        return "vault/blobs/" + audit::blob_file({}, entry).filename().string();
    }
    Status take_segments() {
        const auto segments = TRY(audit::list_segments(fs_, dir_ / "vault"));
        for (std::size_t i = 0; i < segments.size() && segments[i].value < manifest_.size.value; ++i) {
            TRY(check_stop());
            const std::string name = segment_name(segments[i]);
            const bool closed = i + 1 < segments.size() && segments[i + 1].value < manifest_.size.value;
            if (!closed) {  // frames of later entries and zeros lie behind
                TRY(take_file(name, TRY(frames_end(segments[i]))));
                continue;
            }
            // A closed one changes by compaction alone, which an entry reports, and then gets shorter.
            const std::uint64_t size = size_of(dir_ / name);
            if (reusable(name) && !compacted_ && last(name)->size == size) {
                manifest_.files[name] = *last(name);
            } else {
                TRY(take_file(name, size));
            }
        }
        return {};
    }
    Result<std::uint64_t> frames_end(EntryIndex first) const {
        auto file = TRY(fs_.open(audit::segment_file(dir_ / "vault", first), OpenMode::read));
        std::uint64_t at = 0;
        for (std::uint64_t i = first.value; i < manifest_.size.value; ++i) {
            const EntryHeader header = TRY(archive_.ledger().header(EntryIndex(i)));
            if (audit::has_own_file(header)) continue;
            std::uint8_t head[audit::kFrameHead];
            if (TRY(file->read_at(at, head)) != sizeof head)
                return Error(Code::corrupt, "a segment ends before its entries").with_hint("kustos verify");
            at += audit::kFrameHead + load_u64(head);
        }
        return at;
    }
    Status take_blobs() {
        for (const EntryIndex entry : TRY(audit::list_blobs(fs_, dir_ / "vault"))) {
            if (entry.value >= manifest_.size.value) continue;
            TRY(check_stop());
            const std::string name = blob_name(entry);
            const std::uint64_t size = size_of(dir_ / name);
            if (reusable(name) && last(name)->size == size) {
                manifest_.files[name] = *last(name);
            } else {
                TRY(take_file(name, size));
            }
        }
        return {};
    }

    // --- keys: only what opens nothing by itself ---
    Status take_boxes() {
        const auto take = [this](BoxPurpose purpose, std::uint32_t id, EntryIndex entry) -> Status {
            if (entry.value >= manifest_.size.value) return {};
            for (const char copy : {'a', 'b'})
                TRY(take_file_if_there("keys/boxes/" + box_file("", purpose, id, copy).filename().string()));
            return {};
        };
        for (const TreeInfo& tree : archive_.trees()) TRY(take(BoxPurpose::tree, tree.id.value, tree.entry));
        for (const ShardInfo& shard : archive_.shard_infos()) TRY(take(BoxPurpose::shard, shard.shard, shard.entry));
        return {};
    }

    Status take_databases() {
        const Path part = options_.to / "incoming.db";
        const auto fresh = [&]() -> Status {
            for (const char* end : {"", "-journal", "-wal", "-shm"}) {
                Path file = part;
                file += end;
                if (fs_.exists(file)) TRY(fs_.remove(file));
            }
            return {};
        };
        TRY(fresh());
        TRY_IN("vault/duplicates.db", archive_.copy_duplicates(part, options_.stop));
        TRY(take_copy("vault/duplicates.db", part));
        TRY(fresh());
        if (fs_.exists(dir_ / "access.db")) {
            Database source = TRY_IN("access.db", Database::open(dir_ / "access.db", DatabaseMode::read_only));
            DatabaseCopy copy = TRY_IN("access.db", source.begin_copy(part));
            while (TRY_IN("access.db", copy.step(1024))) TRY(check_stop());
            TRY(take_copy("access.db", part));
        }
        return fresh();
    }
    Status take_copy(const std::string& name, const Path& copy) {
        auto file = TRY(fs_.open(copy, OpenMode::read));
        manifest_.files[name] = TRY_IN(name, store_.put(source_of(*file, TRY(file->size())), last(name)));
        return {};
    }

    Result<BackupReport> finish() {
        BackupReport report;
        report.size = manifest_.size;
        report.root = manifest_.root;
        report.generation = manifest_.generation;
        std::set<std::string> named;
        for (const auto& [name, file] : manifest_.files) {
            ++report.files;
            report.bytes += file.size;
            for (const BackupPiece& p : file.pieces) named.insert(p.hash.hex());
        }
        report.objects_removed = TRY(store_.remove_others(named));
        report.bytes_written = store_.bytes_written();
        return report;
    }

    Archive& archive_;
    Environment e_;
    Fs& fs_;
    const BackupOptions& options_;
    Path dir_;
    BackupStore store_;
    BackupManifest manifest_;
    std::optional<BackupManifest> last_;
    bool continues_ = false;  // the last one is of this ledger's past
    bool compacted_ = true;   // since the last one, or under way
    std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace

Result<BackupReport> make_backup(Archive& archive, Environment environment, const BackupOptions& options) {
    return Run(archive, environment, options).run();
}

}  // namespace kustos::vault
