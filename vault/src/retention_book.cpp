#include "vault/retention_book.h"

#include <algorithm>

#include "vault/retention.h"
#include "vault/retention_words.h"
#include "vault/src/book_rows.h"

namespace kustos::vault {

using audit::BodyReader;
using audit::ControlAction;
using audit::Tag;

namespace {

Error unknown(EntryIndex index) {
    return Error(Code::corrupt, "entry " + std::to_string(index.value) + " names what no entry has made");
}

template <class T>
Result<T> readable(std::optional<T> value, EntryIndex index) {
    if (value) return *value;
    return Error(Code::corrupt, "entry " + std::to_string(index.value) + " has a word of no meaning");
}

Result<CivilDate> day_of(EntryIndex index, const BodyReader& body) {
    return readable(date_of_number(TRY(needed(body.find_u32(Tag::day), index))), index);
}

}  // namespace

bool RetentionBook::concerns(ControlAction action) {
    return action == ControlAction::class_defined || action == ControlAction::record_succeeded ||
           (action >= ControlAction::rules_set && action <= ControlAction::disposition_released);
}

Status RetentionBook::apply(EntryIndex index, const audit::Entry& entry) {
    const auto action = audit::control_action(entry);
    if (!action || !concerns(*action)) return {};
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    const UtcTime time = TRY(needed(body.find_time(Tag::time), index));
    switch (*action) {
        case ControlAction::class_defined:
            return define(index, body);
        case ControlAction::rules_set:
            return set_rules(index, body);
        case ControlAction::record_reclassified:
            return reclassify(index, body);
        case ControlAction::start_event:
            return enter_event(index, body);
        case ControlAction::restriction_set:
        case ControlAction::restriction_lifted:
            return restrict(index, *action, time, body);
        case ControlAction::disposition_listed:
            return make_list(index, time, body);
        case ControlAction::disposition_reviewed:
            return review(index, body);
        case ControlAction::disposition_released:
            return release(index, body);
        case ControlAction::record_succeeded:
            return succeed(index, body);
        default:
            return holds_.apply(index, *action, time, body);
    }
}

Status RetentionBook::define(EntryIndex index, const BodyReader& body) {
    ClassDefinition d;
    d.code = ClassCode(TRY(needed(body.find_u16(Tag::retention_class), index)));
    d.version = TRY(needed(body.find_u32(Tag::version), index));
    d.defined = index;
    d.name = TRY(needed(body.find_text(Tag::name), index));
    d.months = TRY(needed(body.find_u16(Tag::period_months), index));
    d.start = TRY(readable(parse_start(TRY(needed(body.find_text(Tag::start), index))), index));
    d.counted = TRY(readable(parse_counted(TRY(needed(body.find_text(Tag::counted), index))), index));
    d.at_end = TRY(readable(parse_at_end(TRY(needed(body.find_text(Tag::at_end), index))), index));
    d.legal_basis = TRY(needed(body.find_text(Tag::legal_basis), index));
    d.office = TRY(needed(body.find_text(Tag::office), index));
    const ClassDefinition* before = classes_.newest(d.code);
    if (d.version != (before == nullptr ? 1 : before->version + 1) || d.months > kMaxPeriodMonths)
        return Error(Code::corrupt, "entry " + std::to_string(index.value) + " is not the next version of its class");
    classes_.add(std::move(d));
    return {};
}

Status RetentionBook::set_rules(EntryIndex index, const BodyReader& body) {
    std::vector<AssignmentRule> rules;
    for (const ByteView row : body.all(Tag::rule)) {
        AssignmentRule rule = TRY(decode_rule(row));
        rule.added = index;
        for (const AssignmentRule& old : rules_) {
            AssignmentRule same = rule;
            same.added = old.added;
            if (same == old) rule.added = old.added;
        }
        rules.push_back(rule);
    }
    rules_ = std::move(rules);
    return {};
}

Status RetentionBook::reclassify(EntryIndex index, const BodyReader& body) {
    const EntrySet records = TRY(needed(body.entry_set(), index));
    if (!goes_on(body))
        going_class_ = Class{index, ClassCode(TRY(needed(body.find_u16(Tag::retention_class), index))),
                             body.find_text(Tag::method) == "record_relevant"};
    if (!going_class_) return lacking(index);
    for (const EntrySet::Interval& i : records.intervals()) classified_.set(i.first, i.last, *going_class_);
    return {};
}

Status RetentionBook::enter_event(EntryIndex index, const BodyReader& body) {
    const EntrySet records = TRY(needed(body.entry_set(), index));
    if (!goes_on(body))
        going_event_ = StartEvent{TRY(readable(parse_start(TRY(needed(body.find_text(Tag::start), index))), index)),
                                  TRY(day_of(index, body)), index};
    if (!going_event_) return lacking(index);
    const StartEvent& event = *going_event_;
    for (const EntrySet::Interval& i : records.intervals()) {
        events_[static_cast<std::size_t>(event.start)].update(i.first, i.last, [&](const StartEvent* before) {
            return before != nullptr && before->day > event.day ? *before : event;
        });
    }
    return {};
}

Status RetentionBook::restrict(EntryIndex index, ControlAction action, UtcTime time, const BodyReader& body) {
    if (action == ControlAction::restriction_lifted) {
        const auto found = restrictions_.find(EntryIndex(TRY(needed(body.find_u64(Tag::entry), index))));
        if (found == restrictions_.end()) return unknown(index);
        found->second.lifted = time;
        return {};
    }
    const EntrySet records = TRY(needed(body.entry_set(), index));
    if (!goes_on(body)) {
        RestrictionInfo info;
        info.id = index;
        info.set = time;
        if (const auto matter = body.find_u64(Tag::matter)) info.matter = EntryIndex(*matter);
        restrictions_[index] = std::move(info);
        going_restriction_ = index;
    }
    if (!going_restriction_) return lacking(index);
    restrictions_.at(*going_restriction_).records.add(records);
    return {};
}

Status RetentionBook::make_list(EntryIndex index, UtcTime time, const BodyReader& body) {
    const EntrySet records = TRY(needed(body.entry_set(), index));
    if (!goes_on(body)) {
        DispositionInfo info;
        info.id = index;
        info.made = time;
        if (const auto code = body.find_u16(Tag::retention_class)) info.retention_class = ClassCode(*code);
        info.year = body.find_u16(Tag::year);
        lists_[index] = std::move(info);
        going_list_ = index;
    }
    if (!going_list_) return lacking(index);
    lists_.at(*going_list_).listed.add(records);
    for (const EntrySet::Interval& i : records.intervals()) listed_.set(i.first, i.last, *going_list_);
    return {};
}

Result<DispositionInfo*> RetentionBook::list_named(EntryIndex index, const BodyReader& body) {
    if (goes_on(body)) {
        if (!going_list_) return lacking(index);
        return &lists_.at(*going_list_);
    }
    const auto found = lists_.find(EntryIndex(TRY(needed(body.find_u64(Tag::entry), index))));
    if (found == lists_.end()) return unknown(index);
    going_list_ = found->first;
    return &found->second;
}

Status RetentionBook::review(EntryIndex index, const BodyReader& body) {
    DispositionInfo& list = *TRY(list_named(index, body));
    if (TRY(has_code(index, body, "taken_out"))) {
        list.taken_out.add(TRY(needed(body.entry_set(), index)));
        return {};
    }
    list.answer = TRY(readable(parse_answer(body.find_text(Tag::code).value_or("")), index));
    list.day = TRY(day_of(index, body));
    return {};
}

Status RetentionBook::release(EntryIndex index, const BodyReader& body) {
    DispositionInfo& list = *TRY(list_named(index, body));
    list.released.add(TRY(needed(body.entry_set(), index)));
    return {};
}

Status RetentionBook::succeed(EntryIndex index, const BodyReader& body) {
    const EntryIndex before(TRY(needed(body.find_u64(Tag::entry), index))),
        after(TRY(needed(body.find_u64(Tag::successor), index)));
    if (before >= after)
        return Error(Code::corrupt, "entry " + std::to_string(index.value) +
                                        " names a successor that "
                                        "was sealed before");
    successor_[before] = after;
    predecessor_[after] = before;
    return {};
}

std::vector<EntryIndex> RetentionBook::line_of(EntryIndex record) const {
    std::vector<EntryIndex> line{record};
    for (auto at = predecessor_.find(record); at != predecessor_.end(); at = predecessor_.find(at->second))
        line.push_back(at->second);
    return line;
}

EntryIndex RetentionBook::last_successor(EntryIndex record) const {
    for (auto at = successor_.find(record); at != successor_.end(); at = successor_.find(record)) record = at->second;
    return record;
}

EntrySet RetentionBook::with_successors(EntrySet records) const {
    for (const auto& [before, after] : successor_) {  // ascending, and a successor is larger
        if (records.contains(before)) records.add(after);
    }
    return records;
}

std::optional<EntryIndex> RetentionBook::restriction_for(EntryIndex record, std::optional<EntryIndex> matter) const {
    if (restrictions_.empty()) return std::nullopt;
    const std::vector<EntryIndex> line = line_of(record);
    for (const auto& [id, r] : restrictions_) {
        if (r.lifted || (matter && r.matter == matter)) continue;
        if (std::any_of(line.begin(), line.end(), [&set = r.records](EntryIndex e) { return set.contains(e); }))
            return id;
    }
    return std::nullopt;
}

PlanInput RetentionBook::input_of(EntryIndex record, ClassCode sealed_class) const {
    PlanInput in;
    in.record = record;
    in.sealed_class = sealed_class;
    const std::vector<EntryIndex> line = line_of(record);
    if (line.size() > 1) in.dates_of = line.back();
    for (const EntryIndex entry : line) {
        const Class* c = classified_.find(entry);
        if (c != nullptr && (!in.reclassified || in.reclassified->entry < c->entry))
            in.reclassified = PlanInput::Reclassified{c->to, c->entry, c->record_relevant};
        for (const RangeMap<StartEvent>& events : events_) {
            if (const StartEvent* e = events.find(entry)) in.events.push_back(*e);
        }
    }
    in.holds = holds_.listing(line);
    in.restriction = restriction_for(record, std::nullopt);
    if (const EntryIndex* id = listed_.find(record)) {
        const DispositionInfo& list = lists_.at(*id);
        if (!list.taken_out.contains(record)) in.listed = Listed{list.id, list.answer, list.day};
    }
    return in;
}

}  // namespace kustos::vault
