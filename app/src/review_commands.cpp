#include "app/review_commands.h"

#include <nlohmann/json.hpp>

#include "app/src/decision_call.h"
#include "app/src/present.h"
#include "vault/entry_sets.h"

namespace kustos::app {

using nlohmann::json;

namespace {

void print(const DecisionCall& c, const json& j) {
    c.out << j.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
}

Result<ChosenRecords> choose(const DecisionCall& c, EntryIndex matter) {
    ReviewChoice choice;
    choice.matter = matter;
    choice.actor = c.actor;
    choice.records = TRY(c.records());
    if (!c.one("results").empty()) choice.result = TRY(access::parse_result_id(c.one("results")));
    choice.query = c.call.query;
    choice.language = c.call.language;
    return c.house.choose_records(choice);
}

Result<ReviewDecision> decision_of(const std::string& command, const std::string& name) {
    ReviewDecision d;
    if (command == "code set") {
        CodeName code = TRY(parse_code_with_value(name));
        d.change = ReviewChange::code;
        d.name = std::move(code.group);
        d.value = std::move(*code.value);
    } else if (command == "code clear") {
        CodeName code = TRY(parse_code_name(name));
        if (code.value) return Error(Code::usage, "a whole group is taken back").with_hint("kustos code clear GROUP");
        d.change = ReviewChange::clear;
        d.name = std::move(code.group);
    } else {
        d.change = command == "tag add" ? ReviewChange::tag : ReviewChange::untag;
        d.name = TRY(parse_label(name));
    }
    return d;
}

Result<int> decide_on(const DecisionCall& c, EntryIndex matter) {
    ReviewDecision d = TRY(decision_of(c.call.command, c.call.name));
    ChosenRecords chosen = TRY(choose(c, matter));
    d.records = std::move(chosen.records);
    const ReviewDone done = TRY(c.house.reviews().decide(matter, c.actor, d));
    if (c.call.json) {
        print(c, {{"entry", done.entry.value},
                  {"records", done.records},
                  {"changed", done.changed},
                  {"restricted", chosen.restricted},
                  {"erased", chosen.erased}});
        return 0;
    }
    c.out << c.say("vermerkt in Eintrag ", "noted in entry ") << done.entry.value << ": " << done.records
          << c.say(" Aufzeichnungen, davon geändert ", " records, changed: ") << done.changed << "\n";
    if (chosen.restricted != 0)
        c.out << chosen.restricted
              << c.say(" weggelassen: Verarbeitung eingeschränkt (Art. 18 DSGVO)\n",
                       " left out: their processing is restricted (GDPR Art. 18)\n");
    if (chosen.erased != 0)
        c.out << chosen.erased << c.say(" weggelassen: seitdem gelöscht\n", " left out: erased since\n");
    return 0;
}

json marked_json(const ReviewState::Marked& marked, const EntrySet& erased) {
    return {{"name", marked.name},
            {"records", vault::difference(marked.records, erased).count()},
            {"erased", vault::intersection(marked.records, erased).count()},
            {"entry", marked.changed.value}};
}

json labels_json(const ReviewState& state, const EntrySet& erased) {
    json list = json::array();
    for (const auto& [key, label] : state.labels()) list.push_back(marked_json(label, erased));
    return list;
}

json codes_json(const ReviewState& state, const EntrySet& erased) {
    json list = json::array();
    for (const auto& [key, group] : state.groups()) {
        json values = json::array();
        for (const auto& [of, value] : group.values) values.push_back(marked_json(value, erased));
        list.push_back({{"group", group.name},
                        {"records", vault::difference(all_of(group), erased).count()},
                        {"values", std::move(values)}});
    }
    return list;
}

Result<int> list(const DecisionCall& c, EntryIndex matter, bool codes) {
    TRY(c.house.matter_desk().find(matter));
    const auto erased = TRY(c.archive().erased());
    json all;
    TRY(c.house.reviews().look(matter, [&](const ReviewState& state) {
        all = codes ? codes_json(state, *erased) : labels_json(state, *erased);
    }));
    if (c.call.json) {
        print(c, all);
        return 0;
    }
    const auto line = [&c](const std::string& before, const json& marked) {
        c.out << plain_text(before + marked["name"].get<std::string>()) << "\t" << marked["records"]
              << c.say(" Aufzeichnungen", " records");
        if (marked["erased"] != 0) c.out << c.say(", gelöscht: ", ", erased: ") << marked["erased"];
        c.out << "\n";
    };
    for (const json& one : all) {
        if (!codes) line("", one);
        if (!codes) continue;
        for (const json& value : one["values"]) line(one["group"].get<std::string>() + "=", value);
    }
    return 0;
}

}  // namespace

bool is_review_command(const std::string& name) {
    return name.rfind("tag ", 0) == 0 || name.rfind("code ", 0) == 0;
}

Result<int> review_command(House& house, const Call& call, const std::string& actor, Streams streams) {
    if (call.matter.empty()) return Error(Code::usage, "for which case is this?").with_hint("--matter ID");
    const DecisionCall c(house, call, actor, streams);
    const EntryIndex matter = TRY(access::parse_matter_id(call.matter));
    const bool lists = call.command == "tag list" || call.command == "code list";
    return lists ? list(c, matter, call.command == "code list") : decide_on(c, matter);
}

}  // namespace kustos::app
