#include "vault/disposition.h"

#include <algorithm>

#include "base/progress.h"
#include "vault/entry_sets.h"
#include "vault/retention_words.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

constexpr std::uint64_t kLookUp = 1024;  // records between two looks at whether somebody wants it to end

EntrySet everything(TreeSize size) {
    EntrySet all;
    if (size.value != 0) all.add(EntryIndex(0), EntryIndex(size.value - 1));
    return all;
}

void add_holds(PlanInput& in, const HoldAnswer& answer) {
    for (const EntryIndex hold : answer.on(in.record)) {
        if (std::find(in.holds.begin(), in.holds.end(), hold) == in.holds.end()) in.holds.push_back(hold);
    }
    std::sort(in.holds.begin(), in.holds.end());
}

bool can_be_listed(Outcome outcome) {
    return outcome == Outcome::due || outcome == Outcome::to_offer;
}

// Leaves that are going, by tree.
struct Leaving {
    std::vector<RecordFacts::Leaf> leaves;
    std::map<KeyTreeId, std::uint64_t> count;
    void add(const RecordFacts& facts) {
        for (const RecordFacts::Leaf& leaf : facts.leaves) ++count[leaf.tree];
        leaves.insert(leaves.end(), facts.leaves.begin(), facts.leaves.end());
    }
};

// A tree goes whole if everything in it goes and nothing can come into it any more: new records go to trees of this
// year or a later one.
void fill_order(const Leaving& leaving, const TreeTable& trees, int this_year, ForgetOrder& order) {
    for (const auto& [tree, count] : leaving.count) {
        const auto facts = trees.find(tree);
        if (facts != trees.end() && facts->second.entries == count && facts->second.year < this_year)
            order.trees.push_back(tree);
    }
    for (const RecordFacts::Leaf& leaf : leaving.leaves) {
        if (!std::binary_search(order.trees.begin(), order.trees.end(), leaf.tree)) order.entries.push_back(leaf.entry);
    }
    std::sort(order.entries.begin(), order.entries.end());
}

}  // namespace

Status Dispositions::plan_each(const std::function<Status(const Planned&)>& row) const {
    const TreeSize size = archive_.head().size;
    const auto book = archive_.retention();
    const UtcTime now = archive_.clock().now();
    const HoldAnswer answer = TRY(holds_.check(everything(size)));
    const auto erased = TRY(forgetter_.erased());
    std::uint64_t seen = 0;
    Progress progress(archive_.clock(), "plan", "entries", size.value);
    TRY(survey(archive_.ledger(), size, *book, *erased, now, [&](const RecordFacts& facts) -> Status {
        if (++seen % kLookUp == 0 && interrupt_requested())
            return Error(Code::interrupted, "interrupted; nothing was changed");
        progress.advance_to(facts.record.value);
        PlanInput in = plan_input(*book, facts);
        add_holds(in, answer);
        Planned planned;
        planned.facts = facts;
        planned.decision = plan(in, book->classes(), german_date(now));
        if (in.listed) planned.listed = in.listed->list;
        return row(planned);
    }));
    return {};
}

Result<std::optional<EntryIndex>> Dispositions::make_list(const ListOrder& order,
                                                          const std::function<Status(const Planned&)>& row) {
    EntrySet listed;
    TRY(plan_each([&](const Planned& p) -> Status {
        if (!can_be_listed(p.decision.outcome) || p.listed) return {};
        if (order.retention_class && p.decision.retention_class != *order.retention_class) return {};
        if (order.year && p.decision.end->year != *order.year) return {};
        listed.add(p.facts.record);
        return row ? row(p) : Status();
    }));
    if (listed.empty()) return std::optional<EntryIndex>();
    DecisionText text;
    text.actor = actor_;
    auto drafts = list_drafts(
        ControlAction::disposition_listed, listed,
        [&](Body& body) {
            if (order.retention_class) body.put_u16(Tag::retention_class, order.retention_class->value);
            if (order.year) body.put_u16(Tag::year, *order.year);
        },
        text);
    return std::optional<EntryIndex>(TRY(archive_.seal(std::move(drafts))).front().index);
}

Result<DispositionInfo> Dispositions::find(EntryIndex list) const {
    const auto book = archive_.retention();
    const auto found = book->lists().find(list);
    if (found == book->lists().end())
        return Error(Code::usage, "there is no disposition list " + std::to_string(list.value))
            .with_hint("kustos disposition show shows all");
    return found->second;
}

// What was released before a crash and is not erased yet is open still.
Result<EntrySet> Dispositions::open_part(const DispositionInfo& list) const {
    return difference(difference(list.listed, list.taken_out), *TRY(forgetter_.erased()));
}

Status Dispositions::take_out(EntryIndex id, const EntrySet& records, const std::string& ground) {
    const DispositionInfo list = TRY(find(id));
    if (records.empty() || !difference(records, TRY(open_part(list))).empty())
        return Error(Code::usage, "these records are not, or no longer, on list " + std::to_string(id.value));
    if (ground.empty() || ground.size() > kMaxGround) return Error(Code::usage, "what is taken out needs a reason");
    DecisionText text;
    text.actor = actor_;
    text.ground = ground;
    TRY(archive_.seal(list_drafts(
        ControlAction::disposition_reviewed, records,
        [&](Body& body) { body.put_u64(Tag::entry, id.value).put_text(Tag::code, "taken_out"); }, text)));
    return {};
}

Status Dispositions::answer(EntryIndex id, Listed::Answer given, CivilDate day, const std::string& ground) {
    const DispositionInfo list = TRY(find(id));
    using Answer = Listed::Answer;
    if (given == Answer::none) return Error(Code::usage, "which answer?").with_hint("taken, declined or unanswered");
    if (given != Answer::offered && list.answer == Answer::none)
        return Error(Code::usage, "list " + std::to_string(id.value) + " was not offered yet")
            .with_hint("kustos disposition offer --list N");
    if (given == Answer::offered && list.answer != Answer::none)
        return Error(Code::usage, "list " + std::to_string(id.value) + " was offered already");
    if (given == Answer::unanswered && ground.empty())
        return Error(Code::usage, "which law says that silence is enough?").with_hint("--reason TEXT");
    if (ground.size() > kMaxGround) return Error(Code::usage, "this reason is too long");
    if (day > german_date(archive_.clock().now()) || (given != Answer::offered && day < list.day))
        return Error(Code::usage, "the day lies after today, or before the offer");
    DecisionText text;
    text.actor = actor_;
    text.ground = ground;
    TRY(archive_.seal(decision_draft(
        ControlAction::disposition_reviewed,
        [&](Body& body) {
            body.put_u64(Tag::entry, id.value)
                .put_text(Tag::code, answer_name(given))
                .put_u32(Tag::day, date_number(day));
        },
        text)));
    return {};
}

Result<Released> Dispositions::replan(const DispositionInfo& list, ForgetOrder& order) const {
    const TreeSize size = archive_.head().size;
    const auto book = archive_.retention();
    const UtcTime now = archive_.clock().now();
    const CivilDate today = german_date(now);
    const EntrySet open = TRY(open_part(list));
    const HoldAnswer answer = TRY(holds_.check(open));
    const auto erased = TRY(forgetter_.erased());
    Released released;
    Leaving leaving;
    const TreeTable trees =
        TRY(survey(archive_.ledger(), size, *book, *erased, now, [&](const RecordFacts& facts) -> Status {
            if (!open.contains(facts.record)) return {};
            PlanInput in = plan_input(*book, facts);
            in.listed = Listed{list.id, list.answer, list.day};
            add_holds(in, answer);
            Decision decision = plan(in, book->classes(), today);
            if (decision.outcome == Outcome::due) {
                released.records.add(facts.record);
                leaving.add(facts);
            } else if (++released.stopped_count <= kMostStopped) {
                released.stopped.push_back({facts, std::move(decision), list.id});
            }
            return {};
        }));
    fill_order(leaving, trees, today.year, order);
    released.trees = order.trees.size();
    return released;
}

Result<Released> Dispositions::release(EntryIndex id, const std::vector<std::string>& approvers) {
    TRY(need_two(approvers));
    const DispositionInfo list = TRY(find(id));
    TRY(forgetter_.ready());
    ForgetOrder order;
    order.method = ForgetMethod::disposition;
    Released released = TRY(replan(list, order));
    if (released.records.empty()) return released;
    DecisionText text;
    text.actor = actor_;
    text.approvers = approvers;
    text.ground = "disposition list " + std::to_string(id.value);
    released.entry = TRY(archive_.seal(list_drafts(
                             ControlAction::disposition_released, released.records,
                             [&](Body& body) { body.put_u64(Tag::entry, id.value); }, text)))
                         .front()
                         .index;
    order.reason = compose_decision(text);
    released.forgotten.push_back(TRY(forgetter_.forget(std::move(order))));
    return released;
}

}  // namespace kustos::vault
