// What the ledger's entries say of one source in one period (docs/format/sources.md, docs/format/certificate.md):
// how much was sealed, came twice, was left out; what the source promised; when it was silent; which findings there
// were. A collector, fed in the ledger's order. The archive feeds it every entry, a verifier those that a certificate
// brings, and both must get the same: whatever the answer rests on is in Completeness::entries, and feeding those alone
// gives the same answer. That an entry was left out of a certificate is nothing that a verifier could see.
//
// No content: counts, times, machine words. Memory: some 50 bytes a heartbeat in the period, 100 a part that was ever
// promised. Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/time.h"

namespace kustos::audit {

struct PeriodFinding {
    EntryIndex entry;
    std::string code;
    std::uint64_t count = 0;
    UtcTime found;
    std::optional<UtcTime> resolved;
    std::optional<EntryIndex> resolved_by;
};

struct Completeness {
    std::string name, kind;  // of the source
    UtcTime added;
    UtcTime begin, end;  // of the period; `end` does not belong to it
    // The counts are those of the archive between these two; without an entry before, since the source was added.
    UtcTime counted_from, counted_until;
    std::uint64_t records = 0;                    // sealed: the ledger itself bears them out
    std::map<std::string, std::uint64_t> counts;  // by machine word; without those that are 0
    // Parts that were ever promised: what the last promise of each said, and what was sealed of it then.
    std::uint64_t parts = 0, promised = 0, promise_sealed = 0, missing = 0, parts_short = 0;
    std::uint64_t parts_in_period = 0;  // that were promised in the period, too
    std::optional<UtcTime> last_promise;
    // In the period. The longest time without one, its edges included, as far as it was counted.
    std::uint64_t heartbeats = 0;
    std::optional<UtcTime> first_heartbeat, last_heartbeat;
    UtcTime silent_from;
    std::int64_t silence_ms = 0;
    std::vector<PeriodFinding> findings;  // open at some time in the period, by entry
    std::uint64_t opened = 0, resolved = 0, open = 0;
    std::uint32_t profile_version = 0;  // at the period's end; 0: none was ever set
    std::uint64_t profile_changes = 0;  // in the period
    std::string verdict;                // complete, gaps, no_promise
    std::vector<EntryIndex> entries;    // ascending

    std::uint64_t count(const std::string& code) const;
    // The keys of a certificate that a verifier recomputes, as one JSON object.
    std::string to_json() const;
};

class CompletenessBook {
public:
    CompletenessBook(SourceId source, UtcTime begin, UtcTime end) : source_(source), begin_(begin), end_(end) {}
    // Entries of other sources and kinds are passed over. Code::bad_input: one of this source is malformed.
    Status take(EntryIndex index, const Entry& entry);
    // Whether an entry is one that take() looks at.
    bool concerns(const Entry& entry) const;
    // Code::not_found: the source was not introduced, or nothing was counted since the period began.
    Result<Completeness> judge() const;

private:
    struct Count {
        EntryIndex entry;
        UtcTime time;
        std::uint64_t records = 0;
        std::map<std::string, std::uint64_t> counts;
    };
    struct Promise {
        EntryIndex entry;
        UtcTime time;
        std::uint64_t promised = 0, sealed = 0;
    };
    struct Heard {
        EntryIndex entry;
        UtcTime time;
    };
    struct Finding {
        PeriodFinding what;
        Hash about;
    };
    struct Added {
        EntryIndex entry;
        std::string name, kind;
        UtcTime time;
    };
    Status take_count(EntryIndex index, UtcTime time, const BodyReader& body);
    void resolve(EntryIndex index, UtcTime time, const BodyReader& body);
    void judge_counts(Completeness& out) const;
    void judge_promises(Completeness& out) const;
    void judge_heartbeats(Completeness& out) const;
    void judge_findings(Completeness& out) const;

    SourceId source_;
    UtcTime begin_, end_;
    std::optional<Added> added_;
    std::optional<Count> before_, last_;  // not after the period's begin; the first not before its end, else the newest
    std::map<Hash, Promise> promises_;    // by part
    std::vector<Heard> heard_;
    std::vector<Finding> findings_;
    std::vector<Heard> profiles_;  // the last before the period, and those in it
    std::uint32_t profile_version_ = 0;
};

}  // namespace kustos::audit
