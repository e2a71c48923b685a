// Holds, as the ledger's entries say (docs/format/retention.md). Which records a standing hold covers beyond its frozen
// list is found by running its query (app/hold_desk.h); this book knows no queries: they are sealed.
//
// Errors of apply: corrupt, where an entry lacks what it must have or names what is not there. Threads: a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/entry_set.h"
#include "base/ids.h"
#include "base/time.h"

namespace kustos::vault {

struct HoldInfo {
    EntryIndex id;                     // of hold_set: the hold's number
    std::optional<EntryIndex> matter;  // for which case
    UtcTime set;
    std::optional<UtcTime> released;
    std::string method;     // records, query, person, conversation, period, matter
    bool standing = false;  // its query is run again before anything is destroyed
    EntryIndex scope;       // hold_set or the latest hold_changed: query and reason are sealed there
    EntrySet records;       // its list, and what a person decided is held
    EntrySet freed;         // what a person decided is not, of what could not be searched
    bool operator==(const HoldInfo&) const = default;
};

class HoldBook {
public:
    Status apply(EntryIndex index, audit::ControlAction action, UtcTime time, const audit::BodyReader& body);
    const std::map<EntryIndex, HoldInfo>& all() const { return holds_; }
    const HoldInfo* find(EntryIndex id) const;
    // Numbers of open holds whose list has one of these.
    std::vector<EntryIndex> listing(const std::vector<EntryIndex>& records) const;
    bool any_standing() const;
    bool operator==(const HoldBook&) const = default;

private:
    Status set(EntryIndex index, UtcTime time, const audit::BodyReader& body);
    Status change(EntryIndex index, const audit::BodyReader& body);
    Result<HoldInfo*> named(EntryIndex index, const audit::BodyReader& body);
    std::map<EntryIndex, HoldInfo> holds_;
    std::optional<EntryIndex> going_on_;  // further parts belong to it
};

// What is held of the records that somebody asked about.
struct HoldAnswer {
    struct By {
        EntryIndex hold;
        EntrySet records;    // of those asked about
        EntrySet undecided;  // of these: could not be searched, so that they count as held until a person decides
    };
    std::vector<By> by;  // ascending
    EntrySet held() const;
    std::vector<EntryIndex> on(EntryIndex record) const;
};

// Asked right before anything is destroyed. Runs the queries of standing holds anew.
class HoldCheck {
public:
    virtual ~HoldCheck() = default;
    // Code::closed: a standing hold can't be evaluated while the vault is closed.
    virtual Result<HoldAnswer> check(const EntrySet& records) = 0;
};

// By lists alone, without keys.
class ListedHolds final : public HoldCheck {
public:
    // refuse: Code::closed where a standing hold is open. pass_over: for an auditor's look; never before destroying.
    enum class Standing : std::uint8_t { refuse, pass_over };
    explicit ListedHolds(const class Archive& archive, Standing standing = Standing::refuse)
        : archive_(archive), standing_(standing) {}
    Result<HoldAnswer> check(const EntrySet& records) override;

private:
    const Archive& archive_;
    Standing standing_;
};

}  // namespace kustos::vault
