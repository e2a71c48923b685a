#include "app/saved_searches.h"

#include "app/result_desk.h"
#include "vault/retention.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

Result<EntryIndex> SavedSearches::save(EntryIndex matter, const std::string& name, const std::string& query,
                                       const std::string& actor) {
    TRY(check_label(name, true));
    vault::MatterText text;
    text.actor = actor;
    text.label = name;
    text.query = query;
    const vault::Receipt receipt = TRY(archive_.record_control(
        ControlAction::search_saved, [&](Body& body) { body.put_u64(Tag::matter, matter.value); }, vault::kAccessClass,
        vault::compose_matter_text(text)));
    if (archive_.keys().apart()) TRY(archive_.settle());
    return receipt.index;
}

// The newest of each name, where names are known.
Result<std::vector<SavedSearch>> SavedSearches::list(EntryIndex matter) const {
    std::vector<SavedSearch> out;
    for (SavedSearch& one : TRY(all(matter))) {
        if (!one.name.empty()) std::erase_if(out, [&](const SavedSearch& old) { return old.name == one.name; });
        out.push_back(std::move(one));
    }
    return out;
}

Result<std::vector<SavedSearch>> SavedSearches::all(EntryIndex matter) const {
    const auto book = archive_.matter_book();
    std::vector<SavedSearch> out;
    for (const auto& [entry, note] : book->saved()) {
        if (note.matter != matter || note.gone) continue;
        SavedSearch saved{note, "", "", ""};
        auto payload = archive_.open_payload(entry, TRY(archive_.entry(entry)));
        if (payload.ok()) {
            const vault::MatterText text = vault::matter_text(*payload);
            saved = {note, text.label, text.query, text.actor};
        } else if (payload.error().code() != Code::closed) {
            return std::move(payload).error();
        }
        out.push_back(std::move(saved));
    }
    return out;
}

Result<SavedSearch> SavedSearches::find(EntryIndex matter, const std::string& name) const {
    if (!archive_.is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    for (SavedSearch& saved : TRY(list(matter)))
        if (!name.empty() && saved.name == name) return std::move(saved);
    return Error(Code::usage, "this matter has no saved search of that name")
        .with_hint("kustos search saved --matter ID shows all");
}

Status SavedSearches::forget(EntryIndex matter, const std::string& name) {
    const SavedSearch found = TRY(find(matter, name));
    // Older ones of this name must not come back.
    for (const SavedSearch& one : TRY(all(matter))) {
        if (one.name != found.name) continue;
        TRY(archive_.record_control(ControlAction::search_forgotten,
                                    [&](Body& body) { body.put_u64(Tag::entry, one.note.entry.value); }));
    }
    return {};
}

}  // namespace kustos::app
