#include "vault/holds.h"

#include <algorithm>

#include "vault/archive.h"
#include "vault/entry_sets.h"
#include "vault/src/book_rows.h"

namespace kustos::vault {

using audit::BodyReader;
using audit::ControlAction;
using audit::Tag;

const HoldInfo* HoldBook::find(EntryIndex id) const {
    const auto found = holds_.find(id);
    return found == holds_.end() ? nullptr : &found->second;
}

std::vector<EntryIndex> HoldBook::listing(const std::vector<EntryIndex>& records) const {
    std::vector<EntryIndex> out;
    for (const auto& [id, hold] : holds_) {
        if (hold.released) continue;
        if (std::any_of(records.begin(), records.end(), [&h = hold](EntryIndex r) { return h.records.contains(r); }))
            out.push_back(id);
    }
    return out;
}

bool HoldBook::any_standing() const {
    return std::any_of(holds_.begin(), holds_.end(),
                       [](const auto& row) { return row.second.standing && !row.second.released; });
}

Result<HoldInfo*> HoldBook::named(EntryIndex index, const BodyReader& body) {
    const auto found = holds_.find(EntryIndex(TRY(needed(body.find_u64(Tag::entry), index))));
    if (found == holds_.end())
        return Error(Code::corrupt, "entry " + std::to_string(index.value) + " is about a hold that no entry set");
    return &found->second;
}

Status HoldBook::set(EntryIndex index, UtcTime time, const BodyReader& body) {
    HoldInfo h;
    h.id = h.scope = index;
    h.set = time;
    if (const auto matter = body.find_u64(Tag::matter)) h.matter = EntryIndex(*matter);
    h.method = TRY(needed(body.find_text(Tag::method), index));
    h.standing = TRY(has_code(index, body, "standing"));
    h.records = TRY(needed(body.entry_set(), index));
    holds_[index] = std::move(h);
    going_on_ = index;
    return {};
}

// The scope is another one from now on; what was decided about the old one is void.
Status HoldBook::change(EntryIndex index, const BodyReader& body) {
    HoldInfo& h = *TRY(named(index, body));
    h.scope = index;
    h.method = TRY(needed(body.find_text(Tag::method), index));
    h.standing = TRY(has_code(index, body, "standing"));
    h.records = TRY(needed(body.entry_set(), index));
    h.freed = {};
    going_on_ = h.id;
    return {};
}

Status HoldBook::apply(EntryIndex index, ControlAction action, UtcTime time, const BodyReader& body) {
    if (goes_on(body)) {
        if (!going_on_) return lacking(index);
        const EntrySet more = TRY(needed(body.entry_set(), index));
        HoldInfo& h = holds_.at(*going_on_);
        const bool freed = action == ControlAction::hold_decided && body.find_text(Tag::code) == "not_held";
        (freed ? h.freed : h.records).add(more);
        return {};
    }
    switch (action) {
        case ControlAction::hold_set:
            return set(index, time, body);
        case ControlAction::hold_changed:
            return change(index, body);
        case ControlAction::hold_released:
            TRY(named(index, body))->released = time;
            return {};
        case ControlAction::hold_decided: {
            HoldInfo& h = *TRY(named(index, body));
            const bool freed = TRY(has_code(index, body, "not_held"));
            (freed ? h.freed : h.records).add(TRY(needed(body.entry_set(), index)));
            going_on_ = h.id;
            return {};
        }
        default:
            return {};
    }
}

EntrySet HoldAnswer::held() const {
    EntrySet all;
    for (const By& b : by) all.add(b.records);
    return all;
}

std::vector<EntryIndex> HoldAnswer::on(EntryIndex record) const {
    std::vector<EntryIndex> out;
    for (const By& b : by) {
        if (b.records.contains(record)) out.push_back(b.hold);
    }
    return out;
}

Result<HoldAnswer> ListedHolds::check(const EntrySet& records) {
    const auto book = archive_.retention();
    if (standing_ == Standing::refuse && book->holds().any_standing())
        return Error(Code::closed, "a standing hold can't be evaluated without its query");
    HoldAnswer answer;
    for (const auto& [id, hold] : book->holds().all()) {
        if (hold.released) continue;
        EntrySet held = intersection(book->with_successors(hold.records), records);
        if (!held.empty()) answer.by.push_back({id, std::move(held), {}});
    }
    return answer;
}

}  // namespace kustos::vault
