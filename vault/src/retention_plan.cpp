#include "vault/retention_plan.h"

#include <algorithm>

#include "vault/retention.h"

namespace kustos::vault {

namespace {

using What = PlanStep::What;

ClassDefinition built_in(ClassCode code, const char* name, std::uint32_t years, const char* basis) {
    ClassDefinition d;
    d.code = code;
    d.name = name;
    d.months = years * 12;
    d.legal_basis = basis;
    return d;
}

}  // namespace

ClassBook::ClassBook() {
    add(built_in(kControlClass, "control", 10, "the archive's own entries"));
    add(built_in(kAccessClass, "access", 10, "the archive's own entries: who opened what"));
    add(built_in(kConfigurationClass, "configuration", 10, "the archive's own entries"));
    add(built_in(kErasureClass, "decisions", 10, "the archive's own entries: erasures, holds, dispositions"));
    // The longest common period for business mail (vouchers 8, letters 6, books 10 years).
    add(built_in(kDefaultClass, "default", 10, "AO § 147, HGB § 257"));
}

void ClassBook::add(ClassDefinition definition) {
    classes_[definition.code].push_back(std::move(definition));
}

const ClassDefinition* ClassBook::newest(ClassCode code) const {
    const auto found = classes_.find(code);
    return found == classes_.end() ? nullptr : &found->second.back();
}

const ClassDefinition* ClassBook::in_force(ClassCode code, EntryIndex at) const {
    const auto found = classes_.find(code);
    if (found == classes_.end()) return nullptr;
    const ClassDefinition* best = nullptr;
    for (const ClassDefinition& d : found->second) {
        if (d.version == 0 || d.defined < at) best = &d;
    }
    return best;
}

const ClassDefinition* ClassBook::find(std::string_view name) const {
    for (const auto& [code, versions] : classes_) {
        if (versions.back().name == name) return &versions.back();
    }
    return nullptr;
}

namespace {

struct Span {
    std::optional<StartEvent> event;  // absent with a day: sealing
    std::optional<CivilDate> start, end;
};

Span span_of(const ClassDefinition& d, const PlanInput& in) {
    Span span;
    for (const StartEvent& e : in.events) {
        if (e.start == d.start && (!span.event || span.event->day < e.day)) span.event = e;
    }
    if (span.event) {
        span.start = span.event->day;
    } else if (d.start == Start::created) {
        span.start = in.sealed_until;
    }
    if (span.start) span.end = period_end(*span.start, d.months, d.counted);
    return span;
}

// No end at all is later than any day.
bool later(const std::optional<CivilDate>& a, const std::optional<CivilDate>& b) {
    return b && (!a || *a > *b);
}

class Planner {
public:
    Planner(const PlanInput& input, const ClassBook& classes, CivilDate today)
        : in_(input), classes_(classes), today_(today) {}

    Decision run() {
        const EntryIndex since = assign();
        const ClassDefinition* newest = classes_.newest(out_.retention_class);
        if (newest != nullptr) measure(*newest, since);
        decide(newest);
        stops();
        return std::move(out_);
    }

private:
    PlanStep& say(What what) {
        out_.chain.push_back({.what = what, .code = out_.retention_class});
        return out_.chain.back();
    }

    EntryIndex assign() {
        out_.retention_class = in_.sealed_class;
        say(What::class_at_sealing);
        if (!in_.reclassified) return in_.record;
        out_.retention_class = in_.reclassified->to;
        say(in_.reclassified->record_relevant ? What::record_relevant : What::reclassified).entry =
            in_.reclassified->entry;
        return in_.reclassified->entry;
    }

    // The end by the version of then and by the newest one; the later of the two.
    void measure(const ClassDefinition& newest, EntryIndex since) {
        const ClassDefinition* then = classes_.in_force(newest.code, since);
        const Span by_newest = span_of(newest, in_);
        const ClassDefinition* used = &newest;
        Span span = by_newest;
        if (then != nullptr && then->version != newest.version) {
            const Span by_then = span_of(*then, in_);
            if (later(by_then.end, by_newest.end)) used = then, span = by_then;
        }
        define(*used);
        if (then != nullptr && then->version != newest.version)
            say(used == &newest ? What::newer_version : What::older_version).version = used->version;
        out_.end = span.end;
        start(*used, span);
        if (span.end) {
            PlanStep& r = say(What::ends);
            r.months = used->months, r.counted = used->counted, r.day = *span.end;
        }
    }

    void define(const ClassDefinition& d) {
        PlanStep& r = say(d.version == 0 ? What::built_in : What::defined_by);
        r.version = d.version;
        if (d.version != 0) r.entry = d.defined;
    }

    void start(const ClassDefinition& d, const Span& span) {
        if (!span.start) {
            say(What::no_event).start = d.start;
            return;
        }
        PlanStep& r = say(What::started);
        r.start = d.start, r.day = *span.start;
        if (span.event) {
            r.entry = span.event->entry;
        } else if (in_.dates_of) {
            say(What::days_of).entry = in_.dates_of;
        }
    }

    void decide(const ClassDefinition* newest) {
        if (newest == nullptr) {
            say(What::no_definition);
            out_.outcome = Outcome::undefined_class;
            return;
        }
        out_.at_end = newest->at_end;
        if (!out_.end) {
            out_.outcome = Outcome::waiting_for_event;
            return;
        }
        if (today_ <= *out_.end) {
            say(What::not_over).day = *out_.end;
            out_.outcome = Outcome::kept;
            return;
        }
        say(What::over).day = next_day(*out_.end);
        out_.outcome = Outcome::due;
        offer();
    }

    void offer() {
        const Listed::Answer answer = in_.listed ? in_.listed->answer : Listed::Answer::none;
        if (in_.listed) say(What::listed).entry = in_.listed->list;
        if (answer == Listed::Answer::offered || answer == Listed::Answer::none) {
            if (out_.at_end != AtEnd::offer_then_erase) return;
            PlanStep& r = say(answer == Listed::Answer::offered ? What::offered : What::must_be_offered);
            if (in_.listed) r.entry = in_.listed->list, r.day = in_.listed->day;
            out_.outcome = answer == Listed::Answer::offered ? Outcome::offered : Outcome::to_offer;
            return;
        }
        PlanStep& r = say(What::answered);
        r.entry = in_.listed->list, r.day = in_.listed->day, r.answer = answer;
    }

    // Holds win over everything but what is gone.
    void stops() {
        if (in_.restriction) {
            say(What::restriction).entry = in_.restriction;
            out_.outcome = Outcome::restricted;
        }
        for (const EntryIndex hold : in_.holds) {
            say(What::hold).entry = hold;
            out_.outcome = Outcome::held;
        }
        if (in_.released) {
            say(What::released);
            out_.outcome = Outcome::released;
        }
    }

    const PlanInput& in_;
    const ClassBook& classes_;
    CivilDate today_;
    Decision out_;
};

}  // namespace

Decision plan(const PlanInput& input, const ClassBook& classes, CivilDate today) {
    return Planner(input, classes, today).run();
}

std::uint16_t expiry_year(const ClassBook& classes, ClassCode retention_class, UtcTime sealed_at) {
    const ClassDefinition* d = classes.newest(retention_class);
    if (d == nullptr) d = classes.newest(kDefaultClass);
    return static_cast<std::uint16_t>(period_end(german_date(sealed_at), d->months, d->counted).year);
}

}  // namespace kustos::vault
