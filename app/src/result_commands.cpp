#include "app/result_commands.h"

#include <nlohmann/json.hpp>

#include "app/result_desk.h"
#include "app/saved_searches.h"
#include "app/src/present.h"
#include "app/src/source_call.h"
#include "vault/entry_sets.h"

namespace kustos::app {

using nlohmann::json;

namespace {

void print(const SourceCall& c, const json& j) {
    c.out << j.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
}

// The first `most`.
json numbers(const EntrySet& set, std::uint64_t most) {
    json list = json::array();
    for (const EntrySet::Interval& run : set.intervals())
        for (std::uint64_t n = run.first.value; n <= run.last.value && list.size() < most; ++n) list.push_back(n);
    return {{"count", set.count()}, {"records", std::move(list)}};
}

json frozen_json(const FrozenSet& set) {
    json j = {{"id", access::result_id(set.note.entry)},
              {"entry", set.note.entry.value},
              {"matter", access::matter_id(set.note.matter)},
              {"time", format_rfc3339(set.note.time)},
              {"count", set.note.count},
              {"result_set", set.note.list_root.hex()},
              {"ledger_size", set.note.size.value},
              {"name", set.name},
              {"actor", set.actor},
              {"query", set.query},
              {"scope", set.scope}};
    if (!set.open) return j;
    j["index_end"] = set.index_end.value;
    j["coverage"] = json::parse(coverage_json_text(set.coverage));
    if (set.unsearched) j["unsearched"] = json::parse(unsearched_json_text(*set.unsearched));
    return j;
}

Result<EntrySet> erased_of(const SourceCall& c, const FrozenSet& set) {
    const auto erased = TRY(c.house.archive().erased());
    return vault::intersection(set.records, *erased);
}

Result<int> run_search(const SourceCall& c, const std::string& query) {
    SearchOrder order;
    order.actor = c.actor;
    order.matter = c.call.matter;
    order.query = query;
    order.sort = c.call.sort;
    order.limit = c.call.limit;
    order.language = c.call.language;
    order.freeze = !c.one("freeze").empty();
    order.facets = !c.one("facets").empty();
    order.name = order.freeze ? c.one("name") : "";
    if (!order.freeze && !c.one("name").empty() && c.call.command == "search")
        return Error(Code::usage, "--name names what --freeze keeps").with_hint("kustos search save keeps a query");
    TRY(check_label(order.name, false));
    const ResultDesk desk(c.house.archive());
    if (const std::string within = c.one("within"); !within.empty()) {
        order.within = TRY(access::parse_result_id(within));
        if (order.matter.empty()) order.matter = access::matter_id(TRY(desk.matter_of(*order.within)));
    }
    const SearchOutcome out = TRY(c.house.search(order));
    if (!out.frozen) {
        c.out << (c.call.json ? search_json(out.report) : search_text(out.report, c.call.language));
        return 0;
    }
    const FrozenSet frozen = TRY(desk.open(*out.frozen));
    if (c.call.json) {
        json j = json::parse(search_json(out.report));
        j["frozen"] = frozen_json(frozen);
        print(c, j);
        return 0;
    }
    c.out << search_text(out.report, c.call.language) << "\n"
          << c.say("festgehalten als ", "frozen as ") << access::result_id(*out.frozen) << ": " << frozen.note.count
          << c.say(" Aufzeichnungen, SHA-256 ", " records, SHA-256 ") << frozen.note.list_root.hex() << "\n";
    return 0;
}

Result<int> saved_search(const SourceCall& c, const std::string& what) {
    if (c.call.matter.empty()) return Error(Code::usage, "for which case is this?").with_hint("--matter ID");
    const EntryIndex matter = TRY(access::parse_matter_id(c.call.matter));
    SavedSearches desk(c.house.archive());
    const std::string name = c.one("name");
    if (what == "saved") {
        TRY(c.house.matter_desk().find(matter));
        json list = json::array();
        for (const SavedSearch& s : TRY(desk.list(matter))) {
            list.push_back({{"name", s.name},
                            {"query", s.query},
                            {"actor", s.actor},
                            {"entry", s.note.entry.value},
                            {"time", format_rfc3339(s.note.time)}});
            if (!c.call.json)
                c.out << s.note.entry.value << "\t" << plain_text(s.name) << "\t" << plain_text(s.query) << "\t"
                      << plain_text(s.actor) << "\n";
        }
        if (c.call.json) print(c, list);
        return 0;
    }
    if (name.empty()) return Error(Code::usage, "which one?").with_hint("--name NAME");
    vault::Purpose purpose;
    purpose.matter = matter;
    TRY(c.house.matter_desk().allow(purpose, {}));
    if (what == "run") return run_search(c, TRY(desk.find(matter, name)).query);
    if (what == "forget") {
        TRY(desk.forget(matter, name));
        if (!c.call.json) c.out << c.say("vergessen\n", "forgotten\n");
        return 0;
    }
    if (c.call.query.empty()) return Error(Code::usage, "which query?");
    TRY(search::parse_query(c.call.query, c.german() ? search::Language::de : search::Language::en));
    const EntryIndex entry = TRY(desk.save(matter, name, c.call.query, c.actor));
    if (c.call.json)
        print(c, {{"name", name}, {"entry", entry.value}});
    else
        c.out << c.say("gespeichert in Eintrag ", "saved in entry ") << entry.value << "\n";
    return 0;
}

Result<int> list_results(const SourceCall& c) {
    if (c.call.matter.empty()) return Error(Code::usage, "for which case is this?").with_hint("--matter ID");
    const EntryIndex matter = TRY(access::parse_matter_id(c.call.matter));
    TRY(c.house.matter_desk().find(matter));
    json list = json::array();
    for (const FrozenSet& set : TRY(ResultDesk(c.house.archive()).list(matter))) {
        json j = frozen_json(set);
        if (set.open) j["erased"] = TRY(erased_of(c, set)).count();
        list.push_back(std::move(j));
        if (!c.call.json)
            c.out << access::result_id(set.note.entry) << "\t" << format_rfc3339(set.note.time) << "\t"
                  << set.note.count << c.say(" Aufzeichnungen", " records") << "\t" << plain_text(set.name) << "\t"
                  << plain_text(set.query) << "\n";
    }
    if (c.call.json) print(c, list);
    return 0;
}

Result<int> show_result(const SourceCall& c, EntryIndex id) {
    const FrozenSet set = TRY(ResultDesk(c.house.archive()).open(id));
    const EntrySet erased = TRY(erased_of(c, set));
    const EntrySet there = vault::difference(set.records, erased);
    if (c.call.json) {
        json j = frozen_json(set);
        j["erased"] = numbers(erased, c.call.limit);
        j["there"] = numbers(there, c.call.limit);
        print(c, j);
        return 0;
    }
    c.out << access::result_id(id) << " " << plain_text(set.name) << "\n"
          << c.say("Fall           ", "matter         ") << access::matter_id(set.note.matter) << "\n"
          << c.say("festgehalten   ", "frozen         ") << format_rfc3339(set.note.time) << ", "
          << plain_text(set.actor) << "\n"
          << c.say("Anfrage        ", "query          ") << plain_text(set.query) << "\n";
    if (!set.scope.empty()) c.out << c.say("Umfang         ", "scope          ") << plain_text(set.scope) << "\n";
    c.out << c.say("Aufzeichnungen ", "records        ") << set.note.count << ", "
          << c.say("davon seitdem gelöscht ", "erased since: ") << erased.count() << "\n"
          << "SHA-256        " << set.note.list_root.hex() << "\n"
          << c.say("Stand          ", "state          ") << set.note.size.value
          << c.say(" Einträge, Verzeichnis bis ", " entries, index up to ") << set.index_end.value << "\n"
          << c.say("Abdeckung      ", "coverage       ") << coverage_words(set.coverage, c.german()) << "\n";
    if (set.unsearched)
        c.out << c.say("zur Anfrage    ", "to the query   ") << unsearched_words(*set.unsearched, c.german()) << "\n";
    return 0;
}

Result<int> compare_results(const SourceCall& c) {
    const auto pair = c.call.given.find("results");
    if (pair == c.call.given.end() || pair->second.size() != 2)
        return Error(Code::usage, "which two result sets? R15 R27");
    const ResultDesk desk(c.house.archive());
    const FrozenSet first = TRY(desk.open(TRY(access::parse_result_id(pair->second[0]))));
    const FrozenSet second = TRY(desk.open(TRY(access::parse_result_id(pair->second[1]))));
    if (first.note.matter != second.note.matter)
        return Error(Code::usage, "these two result sets belong to different matters");
    const auto erased = TRY(c.house.archive().erased());
    const ResultComparison found = compare(first.records, second.records, *erased);
    if (c.call.json) {
        print(c, {{"first", access::result_id(first.note.entry)},
                  {"second", access::result_id(second.note.entry)},
                  {"added", numbers(found.added, c.call.limit)},
                  {"removed", numbers(found.removed, c.call.limit)},
                  {"erased", numbers(found.erased, c.call.limit)},
                  {"both", found.both.count()}});
        return 0;
    }
    const auto line = [&](const char* words, const EntrySet& set) {
        c.out << words << set.count();
        const json shown = numbers(set, c.call.limit)["records"];
        for (std::size_t i = 0; i < shown.size(); ++i) c.out << (i == 0 ? ": " : ", ") << shown[i];
        c.out << (set.count() > shown.size() ? ", ...\n" : "\n");
    };
    line(c.say("hinzugekommen     ", "added        "), found.added);
    line(c.say("weggefallen       ", "removed      "), found.removed);
    line(c.say("seitdem gelöscht  ", "erased since "), found.erased);
    c.out << c.say("in beiden         ", "in both      ") << found.both.count() << "\n";
    return 0;
}

}  // namespace

bool is_result_command(const std::string& name) {
    return name == "search" || name.rfind("search ", 0) == 0 || name.rfind("result ", 0) == 0;
}

Result<int> result_command(House& house, const Call& call, const std::string& actor, Streams streams) {
    const SourceCall c{house, call, actor, streams.out};
    const std::string& n = call.command;
    if (n == "search") return run_search(c, call.query);
    if (n.rfind("search ", 0) == 0) return saved_search(c, n.substr(n.find(' ') + 1));
    if (n == "result list") return list_results(c);
    if (n == "result compare") return compare_results(c);
    return show_result(c, TRY(access::parse_result_id(call.record)));
}

}  // namespace kustos::app
