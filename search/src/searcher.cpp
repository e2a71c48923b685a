#include "search/searcher.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/crypto.h"
#include "search/src/asking.h"
#include "search/src/crew.h"
#include "search/src/facet_counter.h"
#include "search/src/facts_reader.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

constexpr int kTries = 10;  // while an indexer commits or closes shards beside us

// 1, 2, 4 ... ms: half a second in all.
void wait_before_try(int number) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1 << std::min(number, 9)));
}

Error not_readable() {
    return Error(Code::corrupt, "a shard can't be opened")
        .with_hint("kustos index check --repair makes it again; nothing sealed is lost");
}

// Half a million of them are sorted and joined for one question: nothing stands here but what that needs.
struct Hit {
    UtcTime time;
    EntryIndex entry;
    double weight = 0;
};

struct HitsBefore {
    Sort sort;
    bool operator()(const Hit& a, const Hit& b) const {
        if (sort == Sort::relevance && a.weight != b.weight) return a.weight > b.weight;
        if (a.time != b.time) return a.time > b.time;
        return a.entry > b.entry;
    }
};

template <class T, class Before>
void put_in_order(std::vector<T>& list, const Before& before) {
    if (!std::is_sorted(list.begin(), list.end(), before)) std::sort(list.begin(), list.end(), before);
}

// Puts one list together of several that are in order, which is half of what sorting costs, or less; and next to
// nothing where one ends before the next begins, as shards mostly do.
template <class T, class Before>
std::vector<T> merged(std::vector<std::vector<T>>& lists, const Before& before) {
    std::erase_if(lists, [](const auto& list) { return list.empty(); });
    std::sort(lists.begin(), lists.end(),
              [&before](const auto& a, const auto& b) { return before(a.front(), b.front()); });
    std::vector<T> out;
    std::vector<std::size_t> ends{0};
    std::size_t all = 0;
    for (const auto& list : lists) all += list.size();
    out.reserve(all);
    for (auto& list : lists) {
        out.insert(out.end(), list.begin(), list.end());
        ends.push_back(out.size());
        list = {};
    }
    const auto at = [&out](std::size_t place) { return out.begin() + static_cast<std::ptrdiff_t>(place); };
    while (ends.size() > 2) {
        std::vector<std::size_t> fewer{0};
        for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
            const std::size_t end = std::min(i + 2, ends.size() - 1);
            if (end == i + 2 && before(out[ends[i + 1]], out[ends[i + 1] - 1]))
                std::inplace_merge(at(ends[i]), at(ends[i + 1]), at(ends[end]), before);
            fewer.push_back(ends[end]);
        }
        ends = std::move(fewer);
    }
    return out;
}

bool is_erased(const CensusNow& census, EntryIndex entry) {
    return census.erased != nullptr && census.erased->contains(entry);
}

std::uint64_t erased_in(const CensusNow& census, const ShardState& shard) {
    if (census.erased == nullptr) return 0;
    return census.erased->count_below(shard.end) - census.erased->count_below(shard.first);
}

// Also takes what is erased out of the matches.
void take_hits(const ShardReader& shard, const CensusNow& census, Matches& matches, std::vector<Hit>& hits,
               std::vector<std::uint64_t>& numbers) {
    const bool some_erased = erased_in(census, shard.state()) != 0;
    hits.reserve(matches.ids.size());
    numbers.reserve(matches.ids.size());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < matches.ids.size(); ++i) {
        const DocData& data = shard.known_row(matches.ids[i]);
        if (some_erased && is_erased(census, data.entry)) continue;
        matches.ids[kept++] = matches.ids[i];
        hits.push_back({data.time, data.entry, matches.weights.empty() ? 0 : matches.weights[i]});
        numbers.push_back(data.entry.value);
    }
    matches.ids.resize(kept);
}

void subtract(StateCounts& from, const StateCounts& less) {
    from.searchable -= less.searchable;
    from.partial -= less.partial;
    from.opaque -= less.opaque;
    from.failed -= less.failed;
}

Hash hash_of(const std::vector<std::uint64_t>& ascending) {
    Bytes list(ascending.size() * 8);
    for (std::size_t i = 0; i < ascending.size(); ++i) store_u64(list.data() + i * 8, ascending[i]);
    return sha256(list);
}

// Each record is in one shard; files that somebody put back could say otherwise.
Result<Hash> hash_each_once(const std::vector<std::uint64_t>& ascending) {
    if (std::adjacent_find(ascending.begin(), ascending.end()) != ascending.end())
        return Error(Code::corrupt, "two shards of the index hold the same record")
            .with_hint("kustos index check --repair makes it again; nothing sealed is lost");
    return hash_of(ascending);
}

Result<Coverage> make_coverage(const CensusNow& census, StateCounts counts) {
    Coverage out;
    out.sealed = census.sealed;
    out.erased = census.erased_records;
    out.searchable = counts.searchable;
    out.partial = counts.partial;
    out.opaque = counts.opaque;
    out.failed = counts.failed;
    const std::uint64_t known = counts.total() + out.erased;
    if (known > out.sealed)
        return Error(Code::corrupt, "the index accounts for more records than were sealed")
            .with_hint("kustos index check --repair makes it again; nothing sealed is lost");
    out.deferred = out.sealed - known;
    return out;
}

void add(const Unsearched& more, Unsearched& to) {
    to.partial += more.partial;
    to.opaque += more.opaque;
    to.failed += more.failed;
    for (const auto& [reason, count] : more.reasons) to.reasons[reason] += count;
}

// Words come from what read attachments; of many shards there may be more of them than anybody reads.
void fold_reasons(std::map<std::string, std::uint64_t>& reasons) {
    constexpr std::size_t kMost = 300;
    std::uint64_t other = 0;
    while (reasons.size() > kMost) {
        const auto least = std::min_element(reasons.begin(), reasons.end(),
                                            [](const auto& a, const auto& b) { return a.second < b.second; });
        other += least->second;
        reasons.erase(least);
    }
    if (other != 0) reasons["other"] += other;
}

}  // namespace

Hash result_set_hash(std::vector<EntryIndex> entries) {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(entries.size());
    for (const EntryIndex entry : entries) numbers.push_back(entry.value);
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return hash_of(numbers);
}

struct Searcher::State {
    State(Fs& fs_, Path dir, ShardKeys& keys_) : fs(fs_), index_dir(std::move(dir)), keys(keys_) {}

    Fs& fs;
    Path index_dir;
    ShardKeys& keys;
    std::mutex mutex;  // guards all below
    ShardReaders readers;
    Stemmer stemmer;
    Crew crew;

    // What is erased and still in a shard, as it was counted last.
    struct Inside {
        std::uint64_t erased = 0, records = 0;  // in its range, in it: while these stay the same, so does this
        StateCounts counts;
    };
    std::map<std::uint64_t, Inside> inside;

    // A listing while shards are replaced may see neither the old nor the new; one that sees what the last one saw is
    // whole.
    Result<std::vector<FoundShard>> list_shards() {
        std::vector<FoundShard> now = TRY(find_shards(fs, index_dir));
        for (int number = 0; number < kTries && now != listed; ++number) {
            listed = std::move(now);
            now = TRY(find_shards(fs, index_dir));
        }
        return now;
    }
    std::vector<FoundShard> listed;

    // Readers of all shards as they are now. Code::conflict: ask again. Newer shards first: they say which older ones
    // they replace, whose keys may be gone.
    Status open_all() {
        const std::vector<FoundShard> found = TRY(list_shards());
        std::unordered_set<std::uint64_t> here, replaced;
        for (auto shard = found.rbegin(); shard != found.rend(); ++shard) {
            if ((!shard->closed && !shard->open_dir) || replaced.count(shard->id.value) != 0) continue;
            here.insert(shard->id.value);
            TRY(open_one(*shard));
            const auto reader = readers.find(shard->id.value);
            if (reader == readers.end()) continue;
            for (const ShardId old : reader->second->state().replaces) replaced.insert(old.value);
        }
        std::erase_if(readers, [&](const auto& reader) {
            return here.count(reader.first) == 0 || replaced.count(reader.first) != 0;
        });
        return ok_status();
    }

    Status open_one(const FoundShard& shard) {
        if (const auto old = readers.find(shard.id.value); old != readers.end()) {
            const bool same = old->second->closed() == shard.closed;
            const Status fresh = same ? old->second->refresh() : ok_status();
            if (same && fresh.ok()) return fresh;
            readers.erase(old);
            if (!fresh.ok()) return fresh;
        }
        auto reader = TRY(ShardReader::open(fs, index_dir, shard, TRY(keys.key_of(shard.id))));
        if (reader != nullptr) readers[shard.id.value] = std::move(reader);
        return ok_status();
    }

    // Counts of the readers as they are open now, less what is erased.
    Result<StateCounts> counts(const CensusNow& census) {
        StateCounts out;
        for (const auto& [id, reader] : readers) {
            out += reader->state().counts;
            if (!knows_inside(census, reader->state())) TRY(look_inside(census, *reader));
            subtract(out, inside_of(census, reader->state()));
        }
        return out;
    }

    bool knows_inside(const CensusNow& census, const ShardState& shard) const {
        const std::uint64_t erased = erased_in(census, shard);
        if (erased == shard.erased_apart) return true;
        const auto known = inside.find(shard.id.value);
        return known != inside.end() && known->second.erased == erased && known->second.records == shard.counts.total();
    }

    StateCounts inside_of(const CensusNow& census, const ShardState& shard) const {
        if (erased_in(census, shard) == shard.erased_apart) return {};
        return inside.at(shard.id.value).counts;
    }

    Status look_inside(const CensusNow& census, ShardReader& reader) {
        Inside found{erased_in(census, reader.state()), reader.state().counts.total(), {}};
        for (const DocData& data : TRY(reader.all_rows())) {
            if (is_erased(census, data.entry)) ++found.counts.of(data.state);
        }
        inside[reader.id().value] = found;
        return ok_status();
    }

    // What asks all shards, again if they change on the way.
    template <class Ask>
    auto until_readable(const Ask& ask) -> decltype(ask()) {
        for (int number = 0;; ++number) {
            auto answer = ask();
            // A shard that answered keeps its key no longer than the vault is open.
            if (!answer.ok() && answer.error().code() == Code::closed) readers.clear();
            if (answer.ok() || answer.error().code() != kAskAgain) return answer;
            if (number == kTries) return not_readable();
            wait_before_try(number);
        }
    }

    Result<Answer> try_once(const Query& query, const SearchOptions& options, RecordCensus& census) {
        TRY(open_all());
        const Asking asking = TRY(Asking::prepare(query, options, stemmer, readers, crew));
        std::vector<Matches> matches(readers.size());
        TRY(crew.each(readers, [&](ShardReader& shard, std::size_t number) -> Status {
            matches[number] = TRY(asking.matches(shard));
            return shard.read_rows(matches[number].ids);
        }));
        const CensusNow now = TRY(census.now());
        Answer answer;
        answer.shards = readers.size();
        for (const auto& [id, reader] : readers) answer.end = std::max(answer.end, reader->state().end);
        answer.coverage = TRY(make_coverage(now, TRY(counts(now))));
        std::vector<std::vector<Hit>> found(readers.size());
        std::vector<std::vector<std::uint64_t>> numbers(readers.size());
        TRY(look_closer(asking, options, now, matches, found, numbers, answer));
        answer.result_set = TRY(hash_each_once(merged(numbers, std::less<>())));
        const std::vector<Hit> hits = merged(found, HitsBefore{options.sort});
        answer.entries.reserve(hits.size());
        answer.sent_at.reserve(hits.size());
        for (const Hit& hit : hits) {
            answer.entries.push_back(hit.entry);
            answer.sent_at.push_back(hit.time);
        }
        answer.total = answer.entries.size();
        answer.unsearched.restricted = options.undecided.count();
        if (!options.undecided.empty())
            for (const EntryIndex hit : answer.entries)
                answer.unsearched.restricted -= options.undecided.contains(hit) ? 1 : 0;
        return answer;
    }

    Result<RecordFacts> facts_once(const std::vector<EntryIndex>& of) {
        TRY(open_all());
        FactsReader facts(of);
        for (auto& [id, reader] : readers) TRY(facts.see_changes(*reader));
        for (auto& [id, reader] : readers) {
            ShardReader& shard = *reader;
            TRY(guarded("reading what is known of records", [&] { return facts.add(shard); }));
        }
        return facts.result();
    }

    // Makes hits of what matches and is not erased: those of each shard, and their entry numbers, in order. Adds to the
    // answer what belongs to it besides.
    Status look_closer(const Asking& asking, const SearchOptions& options, const CensusNow& now,
                       std::vector<Matches>& matches, std::vector<std::vector<Hit>>& hits,
                       std::vector<std::vector<std::uint64_t>>& numbers, Answer& answer) {
        const bool counts = !options.facets.by.empty() || options.facets.pairs;
        std::vector<Unsearched> unsearched(readers.size());
        TRY(crew.each(readers, [&](ShardReader& shard, std::size_t number) -> Status {
            std::vector<Xapian::docid>& ids = matches[number].ids;
            take_hits(shard, now, matches[number], hits[number], numbers[number]);
            put_in_order(ids, std::less<>());
            put_in_order(numbers[number], std::less<>());
            std::reverse(hits[number].begin(), hits[number].end());  // sealed mostly in the order they were sent
            put_in_order(hits[number], HitsBefore{options.sort});
            TRY(asking.unsearched(shard, now, ids, unsearched[number]));
            if (!counts) ids = {};
            return ok_status();
        }));
        for (const Unsearched& more : unsearched) add(more, answer.unsearched);
        fold_reasons(answer.unsearched.reasons);
        answer.unsearched.deferred = answer.coverage.deferred;
        if (!counts) return ok_status();
        FacetCounter facets(options.facets);
        auto here = matches.begin();
        for (auto& [id, reader] : readers)
            TRY(guarded("counting hits", [&, &shard = *reader] { return facets.add(shard, (here++)->ids); }));
        answer.facets = facets.result();
        return ok_status();
    }
};

Searcher::Searcher(Fs& fs, Path index_dir, ShardKeys& keys)
    : state_(std::make_unique<State>(fs, std::move(index_dir), keys)) {}
Searcher::~Searcher() = default;

Result<Answer> Searcher::run(const Query& query, const SearchOptions& options, RecordCensus& census) {
    const std::lock_guard lock(state_->mutex);
    return state_->until_readable([&] {
        auto answer = state_->try_once(query, options, census);
        state_->stemmer.forget();
        return answer;
    });
}

Result<RecordFacts> Searcher::facts(const std::vector<EntryIndex>& of) {
    const std::lock_guard lock(state_->mutex);
    return state_->until_readable([&] { return state_->facts_once(of); });
}

Result<Coverage> Searcher::coverage(RecordCensus& census) {
    const std::lock_guard lock(state_->mutex);
    const IndexSummary summary = TRY(summarise(state_->fs, state_->index_dir));
    const CensusNow now = TRY(census.now());
    StateCounts counts = summary.counts;
    bool known = true;
    for (const ShardState& shard : summary.shards) {
        known = known && state_->knows_inside(now, shard);
        if (known) subtract(counts, state_->inside_of(now, shard));
    }
    if (known) return make_coverage(now, counts);
    for (int number = 0;; ++number) {
        const Status opened = state_->open_all();
        if (opened.ok()) break;
        if (opened.error().code() == Code::closed) state_->readers.clear();
        if (opened.error().code() != kAskAgain) return opened.error();
        if (number == kTries) return not_readable();
        wait_before_try(number);
    }
    return make_coverage(now, TRY(state_->counts(now)));
}

void Searcher::forget() {
    const std::lock_guard lock(state_->mutex);
    state_->readers.clear();
}

}  // namespace kustos::search
