// Cards of address books: how they come out of the vault, and what the ledger says of an import.
#include <algorithm>

#include "app/house.h"
#include "app/src/house_ports.h"

namespace kustos::app {

namespace {

constexpr const char* kDirectory = "directory";

Error too_many(std::size_t most) {
    return Error(Code::limit, "more than " + std::to_string(most) + " cards of address books would have to be opened")
        .with_hint("name the person more exactly: an address, or P and a number (kustos person find)");
}

// What is no card any more can't be read as one, and is nobody.
Result<std::vector<access::DatedCard>> open_all(vault::OpenSession& session, const std::vector<EntryIndex>& ids) {
    std::vector<access::DatedCard> out;
    for (const EntryIndex id : ids) {
        const vault::OpenedRecord opened = TRY(session.open(id));
        if (opened.message.kind != vault::MessageKind::person) continue;
        auto card = access::parse_card(opened.message.body);
        if (card.ok()) out.push_back({id, opened.entry.header.source, opened.message.received_at, std::move(*card)});
    }
    return out;
}

}  // namespace

bool House::has_persons() const {
    const auto sources = archive_->sources();
    return std::any_of(sources.begin(), sources.end(),
                       [](const vault::SourceInfo& s) { return s.kind == kDirectory && s.records != 0; });
}

Result<std::vector<access::DatedCard>> House::cards_found(const std::string& actor, EntryIndex matter,
                                                          const std::string& query, std::size_t most, bool cut) {
    const search::Query parsed = TRY(search::parse_query(query));
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::search;
    purpose.matter = matter;
    purpose.actor = actor;
    purpose.query = query;
    purpose.cards = true;
    TRY(matters_->allow(purpose, {}));
    if (archive_->keys().apart()) {
        vault::SearchAsk ask;
        ask.purpose = purpose;
        ask.limit = most;
        const vault::Opener::Searched found = TRY(opener_->search(ask));
        if (found.reply.total > most && !cut) return too_many(most);
        return open_all(*found.session, found.reply.listed);
    }
    if (!archive_->is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    const search::Answer answer =
        TRY(searcher_->run(search::both(TRY(search::parse_query("kind:person")), parsed), {}, *census_));
    if (answer.total > most && !cut) return too_many(most);
    const auto book = archive_->retention();
    std::vector<EntryIndex> ids;
    for (const EntryIndex id : answer.entries)
        if (ids.size() < most && !book->restriction_for(id, matter)) ids.push_back(id);
    purpose.total = answer.total;
    purpose.result_set = answer.result_set;
    purpose.scope_decided = true;  // cards alone
    const auto session = TRY(opener_->begin(purpose, ids));
    return open_all(*session, ids);
}

Result<std::vector<access::DatedCard>> House::cards_named(const std::string& actor, EntryIndex matter,
                                                          const std::vector<EntryIndex>& records) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::open;
    purpose.matter = matter;
    purpose.actor = actor;
    std::vector<EntryIndex> ids;
    for (const EntryIndex id : records) {
        if (id.value >= archive_->head().size.value) continue;
        const audit::Entry entry = TRY(archive_->entry(id));
        const auto source = archive_->find_source(entry.header.source);
        // Nothing but cards is opened by their number here.
        if (entry.header.kind == audit::Kind::record && source && source->kind == kDirectory &&
            !archive_->is_erased(entry.header))
            ids.push_back(id);
    }
    purpose.total = ids.size();
    purpose.cards = purpose.scope_decided = true;
    TRY(matters_->allow(purpose, ids));
    if (ids.empty()) return std::vector<access::DatedCard>();
    const auto session = TRY(opener_->begin(purpose, ids));
    return open_all(*session, ids);
}

Status House::note_book_read(SourceId id, std::uint64_t sealed, std::uint64_t total, bool whole) {
    TRY(archive_->record_control(audit::ControlAction::persons_imported, [&](audit::Body& body) {
        body.put_u64(audit::Tag::entry, id.value).put_u64(audit::Tag::count, sealed);
        body.put_u64(audit::Tag::total, total).put_text(audit::Tag::method, whole ? "full" : "part");
    }));
    const auto source = archive_->find_source(id);
    return source ? count_source(*source) : ok_status();
}

}  // namespace kustos::app
