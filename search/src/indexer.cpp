#include "search/indexer.h"

#include <algorithm>
#include <unordered_set>

#include "base/log.h"
#include "search/analysis.h"
#include "search/src/index_files.h"
#include "search/src/record_draft.h"
#include "search/src/shard_writer.h"

namespace kustos::search {
namespace {

constexpr std::uint32_t kMostPerCommit = 9'000;  // Xapian commits by itself at 10,000

Status remove_leftovers(Fs& fs, const Path& index_dir, const std::vector<FoundShard>& shards) {
    for (const FoundShard& shard : shards) {
        const ShardFiles files = shard_files(index_dir, shard.id);
        if (shard.closed) {
            TRY(remove_tree(fs, files.open_dir));
            TRY(remove_tree(fs, files.making));
        }
        if (fs.exists(files.glass_new)) {
            TRY(fs.remove(files.glass_new));
        }
        if (!shard.closed && !shard.open_dir) TRY(remove_shard(fs, index_dir, shard.id));
    }
    return ok_status();
}

}  // namespace

struct Indexer::State {
    State(Fs& fs_, Path dir, ShardKeys& keys_, TextExtractor& extractor_, const Clock& clock_, Random& random_,
          IndexerOptions options_, FileLock lock_)
        : fs(fs_),
          index_dir(std::move(dir)),
          keys(keys_),
          extractor(extractor_),
          clock(clock_),
          random(random_),
          options(std::move(options_)),
          lock(std::move(lock_)),
          analyser(&fs_, options.word_list) {}

    Fs& fs;
    Path index_dir;
    ShardKeys& keys;
    TextExtractor& extractor;
    const Clock& clock;
    Random& random;
    IndexerOptions options;
    FileLock lock;
    Analyser analyser;
    std::unique_ptr<ShardWriter> writer;
    EntryIndex position;                                         // one past the largest entry in any shard
    std::int64_t opened_ms = 0;                                  // monotonic
    std::optional<std::unordered_set<std::uint64_t>> accounted;  // entries of all shards, once needed

    // Takes up the newest open shard that has a key and closes all others.
    Status take_up_open_shards() {
        const std::vector<FoundShard> shards = TRY(find_shards(fs, index_dir));
        TRY(remove_leftovers(fs, index_dir, shards));
        TRY(remove_replaced(fs, index_dir));
        for (const ShardId old : TRY(outdated_shards(fs, index_dir))) {
            log(LogLevel::info, "a shard of another version is removed; its records are indexed again",
                {{"shard", old}});
            TRY(remove_shard(fs, index_dir, old));
        }
        for (const FoundShard& shard : shards) {
            if (!shard.closed && shard.open_dir) TRY(take_up(shard.id));
            if (writer == nullptr || writer->state().id != shard.id) keys.forget(shard.id);
        }
        position = TRY(summarise(fs, index_dir)).end;
        if (writer != nullptr) position = std::max(position, writer->state().end);
        return ok_status();
    }

    Status take_up(ShardId id) {
        auto key = keys.key_of(id);
        if (!key.ok()) {
            if (key.error().code() != Code::closed && key.error().code() != Code::not_found) return key.error();
            log(LogLevel::warning, "open shard without key", {{"shard", id}, {"code", key.error().code()}});
            return key.error().code() == Code::closed ? close_or_remove(id) : remove_shard(fs, index_dir, id);
        }
        auto resumed = ShardWriter::resume(fs, index_dir, id, TRY(std::move(key)), analyser, random);
        if (!resumed.ok()) {
            // an index is rebuildable: what is damaged goes, and its records are deferred
            log(LogLevel::warning, "open shard damaged", {{"shard", id}, {"code", resumed.error().code()}});
            return remove_shard(fs, index_dir, id);
        }
        if (*resumed == nullptr) return remove_shard(fs, index_dir, id);
        if (writer != nullptr) TRY(close_writer());
        writer = TRY(std::move(resumed));
        opened_ms = clock.monotonic_ms();
        return ok_status();
    }

    Status close_writer() {
        const ShardId id = writer->state().id;
        TRY(writer->close());
        writer.reset();
        keys.forget(id);
        return ok_status();
    }

    Status close_or_remove(ShardId id) {
        const Status done = close_as_it_is(fs, index_dir, id);
        if (done.ok()) return done;
        log(LogLevel::warning, "open shard damaged", {{"shard", id}, {"code", done.error().code()}});
        return remove_shard(fs, index_dir, id);
    }

    Status need_writer() {
        if (writer != nullptr) return ok_status();
        writer = TRY(ShardWriter::create(fs, index_dir, TRY(keys.open_shard()), clock.now(), analyser, random));
        opened_ms = clock.monotonic_ms();
        return ok_status();
    }

    // The live stream asks from `position`, where nothing can be known yet; only deferred records need the set.
    Status need_accounted(EntryIndex from) {
        if (from >= position || accounted) return ok_status();
        const auto told = TRY(keys.accounted());
        const auto entries = told ? std::vector<EntryIndex>() : TRY(accounted_entries(fs, index_dir, keys));
        accounted.emplace();
        for (const EntryIndex known : entries) accounted->insert(known.value);
        if (!told) return ok_status();
        for (const EntrySet::Interval& known : told->intervals()) {
            for (std::uint64_t i = known.first.value; i <= known.last.value; ++i) accounted->insert(i);
        }
        return ok_status();
    }
    bool is_accounted(EntryIndex entry) const {
        if (entry >= position) return false;
        return (writer != nullptr && writer->holds(entry)) || (accounted && accounted->count(entry.value) != 0);
    }

    Status take(const FeedItem& item, IndexFeed& feed, IndexStep& step) {
        if (is_accounted(item.index)) return ok_status();
        TRY(need_writer());
        const RecordDraft draft = TRY(draft_record(item, feed, extractor, options));
        TRY(writer->add(draft));
        if (accounted) accounted->insert(item.index.value);
        position = std::max(position, EntryIndex(item.index.value + 1));
        ++step.taken;
        if (analyser.trim()) writer->forget_cached_words();
        return ok_status();
    }

    bool shard_is_due() const {
        return writer != nullptr && (writer->state().counts.total() >= options.records_per_shard ||
                                     clock.monotonic_ms() - opened_ms >= options.shard_ms);
    }
};

Indexer::Indexer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Indexer::~Indexer() = default;

Result<std::unique_ptr<Indexer>> Indexer::open(Fs& fs, const Path& index_dir, ShardKeys& keys, TextExtractor& extractor,
                                               const Clock& clock, Random& random, IndexerOptions options) {
    TRY(fs.make_dirs(index_dir));
    FileLock lock = TRY_IN("index", FileLock::acquire(index_dir / "lock"));
    options.records_per_commit = std::clamp(options.records_per_commit, 1u, kMostPerCommit);
    auto state =
        std::make_unique<State>(fs, index_dir, keys, extractor, clock, random, std::move(options), std::move(lock));
    TRY(state->take_up_open_shards());
    return std::unique_ptr<Indexer>(new Indexer(std::move(state)));
}

EntryIndex Indexer::position() const {
    return state_->position;
}
Status Indexer::shards_changed() {
    state_->accounted.reset();
    state_->position = TRY(summarise(state_->fs, state_->index_dir)).end;
    if (state_->writer != nullptr) state_->position = std::max(state_->position, state_->writer->state().end);
    return ok_status();
}

bool Indexer::has_open_shard() const {
    return state_->writer != nullptr;
}
std::uint64_t Indexer::uncommitted() const {
    return state_->writer == nullptr ? 0 : state_->writer->uncommitted();
}

Result<IndexStep> Indexer::run_once(IndexFeed& feed, EntryIndex from, const std::function<bool()>& stop) {
    IndexStep step;
    step.next = from;
    TRY(state_->need_accounted(from));
    const std::vector<FeedItem> items =
        TRY(feed.next(from, state_->options.batch, [this](EntryIndex entry) { return state_->is_accounted(entry); }));
    step.drained = items.size() < state_->options.batch;
    for (const FeedItem& item : items) {
        if (stop && stop()) {
            step.drained = false;
            break;
        }
        if (item.index < step.next) return Error(Code::internal, "the feed of the index is not ascending");
        const Status taken = state_->take(item, feed, step);
        if (!taken.ok()) {
            if (taken.error().code() != Code::interrupted) return taken.error();
            step.drained = false;
            break;
        }
        step.next = EntryIndex(item.index.value + 1);
        if (uncommitted() >= state_->options.records_per_commit) TRY(commit(feed));
        if (state_->shard_is_due()) TRY(close_shard(feed));
    }
    if (state_->shard_is_due()) TRY(close_shard(feed));
    step.committed = uncommitted() == 0;
    return step;
}

Status Indexer::commit(IndexFeed& feed) {
    if (state_->writer == nullptr || state_->writer->uncommitted() == 0) return ok_status();
    TRY(state_->writer->commit());
    return feed.done_up_to(state_->position);
}

void Indexer::forget_words() {
    state_->analyser.forget();
    if (state_->writer != nullptr) state_->writer->forget_cached_words();
}

Status Indexer::close_shard(IndexFeed& feed) {
    if (state_->writer == nullptr) return ok_status();
    TRY(commit(feed));
    return state_->close_writer();
}

}  // namespace kustos::search
