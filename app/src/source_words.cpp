// A source in one line, and as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/source_commands.h"

namespace kustos::app {

using nlohmann::json;

namespace {

const char* state_words(const std::string& state, bool de) {
    if (state == "running") return de ? "läuft" : "running";
    if (state == "waiting") return de ? "wartet" : "waiting";
    if (state == "failing") return de ? "gestört" : "failing";
    return de ? "steht" : "stopped";
}

}  // namespace

std::string source_json(const web::SourceReport& s) {
    json j = {{"source", s.id},       {"name", s.name},       {"kind", s.kind},     {"paused", s.paused},
              {"entries", s.entries}, {"records", s.records}, {"counts", s.counts}, {"open_findings", s.open_findings},
              {"missing", s.missing}};
    if (s.heard) j["heartbeat"] = {{"time", format_rfc3339(*s.heard)}, {"missing", s.missing}};
    if (!s.state.empty()) {
        j["stream"] = {{"state", s.state}, {"problem", s.problem}};
        if (s.port != 0) j["stream"]["port"] = s.port;
        if (s.last) j["stream"]["last"] = format_rfc3339(*s.last);
    }
    return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string source_text(const web::SourceReport& s, Language language) {
    const bool de = language == Language::german;
    std::ostringstream out;
    out << s.name << " (" << s.kind << "), " << s.entries << (de ? " Einträge" : " entries");
    if (s.paused) out << (de ? ", angehalten" : ", paused");
    if (!s.state.empty()) {
        out << ", " << state_words(s.state, de);
        if (s.port != 0) out << (de ? " an Port " : " on port ") << s.port;
        if (!s.problem.empty()) out << " (" << s.problem << ")";
    }
    std::optional<UtcTime> heard = s.heard;
    if (s.last && (!heard || *s.last > *heard)) heard = s.last;
    if (heard) out << (de ? ", zuletzt gemeldet " : ", last heard ") << format_rfc3339(*heard);
    if (s.heard || s.missing != 0) out << (de ? ", fehlend: " : ", missing: ") << s.missing;
    for (const auto& [code, n] : s.counts)
        if (n != 0) out << "; " << count_words(code, de) << ": " << n;
    if (s.open_findings != 0) out << (de ? "; offene Befunde: " : "; open findings: ") << s.open_findings;
    return out.str();
}

}  // namespace kustos::app
