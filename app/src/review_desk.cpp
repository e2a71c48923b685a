#include "app/review_desk.h"

#include "vault/entry_set_code.h"
#include "vault/retention.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

ControlAction action_of(ReviewChange change) {
    switch (change) {
        case ReviewChange::tag:
            return ControlAction::records_tagged;
        case ReviewChange::untag:
            return ControlAction::records_untagged;
        case ReviewChange::code:
            return ControlAction::records_coded;
        case ReviewChange::clear:
            break;
    }
    return ControlAction::code_cleared;
}

ReviewChange change_of(ControlAction action) {
    return action == ControlAction::records_tagged     ? ReviewChange::tag
           : action == ControlAction::records_untagged ? ReviewChange::untag
           : action == ControlAction::records_coded    ? ReviewChange::code
                                                       : ReviewChange::clear;
}

Error closed() {
    return Error(Code::closed, "the vault is closed: a key holder must open it")
        .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
}

Error no_label() {
    return Error(Code::usage, "this matter has no label of that name").with_hint("kustos tag list --matter ID");
}

Error no_code(const char* what) {
    return Error(Code::usage, std::string("this matter's codes have no ") + what + " of that name")
        .with_hint("kustos code list --matter ID");
}

}  // namespace

Result<ReviewDecision> ReviewDesk::read(const vault::MatterNote& note) const {
    const vault::OpenedPayload opened = TRY(archive_.open_payload(note.entry, TRY(archive_.entry(note.entry))));
    const vault::MatterText text = vault::matter_text(opened);
    const Error damaged(Code::corrupt, "entry " + std::to_string(note.entry.value) + " is not what it says");
    ReviewDecision decision;
    decision.change = change_of(note.action);
    if (decision.change == ReviewChange::tag || decision.change == ReviewChange::untag) {
        auto name = parse_label(text.label);
        if (!name.ok()) return damaged;
        decision.name = std::move(*name);
    } else {
        auto name = parse_code_name(text.label);
        if (!name.ok() || name->value.has_value() != (decision.change == ReviewChange::code)) return damaged;
        decision.name = std::move(name->group);
        decision.value = name->value.value_or("");
    }
    auto records = vault::decode_entry_set_code(text.entry_set, vault::kMaxResultSet);
    if (!records.ok() || records->count() != note.count || vault::entry_set_root(*records) != note.list_root)
        return damaged;
    decision.records = std::move(*records);
    return decision;
}

// What is half replayed when something fails is right as far as it goes: `applied` says how far.
Result<const ReviewState*> ReviewDesk::current(EntryIndex matter) {
    if (!archive_.is_open()) {
        kept_.clear();
        return closed();
    }
    const auto book = archive_.matter_book();
    const std::vector<vault::MatterNote>& notes = book->reviews(matter);
    Kept& kept = kept_[matter];
    kept.used = ++used_;
    while (kept.applied < notes.size()) {
        kept.state.apply(notes[kept.applied].entry, TRY(read(notes[kept.applied])));
        ++kept.applied;
    }
    make_room(matter);
    return &kept_.at(matter).state;
}

void ReviewDesk::make_room(EntryIndex but_for) {
    const auto all = [this] {
        std::size_t runs = 0;
        for (const auto& [matter, kept] : kept_) runs += kept.state.runs();
        return runs;
    };
    while (kept_.size() > 1 && all() > kMaxReviewRunsKept) {
        auto oldest = kept_.end();
        for (auto at = kept_.begin(); at != kept_.end(); ++at) {
            if (at->first != but_for && (oldest == kept_.end() || at->second.used < oldest->second.used)) oldest = at;
        }
        kept_.erase(oldest);
    }
}

Result<ReviewDone> ReviewDesk::decide(EntryIndex matter, const std::string& actor, const ReviewDecision& d) {
    const std::lock_guard lock(mutex_);
    const ReviewState* state = TRY(current(matter));
    if (d.records.count() > vault::kMaxResultSet)
        return Error(Code::limit, "more than 5,000,000 records can't be labelled at once")
            .with_hint("narrow the query down, for example by date:");
    const bool takes = d.change == ReviewChange::untag || d.change == ReviewChange::clear;
    if (d.change == ReviewChange::untag && state->find_label(d.name) == nullptr) return no_label();
    if (d.change == ReviewChange::clear && state->find_group(d.name) == nullptr) return no_code("group");
    TRY(state->check_room(d));
    ReviewDone done;
    done.records = d.records.count();
    done.changed = state->changed_by(d);
    if (done.records == 0 || (takes && done.changed == 0))
        return Error(Code::usage, takes ? "none of these records has it" : "no record was found")
            .with_hint("kustos search shows what a query finds");
    vault::MatterText text;
    text.actor = actor;
    text.label = d.change == ReviewChange::code ? d.name + "=" + d.value : d.name;
    text.entry_set = vault::encode_entry_set(d.records);
    const vault::Receipt receipt = TRY(archive_.record_control(
        action_of(d.change),
        [&](Body& body) {
            body.put_u64(Tag::matter, matter.value)
                .put_u64(Tag::count, done.records)
                .put_hash(Tag::list_root, vault::entry_set_root(d.records));
        },
        vault::kAccessClass, vault::compose_matter_text(text)));
    if (archive_.keys().apart()) TRY(archive_.settle());
    done.entry = receipt.index;
    return done;
}

Status ReviewDesk::look(EntryIndex matter, const std::function<void(const ReviewState&)>& take) {
    const std::lock_guard lock(mutex_);
    take(*TRY(current(matter)));
    return {};
}

Result<EntrySet> ReviewDesk::tagged(EntryIndex matter, const std::string& label) {
    const std::lock_guard lock(mutex_);
    const ReviewState* state = TRY(current(matter));
    const ReviewState::Marked* found = state->find_label(label);
    if (found == nullptr) return no_label();
    return found->records;
}

Result<EntrySet> ReviewDesk::coded(EntryIndex matter, const std::string& code) {
    const CodeName name = TRY(parse_code_name(code));
    const std::lock_guard lock(mutex_);
    const ReviewState* state = TRY(current(matter));
    const ReviewState::Group* group = state->find_group(name.group);
    if (group == nullptr) return no_code("group");
    if (!name.value) return all_of(*group);
    const auto found = group->values.find(review_key(*name.value));
    if (found == group->values.end()) return no_code("value");
    return found->second.records;
}

void ReviewDesk::forget() {
    const std::lock_guard lock(mutex_);
    kept_.clear();
}

}  // namespace kustos::app
