// What people have decided about who is who (docs/format/persons.md): that two cards of address books are one person's,
// or are not. Derived entry by entry, as part of the source book; holds entry numbers only, no personal data.
//
// Errors of apply: corrupt, where an entry lacks what it must have. Threads: a value.
#pragma once

#include <vector>

#include "audit/entry.h"
#include "base/time.h"

namespace kustos::vault {

struct PersonDecision {
    EntryIndex entry;
    UtcTime time;
    EntryIndex a, b;  // cards; a < b
    bool joined = false;
    bool operator==(const PersonDecision&) const = default;
};

class PersonBook {
public:
    static bool concerns(audit::ControlAction action);
    Status apply(EntryIndex index, const audit::Entry& entry);
    const std::vector<PersonDecision>& decisions() const { return decisions_; }  // in the ledger's order
    bool operator==(const PersonBook&) const = default;

private:
    std::vector<PersonDecision> decisions_;
};

}  // namespace kustos::vault
