#include "search/searcher.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/crypto.h"
#include "search/analysis.h"
#include "search/src/facet_counter.h"
#include "search/src/relax.h"
#include "search/src/xapian_guard.h"
#include "search/src/xapian_query.h"

namespace kustos::search {
namespace {

constexpr int kTries = 10;  // while an indexer commits or closes shards beside us

// 1, 2, 4 ... ms: half a second in all.
void wait_before_try(int number) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1 << std::min(number, 9)));
}

Error not_readable() {
    return Error(Code::corrupt, "a shard can't be opened")
        .with_hint("remove the shard and index again; nothing sealed is lost");
}

struct Hit {
    DocData data;
    double weight = 0;
    ShardReader* shard = nullptr;
    Xapian::docid id = 0;
};

void sort_hits(std::vector<Hit>& hits, Sort sort) {
    std::sort(hits.begin(), hits.end(), [sort](const Hit& a, const Hit& b) {
        if (sort == Sort::relevance && a.weight != b.weight) return a.weight > b.weight;
        if (a.data.time != b.data.time) return a.data.time > b.data.time;
        return a.data.entry > b.data.entry;
    });
}

bool is_erased(const CensusNow& census, EntryIndex entry) {
    return census.erased != nullptr && census.erased->contains(entry);
}

std::uint64_t erased_in(const CensusNow& census, const ShardState& shard) {
    if (census.erased == nullptr) return 0;
    return census.erased->count_below(shard.end) - census.erased->count_below(shard.first);
}

void subtract(StateCounts& from, const StateCounts& less) {
    from.searchable -= less.searchable;
    from.partial -= less.partial;
    from.opaque -= less.opaque;
    from.failed -= less.failed;
}

bool asks(const Node& node, Node::Kind kind) {
    return node.kind == kind || std::any_of(node.children.begin(), node.children.end(),
                                            [kind](const Node& child) { return asks(child, kind); });
}

// Each record is in one shard; files that somebody put back could say otherwise.
Status expect_once(const std::vector<Hit>& hits) {
    std::unordered_set<std::uint64_t> seen;
    for (const Hit& hit : hits) {
        if (!seen.insert(hit.data.entry.value).second)
            return Error(Code::corrupt, "two shards of the index hold the same record")
                .with_hint("remove the index folder and index again; nothing sealed is lost");
    }
    return ok_status();
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
            .with_hint("remove the index folder and index again; nothing sealed is lost");
    out.deferred = out.sealed - known;
    return out;
}

}  // namespace

Hash result_set_hash(std::vector<EntryIndex> entries) {
    std::sort(entries.begin(), entries.end());
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
    Bytes list;
    list.reserve(entries.size() * 8);
    for (const EntryIndex entry : entries) put_u64(list, entry.value);
    return sha256(list);
}

struct Searcher::State {
    State(Fs& fs_, Path dir, ShardKeys& keys_) : fs(fs_), index_dir(std::move(dir)), keys(keys_) {}

    Fs& fs;
    Path index_dir;
    ShardKeys& keys;
    std::mutex mutex;  // guards all below
    std::map<std::uint64_t, std::unique_ptr<ShardReader>> readers;
    Stemmer stemmer;

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

    Result<std::vector<std::string>> words_of(ShardReader& reader, const Node& node) {
        if (node.kind == Node::Kind::prefix)
            return reader.expand(plain_form(node.text), form_of_prefix(node.text), kMaxExpansions);
        const bool fuzzy = node.kind == Node::Kind::fuzzy;
        return reader.matching(fuzzy ? WordPattern::fuzzy(node.text, node.number) : WordPattern::glob(node.text),
                               kMaxExpansions);
    }

    Result<std::map<std::uint64_t, Expansions>> expand(const Query& query) {
        std::map<std::uint64_t, Expansions> out;
        std::vector<const Node*> open;
        collect_open_words(query.root, open);
        std::vector<std::string> all;
        for (const Node* node : open) {
            std::vector<std::string> words;
            for (auto& [id, reader] : readers) {
                std::vector<std::string> here = TRY(words_of(*reader, *node));
                words.insert(words.end(), here.begin(), here.end());
                std::sort(words.begin(), words.end());
                words.erase(std::unique(words.begin(), words.end()), words.end());
                out[id][node] = std::move(here);
                if (words.size() + all.size() > kMaxExpansions)
                    return Error(Code::limit, "a word with *, ? or ~ stands for more than 1000 words of the archive")
                        .with_hint("type more letters, or search for whole words");
            }
            all.insert(all.end(), words.begin(), words.end());
        }
        return out;
    }

    Status gather(Space space, std::vector<std::string>& ids) {
        for (auto& [id, reader] : readers) {
            const std::vector<std::string>& here = *TRY(reader->texts(space));
            ids.insert(ids.end(), here.begin(), here.end());
        }
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        return ok_status();
    }
    Result<Linked> link(const Query& query) {
        Linked out;
        if (asks(query.root, Node::Kind::edited)) TRY(gather(Space::edits, out.edited));
        if (asks(query.root, Node::Kind::deleted)) TRY(gather(Space::deletes, out.deleted));
        return out;
    }

    // Calls for each document that matches.
    template <class Call>
    Status ask(ShardReader& reader, const Xapian::Query& query, bool ranked, const Call& call) {
        Xapian::Enquire enquire(reader.database());
        enquire.set_query(query);
        if (!ranked) enquire.set_weighting_scheme(Xapian::BoolWeight());
        enquire.set_docid_order(Xapian::Enquire::DONT_CARE);
        const Xapian::doccount all = reader.database().get_doccount();
        const Xapian::MSet found = enquire.get_mset(0, all, all);
        for (Xapian::MSetIterator hit = found.begin(); hit != found.end(); ++hit) TRY(call(*hit, hit.get_weight()));
        return ok_status();
    }

    Status find_hits(ShardReader& reader, const Query& query, const SearchOptions& options,
                     const Expansions& expansions, const Linked& linked, std::vector<Hit>& hits) {
        return guarded("searching a shard", [&]() -> Status {
            QueryBuilder builder(reader, stemmer, options, expansions, linked);
            const Xapian::Query built = TRY(builder.build(query.root));
            return ask(reader, built, options.sort == Sort::relevance, [&](Xapian::docid id, double weight) -> Status {
                hits.push_back({TRY(reader.row(id)), weight, &reader, id});
                return ok_status();
            });
        });
    }

    // Adds what may match in this shard and could not be looked into.
    Status find_unsearched(ShardReader& reader, const Query& query, const SearchOptions& options, const Linked& linked,
                           const CensusNow& census, const std::vector<Xapian::docid>& hits, Unsearched& out) {
        const StateCounts& counts = reader.state().counts;
        if (counts.partial + counts.opaque + counts.failed == 0) return ok_status();
        return guarded("searching a shard", [&]() -> Status {
            std::vector<Xapian::Query> any;
            for (const auto& [reason, count] : reader.state().reasons)
                any.emplace_back(reader.terms().term(Space::reason, reason));
            const Xapian::Query some(Xapian::Query::OP_OR, any.begin(), any.end());
            std::vector<Xapian::docid> found;
            for (const auto& [state, count] :
                 {std::pair(RecordState::partial, &out.partial), std::pair(RecordState::opaque, &out.opaque),
                  std::pair(RecordState::failed, &out.failed)}) {
                const Node root = relaxed(query.root, state);
                Expansions none;  // an open word is never certain, but in a field: looked up again
                std::vector<const Node*> open;
                collect_open_words(root, open);
                for (const Node* node : open) none[node] = TRY(words_of(reader, *node));
                QueryBuilder builder(reader, stemmer, options, none, linked);
                const Xapian::Query built = some & TRY(builder.build(root));
                TRY(ask(reader, built, false, [&, wanted = state, total = count](Xapian::docid id, double) -> Status {
                    const DocData data = TRY(reader.row(id));
                    if (data.state != wanted || is_erased(census, data.entry) ||
                        std::binary_search(hits.begin(), hits.end(), id))
                        return ok_status();
                    ++*total;
                    found.push_back(id);
                    return ok_status();
                }));
            }
            count_reasons(reader, found, out.reasons);
            return ok_status();
        });
    }

    // Each document once: under its kind where that says enough, else under the first of its reasons.
    static void count_reasons(const ShardReader& reader, std::vector<Xapian::docid>& left,
                              std::map<std::string, std::uint64_t>& reasons) {
        std::sort(left.begin(), left.end());
        const auto take = [&](Space space, const std::string& word) {
            if (left.empty()) return;
            const std::string term = reader.terms().term(space, word);
            auto at = reader.database().postlist_begin(term);
            const auto none = reader.database().postlist_end(term);
            const std::size_t before = left.size();
            std::erase_if(left, [&](Xapian::docid id) {
                if (at != none && *at < id) at.skip_to(id);
                return at != none && *at == id;
            });
            if (before > left.size()) reasons[word] += before - left.size();
        };
        for (const char* kind : {"voice", "call"}) take(Space::kind, kind);
        take(Space::reason, "encrypted");
        for (const auto& [reason, count] : reader.state().reasons) take(Space::reason, reason);
        if (!left.empty()) reasons["other"] += left.size();
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

    Result<Answer> try_once(const Query& query, const SearchOptions& options, RecordCensus& census) {
        TRY(open_all());
        const auto expansions = TRY(expand(query));
        const Linked linked = TRY(link(query));
        static const Expansions kNone;
        std::vector<Hit> hits;
        for (auto& [id, reader] : readers) {
            if (options.stop && options.stop()) return Error(Code::interrupted, "the search was stopped");
            const auto own = expansions.find(id);
            TRY(find_hits(*reader, query, options, own == expansions.end() ? kNone : own->second, linked, hits));
        }
        const CensusNow now = TRY(census.now());
        Answer answer;
        answer.shards = readers.size();
        answer.coverage = TRY(make_coverage(now, TRY(counts(now))));
        hits.erase(std::remove_if(hits.begin(), hits.end(), [&](const Hit& h) { return is_erased(now, h.data.entry); }),
                   hits.end());
        TRY(look_closer(query, options, linked, now, hits, answer));
        sort_hits(hits, options.sort);
        TRY(expect_once(hits));
        answer.entries.reserve(hits.size());
        answer.sent_at.reserve(hits.size());
        for (const Hit& hit : hits) {
            answer.entries.push_back(hit.data.entry);
            answer.sent_at.push_back(hit.data.time);
        }
        answer.total = answer.entries.size();
        answer.result_set = result_set_hash(answer.entries);
        return answer;
    }

    // What belongs to the answer besides its hits.
    Status look_closer(const Query& query, const SearchOptions& options, const Linked& linked, const CensusNow& now,
                       const std::vector<Hit>& hits, Answer& answer) {
        std::map<const ShardReader*, std::vector<Xapian::docid>> by_shard;
        for (const Hit& hit : hits) by_shard[hit.shard].push_back(hit.id);
        FacetCounter facets(options.facets);
        answer.unsearched.deferred = answer.coverage.deferred;
        for (auto& [id, reader] : readers) {
            std::vector<Xapian::docid>& here = by_shard[reader.get()];
            std::sort(here.begin(), here.end());
            TRY(find_unsearched(*reader, query, options, linked, now, here, answer.unsearched));
            if (options.facets.by.empty() && !options.facets.pairs) continue;
            TRY(guarded("counting hits", [&] { return facets.add(*reader, here); }));
        }
        answer.facets = facets.result();
        return ok_status();
    }
};

Searcher::Searcher(Fs& fs, Path index_dir, ShardKeys& keys)
    : state_(std::make_unique<State>(fs, std::move(index_dir), keys)) {}
Searcher::~Searcher() = default;

Result<Answer> Searcher::run(const Query& query, const SearchOptions& options, RecordCensus& census) {
    const std::lock_guard lock(state_->mutex);
    for (int number = 0;; ++number) {
        auto answer = state_->try_once(query, options, census);
        state_->stemmer.forget();
        // A shard that answered keeps its key no longer than the vault is open.
        if (!answer.ok() && answer.error().code() == Code::closed) state_->readers.clear();
        if (answer.ok() || answer.error().code() != kAskAgain) return answer;
        if (number == kTries) return not_readable();
        wait_before_try(number);
    }
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
