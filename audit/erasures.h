// What the ledger's erasure entries say, taken together (docs/format/ledger.md, "Erasure"): which ciphertexts may be
// missing, which must be, and how far each run has come. A collector, fed in the ledger's order; what it answers holds
// for the entries that it was given. Keys and ciphertext are none of its business.
//
// Malformed entries are named and count for nothing: a run of which one part is malformed allows nothing to be missing.
//
// Memory: a bit for each leaf that is used, destroyed or removed (leaf_set.h), some 150 bytes a run. Threads: one at a
// time; questions from any thread while nobody feeds.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "audit/leaf_set.h"
#include "base/time.h"

namespace kustos::audit {

using ErasureId = std::array<std::uint8_t, 16>;

struct ErasureRun {
    ErasureId id{};
    std::string method;             // erasure, disposition, attachment
    std::vector<EntryIndex> begun;  // one for each part
    std::uint32_t parts = 0;
    std::uint32_t generation = 0;  // in which the keys are no more
    UtcTime begun_at, done_at;
    std::optional<EntryIndex> done;
    std::uint64_t count = 0;                                   // records and blobs, as `done` says
    std::optional<EntryIndex> terms, ciphertext, final_entry;  // the entries that say so
    bool broken = false;                                       // malformed: allows nothing
};

class Erasures {
public:
    // The header of an earlier entry. Absent: what a range says of its entries is not compared.
    using Headers = std::function<Result<EntryHeader>(EntryIndex)>;
    explicit Erasures(Headers headers = {}) : headers_(std::move(headers)) {}

    // Every entry with a payload may be told, in order, from some entry on: then counts are compared where they can be.
    void counts_from(EntryIndex entry) { counted_from_ = entry; }
    void compare_no_more() { headers_ = {}; }  // what the headers came from may end
    // False: the entry uses a key that was destroyed before it.
    bool seal(const EntryHeader& header);

    // Entries of kind erasure, and of the others generation_opened; the rest is passed over. Code::bad_input: it is
    // malformed, and the text says how.
    Status take(EntryIndex index, const Entry& entry);

    bool empty() const { return runs_.empty(); }
    // The ciphertext may be missing: a run that is done destroyed its key.
    bool covered(KeyTreeId tree, LeafNumber leaf) const { return covered_.contains(tree, leaf); }
    // It must be: compaction said so afterwards.
    bool must_be_missing(KeyTreeId tree, LeafNumber leaf) const { return removed_.contains(tree, leaf); }
    const LeafSet& covered() const { return covered_; }
    const LeafSet& removed() const { return removed_; }

    // In the order in which they began.
    const std::vector<ErasureRun>& runs() const { return runs_; }
    const ErasureRun* find(const ErasureId& id) const;
    // Generations below it were destroyed: their keys must be gone. 0: none.
    std::uint32_t destroyed_below() const { return destroyed_below_; }

private:
    struct Leaves {  // of a run that is not compacted yet
        std::vector<LeafSpan> few;
        LeafSet many;
        std::uint64_t least = 0, most = 0;  // records and blobs; without and with those that were destroyed before
        bool counted = true;
    };
    Status take_begun(EntryIndex index, const BodyReader& body);
    Status add_ranges(EntryIndex index, Leaves& leaves, const std::vector<LeafRange>& ranges);
    Status check_range(EntryIndex index, const LeafRange& range) const;
    Status take_done(EntryIndex index, const BodyReader& body);
    Status take_state(EntryIndex index, ErasureAction action, const BodyReader& body);
    void take_generation(const BodyReader& body);

    Headers headers_;
    std::optional<EntryIndex> counted_from_;
    std::vector<ErasureRun> runs_;
    std::map<ErasureId, std::size_t> by_id_;
    std::map<std::size_t, Leaves> leaves_;  // by number of the run: begun, or done and not removed
    std::vector<std::size_t> waiting_;      // done, and not in every state yet
    std::map<std::uint32_t, Hash> generations_;
    LeafSet covered_, removed_;
    LeafSet used_;  // leaves with a payload
    std::uint32_t destroyed_below_ = 0;
};

class LedgerReader;
// Of the whole ledger; each entry that is taken is proven to be under the head, malformed ones are passed over. Costs a
// pass over the entries.
Result<Erasures> collect_erasures(const LedgerReader& ledger, const TreeSize& size, const Hash& root);

// States, as the certificate of an erasure has them, of what the entries say.
enum class RunState { begun, unreadable, terms_gone, ciphertext_gone, final_ };
RunState state_of(const ErasureRun& run);
std::string_view name_of(RunState state);  // begun, unreadable, terms_gone, ciphertext_gone, final

}  // namespace kustos::audit
