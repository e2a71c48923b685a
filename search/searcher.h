// Answers queries over all shards: every matching entry, an exact total, and the coverage that belongs to it.
//
// Each shard is asked by itself with its own keyed terms, and the answers are merged here. Who may ask, and for which
// matter, is decided before (access); what is shown is opened after (vault), under an access entry that names total and
// result set.
// Threads: one Searcher may be used from many threads (it serialises); beside an Indexer of the same or another
// process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "audit/unsearched.h"
#include "base/entry_set.h"
#include "search/facets.h"
#include "search/index.h"
#include "search/query.h"
#include "search/record_facts.h"

namespace kustos::search {

// What the engine knows and the index does not. Asked after the shards were read, so that sealed is never behind them.
struct CensusNow {
    std::uint64_t sealed = 0;                // records sealed that are meant to be searchable, erased ones included
    std::shared_ptr<const EntrySet> erased;  // never in an answer; entries of other kinds may be among them; null: none
    std::uint64_t erased_records = 0;        // how many of them are records
};
class RecordCensus {
public:
    virtual ~RecordCensus() = default;
    virtual Result<CensusNow> now() = 0;
};

// sealed = searchable + partial + opaque + deferred + failed + erased, always.
struct Coverage {
    std::uint64_t sealed = 0, searchable = 0, partial = 0, opaque = 0, deferred = 0, failed = 0, erased = 0;
    bool operator==(const Coverage&) const = default;
};

enum class Sort : std::uint8_t {
    date,       // newest first; the same instant: larger entry index first
    relevance,  // BM25 within each shard, then newest first
};

struct SearchOptions {
    Sort sort = Sort::date;
    // The first instant of a civil day in the reader's time zone. Default: UTC.
    std::function<Result<UtcTime>(CivilDate)> midnight;
    std::function<bool()> stop;  // asked now and then, by several threads at once; true: Code::interrupted
    FacetAsk facets;             // nothing asked for: none are counted
    // Records of which the asker can't tell whether they match: they are Unsearched::restricted where they are no hit,
    // and nothing else.
    EntrySet undecided = {};
};

// Records that may match, for all that the index knows of them (docs/architecture/search.md, "Coverage within the
// question"). Of its reasons: a record's kind where that says it (voice), else why; beyond some hundred, "other".
using audit::Unsearched;

struct Answer {
    std::uint64_t total = 0;          // exact
    std::vector<EntryIndex> entries;  // all of them, sorted
    std::vector<UtcTime> sent_at;     // as sealed (received, where the source gave none), same order
    Hash result_set;                  // result_set_hash(entries)
    Coverage coverage;
    std::uint64_t shards = 0;  // that were asked
    EntryIndex end;            // one past the newest record in them
    Unsearched unsearched;
    Facets facets;
};

// SHA-256 of the entry numbers, u64 each, ascending, without repeats: the same rule as vault::list_root.
Hash result_set_hash(std::vector<EntryIndex> entries);

class Searcher {
public:
    // index_dir need not exist yet: then everything sealed is deferred. All references outlive the Searcher.
    Searcher(Fs& fs, Path index_dir, ShardKeys& keys);
    ~Searcher();

    // Code::closed: vault closed. Code::limit: a prefix stands for more than kMaxExpansions words (hint: more letters).
    // Code::corrupt: a shard is damaged (remove_shard() and index again). Never a silent cut.
    Result<Answer> run(const Query& query, const SearchOptions& options, RecordCensus& census);

    // Of records that an answer has named: ascending, each once. Of one that is in the index no more nothing is known.
    // Errors as run().
    Result<RecordFacts> facts(const std::vector<EntryIndex>& of);

    // Without asking anything. Needs no key of a shard whose clear state says that nothing erased is in it (before the
    // first erasure: of none; after each rewriting: of none), nor of one that was looked into since the start.
    // Code::closed: some shard may still hold something erased, and how much of what is not known while the vault is
    // closed.
    Result<Coverage> coverage(RecordCensus& census);

    // Forget all keys and open shards (the vault was closed).
    void forget();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::search
