// Holds: set, changed, released, and asked about right before anything is destroyed. Erasure and disposition both ask
// check(); a hold always wins, and releasing one deletes nothing.
//
// A frozen hold is its list. A standing one is its list, what its query finds now, and what could not be searched
// (deferred, failed, opaque; partly indexed, unless the query asks only about people, dates and the like) as long as
// nobody has decided on it. Errors: usage, closed, and those of Archive::seal(). Threads: one at a time; who sets or
// releases holds takes House::decisions().
#pragma once

#include <string>
#include <vector>

#include "app/scope.h"
#include "vault/holds.h"
#include "vault/payload.h"

namespace kustos::app {

struct HoldOrder {
    ScopeOrder scope;
    bool frozen = false;
    std::string ground;
};

struct HoldReport {
    EntryIndex hold;
    bool standing = false;
    std::uint64_t records = 0;    // on its list, or found
    std::uint64_t undecided = 0;  // could not be searched
};

class HoldDesk final : public vault::HoldCheck {
public:
    HoldDesk(vault::Archive& archive, RecordSearch& search, std::string actor)
        : archive_(archive), search_(search), actor_(std::move(actor)) {}

    Result<HoldReport> add(const HoldOrder& order);
    Result<HoldReport> change(EntryIndex hold, const HoldOrder& order);
    Status release(EntryIndex hold, const std::string& ground);
    // What could not be searched: a person has looked, and says whether the hold covers it.
    Status decide(EntryIndex hold, const EntrySet& records, bool held, const std::string& ground);

    Result<vault::HoldAnswer> check(const EntrySet& records) override;
    // What a standing hold can't be sure about, of all records.
    Result<EntrySet> undecided(EntryIndex hold);

private:
    Result<HoldReport> seal(std::optional<EntryIndex> changed, const HoldOrder& order);
    Result<vault::HoldInfo> open_hold(EntryIndex hold) const;
    Result<std::string> query_of(const vault::HoldInfo& hold) const;
    Result<vault::HoldAnswer::By> ask(const vault::HoldInfo& hold, const EntrySet& records,
                                      const vault::RetentionBook& book);
    Result<EntrySet> not_searched(const std::string& query);
    vault::Archive& archive_;
    RecordSearch& search_;
    std::string actor_;
};

}  // namespace kustos::app
