#include "app/matter_commands.h"

#include <nlohmann/json.hpp>

#include "app/hash_lists.h"
#include "app/matter_scope.h"
#include "app/src/present.h"
#include "app/src/source_call.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxList = 256u << 20;  // bytes of a file of sums

void print(const SourceCall& c, const json& j) {
    c.out << j.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
}

Result<int> matter_new(const SourceCall& c) {
    const std::string wanted = c.one("scope");
    const std::string scope = wanted.empty() ? "" : TRY(checked_scope(wanted, c.call.language));
    const access::Matter m = TRY(c.house.matter_desk().open_new(c.call.reference, c.call.ground, scope));
    if (c.call.json)
        print(c, {{"id", access::matter_id(m.entry)}, {"entry", m.entry.value}});
    else
        c.out << access::matter_id(m.entry) << "\n";
    return 0;
}

Result<int> matter_list(const SourceCall& c) {
    json list = json::array();
    for (const web::MatterReport& m : TRY(c.house.matters())) {
        json j = {{"id", m.id},         {"entry", m.entry.value}, {"reference", m.reference},
                  {"ground", m.ground}, {"scope", m.scope},       {"opened", format_rfc3339(m.opened)}};
        if (m.closed) j["closed"] = format_rfc3339(*m.closed);
        list.push_back(std::move(j));
        if (c.call.json) continue;
        c.out << m.id << "\t" << m.reference << "\t" << m.ground
              << (m.closed ? c.say("\tgeschlossen", "\tclosed") : "");
        if (!m.scope.empty()) c.out << c.say("\tUmfang: ", "\tscope: ") << plain_text(m.scope);
        c.out << "\n";
    }
    if (c.call.json) print(c, list);
    return 0;
}

Result<int> matter_scope(const SourceCall& c, EntryIndex matter) {
    if (!c.call.query.empty()) {
        const std::string scope = TRY(checked_scope(c.call.query, c.call.language));
        const EntryIndex entry = TRY(c.house.matter_desk().change_scope(matter, scope, c.one("reason"), c.actor));
        if (c.call.json)
            print(c, {{"id", access::matter_id(matter)}, {"entry", entry.value}, {"scope", scope}});
        else
            c.out << c.say("vermerkt in Eintrag ", "noted in entry ") << entry.value << "\n";
        return 0;
    }
    if (!c.one("reason").empty()) return Error(Code::usage, "which scope from now on?").with_hint("--query QUERY");
    const auto history = TRY(c.house.matter_desk().scope_history(matter));
    if (!c.house.archive().is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    json list = json::array();
    for (const access::ScopeChange& change : history) {
        list.push_back({{"entry", change.entry.value},
                        {"time", format_rfc3339(change.time)},
                        {"actor", change.actor},
                        {"reason", change.reason},
                        {"scope", change.scope}});
        if (c.call.json) continue;
        c.out << change.entry.value << "\t" << format_rfc3339(change.time) << "\t"
              << (change.scope.empty() ? c.say("das ganze Archiv", "the whole archive") : plain_text(change.scope));
        if (!change.reason.empty()) c.out << "\t" << plain_text(change.actor) << ": " << plain_text(change.reason);
        c.out << "\n";
    }
    if (c.call.json)
        print(c, {{"id", access::matter_id(matter)}, {"scope", history.back().scope}, {"history", std::move(list)}});
    return 0;
}

json row_json(const ProtocolRow& r) {
    json j = {{"entry", r.entry.value}, {"time", format_rfc3339(r.time)}, {"action", r.action}, {"actor", r.actor}};
    const auto put = [&j](const char* name, const std::string& text) {
        if (!text.empty()) j[name] = text;
    };
    put("query", r.query);
    put("scope", r.scope);
    put("within", r.within);
    put("name", r.label);
    put("reason", r.reason);
    if (r.total) j["total"] = *r.total;
    if (r.opened) j["opened"] = *r.opened;
    if (r.coverage) j["coverage"] = json::parse(coverage_json_text(*r.coverage));
    if (r.unsearched) j["unsearched"] = json::parse(unsearched_json_text(*r.unsearched));
    return j;
}

// A list of terms stands in one row like any query.
std::string one_line(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3) text.replace(at, 1, " | ");
    return plain_text(text);
}

Result<int> matter_protocol(const SourceCall& c, EntryIndex matter) {
    const std::vector<ProtocolRow> rows = TRY(c.house.protocol(c.actor, matter, c.call.ground));
    json list = json::array();
    for (const ProtocolRow& r : rows) {
        list.push_back(row_json(r));
        if (c.call.json) continue;
        c.out << r.entry.value << "\t" << format_rfc3339(r.time) << "\t" << r.action;
        if (!r.actor.empty()) c.out << "\t" << plain_text(r.actor);
        if (!r.query.empty()) c.out << "\t" << one_line(r.query);
        if (!r.within.empty()) c.out << c.say(" in ", " within ") << plain_text(r.within);
        if (!r.label.empty()) c.out << "\t" << plain_text(r.label);
        if (!r.scope.empty()) c.out << c.say("\tUmfang: ", "\tscope: ") << plain_text(r.scope);
        if (!r.reason.empty()) c.out << c.say("\tGrund: ", "\treason: ") << plain_text(r.reason);
        if (r.total) c.out << "\t" << *r.total << c.say(" Treffer", " in all");
        if (r.opened) c.out << ", " << *r.opened << c.say(" geöffnet", " opened");
        if (r.unsearched) c.out << "; " << unsearched_words(*r.unsearched, c.german());
        if (r.coverage) c.out << "; " << coverage_words(*r.coverage, c.german());
        c.out << "\n";
    }
    if (c.call.json) print(c, {{"id", access::matter_id(matter)}, {"entries", std::move(list)}});
    return 0;
}

json list_json(const HashList& list) {
    return {{"name", list.name},
            {"entry", list.note.entry.value},
            {"sums", list.note.count},
            {"time", format_rfc3339(list.note.time)},
            {"actor", list.actor}};
}

Result<int> hashes(const SourceCall& c, EntryIndex matter, const std::string& what) {
    vault::Purpose purpose;
    purpose.matter = matter;
    HashLists lists(c.house.archive());
    if (what == "list") {
        TRY(c.house.matter_desk().find(matter));
        json all = json::array();
        for (const HashList& list : TRY(lists.list(matter))) {
            all.push_back(list_json(list));
            if (!c.call.json)
                c.out << list.note.entry.value << "\t" << plain_text(list.name) << "\t" << list.note.count
                      << c.say(" Prüfsummen\t", " sums\t") << plain_text(list.actor) << "\n";
        }
        if (c.call.json) print(c, all);
        return 0;
    }
    TRY(c.house.matter_desk().allow(purpose, {}));
    if (what == "add") {
        const Bytes file =
            TRY_IN("the list of sums", read_file(c.house.environment().fs, c.call.paths.at(0), kMaxList));
        const HashList list = TRY(lists.add(matter, c.one("name"), TRY(parse_sums(as_text(file))), c.actor));
        if (c.call.json)
            print(c, list_json(list));
        else
            c.out << plain_text(list.name) << ": " << list.note.count
                  << c.say(" Prüfsummen; gesucht wird mit hash:@", " sums; to search for them: hash:@")
                  << plain_text(list.name) << "\n";
        return 0;
    }
    TRY(lists.remove(matter, c.one("name")));
    if (!c.call.json) c.out << c.say("entfernt\n", "removed\n");
    return 0;
}

}  // namespace

bool is_matter_command(const std::string& name) {
    return name.rfind("matter ", 0) == 0 || name.rfind("hashes ", 0) == 0;
}

Result<int> matter_command(House& house, const Call& call, const std::string& actor, Streams streams) {
    const SourceCall c{house, call, actor, streams.out};
    const std::string& n = call.command;
    if (n == "matter new") return matter_new(c);
    if (n == "matter list") return matter_list(c);
    if (call.matter.empty()) return Error(Code::usage, "for which case is this?").with_hint("--matter ID");
    const EntryIndex matter = TRY(access::parse_matter_id(call.matter));
    if (n == "matter close") {
        TRY(house.matter_desk().close(matter));
        if (!call.json) c.out << c.say("geschlossen\n", "closed\n");
        return 0;
    }
    if (n == "matter scope") return matter_scope(c, matter);
    if (n == "matter protocol") return matter_protocol(c, matter);
    return hashes(c, matter, n.substr(n.find(' ') + 1));
}

}  // namespace kustos::app
