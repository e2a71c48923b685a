// kustos hold add | change | list | check | decide | release, and kustos restrict
#include "app/src/decision_call.h"

namespace kustos::app {

using nlohmann::json;

namespace {

Result<HoldOrder> order_of(DecisionCall& c) {
    HoldOrder order;
    order.scope = TRY(c.scope());
    order.frozen = c.flag("frozen");
    order.ground = c.one("reason");
    return order;
}

int said(DecisionCall& c, const HoldReport& r) {
    if (c.call.json) {
        c.print(
            {{"hold", r.hold.value}, {"standing", r.standing}, {"records", r.records}, {"not_searched", r.undecided}});
        return 0;
    }
    c.out << c.say("Löschsperre ", "hold ") << r.hold.value << ": " << r.records << c.say(" Aufzeichnungen", " records")
          << (r.standing
                  ? c.say(", laufend: was dazukommt, gehört auch dazu", ", standing: what comes later belongs to it")
                  : c.say(", feste Liste", ", a frozen list"))
          << "\n";
    if (r.undecided != 0)
        c.out << r.undecided
              << (r.standing
                      ? c.say(" weitere waren nicht durchsuchbar; sie gelten als gesperrt, bis jemand entscheidet "
                              "(kustos hold check, hold decide)\n",
                              " more could not be searched; they count as held until somebody decides (kustos "
                              "hold check, hold decide)\n")
                      : c.say(" weitere waren nicht durchsuchbar und stehen nicht auf der Liste\n",
                              " more could not be searched and are not on the list\n"));
    return 0;
}

Result<int> list_holds(DecisionCall& c) {
    const auto book = c.archive().retention();
    json list = json::array();
    for (const auto& [id, h] : book->holds().all()) {
        if (c.call.json) {
            json j = {{"hold", id.value},       {"method", h.method},
                      {"standing", h.standing}, {"records", h.records.count()},
                      {"scope", h.scope.value}, {"set", format_rfc3339(h.set)},
                      {"matter", nullptr},      {"released", nullptr}};
            if (h.matter) j["matter"] = access::matter_id(*h.matter);
            if (h.released) j["released"] = format_rfc3339(*h.released);
            list.push_back(std::move(j));
            continue;
        }
        c.out << id.value << "\t" << format_rfc3339(h.set) << "\t" << (h.matter ? access::matter_id(*h.matter) : "-")
              << "\t" << h.method << "\t" << (h.standing ? c.say("laufend", "standing") : c.say("fest", "frozen"))
              << "\t" << h.records.count() << c.say(" Aufzeichnungen", " records")
              << (h.released ? c.say("\taufgehoben", "\treleased") : "") << "\n";
    }
    if (c.call.json)
        c.print({{"holds", std::move(list)}});
    else if (!book->holds().all().empty())
        c.out << c.say("Anlass und Suchtext: kustos audit show NUMMER --ground GRUND\n",
                       "reason and query: kustos audit show NUMBER --ground GROUND\n");
    return 0;
}

json numbers(const EntrySet& set, std::uint64_t most) {
    json list = json::array();
    for (const EntrySet::Interval& i : set.intervals()) {
        for (std::uint64_t n = i.first.value; n <= i.last.value && list.size() < most; ++n) list.push_back(n);
    }
    return list;
}

// Which holds cover these records now; or, with --hold, what that one can't be sure about.
Result<int> check(DecisionCall& c) {
    HoldDesk desk = c.holds();
    if (!c.one("hold").empty()) {
        const EntryIndex hold = TRY(c.number("hold", "a hold"));
        const EntrySet open = TRY(desk.undecided(hold));
        if (c.call.json) {
            c.print({{"hold", hold.value}, {"not_searched", open.count()}, {"records", numbers(open, c.call.limit)}});
            return 0;
        }
        c.out << open.count()
              << c.say(" nicht durchsuchbar und nicht entschieden\n", " not searched and not decided\n");
        for (const json& n : numbers(open, c.call.limit)) c.out << n << "\n";
        return 0;
    }
    const EntrySet records = TRY(c.records());
    if (records.empty()) return Error(Code::usage, "which records?").with_hint("--record N; may repeat");
    const vault::HoldAnswer answer = TRY(desk.check(records));
    json list = json::array();
    for (const vault::HoldAnswer::By& by : answer.by) {
        if (c.call.json) {
            list.push_back({{"hold", by.hold.value},
                            {"records", numbers(by.records, c.call.limit)},
                            {"not_searched", by.undecided.count()}});
        } else {
            c.out << c.say("Löschsperre ", "hold ") << by.hold.value << ": " << by.records.count()
                  << c.say(" davon", " of them") << "\n";
        }
    }
    if (c.call.json)
        c.print({{"held", answer.held().count()}, {"holds", std::move(list)}});
    else if (answer.by.empty())
        c.out << c.say("keine Löschsperre\n", "no hold\n");
    return 0;
}

Result<int> decide_open(DecisionCall& c) {
    if (c.flag("held") == c.flag("not-held")) return Error(Code::usage, "--held or --not-held?");
    const EntryIndex hold = TRY(c.number("hold", "a hold"));
    const EntrySet records = TRY(c.records());
    TRY(c.holds().decide(hold, records, c.flag("held"), c.one("reason")));
    if (c.call.json)
        c.print({{"hold", hold.value}, {"records", records.count()}});
    else
        c.out << c.say("eingetragen\n", "entered\n");
    return 0;
}

Result<int> release(DecisionCall& c) {
    const EntryIndex hold = TRY(c.number("hold", "a hold"));
    TRY(c.holds().release(hold, c.one("reason")));
    if (c.call.json)
        c.print({{"hold", hold.value}, {"released", true}});
    else
        c.out << c.say("aufgehoben; gelöscht wird dadurch nichts\n", "released; nothing is deleted by that\n");
    return 0;
}

Result<int> list_restrictions(DecisionCall& c) {
    const auto book = c.archive().retention();
    json list = json::array();
    for (const auto& [id, r] : book->restrictions()) {
        if (c.call.json) {
            json j = {{"restriction", id.value},
                      {"records", r.records.count()},
                      {"set", format_rfc3339(r.set)},
                      {"matter", nullptr},
                      {"lifted", nullptr}};
            if (r.matter) j["matter"] = access::matter_id(*r.matter);
            if (r.lifted) j["lifted"] = format_rfc3339(*r.lifted);
            list.push_back(std::move(j));
            continue;
        }
        c.out << id.value << "\t" << format_rfc3339(r.set) << "\t" << r.records.count()
              << c.say(" Aufzeichnungen", " records") << "\t" << (r.matter ? access::matter_id(*r.matter) : "-")
              << (r.lifted ? c.say("\taufgehoben", "\tlifted") : "") << "\n";
    }
    if (c.call.json) c.print({{"restrictions", std::move(list)}});
    return 0;
}

}  // namespace

Result<int> hold_command(DecisionCall& c) {
    const std::string name = c.call.command.substr(c.call.command.find(' ') + 1);
    if (name == "add") return said(c, TRY(c.holds().add(TRY(order_of(c)))));
    if (name == "change") return said(c, TRY(c.holds().change(TRY(c.number("hold", "a hold")), TRY(order_of(c)))));
    if (name == "check") return check(c);
    if (name == "decide") return decide_open(c);
    if (name == "release") return release(c);
    return list_holds(c);
}

Result<int> restrict_command(DecisionCall& c) {
    if (c.flag("list")) return list_restrictions(c);
    if (!c.one("lift").empty()) {
        const EntryIndex id = TRY(c.number("lift", "a restriction"));
        TRY(c.desk().lift(id, c.one("reason")));
        if (c.call.json)
            c.print({{"restriction", id.value}, {"lifted", true}});
        else
            c.out << c.say("aufgehoben\n", "lifted\n");
        return 0;
    }
    const ScopeOrder order = TRY(c.scope());
    const Scope scope = TRY(resolve(c.archive(), *c.search, order));
    // The named purpose: a matter of its own, or with --no-purpose none at all.
    const EntryIndex id = TRY(c.desk().restrict(scope.records, c.flag("no-purpose") ? std::nullopt : order.matter,
                                                c.one("reason"), scope.query));
    if (c.call.json) {
        c.print({{"restriction", id.value}, {"records", scope.records.count()}});
    } else {
        c.out << c.say("Einschränkung ", "restriction ") << id.value << ": " << scope.records.count()
              << c.say(" Aufzeichnungen", " records") << "\n";
    }
    return 0;
}

}  // namespace kustos::app
