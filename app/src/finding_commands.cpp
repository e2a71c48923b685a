// kustos source findings, resolve, completeness
#include <nlohmann/json.hpp>

#include "app/src/source_call.h"
#include "vault/payload.h"

namespace kustos::app {

using nlohmann::json;

namespace {

struct Row {
    std::string source;
    vault::FindingInfo finding;
    std::string about;
};

// Of one source, or of all and the archive itself; the newest first, at most so many.
Result<std::vector<Row>> rows(const SourceCall& c) {
    const auto book = c.house.archive().source_book();
    std::vector<Row> out;
    std::optional<SourceId> only;
    if (!c.call.name.empty()) only = TRY(c.desk().find(c.call.name)).id;
    for (const auto& [id, record] : book->all()) {
        if (only && id != *only) continue;
        const auto source = c.house.archive().find_source(id);
        for (const vault::FindingInfo& f : record.findings) {
            if (f.resolved && c.one("open") == "yes") continue;
            out.push_back({source ? source->name : std::string(), f, ""});
        }
    }
    std::sort(out.begin(), out.end(), [](const Row& a, const Row& b) { return a.finding.entry > b.finding.entry; });
    if (out.size() > c.call.limit) out.resize(c.call.limit);
    return out;
}

// What they are about is sealed, each reading of it an access entry.
Status read_about(const SourceCall& c, std::vector<Row>& list) {
    for (Row& row : list) {
        if (row.finding.about.is_zero()) continue;
        for (const auto& [name, text] : TRY(c.house.read_trail(c.actor, c.call.ground, row.finding.entry)))
            if (name == "scope") row.about = text;
    }
    return {};
}

std::string harmless(std::string text) {
    for (char& ch : text)
        if ((ch & 0xE0) == 0) ch = '?';
    return text;
}

}  // namespace

Result<int> findings_command(const SourceCall& c) {
    std::vector<Row> list = TRY(rows(c));
    if (!c.call.ground.empty()) TRY(read_about(c, list));
    if (c.call.json) {
        json all = json::array();
        for (const Row& r : list) {
            json j = {{"finding", r.finding.entry.value},
                      {"source", r.source},
                      {"code", r.finding.code},
                      {"count", r.finding.count},
                      {"found", format_rfc3339(r.finding.found)},
                      {"resolved", nullptr},
                      {"words", finding_words(r.finding.code, c.german())}};
            if (r.finding.resolved) j["resolved"] = format_rfc3339(*r.finding.resolved);
            if (!r.about.empty()) j["about"] = r.about;
            all.push_back(std::move(j));
        }
        c.out << all.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
        return 0;
    }
    if (list.empty()) c.out << c.say("keine Befunde\n", "no findings\n");
    bool sealed = false;
    for (const Row& r : list) {
        c.out << r.finding.entry.value << "\t" << (r.source.empty() ? c.say("(das Archiv)", "(the archive)") : r.source)
              << "\t" << finding_words(r.finding.code, c.german()) << " (" << r.finding.code << " × " << r.finding.count
              << ")\t" << format_rfc3339(r.finding.found) << "\t"
              << (r.finding.resolved ? c.say("geklärt ", "settled ") + format_rfc3339(*r.finding.resolved)
                                     : std::string(c.say("offen", "open")))
              << "\n";
        if (!r.about.empty()) c.out << "\t" << harmless(r.about) << "\n";
        sealed = sealed || (!r.finding.about.is_zero() && r.about.empty());
    }
    if (sealed)
        c.out << c.say("Worum es geht, ist versiegelt: --ground GRUND\n",
                       "What they are about is sealed: --ground GROUND\n");
    return 0;
}

Result<int> resolve_command(const SourceCall& c) {
    const EntryIndex finding = TRY(c.entry(c.one("finding")));
    const EntryIndex entry = TRY(c.desk().resolve(c.call.name, finding, c.call.ground));
    if (c.call.json)
        c.out << json{{"finding", finding.value}, {"entry", entry.value}}.dump() << "\n";
    else
        c.out << c.say("geklärt; vermerkt in Eintrag ", "settled; noted in entry ") << entry.value << "\n";
    return 0;
}

Result<int> completeness_command(const SourceCall& c) {
    ReportRequest request;
    for (const std::string& file : c.call.reports) request.files.emplace_back(file);
    request.language = c.call.language;
    request.actor = c.actor;
    const CompletenessReport r = TRY(c.house.certify_completeness({c.call.name, c.one("from"), c.one("to")}, request));
    if (c.call.json) {
        json j = json::parse(r.found.to_json());
        if (!r.files.empty()) {
            j["entry"] = r.entry.value;
            j["certificate"] = r.files;
        }
        c.out << j.dump() << "\n";
        return 0;
    }
    c.out << verdict_words(r.found.verdict, c.german()) << "\n" << verdict_meaning(r.found, c.german()) << "\n";
    for (const auto& [name, value] : completeness_facts(r.found, c.german()))
        c.out << "  " << name << ": " << value << "\n";
    for (const std::string& file : r.files) c.out << c.say("Bescheinigung: ", "certificate: ") << file << "\n";
    return 0;
}

}  // namespace kustos::app
