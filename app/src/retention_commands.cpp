// kustos retention class | assign | reclassify | mark | event | plan
#include <array>
#include <charconv>

#include "app/src/decision_call.h"
#include "vault/retention.h"

namespace kustos::app {

using nlohmann::json;
using vault::ClassDefinition;
using vault::Outcome;

namespace {

json class_json(const ClassDefinition& d) {
    json j = {{"code", d.code.value},
              {"name", d.name},
              {"version", d.version},
              {"period_months", d.months},
              {"start", vault::start_name(d.start)},
              {"counted", vault::counted_name(d.counted)},
              {"at_end", vault::at_end_name(d.at_end)},
              {"legal_basis", d.legal_basis},
              {"office", d.office}};
    if (d.version != 0) j["entry"] = d.defined.value;
    return j;
}

Result<int> list_classes(DecisionCall& c) {
    const auto book = c.archive().retention();
    json list = json::array();
    for (const auto& [code, versions] : book->classes().all()) {
        const ClassDefinition& d = versions.back();
        if (c.call.json) {
            list.push_back(class_json(d));
            continue;
        }
        c.out << code.value << "\t" << d.name << "\t" << vault::period_text(d.months, c.words())
              << (d.counted == vault::Counted::year_end ? c.say(" ab Jahresende", " from the year's end") : "") << "\t"
              << vault::start_name(d.start) << "\t" << vault::at_end_name(d.at_end) << "\t" << d.legal_basis << "\t"
              << c.say("Fassung ", "version ") << d.version << "\n";
    }
    if (c.call.json) c.print({{"classes", std::move(list)}});
    return 0;
}

// What is not given stays as it was, or has a default.
Result<ClassDefinition> wanted_class(DecisionCall& c) {
    ClassDefinition d;
    const auto book = c.archive().retention();
    if (!c.one("code").empty()) {
        std::uint16_t code = 0;
        const std::string& text = c.one("code");
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
        if (error != std::errc() || end != text.data() + text.size())
            return Error(Code::usage, "--code takes a number from 100 on");
        if (const ClassDefinition* before = book->classes().newest(ClassCode(code))) d = *before;
        d.code = ClassCode(code);
    } else if (const ClassDefinition* before = book->classes().find(c.one("name"))) {
        d = *before;
    }
    if (!c.one("name").empty()) d.name = c.one("name");
    if (!c.one("basis").empty()) d.legal_basis = c.one("basis");
    if (!c.one("office").empty()) d.office = c.one("office");
    if (!c.one("period").empty()) {
        d.months = TRY(vault::parse_period(c.one("period")));
    } else if (d.version == 0 && book->classes().newest(d.code) == nullptr) {
        return Error(Code::usage, "how long is it kept?").with_hint("--period 10y, 18m or 0");
    }
    const auto word = [&c](const char* option, auto& value, auto parse, const char* words) -> Status {
        if (c.one(option).empty()) return {};
        const auto parsed = parse(c.one(option));
        if (!parsed) return Error(Code::usage, std::string("--") + option + " takes " + words);
        value = *parsed;
        return {};
    };
    TRY(word("start", d.start, vault::parse_start, "created, process_end or relation_end"));
    TRY(word("counted", d.counted, vault::parse_counted, "year_end or day"));
    TRY(word("at-end", d.at_end, vault::parse_at_end, "erase or offer"));
    return d;
}

Result<int> classes(DecisionCall& c) {
    if (c.one("name").empty() && c.one("code").empty()) return list_classes(c);
    const ClassDefinition d = TRY(c.desk().define(TRY(wanted_class(c)), c.many("approver")));
    if (c.call.json) {
        c.print(class_json(d));
    } else {
        c.out << c.say("Klasse ", "class ") << d.code.value << " \"" << d.name << "\", "
              << c.say("Fassung ", "version ") << d.version << "\n";
    }
    return 0;
}

Result<int> assign(DecisionCall& c) {
    const auto place = [&c](const char* option) -> Result<std::size_t> {
        if (c.one(option).empty()) return std::size_t{0};
        return static_cast<std::size_t>(TRY(c.number(option, "a rule")).value);
    };
    auto rules = c.archive().retention()->rules();
    if (!c.one("remove").empty()) {
        rules = TRY(c.desk().remove_rule(TRY(place("remove"))));
    } else if (!c.one("class").empty()) {
        vault::RuleOrder order;
        order.to = TRY(c.class_named(c.one("class")));
        order.source = c.call.source;
        order.kind = c.call.kind;
        order.participant = c.one("participant");
        order.conversation = c.one("conversation");
        order.place = TRY(place("place"));
        rules = TRY(c.desk().add_rule(order));
    }
    json list = json::array();
    std::size_t number = 0;
    for (const vault::AssignmentRule& rule : rules) {
        ++number;
        const auto source = c.archive().find_source(rule.source);
        const std::string_view kind = rule.kind ? vault::kind_name(*rule.kind) : "";
        static constexpr std::array<const char*, 3> kWho = {"", "participant", "conversation"};
        const char* who = kWho[static_cast<std::size_t>(rule.who)];
        if (c.call.json) {
            list.push_back({{"place", number},
                            {"class", rule.to.value},
                            {"source", source ? source->name : ""},
                            {"kind", kind},
                            {"sealed", who},
                            {"entry", rule.added.value}});
            continue;
        }
        c.out << number << "\t" << c.say("Klasse ", "class ") << rule.to.value;
        if (source) c.out << "\t" << c.say("Quelle ", "source ") << source->name;
        if (rule.kind) c.out << "\t" << c.say("Art ", "kind ") << kind;
        if (*who != 0)
            c.out << "\t" << who << c.say(" (versiegelt in Eintrag ", " (sealed in entry ") << rule.added.value << ")";
        c.out << "\n";
    }
    if (c.call.json) c.print({{"rules", std::move(list)}});
    return 0;
}

int said(DecisionCall& c, EntryIndex entry, std::uint64_t records) {
    if (c.call.json) {
        c.print({{"entry", entry.value}, {"records", records}});
    } else {
        c.out << records << c.say(" Aufzeichnungen, Eintrag ", " records, entry ") << entry.value << "\n";
    }
    return 0;
}

Result<int> reclassify(DecisionCall& c) {
    const ClassCode to = TRY(c.class_named(c.one("class")));
    const Scope scope = TRY(resolve(c.archive(), *c.search, TRY(c.scope())));
    return said(c, TRY(c.desk().reclassify(scope.records, to, c.one("reason"), scope.query)), scope.records.count());
}

Result<int> mark(DecisionCall& c) {
    vault::MarkOrder order;
    order.to = TRY(c.class_named(c.one("class")));
    order.reference = c.one("file-reference");
    order.plan = c.one("plan");
    for (const std::string& q : c.many("question")) {
        if (q.size() != 1 || q[0] < '1' || q[0] > '4') return Error(Code::usage, "--question takes 1, 2, 3 or 4");
        order.questions.push_back(static_cast<std::uint16_t>(q[0] - '0'));
    }
    const Scope scope = TRY(resolve(c.archive(), *c.search, TRY(c.scope())));
    return said(c, TRY(c.desk().mark(scope.records, order)), scope.records.count());
}

Result<int> event(DecisionCall& c) {
    const auto start = vault::parse_start(c.one("event"));
    if (!start) return Error(Code::usage, "--event takes created, process_end or relation_end");
    const CivilDate day = TRY(c.day("date"));
    const Scope scope = TRY(resolve(c.archive(), *c.search, TRY(c.scope())));
    return said(c, TRY(c.desk().enter_event(scope.records, *start, day, c.one("reason"), scope.query)),
                scope.records.count());
}

// --- plan -------------------------------------------------------------------------------------------

struct PlanWanted {
    EntrySet records;
    std::optional<ClassCode> retention_class;
    std::string outcome;
    std::unique_ptr<DecisionFile> file;
    bool fits(const vault::Planned& p) const {
        return (records.empty() || records.contains(p.facts.record)) &&
               (!retention_class || p.decision.retention_class == *retention_class) &&
               (outcome.empty() || vault::outcome_name(p.decision.outcome) == outcome);
    }
    bool rows() const { return !records.empty() || !outcome.empty(); }
};

using Counts = std::array<std::uint64_t, vault::kOutcomes>;

void print_row(DecisionCall& c, const vault::Planned& p, const vault::ClassBook& classes) {
    c.out << p.facts.record.value << ": " << vault::outcome_text(p.decision.outcome, c.words()) << "\n";
    for (const std::string& reason : vault::explain(p.decision, classes, c.words())) c.out << "    " << reason << "\n";
}

json counts_json(const Counts& counts) {
    json j = json::object();
    for (std::size_t i = 0; i < counts.size(); ++i)
        j[std::string(vault::outcome_name(static_cast<Outcome>(i)))] = counts[i];
    return j;
}

void print_counts(DecisionCall& c, const std::map<ClassCode, Counts>& by_class, const vault::ClassBook& classes) {
    for (const auto& [code, counts] : by_class) {
        const ClassDefinition* d = classes.newest(code);
        c.out << c.say("Klasse ", "class ") << code.value << (d == nullptr ? "" : " \"" + d->name + "\"") << "\n";
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] != 0)
                c.out << "    " << counts[i] << "  " << vault::outcome_text(static_cast<Outcome>(i), c.words()) << "\n";
        }
    }
}

Result<int> show_plan(DecisionCall& c) {
    PlanWanted wanted;
    wanted.records = TRY(c.records());
    wanted.outcome = c.one("outcome");
    if (!c.one("class").empty()) wanted.retention_class = TRY(c.class_named(c.one("class")));
    if (!c.call.out.empty()) wanted.file = TRY(DecisionFile::create(c, c.call.out));
    // Without keys the lists of holds are seen, and the queries of standing ones are not: good for an auditor's look.
    const auto book = c.archive().retention();
    const bool whole = c.archive().is_open() || !book->holds().any_standing();
    HoldDesk desk = c.holds();
    vault::ListedHolds listed(c.archive(), vault::ListedHolds::Standing::pass_over);
    vault::HoldCheck& holds = whole ? static_cast<vault::HoldCheck&>(desk) : listed;
    vault::Dispositions dispositions(c.archive(), holds, c.house.forgetter(), c.actor);
    std::map<ClassCode, Counts> by_class;
    json rows = json::array();
    std::uint64_t records = 0, shown = 0;
    TRY(dispositions.plan_each([&](const vault::Planned& p) -> Status {
        if (!wanted.fits(p)) return {};
        ++records;
        ++by_class[p.decision.retention_class][static_cast<std::size_t>(p.decision.outcome)];
        if (wanted.file) TRY(wanted.file->add(p, book->classes()));
        if (!wanted.rows() || shown == c.call.limit) return {};
        ++shown;
        if (c.call.json) {
            rows.push_back(decision_json(c, p, book->classes()));
        } else {
            print_row(c, p, book->classes());
        }
        return {};
    }));
    if (wanted.file) TRY(wanted.file->close());
    if (c.call.json) {
        json classes = json::array();
        Counts all{};
        for (const auto& [code, counts] : by_class) {
            classes.push_back({{"class", code.value}, {"outcomes", counts_json(counts)}});
            for (std::size_t i = 0; i < counts.size(); ++i) all[i] += counts[i];
        }
        c.print({{"today", vault::format_date(TRY(c.day("today")))},
                 {"records", records},
                 {"outcomes", counts_json(all)},
                 {"classes", std::move(classes)},
                 {"standing_holds", whole ? "evaluated" : "not evaluated"},
                 {"rows", std::move(rows)}});
        return 0;
    }
    if (!wanted.rows()) print_counts(c, by_class, book->classes());
    if (!whole)
        c.out << c.say("Der Tresor ist zu: laufende Löschsperren (mit Suche) sind nicht berücksichtigt.\n",
                       "The vault is closed: standing holds were not evaluated.\n");
    return 0;
}

}  // namespace

Result<int> retention_command(DecisionCall& c) {
    const std::string name = c.call.command.substr(c.call.command.find(' ') + 1);
    if (name == "class") return classes(c);
    if (name == "assign") return assign(c);
    if (name == "reclassify") return reclassify(c);
    if (name == "mark") return mark(c);
    if (name == "event") return event(c);
    return show_plan(c);
}

}  // namespace kustos::app
