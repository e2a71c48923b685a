// What the ledger says about retention: classes, rules, reclassifications, start events, restrictions, holds,
// disposition lists (docs/format/retention.md). Derived entry by entry, by the catalog; holds nothing that a reader of
// the ledger could not have without keys.
//
// Errors of apply: corrupt, where an entry lacks what it must have or names what is not there. Threads: a value; the
// archive hands out snapshots.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/entry_set.h"
#include "vault/holds.h"
#include "vault/range_map.h"
#include "vault/retention_plan.h"
#include "vault/retention_rules.h"

namespace kustos::vault {

struct RestrictionInfo {
    EntryIndex id;
    std::optional<EntryIndex> matter;  // for this one alone its records are opened; absent: for none
    UtcTime set;
    std::optional<UtcTime> lifted;
    EntrySet records;
    bool operator==(const RestrictionInfo&) const = default;
};

struct DispositionInfo {
    EntryIndex id;
    UtcTime made;
    std::optional<ClassCode> retention_class;  // that it was asked for
    std::optional<std::uint16_t> year;
    EntrySet listed, taken_out, released;
    Listed::Answer answer = Listed::Answer::none;
    CivilDate day;
    bool operator==(const DispositionInfo&) const = default;
};

class RetentionBook {
public:
    // Control entries that are of no concern here are passed over.
    static bool concerns(audit::ControlAction action);
    Status apply(EntryIndex index, const audit::Entry& entry);

    const ClassBook& classes() const { return classes_; }
    const std::vector<AssignmentRule>& rules() const { return rules_; }
    const HoldBook& holds() const { return holds_; }
    const std::map<EntryIndex, RestrictionInfo>& restrictions() const { return restrictions_; }
    const std::map<EntryIndex, DispositionInfo>& lists() const { return lists_; }

    // The record, the one that it succeeds, the one before that, ...
    std::vector<EntryIndex> line_of(EntryIndex record) const;
    EntryIndex last_successor(EntryIndex record) const;
    EntrySet with_successors(EntrySet records) const;
    // A restriction that keeps the record from being opened for this matter.
    std::optional<EntryIndex> restriction_for(EntryIndex record, std::optional<EntryIndex> matter) const;
    // Everything of PlanInput that follows from the ledger, but for the days of sealing, standing holds and `released`.
    PlanInput input_of(EntryIndex record, ClassCode sealed_class) const;
    bool operator==(const RetentionBook&) const = default;

private:
    struct Class {
        EntryIndex entry;
        ClassCode to;
        bool record_relevant = false;
        bool operator==(const Class&) const = default;
    };
    Status define(EntryIndex index, const audit::BodyReader& body);
    Status set_rules(EntryIndex index, const audit::BodyReader& body);
    Status reclassify(EntryIndex index, const audit::BodyReader& body);
    Status enter_event(EntryIndex index, const audit::BodyReader& body);
    Status restrict(EntryIndex index, audit::ControlAction action, UtcTime time, const audit::BodyReader& body);
    Status make_list(EntryIndex index, UtcTime time, const audit::BodyReader& body);
    Status review(EntryIndex index, const audit::BodyReader& body);
    Status release(EntryIndex index, const audit::BodyReader& body);
    Status succeed(EntryIndex index, const audit::BodyReader& body);
    Result<DispositionInfo*> list_named(EntryIndex index, const audit::BodyReader& body);

    ClassBook classes_;
    std::vector<AssignmentRule> rules_;
    RangeMap<Class> classified_;
    RangeMap<StartEvent> events_[3];  // by Start; the latest day
    HoldBook holds_;
    std::map<EntryIndex, RestrictionInfo> restrictions_;
    std::map<EntryIndex, DispositionInfo> lists_;
    RangeMap<EntryIndex> listed_;  // the newest list
    std::map<EntryIndex, EntryIndex> successor_, predecessor_;
    // Of lists in parts: what part 0 said.
    std::optional<Class> going_class_;
    std::optional<StartEvent> going_event_;
    std::optional<EntryIndex> going_restriction_, going_list_;
};

}  // namespace kustos::vault
