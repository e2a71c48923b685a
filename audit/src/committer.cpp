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

Status remove_if_there(Fs& fs, const Path& path) {
    const Status removed = fs.remove(path);
    if (!removed.ok() && removed.error().code() != Code::not_found) return removed;
    return {};
}
}  // namespace

// In the background. A failure is told to whoever asks next.
class Committer::Settler {
public:
    // A log that takes no more batches; nobody else touches it until the job is done.
    struct Job {
        StagingLog* log = nullptr;
        TreeSize size;                        // of the ledger with its batches
        std::vector<TileWrites::File> files;  // unfinished tiles of that size, and its checkpoint
        std::vector<std::string> superseded;  // unfinished tiles that go when the log is empty
    };

    Settler(Fs& fs, Path ledger, RowStore* rows)
        : fs_(fs), ledger_(std::move(ledger)), rows_(rows), thread_([this] { run(); }) {}
    ~Settler() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    void write(TileWrites::File full_tile) {
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back(std::move(full_tile));
        }
        changed_.notify_all();
    }
    // One at a time, after the full tiles of its batches were handed in.
    void begin(Job job) {
        {
            const std::lock_guard lock(mutex_);
            job_ = std::move(job);
        }
        changed_.notify_all();
    }
    // The size of the job that is done; nothing: not yet.
    Result<std::optional<TreeSize>> take_done(bool wait) {
        std::unique_lock lock(mutex_);
        if (wait) changed_.wait(lock, [this] { return done_ || !result_.ok(); });
        TRY(result_);
        return std::exchange(done_, {});
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return !queue_.empty() || job_ || stop_; });
            if (stop_) return;
            const std::vector<TileWrites::File> files = std::exchange(queue_, {});
            const std::optional<Job> job = std::exchange(job_, {});
            lock.unlock();
            Status done = write_full(files);
            if (done.ok() && job) done = settle(*job);
            lock.lock();
            if (!done.ok()) result_ = done;
            if (done.ok() && job) done_ = job->size;
            changed_.notify_all();
            if (!done.ok()) return;
        }
    }
    Status write_full(std::span<const TileWrites::File> files) {
        constexpr std::size_t kAtATime = 64;  // open files
        while (!files.empty()) {
            const auto some = files.first(std::min(kAtATime, files.size()));
            files = files.subspan(some.size());
            Unsynced made;
            TRY(install_unsynced(fs_, ledger_, some, made));
            for (const auto& [path, file] : made.files) TRY(file->sync());
            folders_.merge(made.folders);
        }
        return {};
    }
    Status settle(const Job& job) {
        Unsynced all;
        all.folders = std::exchange(folders_, {});
        TRY(install_unsynced(fs_, ledger_, job.files, all));
        TRY(sync_installed(fs_, ledger_, all));
        if (rows_ != nullptr) TRY(rows_->make_durable());
        TRY(job.log->clear());
        for (const std::string& path : job.superseded) {
            TRY(remove_if_there(fs_, ledger_ / path));
            folders_.insert((ledger_ / path).parent_path());
        }
        return {};
    }

    Fs& fs_;
    Path ledger_;
    RowStore* rows_;
    std::set<Path> folders_;  // the thread's own: whose names changed, to be synced by the next job
    std::mutex mutex_;        // guards what follows
    std::condition_variable changed_;
    std::vector<TileWrites::File> queue_;
    std::optional<Job> job_;
    std::optional<TreeSize> done_;
    Status result_;
    bool stop_ = false;
    std::thread thread_;
};

Committer::Committer(Fs& fs, Path dir, Signer& signer, RowStore* rows, CommitLimits limits, StagingLog one,
                     StagingLog other)
    : fs_(fs),
      dir_(std::move(dir)),
      signer_(signer),
      row_store_(rows),
      limits_(limits),
      rounds_{{std::move(one), 0, {}}, {std::move(other), 0, {}}} {}
Committer::~Committer() = default;

Result<std::unique_ptr<Committer>> Committer::open(Fs& fs, const Path& dir, Signer& signer, RowStore* rows,
                                                   CommitLimits limits) {
    StagingLog one = TRY(StagingLog::open(fs, dir / "staging", kStagingLogs[0]));
    StagingLog other = TRY(StagingLog::open(fs, dir / "staging", kStagingLogs[1]));
    auto self =
        std::unique_ptr<Committer>(new Committer(fs, dir, signer, rows, limits, std::move(one), std::move(other)));
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
    self->settler_ = std::make_unique<Settler>(fs, dir / "ledger", rows);
    return self;
}

Status Committer::recover() {
    const Path ledger = dir_ / "ledger";
    const TreeHead signed_head = TRY(signer_.last());
    const auto log_bundles = TRY_IN("staging", read_staged(rounds_[0].log, rounds_[1].log));
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
        if (row_store_ != nullptr) {
            for (const StagingBundle& bundle : done) TRY(row_store_->store(bundle.duplicates));
            TRY(row_store_->make_durable());
        }
    }
    if (plan.what == Recovery::drop)
        log(LogLevel::info, "dropping a batch that was not committed", {{"size", signed_head.size}});
    if (plan.what != Recovery::nothing) {
        for (Round& round : rounds_) TRY(round.log.clear());
    }
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

Result<SegmentWriter::BlobFile> Committer::begin_blob(EntryIndex index, std::uint64_t ciphertext_length) {
    TRY(alive());
    auto file = segments_->begin_blob(index, ciphertext_length);
    if (!file.ok()) dead_ = true;
    return file;
}

Status Committer::add_with_file(const Entry& entry) {
    TRY(alive());
    TRY(dead(segments_->append_own_file(next_, entry.header)));
    entries_.push_back(encode(entry));
    next_ = EntryIndex(next_.value + 1);
    return {};
}

Result<std::string> Committer::commit() {
    TRY(alive());
    TRY(collect(false));
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
    Round& round = active();
    dead_ = true;  // until all of it went well
    syncer_->begin();
    const Status appended = round.log.append(encode(bundle));
    const Status logged = appended.ok() ? round.log.sync() : appended;
    const Status framed = syncer_->end();
    TRY(logged);
    TRY(framed);
    note_ = TRY(signer_.advance(bundle.before, bundle.after, growth));  // <- the commit point
    segments_->committed();
    if (round.base.empty()) round.base = unfinished_tiles(bundle.before.size);
    reader_->stage(plan.writes, bundle.after.size);
    for (TileWrites::File& file : plan.writes.files) {
        if (parse_tile_path(file.path)->width == kTileWidth) settler_->write(std::move(file));
    }
    if (row_store_ != nullptr) TRY(row_store_->store(bundle.duplicates));
    state_ = std::move(plan.after);
    reader_->advance(state_.size());
    round.entries += bundle.entries.size();
    dead_ = false;
    // What was committed is durable whatever becomes of this; but nothing more is written after a failure.
    if (const Status done = make_room(); !done.ok())
        log(LogLevel::error, "tiles could not be synced: the writer ends", {{"code", done.error().code()}});
    return note_;
}

Status Committer::make_room() {
    const auto beyond = [this](std::uint64_t times) {
        return active().log.used() >= times * limits_.log_bytes || active().entries >= times * limits_.log_entries;
    };
    if (!beyond(1)) return {};
    TRY(collect(beyond(4)));
    return begin_settling();
}

Status Committer::collect(bool wait) {
    if (!settling_) return {};
    const auto done = settler_->take_done(wait);
    if (!done.ok()) return dead(done.error());
    if (!done->has_value()) return {};
    reader_->drop_staged(**done);
    settling_ = false;
    return {};
}

Status Committer::begin_settling() {
    TRY(alive());
    TRY(collect(false));
    Round& round = active();
    if (settling_ || round.log.used() == 0) return {};
    Settler::Job job{&round.log, state_.size(), reader_->staged_unfinished(), {}};
    job.files.push_back({"checkpoint", to_bytes(note_)});
    for (const std::string& path : round.base) {
        const TileName name = parse_tile_path(path).value();
        const bool grown = tile_width(state_.size(), name.level.value_or(0), name.index) != name.width;
        if (grown) job.superseded.push_back(path);
    }
    round.base.clear();
    round.entries = 0;
    settling_ = true;
    active_ = 1 - active_;
    settler_->begin(std::move(job));
    return {};
}

Status Committer::sign_again() {
    note_ = TRY(signer_.note());
    if (!settled()) return {};  // settle() writes it
    const Path file = checkpoint_file(dir_ / "ledger");
    const auto there = read_note(fs_, file);
    if (there.ok() && *there == note_) return {};
    return replace_file(fs_, file, as_bytes(note_));
}

Result<EntryIndex> Committer::close_segment() {
    TRY(alive());
    auto closed = segments_->close_current();
    if (!closed.ok() && closed.error().code() != Code::usage) dead_ = true;
    return closed;
}

Status Committer::settle() {
    TRY(alive());
    TRY(collect(true));
    TRY(begin_settling());
    return collect(true);
}

}  // namespace kustos::audit
