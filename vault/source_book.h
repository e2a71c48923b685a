// What the ledger says about sources beyond their names: capture profiles, findings that are open, what counterparts
// promised and what was sealed of it, and tallies (docs/format/sources.md). Derived entry by entry, by the catalog;
// holds nothing that a reader of the ledger could not have without keys.
//
// Errors of apply: corrupt, where an entry lacks what it must have. Threads: a value; the archive hands out snapshots.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/time.h"
#include "vault/capture_profile.h"
#include "vault/person_book.h"

namespace kustos::vault {

struct FindingInfo {
    EntryIndex entry;
    SourceId source;
    std::string code;
    std::uint64_t count = 0;
    Hash about;  // MAC of what it is about; zero: of the source as a whole
    UtcTime found;
    std::optional<UtcTime> resolved;
    bool operator==(const FindingInfo&) const = default;
};

// The last promise of one part of a source (a room, a mailbox, a day's export), and what was sealed of it then.
struct PromiseInfo {
    EntryIndex entry;
    UtcTime time;
    std::uint64_t promised = 0, sealed = 0;
    bool operator==(const PromiseInfo&) const = default;
};

// Counts since the source was added, by machine word: "duplicate", "quarantined", "attachment", "kind:chat",
// "dropped:person", ... as of one moment.
struct Tally {
    EntryIndex entry;
    UtcTime time;
    std::uint64_t records = 0;
    std::map<std::string, std::uint64_t> counts;
    bool operator==(const Tally&) const = default;
};
Bytes encode_tally(const std::map<std::string, std::uint64_t>& counts);
Result<std::map<std::string, std::uint64_t>> decode_tally(ByteView bytes);  // Code::bad_input

struct SourceRecord {
    CaptureProfile profile;
    std::optional<EntryIndex> profile_entry;  // its text is sealed there
    std::vector<FindingInfo> findings;        // the newest 10,000
    std::map<Hash, PromiseInfo> promises;     // by MAC of the part; zero: the whole source
    std::vector<Tally> tallies;               // one a day at most is kept: the last of each day, of 10 years
    std::vector<UtcTime> heard;               // hours in which it was heard, likewise the newest 100,000
    bool operator==(const SourceRecord&) const = default;
};

class SourceBook {
public:
    static bool concerns(audit::ControlAction action);
    Status apply(EntryIndex index, const audit::Entry& entry);
    // Of a source that was never spoken of: an empty one.
    const SourceRecord& of(SourceId source) const;
    const std::map<SourceId, SourceRecord>& all() const { return sources_; }
    const PersonBook& persons() const { return persons_; }
    bool operator==(const SourceBook&) const = default;

private:
    std::map<SourceId, SourceRecord> sources_;
    PersonBook persons_;
};

}  // namespace kustos::vault
