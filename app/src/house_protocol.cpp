// The protocol of a matter (app/matter_protocol.h).
#include "app/house.h"
#include "audit/entry_names.h"

namespace kustos::app {

using audit::Kind;
using audit::Tag;

namespace {

// Whose entry it is: of this matter, or of something that is. Decisions about a result set name it, not the matter.
bool concerns(const vault::MatterBook& book, const audit::BodyReader& body, const audit::Entry& entry, EntryIndex index,
              EntryIndex matter) {
    if (index == matter || body.find_u64(Tag::matter) == matter.value) return true;
    const auto about = body.find_u64(Tag::entry);
    if (!about) return false;
    if (audit::access_action(entry) == audit::AccessAction::audit_read) return *about == matter.value;
    const auto action = audit::control_action(entry);
    if (action != audit::ControlAction::search_forgotten && action != audit::ControlAction::hashes_removed)
        return false;
    for (const auto* notes : {&book.saved(), &book.hash_lists()}) {
        const auto found = notes->find(EntryIndex(*about));
        if (found != notes->end() && found->second.matter == matter) return true;
    }
    return false;
}

void tell(ProtocolRow& row, const vault::OpenedPayload& opened, bool access) {
    const vault::MatterText text = vault::matter_text(opened);
    row.actor = text.actor;
    row.query = text.query;
    row.scope = text.scope;
    row.reason = text.ground;
    (access ? row.within : row.label) = text.label;
    row.coverage = vault::coverage_of(opened);
    row.unsearched = vault::unsearched_of(opened);
}

}  // namespace

Result<std::vector<ProtocolRow>> House::protocol(const std::string& actor, EntryIndex matter,
                                                 const std::string& ground) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::audit_read;
    purpose.matter = matter;
    purpose.actor = actor;
    const access::Matter found = TRY(matters_->find(matter));
    purpose.query = ground.empty() ? found.ground : ground;
    if (!archive_->is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    const TreeSize size = archive_->head().size;  // without this very reading
    const auto session = TRY(opener_->begin_protocol(purpose));
    const auto book = archive_->matter_book();
    std::vector<ProtocolRow> rows;
    const auto take = [&](EntryIndex index, ByteView bytes) -> Status {
        if (bytes.size() < 3) return {};
        const auto kind = static_cast<Kind>(bytes[2]);
        if (kind != Kind::access && kind != Kind::control) return {};
        const audit::Entry entry = TRY(audit::decode_entry(bytes));
        const auto body = TRY(audit::BodyReader::parse(entry.body));
        if (!concerns(*book, body, entry, index, matter)) return {};
        ProtocolRow row;
        row.entry = index;
        row.time = body.find_time(Tag::time).value_or(UtcTime{});
        row.action = audit::action_name(entry);
        row.total = body.find_u64(Tag::total);
        const auto action = audit::control_action(entry);
        const bool of_matter = action && vault::is_of_matter(*action);
        const bool reading = audit::access_action(entry) == audit::AccessAction::audit_read;
        if (kind == Kind::access && !reading) row.opened = body.find_u64(Tag::count);
        if (of_matter && index != matter && !row.total) row.total = body.find_u64(Tag::count);
        if (of_matter) {
            tell(row, TRY(archive_->open_payload(index, entry)), false);
        } else if (kind == Kind::access && (!reading || !archive_->keys().apart())) {
            tell(row, TRY(session->open_trail(index)), true);
        }
        rows.push_back(std::move(row));
        return {};
    };
    TRY(archive_->ledger().for_each(matter, EntryIndex(size.value), take));
    return rows;
}

}  // namespace kustos::app
