#include "app/result_desk.h"

#include "access/matters.h"
#include "base/text.h"
#include "vault/entry_sets.h"
#include "vault/retention.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

Status check_label(const std::string& name, bool required) {
    const bool ok = name.size() <= kMaxLabel && is_valid_utf8(name) && (!required || !name.empty()) &&
                    std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
    if (ok) return {};
    return Error(Code::usage, "a name has 1 to 200 bytes of UTF-8").with_hint("--name NAME");
}

Status ResultDesk::expect_not_too_many(std::uint64_t records) {
    if (records <= vault::kMaxResultSet) return {};
    return Error(Code::limit, "more than 5,000,000 records can't be frozen as one result set")
        .with_hint("narrow the query down, for example by date:");
}

Result<EntryIndex> ResultDesk::freeze(const FreezeOrder& order) {
    TRY(check_label(order.name, false));
    TRY(expect_not_too_many(order.records.count()));
    vault::MatterText text;
    text.actor = order.actor;
    text.label = order.name;
    text.query = order.query;
    text.scope = order.scope;
    text.entry_set = vault::encode_entry_set(order.records);
    for (const std::uint64_t n : order.coverage) put_u64(text.coverage, n);
    put_u64(text.coverage, order.index_end.value);
    text.unsearched = audit::encode(order.unsearched);
    const vault::Receipt receipt = TRY(archive_.record_control(
        ControlAction::results_frozen,
        [&](Body& body) {
            body.put_u64(Tag::matter, order.matter.value)
                .put_u64(Tag::count, order.records.count())
                .put_hash(Tag::list_root, vault::entry_set_root(order.records))
                .put_u64(Tag::checkpoint_size, order.size.value);
        },
        vault::kAccessClass, vault::compose_matter_text(text)));
    if (archive_.keys().apart()) TRY(archive_.settle());
    return receipt.index;
}

Result<FrozenSet> ResultDesk::read(const vault::MatterNote& note) const {
    FrozenSet set;
    set.note = note;
    auto payload = archive_.open_payload(note.entry, TRY(archive_.entry(note.entry)));
    if (!payload.ok() && payload.error().code() == Code::closed) return set;
    const vault::OpenedPayload opened = TRY(std::move(payload));
    const vault::MatterText text = vault::matter_text(opened);
    const Error damaged(Code::corrupt, access::result_id(note.entry) + " is not what its entry says");
    auto records = vault::decode_entry_set_code(text.entry_set, vault::kMaxResultSet);
    if (!records.ok() || records->count() != note.count || vault::entry_set_root(*records) != note.list_root)
        return damaged;
    const auto coverage = vault::coverage_of(opened);
    if (!coverage || text.coverage.size() != 64) return damaged;
    set.open = true;
    set.name = text.label;
    set.actor = text.actor;
    set.query = text.query;
    set.scope = text.scope;
    set.records = std::move(*records);
    set.coverage = *coverage;
    set.unsearched = vault::unsearched_of(opened);
    set.index_end = EntryIndex(load_u64(text.coverage.data() + 56));
    return set;
}

Result<std::vector<FrozenSet>> ResultDesk::list(EntryIndex matter) const {
    const auto book = archive_.matter_book();
    std::vector<FrozenSet> out;
    for (const auto& [entry, note] : book->results())
        if (note.matter == matter) out.push_back(TRY(read(note)));
    return out;
}

Result<FrozenSet> ResultDesk::open(EntryIndex result) const {
    const auto book = archive_.matter_book();
    const auto found = book->results().find(result);
    if (found == book->results().end())
        return Error(Code::usage, "there is no result set " + access::result_id(result))
            .with_hint("kustos result list --matter ID shows those of a matter");
    FrozenSet set = TRY(read(found->second));
    if (!set.open)
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    return set;
}

Result<EntryIndex> ResultDesk::matter_of(EntryIndex result) const {
    const auto book = archive_.matter_book();
    const auto found = book->results().find(result);
    if (found != book->results().end()) return found->second.matter;
    return Error(Code::usage, "there is no result set " + access::result_id(result))
        .with_hint("kustos result list --matter ID shows those of a matter");
}

Result<FrozenSet> ResultDesk::of_matter(EntryIndex result, EntryIndex matter) const {
    if (TRY(matter_of(result)) != matter)
        return Error(Code::denied, access::result_id(result) + " belongs to another matter");
    return open(result);
}

ResultComparison compare(const EntrySet& first, const EntrySet& second, const EntrySet& erased) {
    ResultComparison out;
    EntrySet either = first;
    either.add(second);
    out.erased = vault::intersection(either, erased);
    const EntrySet a = vault::difference(first, out.erased), b = vault::difference(second, out.erased);
    out.added = vault::difference(b, a);
    out.removed = vault::difference(a, b);
    out.both = vault::intersection(a, b);
    return out;
}

}  // namespace kustos::app
