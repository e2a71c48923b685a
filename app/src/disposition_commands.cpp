// kustos disposition list | show | review | offer | answer | release
#include <charconv>

#include "app/src/decision_call.h"

namespace kustos::app {

using nlohmann::json;
using vault::Listed;

namespace {

Result<int> make_list(DecisionCall& c, vault::Dispositions& dispositions) {
    vault::ListOrder order;
    if (!c.one("class").empty()) order.retention_class = TRY(c.class_named(c.one("class")));
    if (!c.one("year").empty()) {
        const CivilDate year = TRY(vault::parse_date(c.one("year") + "-01-01"));
        order.year = static_cast<std::uint16_t>(year.year);
    }
    std::unique_ptr<DecisionFile> file;
    if (!c.call.out.empty()) file = TRY(DecisionFile::create(c, c.call.out));
    const auto book = c.archive().retention();
    std::uint64_t records = 0;
    const auto list = TRY(dispositions.make_list(order, [&](const vault::Planned& p) -> Status {
        ++records;
        return file ? file->add(p, book->classes()) : Status();
    }));
    if (file) TRY(file->close());
    if (c.call.json) {
        json j = {{"list", nullptr}, {"records", records}};
        if (list) j["list"] = list->value;
        if (file) j["file"] = c.call.out;
        c.print(j);
    } else if (list) {
        c.out << c.say("Aussonderungsliste ", "disposition list ") << list->value << ": " << records
              << c.say(" Aufzeichnungen. Gelöscht ist noch nichts.\n", " records. Nothing is deleted yet.\n");
    } else {
        c.out << c.say("nichts ist fällig\n", "nothing is due\n");
    }
    return 0;
}

Result<int> show_all(DecisionCall& c) {
    const auto book = c.archive().retention();
    json list = json::array();
    for (const auto& [id, l] : book->lists()) {
        if (c.call.json) {
            json j = {{"list", id.value},
                      {"made", format_rfc3339(l.made)},
                      {"records", l.listed.count()},
                      {"taken_out", l.taken_out.count()},
                      {"released", l.released.count()},
                      {"archive", vault::answer_name(l.answer)}};
            if (l.retention_class) j["class"] = l.retention_class->value;
            if (l.year) j["year"] = *l.year;
            list.push_back(std::move(j));
            continue;
        }
        c.out << id.value << "\t" << format_rfc3339(l.made) << "\t" << l.listed.count()
              << c.say(" Aufzeichnungen", " records") << "\t" << l.taken_out.count()
              << c.say(" herausgenommen", " taken out") << "\t" << l.released.count()
              << c.say(" freigegeben", " released") << "\t" << vault::answer_name(l.answer) << "\n";
    }
    if (c.call.json) c.print({{"lists", std::move(list)}});
    return 0;
}

Result<int> show(DecisionCall& c, vault::Dispositions& dispositions) {
    if (c.one("list").empty()) return show_all(c);
    const EntryIndex id = TRY(c.number("list", "a list"));
    const auto book = c.archive().retention();
    const auto found = book->lists().find(id);
    if (found == book->lists().end())
        return Error(Code::usage, "there is no such list").with_hint("kustos disposition show shows all");
    std::unique_ptr<DecisionFile> file;
    if (!c.call.out.empty()) file = TRY(DecisionFile::create(c, c.call.out));
    json rows = json::array();
    std::uint64_t shown = 0;
    TRY(dispositions.plan_each([&](const vault::Planned& p) -> Status {
        if (!found->second.listed.contains(p.facts.record) || found->second.taken_out.contains(p.facts.record))
            return {};
        if (file) TRY(file->add(p, book->classes()));
        if (shown == c.call.limit) return {};
        ++shown;
        if (c.call.json) {
            rows.push_back(decision_json(c, p, book->classes()));
            return {};
        }
        c.out << p.facts.record.value << ": " << vault::outcome_text(p.decision.outcome, c.words()) << "\n";
        for (const std::string& r : vault::explain(p.decision, book->classes(), c.words()))
            c.out << "    " << r << "\n";
        return {};
    }));
    if (file) TRY(file->close());
    if (c.call.json) c.print({{"list", id.value}, {"rows", std::move(rows)}});
    return 0;
}

Result<int> done(DecisionCall& c, EntryIndex list, const char* german, const char* english) {
    if (c.call.json)
        c.print({{"list", list.value}, {"done", english}});
    else
        c.out << c.say(german, english) << "\n";
    return 0;
}

Result<int> review(DecisionCall& c, vault::Dispositions& dispositions) {
    const EntryIndex list = TRY(c.number("list", "a list"));
    TRY(dispositions.take_out(list, TRY(c.records()), c.one("reason")));
    return done(c, list, "herausgenommen", "taken out");
}

Result<int> answer(DecisionCall& c, vault::Dispositions& dispositions) {
    const EntryIndex list = TRY(c.number("list", "a list"));
    const bool offer = c.call.command == "disposition offer";
    const auto given =
        offer ? Listed::Answer::offered : vault::parse_answer(c.one("answer")).value_or(Listed::Answer::none);
    if (!offer && (given == Listed::Answer::none || given == Listed::Answer::offered))
        return Error(Code::usage, "--answer takes taken, declined or unanswered");
    TRY(dispositions.answer(list, given, TRY(c.day("date")), c.one("reason")));
    return offer ? done(c, list, "angeboten", "offered") : done(c, list, "Antwort eingetragen", "answer entered");
}

json stopped_json(DecisionCall& c, const vault::Released& r, const vault::ClassBook& classes) {
    json list = json::array();
    for (const vault::Planned& p : r.stopped) list.push_back(decision_json(c, p, classes));
    return list;
}

// 0: all of it; 1: a part was stopped; 3: nothing may go.
Result<int> release(DecisionCall& c, vault::Dispositions& dispositions) {
    const EntryIndex list = TRY(c.number("list", "a list"));
    const vault::Released r = TRY(dispositions.release(list, c.many("approver")));
    const auto book = c.archive().retention();
    const int code = r.records.empty() ? 3 : r.stopped_count != 0 ? 1 : 0;
    if (c.call.json) {
        json j = {{"list", list.value},
                  {"records", r.records.count()},
                  {"trees", r.trees},
                  {"stopped", stopped_json(c, r, book->classes())},
                  {"stopped_count", r.stopped_count}};
        if (!r.records.empty()) j["entry"] = r.entry.value;
        if (!r.forgotten.empty()) j["erasure"] = hex(r.forgotten.front().erasure);
        c.print(j);
        return code;
    }
    c.out << r.records.count()
          << c.say(" Aufzeichnungen freigegeben; ihre Schlüssel sind vernichtet\n",
                   " records released; their keys are destroyed\n");
    if (r.stopped_count != 0) c.out << r.stopped_count << c.say(" bleiben:\n", " stay:\n");
    for (const vault::Planned& p : r.stopped) {
        c.out << p.facts.record.value << ": " << vault::outcome_text(p.decision.outcome, c.words()) << "\n";
        for (const std::string& text : vault::explain(p.decision, book->classes(), c.words()))
            c.out << "    " << text << "\n";
    }
    return code;
}

}  // namespace

Result<int> disposition_command(DecisionCall& c) {
    HoldDesk holds = c.holds();
    vault::Dispositions dispositions(c.archive(), holds, c.house.forgetter(), c.actor);
    const std::string name = c.call.command.substr(c.call.command.find(' ') + 1);
    if (name == "list") return make_list(c, dispositions);
    if (name == "review") return review(c, dispositions);
    if (name == "offer" || name == "answer") return answer(c, dispositions);
    if (name == "release") return release(c, dispositions);
    return show(c, dispositions);
}

}  // namespace kustos::app
