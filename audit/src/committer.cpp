#include "audit/committer.h"

#include "base/log.h"

namespace kustos::audit {

// One thread that syncs the frames while the caller syncs the log: both must be durable, in no order.
class Committer::Syncer {
public:
    explicit Syncer(SegmentWriter& segments) : segments_(segments), thread_([this] { run(); }) {}
    ~Syncer() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    void begin() {
        {
            const std::lock_guard lock(mutex_);
            asked_ = true;
        }
        changed_.notify_all();
    }
    Status end() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !asked_; });
        return result_;
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return asked_ || stop_; });
            if (stop_) return;
            lock.unlock();
            const Status synced = segments_.sync();
            lock.lock();
            result_ = synced;
            asked_ = false;
            changed_.notify_all();
        }
    }
    SegmentWriter& segments_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool asked_ = false, stop_ = false;
    Status result_;
    std::thread thread_;
};

namespace {
std::set<std::string> unfinished_tiles(TreeSize size) {
    std::set<std::string> paths;
    for (unsigned level = 0; level <= kMaxTileLevel; ++level) {
        const std::uint64_t hashes = tile_hashes(size, level);
        const auto width = static_cast<unsigned>(hashes % kTileWidth);
        if (width == 0) continue;
        paths.insert(tile_path(level, hashes / kTileWidth, width));
        if (level == 0) paths.insert(bundle_path(hashes / kTileWidth, width));
    }
    return paths;
}
}  // namespace

// Full tiles, in the background; a failure is told to whoever waits.
class Committer::TileWriter {
public:
    TileWriter(Fs& fs, Path ledger) : fs_(fs), ledger_(std::move(ledger)), thread_([this] { run(); }) {}
    ~TileWriter() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    void write(TileWrites::File file) {
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back(std::move(file));
        }
        changed_.notify_all();
    }
    // Everything handed in is synced; the folders that changed.
    Result<std::set<Path>> wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return (queue_.empty() && !busy_) || !result_.ok(); });
        TRY(result_);
        return std::exchange(folders_, {});
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return !queue_.empty() || stop_; });
            if (stop_) return;
            std::vector<TileWrites::File> files = std::exchange(queue_, {});
            busy_ = true;
            lock.unlock();
            Unsynced made;
            Status done = install_unsynced(fs_, ledger_, files, made);
            for (const auto& [path, file] : made.files) {
                if (done.ok()) done = file->sync();
            }
            lock.lock();
            folders_.merge(made.folders);
            if (!done.ok()) result_ = done;
            busy_ = false;
            changed_.notify_all();
        }
    }
    Fs& fs_;
    Path ledger_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::vector<TileWrites::File> queue_;
    std::set<Path> folders_;
    Status result_;
    bool busy_ = false, stop_ = false;
    std::thread thread_;
};

Committer::Committer(Fs& fs, Path dir, Signer& signer, StoreRows rows, CommitLimits limits, StagingLog log)
    : fs_(fs),
      dir_(std::move(dir)),
      signer_(signer),
      store_rows_(std::move(rows)),
      limits_(limits),
      log_(std::move(log)) {}
Committer::~Committer() = default;

Result<std::unique_ptr<Committer>> Committer::open(Fs& fs, const Path& dir, Signer& signer, StoreRows rows,
                                                   CommitLimits limits) {
    StagingLog log = TRY(StagingLog::open(fs, dir / "staging"));
    auto self = std::unique_ptr<Committer>(new Committer(fs, dir, signer, std::move(rows), limits, std::move(log)));
    TRY(self->recover());
    const TreeHead head = TRY(signer.last());
    self->reader_ = std::make_unique<LedgerReader>(fs, dir / "ledger", head.size);
    self->state_ = TRY_IN("ledger", self->reader_->load_state());
    if (!(self->state_.head() == head)) {
        return Error(Code::conflict, "the ledger's tiles do not lead to the root that the signer remembers")
            .with_hint("kustos-verify DIR names the damaged file");
    }
    if (head.size.value != 0) TRY(self->sign_again());
    const LedgerReader* reader = self->reader_.get();
    self->segments_ = TRY(SegmentWriter::open(
        fs, dir / "vault", head.size, [reader](EntryIndex i) { return reader->header(i); }, limits.segments));
    self->next_ = EntryIndex(head.size.value);
    self->syncer_ = std::make_unique<Syncer>(*self->segments_);
    self->tiles_ = std::make_unique<TileWriter>(fs, dir / "ledger");
    return self;
}

Status Committer::recover() {
    const Path ledger = dir_ / "ledger";
    const TreeHead signed_head = TRY(signer_.last());
    const auto log_bundles = TRY_IN("staging", log_.read());
    std::optional<TreeHead> installed;
    if (!fs_.exists(checkpoint_file(ledger))) {
        installed = empty_head();
    } else if (const auto note = read_note(fs_, checkpoint_file(ledger)); note.ok()) {
        // Whose signature it has is the verifier's matter: after a rotation or a continuation it may still be the key
        // before's. It counts here only as far as the signer's own memory agrees.
        const auto parsed = parse_note(as_bytes(*note));
        const auto checkpoint = parsed.ok() ? parse_checkpoint(parsed->text) : Result<Checkpoint>(parsed.error());
        const auto origin =
            checkpoint.ok() ? parse_origin(checkpoint->origin) : Result<OriginParts>(checkpoint.error());
        if (origin.ok() && origin->vault == signer_.vault()) {
            installed = checkpoint->head();
        } else if (log_bundles.empty()) {
            return Error(Code::bad_input, "ledger/checkpoint is not this ledger's");
        }
    }
    const RecoveryPlan plan = TRY(plan_recovery(log_bundles, signed_head, installed));
    if (plan.what == Recovery::finish) {
        if (!(log_bundles.front().vault == signer_.vault()))
            return Error(Code::conflict, "the staged batch belongs to another archive");
        log(LogLevel::info, "installing the batches of before the crash again", {{"size", signed_head.size}});
        const std::span<const StagingBundle> done(log_bundles.data(), plan.bundles);
        TRY(reinstall(fs_, ledger, done, TRY(signer_.note())));
        for (const StagingBundle& bundle : done) TRY(store_rows_(bundle.duplicates, false));
        TRY(store_rows_({}, true));
    }
    if (plan.what == Recovery::drop)
        log(LogLevel::info, "dropping a batch that was not committed", {{"size", signed_head.size}});
    if (plan.what != Recovery::nothing) TRY(log_.clear());
    if (plan.what != Recovery::finish) TRY(clean_tiles(fs_, ledger, signed_head.size, signed_head.size));
    return {};
}

Status Committer::alive() const {
    if (dead_) return Error(Code::read_only, "the archive's writer ended after a failed write");
    return {};
}

Status Committer::dead(Status status) {
    if (!status.ok()) dead_ = true;
    return status;
}

Status Committer::add(const Entry& entry, ByteView ciphertext) {
    TRY(alive());
    TRY(dead(segments_->append(next_, entry.header, ciphertext)));
    entries_.push_back(encode(entry));
    next_ = EntryIndex(next_.value + 1);
    return {};
}

Result<std::string> Committer::commit() {
    TRY(alive());
    if (entries_.empty()) return note_;
    AppendPlan plan = plan_append(state_, entries_);
    Growth growth{state_.range.hashes(), {}};
    for (const Bytes& entry : entries_) growth.leaves.push_back(leaf_hash(entry));
    StagingBundle bundle;
    bundle.vault = signer_.vault();
    bundle.before = state_.head();
    bundle.after = plan.after.head();
    bundle.entries = std::move(entries_);
    bundle.segments = segments_->changes();
    bundle.duplicates = std::move(rows_);
    entries_.clear();
    rows_.clear();
    dead_ = true;  // until all of it went well
    syncer_->begin();
    const Status appended = log_.append(encode(bundle));
    const Status logged = appended.ok() ? log_.sync() : appended;
    const Status framed = syncer_->end();
    TRY(logged);
    TRY(framed);
    note_ = TRY(signer_.advance(bundle.before, bundle.after, growth));  // <- the commit point
    segments_->committed();
    if (base_.empty()) base_ = unfinished_tiles(bundle.before.size);
    reader_->stage(plan.writes);
    for (TileWrites::File& file : plan.writes.files) {
        if (parse_tile_path(file.path)->width == kTileWidth) tiles_->write(std::move(file));
    }
    TRY(store_rows_(bundle.duplicates, false));
    state_ = std::move(plan.after);
    reader_->advance(state_.size());
    unsettled_entries_ += bundle.entries.size();
    dead_ = false;
    if (log_.used() >= limits_.log_bytes || unsettled_entries_ >= limits_.log_entries) {
        // What was committed is durable whatever becomes of this; but nothing more is written after a failure.
        if (const Status done = settle(); !done.ok())
            log(LogLevel::error, "tiles could not be synced: the writer ends", {{"code", done.error().code()}});
    }
    return note_;
}

Status Committer::sign_again() {
    note_ = TRY(signer_.note());
    if (!settled()) return {};  // settle() writes it
    const Path file = checkpoint_file(dir_ / "ledger");
    const auto there = read_note(fs_, file);
    if (there.ok() && *there == note_) return {};
    return replace_file(fs_, file, as_bytes(note_));
}

Status Committer::settle() {
    TRY(alive());
    if (settled()) return {};
    dead_ = true;
    const Path ledger = dir_ / "ledger";
    std::vector<TileWrites::File> rest;
    for (TileWrites::File& file : reader_->staged()) {
        if (parse_tile_path(file.path)->width != kTileWidth) rest.push_back(std::move(file));
    }
    Unsynced all;
    all.folders = TRY(tiles_->wait());
    rest.push_back({"checkpoint", to_bytes(note_)});
    TRY(install_unsynced(fs_, ledger, rest, all));
    all.folders.merge(removed_in_);
    removed_in_.clear();
    TRY(sync_installed(fs_, ledger, all));
    TRY(store_rows_({}, true));
    TRY(log_.clear());
    reader_->drop_staged();
    for (const std::string& path : base_) {
        const TileName name = parse_tile_path(path).value();
        if (tile_width(state_.size(), name.level.value_or(0), name.index) == name.width) continue;  // has not grown
        const Status removed = fs_.remove(ledger / path);
        if (!removed.ok() && removed.error().code() != Code::not_found) return removed;
        removed_in_.insert((ledger / path).parent_path());
    }
    base_.clear();
    unsettled_entries_ = 0;
    dead_ = false;
    return {};
}

}  // namespace kustos::audit
