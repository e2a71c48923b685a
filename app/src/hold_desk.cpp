#include "app/hold_desk.h"

#include <algorithm>

#include "vault/entry_sets.h"
#include "vault/retention_desk.h"
#include "vault/retention_entries.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;
using vault::difference;
using vault::HoldAnswer;
using vault::HoldInfo;
using vault::intersection;

namespace {

Status check_ground(const std::string& ground) {
    if (ground.empty() || ground.size() > vault::kMaxGround)
        return Error(Code::usage, "why? A reason of 1 to 2000 bytes").with_hint("--reason TEXT");
    return {};
}

}  // namespace

Result<HoldInfo> HoldDesk::open_hold(EntryIndex hold) const {
    const auto book = archive_.retention();
    const HoldInfo* found = book->holds().find(hold);
    if (found == nullptr)
        return Error(Code::usage, "there is no hold " + std::to_string(hold.value))
            .with_hint("kustos hold list shows all");
    if (found->released) return Error(Code::usage, "hold " + std::to_string(hold.value) + " is released already");
    return *found;
}

Result<HoldReport> HoldDesk::add(const HoldOrder& order) {
    return seal(std::nullopt, order);
}

Result<HoldReport> HoldDesk::change(EntryIndex hold, const HoldOrder& order) {
    TRY(open_hold(hold));
    return seal(hold, order);
}

Result<HoldReport> HoldDesk::seal(std::optional<EntryIndex> changed, const HoldOrder& order) {
    TRY(check_ground(order.ground));
    const Scope scope = TRY(resolve(archive_, search_, order.scope));
    const bool standing = !order.frozen && scope.method != "records";
    if (!standing && scope.records.empty())
        return Error(Code::usage, "this finds no record: there is nothing to hold")
            .with_hint("without --frozen the hold also covers what comes later");
    vault::DecisionText text;
    text.actor = actor_;
    text.ground = order.ground;
    text.query = scope.query;
    text.scope = scope.asked;
    auto drafts = vault::list_drafts(
        changed ? ControlAction::hold_changed : ControlAction::hold_set, scope.records,
        [&](Body& body) {
            if (changed) body.put_u64(Tag::entry, changed->value);
            if (order.scope.matter) body.put_u64(Tag::matter, order.scope.matter->value);
            body.put_text(Tag::method, scope.method).put_text(Tag::code, standing ? "standing" : "frozen");
        },
        text);
    const EntryIndex entry = TRY(archive_.seal(std::move(drafts))).front().index;
    HoldReport report;
    report.hold = changed.value_or(entry);
    report.standing = standing;
    report.records = scope.records.count();
    // What could not be searched may belong to it, too: frozen holds miss it, and should say so.
    if (!scope.query.empty()) report.undecided = difference(TRY(not_searched(scope.query)), scope.records).count();
    return report;
}

Status HoldDesk::release(EntryIndex hold, const std::string& ground) {
    TRY(open_hold(hold));
    TRY(check_ground(ground));
    vault::DecisionText text;
    text.actor = actor_;
    text.ground = ground;
    TRY(archive_.seal(vault::decision_draft(
        ControlAction::hold_released, [&](Body& body) { body.put_u64(Tag::entry, hold.value); }, text)));
    return {};
}

Status HoldDesk::decide(EntryIndex hold, const EntrySet& records, bool held, const std::string& ground) {
    const HoldInfo info = TRY(open_hold(hold));
    TRY(check_ground(ground));
    if (!info.standing) return Error(Code::usage, "a frozen hold is its list: there is nothing to decide");
    if (records.empty() || !difference(records, TRY(undecided(hold))).empty())
        return Error(Code::usage, "only what could not be searched needs a decision")
            .with_hint("kustos hold check --hold N shows it");
    vault::DecisionText text;
    text.actor = actor_;
    text.ground = ground;
    TRY(archive_.seal(vault::list_drafts(
        ControlAction::hold_decided, records,
        [&](Body& body) { body.put_u64(Tag::entry, hold.value).put_text(Tag::code, held ? "held" : "not_held"); },
        text)));
    return {};
}

Result<std::string> HoldDesk::query_of(const HoldInfo& hold) const {
    const audit::Entry entry = TRY(archive_.entry(hold.scope));
    auto opened = archive_.open_payload(hold.scope, entry);
    if (!opened.ok() && opened.error().code() == Code::closed)
        return Error(Code::closed, "hold " + std::to_string(hold.id.value) +
                                       " is a standing one: to evaluate it, a key holder must open the vault")
            .with_hint("give --passphrase-file FILE, or - for standard input");
    return vault::field_text(TRY(std::move(opened)), vault::PathCode::query);
}

Result<EntrySet> HoldDesk::not_searched(const std::string& query) {
    const search::Query parsed = TRY(search::parse_query(query));
    const search::Uncertain uncertain = TRY(search_.uncertain());
    EntrySet out = difference(TRY(search_.records()), uncertain.accounted);  // deferred
    out.add(uncertain.unread);
    if (!search::certain_for_partial(parsed.root)) out.add(uncertain.partial);
    return out;
}

Result<HoldAnswer::By> HoldDesk::ask(const HoldInfo& hold, const EntrySet& records, const vault::RetentionBook& book) {
    HoldAnswer::By by;
    by.hold = hold.id;
    EntrySet covered = hold.records;
    EntrySet open;
    if (hold.standing && hold.method == "matter") {
        if (hold.matter) covered.add(TRY(records_of_matter(archive_, *hold.matter)));
    } else if (hold.standing) {
        const std::string query = TRY(query_of(hold));
        covered.add(TRY(search_.hits(query)));
        open = difference(TRY(not_searched(query)), hold.freed);
    }
    by.records = intersection(book.with_successors(std::move(covered)), records);
    by.undecided = difference(intersection(open, records), by.records);
    by.records.add(by.undecided);
    return by;
}

Result<HoldAnswer> HoldDesk::check(const EntrySet& records) {
    const auto book = archive_.retention();
    HoldAnswer answer;
    for (const auto& [id, hold] : book->holds().all()) {
        if (hold.released) continue;
        HoldAnswer::By by = TRY(ask(hold, records, *book));
        if (!by.records.empty()) answer.by.push_back(std::move(by));
    }
    return answer;
}

Result<EntrySet> HoldDesk::undecided(EntryIndex hold) {
    const HoldInfo info = TRY(open_hold(hold));
    const auto book = archive_.retention();
    return TRY(ask(info, TRY(search_.records()), *book)).undecided;
}

}  // namespace kustos::app
