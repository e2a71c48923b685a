#include "audit/report.h"

#include <nlohmann/json.hpp>

#include "base/crypto.h"

namespace kustos::audit {

using nlohmann::json;

std::string_view origin_name(Origin origin) {
    switch (origin) {
        case Origin::unknown:
            return "unknown";
        case Origin::pinned:
            return "pinned";
        case Origin::witnessed:
            return "witnessed";
    }
    return "unknown";
}

std::string_view time_name(TimeLevel level) {
    switch (level) {
        case TimeLevel::none:
            return "none";
        case TimeLevel::self:
            return "self";
        case TimeLevel::independent:
            return "independent";
        case TimeLevel::qualified:
            return "qualified";
    }
    return "none";
}

std::string key_fingerprint(std::string_view vkey) {
    const std::string digits = sha256(as_bytes(vkey)).hex();
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 4) out += (i == 0 ? "" : " ") + digits.substr(i, 4);
    return out;
}

void Report::problem(std::string code, std::string where, std::string text) {
    ok = false;
    if (problems.size() >= kMaxProblems) {
        ++checked["problems_left_out"];
        return;
    }
    problems.push_back({std::move(code), std::move(where), std::move(text)});
}

std::string Report::headline(std::string_view language) const {
    const bool de = language == "de";
    if (!ok) {
        return de ? "Nicht in Ordnung: " + std::to_string(problems.size()) +
                        " Befund(e). Was unten genannt ist, wurde verändert, fehlt oder passt nicht zusammen."
                  : "Not intact: " + std::to_string(problems.size()) +
                        " finding(s). What is named below was changed, is missing or does not fit.";
    }
    if (origin == Origin::unknown) {
        return de ? "Unversehrt. Herkunft nicht festgestellt: Fingerabdruck " + fingerprint +
                        " mit dem vergleichen, den die Behörde veröffentlicht hat"
                  : "Intact. Origin not established: compare fingerprint " + fingerprint +
                        " with the one that the authority has published";
    }
    return de ? "Unversehrt. Die Herkunft ist die der Vertrauensdatei."
              : "Intact. The origin is the one that the trust file names.";
}

std::string Report::to_json() const {
    json problem_list = json::array(), anchor_list = json::array();
    for (const Problem& p : problems) problem_list.push_back({{"code", p.code}, {"where", p.where}, {"text", p.text}});
    for (const ReportedAnchor& a : anchors) {
        anchor_list.push_back({{"size", a.size},
                               {"authority", a.authority},
                               {"gen_time", format_rfc3339(a.gen_time)},
                               {"level", std::string(time_name(a.level))}});
    }
    json j = {{"ok", ok},
              {"origin", std::string(origin_name(origin))},
              {"time", std::string(time_name(time))},
              {"checked", checked},
              {"not_checked", not_checked},
              {"problems", std::move(problem_list)},
              {"fingerprint", fingerprint},
              {"anchors", std::move(anchor_list)},
              {"headline", headline("en")}};
    if (proven_since) j["proven_since"] = format_rfc3339(*proven_since);
    return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

namespace {
// People's words for what was counted; a word that is not here is shown as it is.
std::string count_name(const std::string& key, bool de) {
    static const std::map<std::string, std::pair<const char*, const char*>> kNames = {
        {"entries", {"Einträge", "entries"}},
        {"tiles", {"Kacheln der Kette", "ledger tiles"}},
        {"checkpoints", {"Prüfpunkte", "checkpoints"}},
        {"anchors", {"Zeitstempel", "time stamps"}},
        {"frames", {"Geheimtexte", "ciphertexts"}},
        {"records", {"Aufzeichnungen", "records"}},
        {"fields", {"Felder", "fields"}},
        {"originals", {"Originale", "originals"}},
        {"files", {"Dateien", "files"}},
        {"boxes", {"versiegelte Schlüssel", "sealed keys"}},
        {"blobs", {"große Anhänge", "large attachments"}},
        {"proofs", {"Beweise", "proofs"}},
        {"bytes", {"Byte", "bytes"}},
        {"signatures", {"Unterschriften", "signatures"}},
        {"opened", {"geöffnete Inhalte", "opened contents"}},
    };
    const auto found = kNames.find(key);
    return found == kNames.end() ? key : de ? found->second.first : found->second.second;
}
}  // namespace

std::string Report::to_text(std::string_view language) const {
    const bool de = language == "de";
    std::string out = headline(language) + "\n";
    for (const Problem& p : problems) out += "  " + p.code + "  " + p.where + ": " + p.text + "\n";
    out += de ? "Geprüft: " : "checked: ";
    bool first = true;
    for (const auto& [name, count] : checked) {
        out += (first ? "" : ", ") + std::to_string(count) + " " + count_name(name, de);
        first = false;
    }
    out += "\n";
    switch (time) {
        case TimeLevel::none:
            out += de ? "Zeit: kein Zeitstempel; nichts belegt, wann es das gab.\n"
                      : "time: no time stamp; nothing proves when this existed.\n";
            break;
        case TimeLevel::self:
            out += de ? "Zeit: nur die eigene Aussage des Archivs oder einer Stelle, für die niemand einsteht; sie "
                        "belegt keine Zeit gegenüber Dritten.\n"
                      : "time: only the archive's own word, or that of an authority nobody vouches for; it proves no "
                        "time to others.\n";
            break;
        case TimeLevel::independent:
            out += de ? "Zeit: von unabhängiger Stelle bestätigt" : "time: confirmed by an independent authority";
            break;
        case TimeLevel::qualified:
            out += de ? "Zeit: qualifizierter Zeitstempel" : "time: qualified time stamp";
            break;
    }
    if (time == TimeLevel::independent || time == TimeLevel::qualified) {
        if (proven_since)
            out += (de ? ", vorhanden spätestens " : ", existed at the latest ") + format_rfc3339(*proven_since);
        out += ".\n";
    }
    if (ok) out += (de ? "Fingerabdruck: " : "fingerprint: ") + fingerprint + "\n";
    for (const std::string& n : not_checked) out += (de ? "nicht geprüft: " : "not checked: ") + n + "\n";
    return out;
}

}  // namespace kustos::audit
