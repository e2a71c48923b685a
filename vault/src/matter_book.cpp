#include "vault/matter_book.h"

#include "vault/src/book_rows.h"

namespace kustos::vault {

using audit::ControlAction;
using audit::Tag;

namespace {

bool is_review(ControlAction action) {
    return action >= ControlAction::records_tagged && action <= ControlAction::code_cleared;
}

}  // namespace

bool MatterBook::concerns(ControlAction action) {
    switch (action) {
        case ControlAction::matter_scoped:
        case ControlAction::results_frozen:
        case ControlAction::search_saved:
        case ControlAction::search_forgotten:
        case ControlAction::hashes_added:
        case ControlAction::hashes_removed:
            return true;
        default:
            return is_review(action);
    }
}

bool is_of_matter(ControlAction action) {
    switch (action) {
        case ControlAction::matter_opened:
        case ControlAction::matter_scoped:
        case ControlAction::results_frozen:
        case ControlAction::search_saved:
        case ControlAction::hashes_added:
        case ControlAction::hits_reported:
            return true;
        default:
            return is_review(action);
    }
}

Status MatterBook::apply(EntryIndex index, const audit::Entry& entry) {
    const auto action = audit::control_action(entry);
    if (!action || !concerns(*action)) return {};
    const audit::BodyReader body = TRY(audit::BodyReader::parse(entry.body));
    if (*action == ControlAction::search_forgotten || *action == ControlAction::hashes_removed) {
        auto& notes = *action == ControlAction::search_forgotten ? saved_ : hash_lists_;
        const auto found = notes.find(EntryIndex(TRY(needed(body.find_u64(Tag::entry), index))));
        if (found == notes.end()) return lacking(index);
        found->second.gone = true;
        return {};
    }
    MatterNote note;
    note.entry = index;
    note.action = *action;
    note.matter = EntryIndex(TRY(needed(body.find_u64(Tag::matter), index)));
    note.time = TRY(needed(body.find_time(Tag::time), index));
    note.count = body.find_u64(Tag::count).value_or(0);
    if (*action == ControlAction::matter_scoped) {
        scopes_[note.matter].push_back(index);
    } else if (*action == ControlAction::results_frozen) {
        note.list_root = TRY(needed(body.find_hash(Tag::list_root), index));
        note.size = TreeSize(TRY(needed(body.find_u64(Tag::checkpoint_size), index)));
        results_[index] = note;
    } else if (is_review(*action)) {
        note.list_root = TRY(needed(body.find_hash(Tag::list_root), index));
        reviews_[note.matter].push_back(note);
    } else {
        (*action == ControlAction::search_saved ? saved_ : hash_lists_)[index] = note;
    }
    return {};
}

const std::vector<EntryIndex>& MatterBook::scopes(EntryIndex matter) const {
    static const std::vector<EntryIndex> kNone;
    const auto found = scopes_.find(matter);
    return found == scopes_.end() ? kNone : found->second;
}

const std::vector<MatterNote>& MatterBook::reviews(EntryIndex matter) const {
    static const std::vector<MatterNote> kNone;
    const auto found = reviews_.find(matter);
    return found == reviews_.end() ? kNone : found->second;
}

}  // namespace kustos::vault
