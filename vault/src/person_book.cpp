#include "vault/person_book.h"

#include "vault/src/book_rows.h"

namespace kustos::vault {

using audit::ControlAction;
using audit::Tag;

bool PersonBook::concerns(ControlAction action) {
    return action == ControlAction::persons_joined || action == ControlAction::persons_split;
}

Status PersonBook::apply(EntryIndex index, const audit::Entry& entry) {
    const auto action = audit::control_action(entry);
    if (!action || !concerns(*action)) return {};
    const audit::BodyReader body = TRY(audit::BodyReader::parse(entry.body));
    const EntrySet cards = TRY(needed(body.entry_set(), index));
    if (cards.count() != 2) return lacking(index);
    PersonDecision d;
    d.entry = index;
    d.time = TRY(needed(body.find_time(Tag::time), index));
    d.a = cards.intervals().front().first;
    d.b = cards.intervals().back().last;
    d.joined = *action == ControlAction::persons_joined;
    decisions_.push_back(d);
    return {};
}

}  // namespace kustos::vault
