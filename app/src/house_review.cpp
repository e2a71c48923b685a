// Which records of a matter somebody means who labels or codes them (app/review_desk.h).
#include <algorithm>

#include "app/house.h"
#include "app/result_desk.h"
#include "app/src/house_ports.h"
#include "vault/entry_set_code.h"
#include "vault/entry_sets.h"

namespace kustos::app {

namespace {

std::vector<EntryIndex> numbers_of(const EntrySet& set) {
    std::vector<EntryIndex> out;
    out.reserve(set.count());
    for (const EntrySet::Interval& run : set.intervals())
        for (std::uint64_t n = run.first.value; n <= run.last.value; ++n) out.emplace_back(n);
    return out;
}

}  // namespace

ReviewDesk& House::reviews() {
    return *reviews_;
}

// Of records that were named: an error says which is none.
Status House::expect_records(const std::vector<EntryIndex>& ids) const {
    for (const EntryIndex id : ids) {
        const bool there = id.value < archive_->head().size.value;
        if (there && TRY(archive_->entry(id)).header.kind == audit::Kind::record) continue;
        return Error(Code::usage, "entry " + std::to_string(id.value) + " is no record")
            .with_hint("a record is named by its entry number, as search prints it");
    }
    return expect_not_erased(ids);
}

// An opener apart has the index: it is asked for all of the matter among these. That is a search, with its entry.
Status House::expect_in_scope_apart(const ReviewChoice& choice, const EntrySet& wanted) {
    if (!archive_->keys().apart() || TRY(matters_->scope(choice.matter)).empty()) return {};
    vault::SearchAsk ask;
    ask.purpose.action = audit::AccessAction::search;
    ask.purpose.matter = choice.matter;
    ask.purpose.actor = choice.actor;
    ask.purpose.query = "*";
    ask.limit = 0;
    ask.within = wanted;
    if (TRY(opener_->search(ask)).reply.total == wanted.count()) return {};
    return Error(Code::denied, "a record is outside the scope of this matter, or not in the index yet")
        .with_hint("kustos matter scope shows and changes it");
}

Result<ChosenRecords> House::choose_records(const ReviewChoice& choice) {
    const int ways = (choice.records.empty() ? 0 : 1) + (choice.result ? 1 : 0) + (choice.query.empty() ? 0 : 1);
    if (ways != 1)
        return Error(Code::usage, "which records? Name them in one way")
            .with_hint("--entry N, --records FILE, --results R15 or --query QUERY");
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::search;
    purpose.matter = choice.matter;
    purpose.actor = choice.actor;
    TRY(matters_->allow(purpose, {}));
    if (!archive_->is_open()) return vault_is_closed();
    ChosenRecords out;
    if (!choice.query.empty()) {
        SearchOrder order;
        order.actor = choice.actor;
        order.matter = access::matter_id(choice.matter);
        order.query = choice.query;
        order.limit = 0;
        order.language = choice.language;
        order.whole = true;
        out.records = TRY(search(order)).all;
    } else if (choice.result) {
        const EntrySet frozen = TRY(ResultDesk(*archive_).of_matter(*choice.result, choice.matter)).records;
        const auto erased = TRY(archive_->erased());
        out.records = vault::difference(frozen, *erased);
        out.erased = frozen.count() - out.records.count();
    } else {
        out.records = choice.records;
    }
    if (out.records.count() > vault::kMaxResultSet)  // before their numbers are listed
        return Error(Code::limit, "more than 5,000,000 records can't be labelled at once")
            .with_hint("narrow the query down, for example by date:");
    std::vector<EntryIndex> ids = numbers_of(out.records);
    if (!choice.records.empty()) TRY(expect_records(ids));
    if (choice.records.empty()) {  // what was found and may not be touched is left out; named one by one it is refused
        const auto book = archive_->retention();
        out.restricted =
            std::erase_if(ids, [&](EntryIndex id) { return book->restriction_for(id, choice.matter).has_value(); });
        if (out.restricted != 0) out.records = EntrySet(ids);
    }
    if (ids.empty()) return out;
    purpose.scope_decided = !choice.query.empty();
    TRY(matters_->allow(purpose, ids));
    if (choice.query.empty()) TRY(expect_in_scope_apart(choice, out.records));
    return out;
}

}  // namespace kustos::app
