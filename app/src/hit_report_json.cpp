// The report as JSON (docs/format/hit-report.md): its SHA-256 stands in the ledger.
#include <nlohmann/json.hpp>

#include "access/matters.h"
#include "app/hit_report.h"
#include "app/src/present.h"

namespace kustos::app {

using nlohmann::json;

namespace {

json unsearched_json(const search::Unsearched& u) {
    return {{"partial", u.partial},
            {"opaque", u.opaque},
            {"failed", u.failed},
            {"deferred", u.deferred},
            {"reasons", u.reasons}};
}

json figures_json(const HitReport& report, const search::HitFigures& figures, std::uint64_t restricted) {
    json months = json::object(), persons = json::object();
    for (const auto& [month, count] : figures.months) months[report.months[month]] = count;
    const PersonCounts counts = person_counts(report, figures);
    for (std::size_t i = 0; i < counts.shown.size(); ++i)
        if (counts.shown[i] > 0) persons[report.persons[report.shown[i]]] = counts.shown[i];
    return {{"hits", figures.hits},          {"family", figures.family},       {"files", figures.files},
            {"unique", figures.unique},      {"restricted", restricted},       {"months", std::move(months)},
            {"persons", std::move(persons)}, {"other_persons", counts.others}, {"no_person", counts.without}};
}

json term_json(const HitReport& report, const HitTerm& t) {
    json j = figures_json(report, t.figures, t.restricted);
    j["line"] = t.term.line;
    if (!t.term.name.empty()) j["name"] = t.term.name;
    j["query"] = t.term.text;
    j["run"] = t.canonical;
    j["unsearched"] = unsearched_json(t.unsearched);
    j["unsearched"]["restricted"] = t.unsearched.restricted;
    return j;
}

}  // namespace

std::string hit_json(const HitReport& report, bool german) {
    json terms = json::array(), persons = json::array();
    for (const HitTerm& t : report.terms) terms.push_back(term_json(report, t));
    for (const std::uint32_t person : report.shown) persons.push_back(report.persons[person]);
    const exporting::ReportPages& f = report.frame;
    json j = {{"format", kHitFormat},
              {"matter", access::matter_id(report.matter)},
              {"name", report.name},
              {"scope", report.scope},
              {"ledger_size", report.size.value},
              {"index_end", report.index_end.value},
              {"coverage", json::parse(coverage_json_text(report.coverage))},
              {"records", report.records},
              {"unsearched", unsearched_json(report.in_scope)},
              {"time_zone", report.time_zone},
              {"persons", std::move(persons)},
              {"terms", std::move(terms)},
              {"total", figures_json(report, report.total, report.restricted)},
              {"result_set", report.result_set.hex()},
              {"definitions", hit_definitions(report, german)},
              {"access_entry", report.access.value},
              {"archive", f.archive_name},
              {"authority", f.authority},
              {"ledger", f.origin},
              {"made_at", format_rfc3339(f.made_at)},
              {"made_by", f.made_by},
              {"tool", f.tool},
              {"language", german ? "de" : "en"}};
    if (report.within) j["within"] = access::result_id(*report.within);
    return j.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace kustos::app
