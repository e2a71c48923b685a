#include "search/indexer.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/log.h"
#include "search/analysis.h"
#include "search/src/index_files.h"
#include "search/src/record_draft.h"
#include "search/src/shard_writer.h"

namespace kustos::search {
namespace {

constexpr std::uint32_t kMostPerCommit = 9'000;  // Xapian commits by itself at 10,000

// Whether one of them had been a lane's shard that was not closed.
Result<bool> remove_leftovers(Fs& fs, const Path& index_dir, const std::vector<FoundShard>& shards) {
    bool torn = false;
    for (const FoundShard& shard : shards) {
        const ShardFiles files = shard_files(index_dir, shard.id);
        if (shard.closed) {
            TRY(remove_tree(fs, files.open_dir));
            TRY(remove_tree(fs, files.making));
        }
        if (fs.exists(files.glass_new)) {
            TRY(fs.remove(files.glass_new));
        }
        if (shard.closed || shard.open_dir) continue;
        torn = torn || fs.exists(files.making);
        TRY(remove_shard(fs, index_dir, shard.id));
    }
    return torn;
}

// Chance for several lanes at once.
class SharedRandom final : public Random {
public:
    explicit SharedRandom(Random& random) : random_(random) {}
    void fill(std::span<std::uint8_t> out) override {
        const std::lock_guard lock(mutex_);
        random_.fill(out);
    }

private:
    std::mutex mutex_;
    Random& random_;
};

// A shard that is being written, and what takes words apart for it. Each lane is one thread's at a time.
struct Lane {
    Lane(Fs& fs, const Path& word_list) : analyser(&fs, word_list) {}
    Analyser analyser;
    std::unique_ptr<ShardWriter> writer;
    std::int64_t opened_ms = 0;  // monotonic
};

// What a batch of items becomes, while lanes take from it.
struct Batch {
    explicit Batch(std::vector<FeedItem> items_) : items(std::move(items_)), taken(items.size()) {}
    std::vector<FeedItem> items;
    std::vector<char> taken;  // by item: each lane writes its own; 1: now or before
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
};

constexpr std::int64_t kBulkMs = 120'000;  // after so long a bulk shard closes: a crash costs no more work
// What ends a lane before its close may do so again: some of the work must stay.
constexpr std::uint32_t kAfterTorn = 2'000;
// Of lanes: the end of a batch, where they wait for each other, comes less often.
constexpr std::size_t kWide = 4;
constexpr std::uint32_t kMostParts = 128;  // of all lanes together: four files each, and a process has 1,024
constexpr std::size_t kPiece = 8;          // items that a lane takes at once

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
          lock(std::move(lock_)) {
        bulk_records = options.records_per_shard;
        widen(1);
    }

    Fs& fs;
    Path index_dir;
    ShardKeys& keys;
    TextExtractor& extractor;
    const Clock& clock;
    SharedRandom random;
    IndexerOptions options;
    FileLock lock;
    std::vector<std::unique_ptr<Lane>> lanes;  // the first is always there
    std::size_t width = 1;                     // lanes that take records now
    EntryIndex position;                       // one past the largest entry in any shard
    std::uint32_t bulk_records = 0;            // of a lane, before it closes: few after one was torn, then more
    std::optional<EntryIndex> hole;            // a record below `position` that was left for later: the first such
    std::optional<std::unordered_set<std::uint64_t>> accounted;  // entries of all shards, once needed

    Lane& first() { return *lanes.front(); }

    void widen(std::size_t to) {
        while (lanes.size() < to) lanes.push_back(std::make_unique<Lane>(fs, options.word_list));
        width = to;
    }

    // For all lanes at once, each in a thread of its own; the first error.
    template <class Call>
    Status at_once(std::size_t count, const Call& call) {
        std::vector<Status> done(count);
        std::vector<std::thread> threads;
        for (std::size_t i = 1; i < count; ++i) threads.emplace_back([&, i] { done[i] = call(*lanes[i]); });
        done[0] = call(*lanes[0]);
        for (std::thread& thread : threads) thread.join();
        for (Status& status : done) TRY(std::move(status));
        return ok_status();
    }

    // Takes up the newest open shard that has a key and closes all others.
    Status take_up_open_shards() {
        const std::vector<FoundShard> shards = TRY(find_shards(fs, index_dir));
        const bool torn = TRY(remove_leftovers(fs, index_dir, shards));
        if (torn) bulk_records = std::min(options.records_per_shard, kAfterTorn);
        TRY(remove_replaced(fs, index_dir));
        for (const ShardId old : TRY(outdated_shards(fs, index_dir))) {
            log(LogLevel::info, "a shard of another version is removed; its records are indexed again",
                {{"shard", old}});
            TRY(remove_shard(fs, index_dir, old));
        }
        for (const FoundShard& shard : shards) {
            if (!shard.closed && shard.open_dir) TRY(take_up(shard.id));
            if (first().writer == nullptr || first().writer->state().id != shard.id) keys.forget(shard.id);
        }
        position = TRY(summarise(fs, index_dir)).end;
        if (first().writer != nullptr) position = std::max(position, first().writer->state().end);
        return ok_status();
    }

    Status take_up(ShardId id) {
        auto key = keys.key_of(id);
        if (!key.ok()) {
            if (key.error().code() != Code::closed && key.error().code() != Code::not_found) return key.error();
            log(LogLevel::warning, "open shard without key", {{"shard", id}, {"code", key.error().code()}});
            return key.error().code() == Code::closed ? close_or_remove(id) : remove_shard(fs, index_dir, id);
        }
        auto resumed = ShardWriter::resume(fs, index_dir, id, TRY(std::move(key)), first().analyser, random);
        if (!resumed.ok()) {
            // an index is rebuildable: what is damaged goes, and its records are deferred
            log(LogLevel::warning, "open shard damaged", {{"shard", id}, {"code", resumed.error().code()}});
            return remove_shard(fs, index_dir, id);
        }
        if (*resumed == nullptr) return remove_shard(fs, index_dir, id);
        if (first().writer != nullptr) TRY(close_writers());
        first().writer = TRY(std::move(resumed));
        first().opened_ms = clock.monotonic_ms();
        return ok_status();
    }

    bool any_open() const {
        return std::any_of(lanes.begin(), lanes.end(), [](const auto& lane) { return lane->writer != nullptr; });
    }

    bool any_bulk() const {  // then all are
        return std::any_of(lanes.begin(), lanes.end(),
                           [](const auto& lane) { return lane->writer != nullptr && lane->writer->is_bulk(); });
    }

    Status commit_writers() {
        return at_once(lanes.size(), [](Lane& lane) { return lane.writer ? lane.writer->commit() : ok_status(); });
    }

    Status close_writers() {
        TRY(at_once(lanes.size(), [](Lane& lane) { return lane.writer ? lane.writer->close() : ok_status(); }));
        for (const auto& lane : lanes) {
            if (lane->writer == nullptr) continue;
            const ShardId id = lane->writer->state().id;
            lane->writer.reset();
            keys.forget(id);
        }
        return ok_status();
    }

    Status close_or_remove(ShardId id) {
        const Status done = close_as_it_is(fs, index_dir, id);
        if (done.ok()) return done;
        log(LogLevel::warning, "open shard damaged", {{"shard", id}, {"code", done.error().code()}});
        return remove_shard(fs, index_dir, id);
    }

    Status need_writer(Lane& lane, std::uint32_t records_per_part) {
        if (lane.writer != nullptr) return ok_status();
        lane.writer = TRY(ShardWriter::create(fs, index_dir, TRY(keys.open_shard()), clock.now(), lane.analyser, random,
                                              records_per_part));
        lane.opened_ms = clock.monotonic_ms();
        return ok_status();
    }

    // The live stream asks from `position`, where nothing can be known yet; only deferred records need the set.
    Status need_accounted(EntryIndex from) {
        if (from >= position || accounted) return ok_status();
        const auto told = TRY(keys.accounted());
        const auto entries = told ? std::vector<EntryIndex>() : TRY(accounted_entries(fs, index_dir, keys));
        accounted.emplace();
        for (const EntryIndex known : entries) accounted->insert(known.value);
        for (const auto& lane : lanes)
            if (lane->writer != nullptr)
                accounted->insert(lane->writer->entries().begin(), lane->writer->entries().end());
        if (!told) return ok_status();
        for (const EntrySet::Interval& known : told->intervals()) {
            for (std::uint64_t i = known.first.value; i <= known.last.value; ++i) accounted->insert(i);
        }
        return ok_status();
    }
    bool is_accounted(EntryIndex entry) const {
        return entry < position && accounted && accounted->count(entry.value) != 0;
    }

    Status take(Lane& lane, const FeedItem& item, IndexFeed& feed) {
        const RecordDraft draft = TRY(draft_record(item, feed, extractor, options));
        TRY(lane.writer->add(draft));
        if (lane.analyser.trim()) lane.writer->forget_cached_words();
        return ok_status();
    }

    void note_taken(EntryIndex entry, IndexStep& step) {
        if (accounted) accounted->insert(entry.value);
        position = std::max(position, EntryIndex(entry.value + 1));
        ++step.taken;
    }

    // What a lane does until nothing of the batch is left.
    Status take_from(Batch& batch, Lane& lane, IndexFeed& feed) {
        while (!batch.failed) {
            const std::size_t begin = batch.next.fetch_add(kPiece);
            if (begin >= batch.items.size()) break;
            for (std::size_t i = begin; i < std::min(begin + kPiece, batch.items.size()); ++i) {
                if (batch.taken[i] != 0) continue;
                Status done = take(lane, batch.items[i], feed);
                if (!done.ok()) {
                    batch.failed = true;
                    return done;
                }
                batch.taken[i] = 1;
            }
        }
        return ok_status();
    }

    // All lanes take from a batch while the next one is opened, if there is to be a next one. Interrupted: what was not
    // taken is asked for again.
    Status take_batch(Batch& batch, IndexFeed& feed, IndexStep& step, const std::function<Status()>& meanwhile) {
        std::vector<char> known(batch.items.size());
        for (std::size_t i = 0; i < batch.items.size(); ++i)
            known[i] = batch.taken[i] = is_accounted(batch.items[i].index) ? 1 : 0;
        Status lanes_done, opened;
        std::thread taking(
            [&] { lanes_done = at_once(width, [&](Lane& lane) { return take_from(batch, lane, feed); }); });
        opened = meanwhile();
        taking.join();
        step.next = EntryIndex(batch.items.back().index.value + 1);
        for (std::size_t i = batch.items.size(); i-- > 0;) {
            if (batch.taken[i] == 0)
                step.next = batch.items[i].index;
            else if (known[i] == 0)
                note_taken(batch.items[i].index, step);
        }
        if (std::count(batch.taken.begin(), batch.taken.end(), 0) != 0)
            hole = hole ? std::min(*hole, step.next) : step.next;
        TRY(std::move(lanes_done));
        return opened;
    }

    Status expect_ascending(const std::vector<FeedItem>& items, EntryIndex from) const {
        for (const FeedItem& item : items) {
            if (item.index < from) return Error(Code::internal, "the feed of the index is not ascending");
            from = EntryIndex(item.index.value + 1);
        }
        return ok_status();
    }

    std::uint32_t part_size() const {
        const std::uint32_t parts = kMostParts / static_cast<std::uint32_t>(width);
        return std::max(options.records_per_part, (options.records_per_shard + parts - 1) / parts);
    }

    // Into bulk shards, a few batches at a time.
    Result<IndexStep> run_wide(IndexFeed& feed, EntryIndex from, const std::function<bool()>& stop) {
        IndexStep step;
        step.next = from;
        if (any_open() && !any_bulk()) TRY(close(feed));
        const auto open = [&](EntryIndex at) {
            return feed.next(at, options.batch * kWide, [this](EntryIndex entry) { return is_accounted(entry); });
        };
        const std::uint64_t most = std::uint64_t{options.records_per_commit} * width;
        std::vector<FeedItem> items = TRY(open(from));
        step.drained = items.empty();
        for (std::uint64_t asked = 0; !step.drained && !items.empty();) {
            TRY(expect_ascending(items, step.next));
            for (std::size_t i = 0; i < width; ++i) TRY(need_writer(*lanes[i], part_size()));
            asked += items.size();
            const bool more = asked < most && !(stop && stop());
            Batch batch(std::move(items));
            items.clear();
            const Status taken = take_batch(batch, feed, step, [&]() -> Status {
                if (more) {
                    items = TRY(open(EntryIndex(batch.items.back().index.value + 1)));
                    step.drained = items.empty();
                }
                return ok_status();
            });
            if (!taken.ok()) {
                if (taken.error().code() != Code::interrupted) return taken.error();
                step.drained = false;
                break;
            }
        }
        return step;
    }

    Result<IndexStep> run_narrow(IndexFeed& feed, EntryIndex from, const std::function<bool()>& stop) {
        IndexStep step;
        step.next = from;
        if (any_bulk()) TRY(close(feed));
        const std::vector<FeedItem> items =
            TRY(feed.next(from, options.batch, [this](EntryIndex entry) { return is_accounted(entry); }));
        TRY(expect_ascending(items, from));
        step.drained = items.empty();
        for (const FeedItem& item : items) {
            if (stop && stop()) {
                step.drained = false;
                break;
            }
            if (!is_accounted(item.index)) {
                TRY(need_writer(first(), 0));
                const Status taken = take(first(), item, feed);
                if (!taken.ok()) {
                    if (taken.error().code() != Code::interrupted) return taken.error();
                    step.drained = false;
                    break;
                }
                note_taken(item.index, step);
            }
            step.next = EntryIndex(item.index.value + 1);
            if (uncommitted() >= options.records_per_commit) TRY(commit(feed));
            if (shard_is_due()) TRY(close(feed));
        }
        return step;
    }

    std::uint64_t uncommitted() const {
        std::uint64_t count = 0;
        for (const auto& lane : lanes) count += lane->writer == nullptr ? 0 : lane->writer->uncommitted();
        return count;
    }

    Status tell_done(IndexFeed& feed) { return feed.done_up_to(hole ? std::min(position, *hole) : position); }

    Status commit(IndexFeed& feed) {
        if (uncommitted() == 0) return ok_status();
        if (any_bulk()) return close(feed);
        TRY(commit_writers());
        return tell_done(feed);
    }

    Status close(IndexFeed& feed) {
        if (!any_bulk()) {
            TRY(commit(feed));
            return close_writers();
        }
        TRY(close_writers());
        bulk_records = std::min(options.records_per_shard, bulk_records * 2);
        return tell_done(feed);
    }

    bool shard_is_due() const {
        return std::any_of(lanes.begin(), lanes.end(), [&](const auto& lane) {
            if (lane->writer == nullptr) return false;
            const bool bulk = lane->writer->is_bulk();
            const std::int64_t most = bulk ? std::min(kBulkMs, options.shard_ms) : options.shard_ms;
            return lane->writer->state().counts.total() >= (bulk ? bulk_records : options.records_per_shard) ||
                   clock.monotonic_ms() - lane->opened_ms >= most;
        });
    }
};

Indexer::Indexer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Indexer::~Indexer() = default;

Result<std::unique_ptr<Indexer>> Indexer::open(Fs& fs, const Path& index_dir, ShardKeys& keys, TextExtractor& extractor,
                                               const Clock& clock, Random& random, IndexerOptions options) {
    TRY(fs.make_dirs(index_dir));
    FileLock lock = TRY_IN("index", FileLock::acquire(index_dir / "lock"));
    options.records_per_part = std::clamp(options.records_per_part, 1u, kMostPerCommit);
    options.records_per_commit = std::clamp(options.records_per_commit, 1u, kMostPerCommit);
    auto state =
        std::make_unique<State>(fs, index_dir, keys, extractor, clock, random, std::move(options), std::move(lock));
    TRY(state->take_up_open_shards());
    return std::unique_ptr<Indexer>(new Indexer(std::move(state)));
}

EntryIndex Indexer::position() const {
    return state_->position;
}
void Indexer::use_lanes(std::size_t count) {
    state_->widen(std::clamp<std::size_t>(count, 1, kMostLanes));
}
std::size_t Indexer::lanes() const {
    return state_->width;
}
Status Indexer::shards_changed() {
    state_->accounted.reset();
    state_->position = TRY(summarise(state_->fs, state_->index_dir)).end;
    for (const auto& lane : state_->lanes)
        if (lane->writer != nullptr) state_->position = std::max(state_->position, lane->writer->state().end);
    return ok_status();
}

bool Indexer::has_open_shard() const {
    return state_->any_open();
}
std::uint64_t Indexer::uncommitted() const {
    return state_->uncommitted();
}

Result<IndexStep> Indexer::run_once(IndexFeed& feed, EntryIndex from, const std::function<bool()>& stop) {
    TRY(state_->need_accounted(from));
    const bool wide = state_->width > 1;
    IndexStep step = TRY(wide ? state_->run_wide(feed, from, stop) : state_->run_narrow(feed, from, stop));
    if (state_->hole && from <= *state_->hole && step.next > *state_->hole) state_->hole.reset();
    if (state_->shard_is_due()) TRY(state_->close(feed));
    step.committed = uncommitted() == 0;
    return step;
}

Status Indexer::commit(IndexFeed& feed) {
    return state_->commit(feed);
}

void Indexer::forget_words() {
    for (const auto& lane : state_->lanes) {
        lane->analyser.forget();
        if (lane->writer != nullptr) lane->writer->forget_cached_words();
    }
}

Status Indexer::close_shard(IndexFeed& feed) {
    return state_->any_open() ? state_->close(feed) : ok_status();
}

}  // namespace kustos::search
