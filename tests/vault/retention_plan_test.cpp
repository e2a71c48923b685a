#include "vault/retention_plan.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "vault/range_map.h"
#include "vault/retention.h"
#include "vault/retention_words.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

CivilDate day(const char* text) {
    return parse_date(text).value();
}

ClassDefinition defined(std::uint16_t code, std::uint32_t version, std::uint64_t entry, std::uint32_t months,
                        Start start = Start::created, Counted counted = Counted::year_end) {
    ClassDefinition d;
    d.code = ClassCode(code);
    d.version = version;
    d.defined = EntryIndex(entry);
    d.name = "class " + std::to_string(code);
    d.months = months;
    d.start = start;
    d.counted = counted;
    d.legal_basis = "§ 1";
    d.office = "30";
    return d;
}

PlanInput record(std::uint64_t entry, std::uint16_t code, const char* sealed) {
    PlanInput in;
    in.record = EntryIndex(entry);
    in.sealed_class = ClassCode(code);
    in.sealed_from = in.sealed_until = day(sealed);
    return in;
}

std::string last_day(const PlanInput& in, const ClassBook& book) {
    const Decision d = plan(in, book, day("2020-01-01"));
    return d.end ? format_date(*d.end) : "none";
}

bool says(const Decision& d, PlanStep::What what) {
    for (const PlanStep& r : d.chain) {
        if (r.what == what) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("days are German legal time") {
    const auto at = [](const char* text) { return format_date(german_date(parse_rfc3339(text).value())); };
    CHECK(at("2026-12-31T22:59:59Z") == "2026-12-31");
    CHECK(at("2026-12-31T23:00:00Z") == "2027-01-01");
    CHECK(at("2026-06-30T21:59:59Z") == "2026-06-30");
    CHECK(at("2026-06-30T22:00:00Z") == "2026-07-01");
    // Summer time began on 29 March 2026 and ended on 25 October, at 01:00 UTC.
    CHECK(at("2026-03-28T22:59:59Z") == "2026-03-28");
    CHECK(at("2026-03-29T21:59:59Z") == "2026-03-29");
    CHECK(at("2026-03-29T22:00:00Z") == "2026-03-30");
    CHECK(at("2026-10-24T22:00:00Z") == "2026-10-25");
    CHECK(at("2026-10-25T22:59:59Z") == "2026-10-25");
    CHECK(at("2026-10-25T23:00:00Z") == "2026-10-26");
}

TEST_CASE("a period ends as BGB section 188 says, leap years and short months included") {
    const auto end = [](const char* start, std::uint32_t months, Counted counted) {
        return format_date(period_end(day(start), months, counted));
    };
    CHECK(end("2026-03-02", 6, Counted::day) == "2026-09-02");
    CHECK(end("2028-02-29", 12, Counted::day) == "2029-02-28");
    CHECK(end("2028-02-29", 48, Counted::day) == "2032-02-29");
    CHECK(end("2027-02-28", 12, Counted::day) == "2028-02-28");
    CHECK(end("2026-08-31", 1, Counted::day) == "2026-09-30");
    CHECK(end("2026-01-31", 1, Counted::day) == "2026-02-28");
    CHECK(end("2026-12-15", 1, Counted::day) == "2027-01-15");
    CHECK(end("2026-03-02", 0, Counted::day) == "2026-03-02");
    CHECK(end("2026-03-02", 0, Counted::year_end) == "2026-12-31");
    CHECK(end("2026-01-01", 120, Counted::year_end) == "2036-12-31");
    CHECK(end("2026-12-31", 120, Counted::year_end) == "2036-12-31");
    CHECK(end("2027-05-01", 2, Counted::year_end) == "2028-02-29");
    CHECK(format_date(next_day(day("2028-02-28"))) == "2028-02-29");
    CHECK(format_date(next_day(day("2027-02-28"))) == "2027-03-01");
    CHECK(format_date(next_day(day("2027-12-31"))) == "2028-01-01");
    for (const char* bad :
         {"2027-02-29", "2027-13-01", "2027-00-10", "2027-04-31", "27-04-30", "2027-4-3", "2027/04/30", ""})
        CHECK_FALSE(parse_date(bad).ok());
    CHECK(date_number(day("2031-03-15")) == 20310315);
    CHECK_FALSE(date_of_number(20310231).has_value());
}

TEST_CASE("adding months agrees with counting them one by one") {
    for (int year : {2023, 2024, 2099, 2100}) {
        for (unsigned month = 1; month <= 12; ++month) {
            for (unsigned d = 28; d <= 31; ++d) {
                if (!date_of_number(date_number({year, month, d}))) continue;
                int y = year;
                unsigned m = month;
                for (std::uint32_t months = 0; months <= 50; ++months) {
                    unsigned last = d;
                    while (!date_of_number(date_number({y, m, last}))) --last;
                    CHECK(add_months({year, month, d}, months) == CivilDate{y, m, last});
                    if (++m == 13) m = 1, ++y;
                }
            }
        }
    }
}

TEST_CASE("a record is kept up to and including the last day, and due the day after") {
    const ClassBook book;
    const PlanInput in = record(10, 100, "2026-03-02");
    const Decision kept = plan(in, book, day("2036-12-31"));
    CHECK(kept.outcome == Outcome::kept);
    CHECK(says(kept, PlanStep::What::not_over));
    const Decision due = plan(in, book, day("2037-01-01"));
    CHECK(due.outcome == Outcome::due);
    CHECK(due.end == day("2036-12-31"));
    CHECK(explain(due, book, Words::english) ==
          std::vector<std::string>{
              "sealed in class 100 \"default\"", "the built-in class 100 \"default\" (AO § 147, HGB § 257) counts",
              "start: creation on 2026-03-02 (day of sealing)",
              "period: 10 years from the end of the calendar year, last day 2036-12-31", "due since 2037-01-01"});
    CHECK(explain(due, book, Words::german) ==
          std::vector<std::string>{"beim Versiegeln der Klasse 100 \"default\" zugeordnet",
                                   "es gilt die eingebaute Klasse 100 \"default\" (AO § 147, HGB § 257)",
                                   "Fristbeginn: Entstehung am 2026-03-02 (Tag der Versiegelung)",
                                   "Frist: 10 Jahre ab Ende des Kalenderjahres, letzter Tag 2036-12-31",
                                   "fällig seit 2037-01-01"});
}

TEST_CASE("of the bracket in which a record was sealed the later day counts") {
    PlanInput in = record(10, 100, "2026-12-31");
    in.sealed_until = day("2027-01-01");
    CHECK(last_day(in, ClassBook()) == "2037-12-31");
}

TEST_CASE("a class that waits for an event is never due without one, and of several the latest day counts") {
    ClassBook book;
    book.add(defined(200, 1, 5, 60, Start::process_end));
    PlanInput in = record(10, 200, "2026-03-02");
    CHECK(plan(in, book, day("9999-12-31")).outcome == Outcome::waiting_for_event);
    in.events.push_back({Start::relation_end, day("2027-01-01"), EntryIndex(20)});
    CHECK(plan(in, book, day("9999-12-31")).outcome == Outcome::waiting_for_event);
    in.events.push_back({Start::process_end, day("2031-04-01"), EntryIndex(21)});
    in.events.push_back({Start::process_end, day("2030-04-01"), EntryIndex(22)});
    CHECK(last_day(in, book) == "2036-12-31");
    // An event `created` says that the record is older than its sealing.
    PlanInput old = record(10, 100, "2026-03-02");
    old.events.push_back({Start::created, day("2019-05-05"), EntryIndex(23)});
    CHECK(last_day(old, book) == "2029-12-31");
}

TEST_CASE("a new version of a class never shortens what is sealed, and lengthens it") {
    ClassBook book;
    book.add(defined(200, 1, 5, 120));
    book.add(defined(200, 2, 50, 72));
    const PlanInput before = record(10, 200, "2026-03-02"), after = record(60, 200, "2026-03-02");
    CHECK(last_day(before, book) == "2036-12-31");
    CHECK(says(plan(before, book, day("2026-04-01")), PlanStep::What::older_version));
    CHECK(last_day(after, book) == "2032-12-31");
    book.add(defined(200, 3, 70, 180));
    CHECK(last_day(before, book) == "2041-12-31");
    CHECK(says(plan(before, book, day("2026-04-01")), PlanStep::What::newer_version));
    CHECK(last_day(after, book) == "2041-12-31");
    // What stood between the version at sealing and the newest one does not matter: a slip can be repaired.
    book.add(defined(200, 4, 80, 72));
    CHECK(last_day(before, book) == "2036-12-31");
    CHECK(last_day(after, book) == "2032-12-31");
    // A version that waits for an event has no end before the event: that is later than any day.
    book.add(defined(200, 5, 90, 12, Start::process_end));
    CHECK(last_day(before, book) == "none");
    CHECK(plan(before, book, day("9999-12-31")).outcome == Outcome::waiting_for_event);
    // A class that was defined only after sealing counts as it is.
    CHECK(last_day(record(3, 200, "2026-03-02"), book) == "none");
    CHECK(plan(record(3, 300, "2026-03-02"), book, day("9999-12-31")).outcome == Outcome::undefined_class);
}

TEST_CASE("reclassification counts from its own entry, and may shorten") {
    ClassBook book;
    book.add(defined(200, 1, 5, 12));
    book.add(defined(200, 2, 50, 6));
    PlanInput in = record(10, 100, "2026-03-02");
    in.reclassified = PlanInput::Reclassified{ClassCode(200), EntryIndex(20), false};
    CHECK(last_day(in, book) == "2027-12-31");  // the version of then
    in.reclassified->entry = EntryIndex(60);
    CHECK(last_day(in, book) == "2027-06-30");
    in.reclassified->record_relevant = true;
    CHECK(says(plan(in, book, day("2026-04-01")), PlanStep::What::record_relevant));
}

TEST_CASE("what stops a disposition, and in which order") {
    ClassBook book;
    ClassDefinition d = defined(200, 1, 5, 12);
    d.at_end = AtEnd::offer_then_erase;
    book.add(d);
    const CivilDate later = day("2030-01-01");
    PlanInput in = record(10, 200, "2026-03-02");
    CHECK(plan(in, book, later).outcome == Outcome::to_offer);
    in.listed = Listed{EntryIndex(30), Listed::Answer::none, {}};
    CHECK(plan(in, book, later).outcome == Outcome::to_offer);
    in.listed->answer = Listed::Answer::offered;
    CHECK(plan(in, book, later).outcome == Outcome::offered);
    for (const auto answer : {Listed::Answer::taken, Listed::Answer::declined, Listed::Answer::unanswered}) {
        in.listed->answer = answer;
        CHECK(plan(in, book, later).outcome == Outcome::due);
        CHECK(plan(in, book, day("2027-12-31")).outcome == Outcome::kept);
    }
    in.restriction = EntryIndex(40);
    CHECK(plan(in, book, later).outcome == Outcome::restricted);
    in.holds = {EntryIndex(41), EntryIndex(42)};
    const Decision held = plan(in, book, later);
    CHECK(held.outcome == Outcome::held);
    CHECK(held.end == day("2027-12-31"));
    const auto text = explain(held, book, Words::english);
    CHECK(text.back() == "hold 42 stops it");
    CHECK(text[text.size() - 2] == "hold 41 stops it");
    in.released = true;
    CHECK(plan(in, book, later).outcome == Outcome::released);
    in.released = false;
    in.sealed_class = ClassCode(300);
    CHECK(plan(in, book, later).outcome == Outcome::held);
}

// The planner, as somebody would write it who has never seen it: no chain, no cases shared.
namespace {
Outcome naive(const PlanInput& in, const ClassBook& book, CivilDate today) {
    if (in.released) return Outcome::released;
    if (!in.holds.empty()) return Outcome::held;
    if (in.restriction) return Outcome::restricted;
    const ClassCode code = in.reclassified ? in.reclassified->to : in.sealed_class;
    const EntryIndex since = in.reclassified ? in.reclassified->entry : in.record;
    const auto found = book.all().find(code);
    if (found == book.all().end()) return Outcome::undefined_class;
    std::vector<const ClassDefinition*> count{&found->second.back()};
    for (auto d = found->second.rbegin(); d != found->second.rend(); ++d) {
        if (d->version == 0 || d->defined < since) {
            count.push_back(&*d);
            break;
        }
    }
    CivilDate latest{1, 1, 1};
    for (const ClassDefinition* d : count) {
        std::optional<CivilDate> start;
        for (const StartEvent& e : in.events) {
            if (e.start == d->start) start = start ? std::max(*start, e.day) : e.day;
        }
        if (!start && d->start == Start::created) start = in.sealed_until;
        if (!start) return Outcome::waiting_for_event;
        if (d->counted == Counted::year_end) start->month = 12, start->day = 31;
        latest = std::max(latest, add_months(*start, d->months));
    }
    if (!(latest < today)) return Outcome::kept;
    if (count.front()->at_end == AtEnd::erase) return Outcome::due;
    const auto answer = in.listed ? in.listed->answer : Listed::Answer::none;
    return answer == Listed::Answer::none      ? Outcome::to_offer
           : answer == Listed::Answer::offered ? Outcome::offered
                                               : Outcome::due;
}
}  // namespace

TEST_CASE("the planner agrees with a naive one, and never lets a held or restricted record go") {
    std::mt19937 chance(7);
    const auto pick = [&](std::uint32_t n) { return static_cast<std::uint32_t>(chance() % n); };
    std::uint64_t seen[kOutcomes] = {};
    for (int round = 0; round < 60'000; ++round) {
        ClassBook book;
        for (std::uint16_t code = 200; code < 202; ++code) {
            const std::uint32_t versions = pick(4);
            for (std::uint32_t v = 1; v <= versions; ++v) {
                ClassDefinition d = defined(code, v, v * 20 + pick(10), pick(5) * 7, static_cast<Start>(pick(3)),
                                            static_cast<Counted>(pick(2)));
                d.at_end = static_cast<AtEnd>(pick(2));
                book.add(d);
            }
        }
        const auto some_day = [&] { return CivilDate{2026 + static_cast<int>(pick(4)), 1 + pick(12), 1 + pick(28)}; };
        PlanInput in;
        in.record = EntryIndex(pick(90));
        in.sealed_class = ClassCode(static_cast<std::uint16_t>(pick(4) == 0 ? 100 : 200 + pick(2)));
        in.sealed_from = in.sealed_until = some_day();
        if (pick(3) == 0)
            in.reclassified = PlanInput::Reclassified{ClassCode(static_cast<std::uint16_t>(200 + pick(3))),
                                                      EntryIndex(in.record.value + 1 + pick(40)), pick(2) == 0};
        for (std::uint32_t n = pick(4); n > 0; --n)
            in.events.push_back({static_cast<Start>(pick(3)), some_day(), EntryIndex(200 + n)});
        for (std::uint32_t n = pick(4) == 0 ? 1 + pick(2) : 0; n > 0; --n) in.holds.push_back(EntryIndex(300 + n));
        if (pick(6) == 0) in.restriction = EntryIndex(400);
        if (pick(2) == 0) in.listed = Listed{EntryIndex(500), static_cast<Listed::Answer>(pick(5)), some_day()};
        in.released = pick(20) == 0;
        const CivilDate today = some_day();
        const Decision d = plan(in, book, today);
        REQUIRE(d.outcome == naive(in, book, today));
        ++seen[static_cast<std::size_t>(d.outcome)];
        if (d.outcome == Outcome::due) CHECK((in.holds.empty() && !in.restriction && d.end && *d.end < today));
        CHECK_FALSE(d.chain.empty());
        for (const Words words : {Words::english, Words::german}) {
            for (const std::string& text : explain(d, book, words)) CHECK_FALSE(text.empty());
        }
    }
    for (const std::uint64_t n : seen) CHECK(n > 50);  // each outcome was really there
}

TEST_CASE("ranges agree with a map of single entries") {
    std::mt19937 chance(11);
    for (int round = 0; round < 300; ++round) {
        RangeMap<int> ranges;
        std::map<std::uint64_t, int> naive_map;
        for (int step = 0; step < 12; ++step) {
            const std::uint64_t first = chance() % 40, last = first + chance() % 12;
            const int add = 1 + static_cast<int>(chance() % 5);
            ranges.update(EntryIndex(first), EntryIndex(last), [&](const int* v) { return (v ? *v : 0) + add; });
            for (std::uint64_t i = first; i <= last; ++i) naive_map[i] += add;
        }
        for (std::uint64_t i = 0; i < 60; ++i) {
            const int* found = ranges.find(EntryIndex(i));
            const auto expected = naive_map.find(i);
            REQUIRE((found != nullptr) == (expected != naive_map.end()));
            if (found != nullptr) CHECK(*found == expected->second);
        }
    }
}

TEST_CASE("periods and names are read as they are printed") {
    CHECK(parse_period("10y").value() == 120);
    CHECK(parse_period("18m").value() == 18);
    CHECK(parse_period("0").value() == 0);
    for (const char* bad : {"", "y", "10", "101y", "-1y", "1.5y", "10d", "1201m", "999999y"})
        CHECK_FALSE(parse_period(bad).ok());
    CHECK(period_text(120, Words::german) == "10 Jahre");
    CHECK(period_text(12, Words::german) == "1 Jahr");
    CHECK(period_text(18, Words::english) == "18 months");
    for (const Start s : {Start::created, Start::process_end, Start::relation_end})
        CHECK(parse_start(start_name(s)) == s);
    for (const AtEnd a : {AtEnd::erase, AtEnd::offer_then_erase}) CHECK(parse_at_end(at_end_name(a)) == a);
    CHECK_FALSE(parse_start("birth").has_value());
}
