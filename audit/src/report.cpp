#include "audit/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "audit/src/report_words.h"
#include "base/bytes.h"
#include "base/crypto.h"

namespace kustos::audit {

using nlohmann::json;

namespace {

std::string printable(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    }
    return text;
}

bool only_origin(const Report& r) {
    return !r.ok && std::all_of(r.problems.begin(), r.problems.end(),
                                [](const Problem& p) { return p.code == "origin.mismatch"; });
}

std::string number_and_noun(std::uint64_t n, const char* one, const char* many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
}

}  // namespace

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
    problems.push_back({std::move(code), printable(std::move(where)), printable(std::move(text))});
}

void Report::remark(std::string text) {
    text = printable(std::move(text));
    if (not_checked.size() < kMaxProblems &&
        std::find(not_checked.begin(), not_checked.end(), text) == not_checked.end())
        not_checked.push_back(std::move(text));
}

void Report::anchor(ReportedAnchor a) {
    ++checked["anchors"];
    // The best level counts; of one level the earliest time, which for an archive is not what covers most: see anchors.
    if (a.level > time || (a.level == time && (!proven_since || a.gen_time < *proven_since))) {
        time = a.level;
        proven_since = a.gen_time;
        proven_size = a.size;
    }
    a.authority = printable(std::move(a.authority));
    if (anchors.size() >= kMaxAnchors) anchors.erase(anchors.begin() + kMaxAnchors / 2);
    anchors.push_back(std::move(a));
}

std::string Report::headline(std::string_view language) const {
    const bool de = language == "de";
    if (!ok) {
        const std::uint64_t left_out = checked.count("problems_left_out") != 0 ? checked.at("problems_left_out") : 0;
        const std::uint64_t n = problems.size() + left_out;
        if (only_origin(*this)) {
            return de ? "Falsche Herkunft: das stammt nicht von dem Archiv, das die Vertrauensdatei nennt. Sonst wurde "
                        "nichts Auffälliges gefunden"
                      : "Wrong origin: this does not come from the archive that the trust file names. Nothing else was "
                        "found broken";
        }
        return de ? "Nicht in Ordnung: " + number_and_noun(n, "Befund", "Befunde") +
                        ". Was unten genannt ist, wurde verändert, fehlt oder passt nicht zusammen"
                  : "Not intact: " + number_and_noun(n, "finding", "findings") +
                        ". What is named below was changed, is missing or does not fit";
    }
    if (origin == Origin::unknown) {
        return de ? "Unversehrt. Herkunft nicht festgestellt: Fingerabdruck " + fingerprint +
                        " mit dem vergleichen, den die Behörde veröffentlicht hat"
                  : "Intact. Origin not established: compare fingerprint " + fingerprint +
                        " with the one that the authority has published";
    }
    return de ? "Unversehrt. Es stammt von dem Archiv, das die Vertrauensdatei nennt"
              : "Intact. It comes from the archive that the trust file names";
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
              {"subject", subject},
              {"fingerprint", fingerprint},
              {"anchors", std::move(anchor_list)},
              {"headline", headline("en")}};
    if (proven_since) {
        j["proven_since"] = format_rfc3339(*proven_since);
        j["proven_size"] = proven_size;
    }
    return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

namespace {

std::string day_and_time(UtcTime time, bool de) {  // 02.03.2026, 10:00:00 UTC
    const std::string t = format_rfc3339({time.ms - (time.ms % 1000 + 1000) % 1000});
    if (!de || t.size() != 20) return t;
    return t.substr(8, 2) + "." + t.substr(5, 2) + "." + t.substr(0, 4) + ", " + t.substr(11, 8) + " UTC";
}

std::string time_line(const Report& r, bool de) {
    if (r.time == TimeLevel::none)
        return de ? "Zeit: kein Zeitstempel. Nichts belegt, wann es das gab."
                  : "Time: no time stamp. Nothing proves when this existed.";
    if (r.time == TimeLevel::self) {
        return de ? "Zeit: nur die eigene Aussage des Archivs oder einer Stelle, für die niemand einsteht. Gegenüber "
                    "Dritten belegt sie nichts."
                  : "Time: only the archive's own word, or that of an authority nobody vouches for. It proves no time "
                    "to others.";
    }
    std::string out =
        r.time == TimeLevel::qualified
            ? (de ? "Zeit: qualifizierter Zeitstempel" : "Time: qualified time stamp")
            : (de ? "Zeit: von unabhängiger Stelle bestätigt" : "Time: confirmed by an independent authority");
    out += (de ? ". Spätestens am " : ". At the latest on ") + day_and_time(*r.proven_since, de);
    const std::string n = std::to_string(r.proven_size);
    out += r.subject == "bundle"
               ? (de ? " gab es diese Aufzeichnungen so, wie sie hier stehen."
                     : " these records existed as they stand here.")
               : (de ? " gab es die ersten " + n + " Einträge." : " the first " + n + " entries existed.");
    if (r.subject == "archive" && !r.anchors.empty()) {
        // The newest stamp of the best level covers most.
        const ReportedAnchor* widest = nullptr;
        for (const ReportedAnchor& a : r.anchors) {
            if (a.level == r.time && (widest == nullptr || a.size > widest->size)) widest = &a;
        }
        if (widest != nullptr && widest->size > r.proven_size) {
            out += (de ? " Am " : " On ") + day_and_time(widest->gen_time, de) + (de ? " waren es " : " there were ") +
                   std::to_string(widest->size) + ".";
        }
    }
    return out;
}

// What the reader should do now.
std::string advice(const Report& r, bool de) {
    if (r.subject == "bundle") {
        if (only_origin(r)) {
            return de ? "Nicht als Beweis verwenden, bevor geklärt ist, woher die Datei stammt: bei der Behörde nach "
                        "dem Fingerabdruck ihres Archivs fragen."
                      : "Do not use it as evidence before it is known where it comes from: ask the authority for its "
                        "archive's fingerprint.";
        }
        return de ? "Nicht als Beweis verwenden. Die Datei aufheben, wie sie ist, und beim Archiv ein neues "
                    "Beweispaket anfordern."
                  : "Do not use it as evidence. Keep the file as it is, and ask the archive for a new bundle.";
    }
    return de ? "Nichts löschen und nichts reparieren. Eine Kopie des ganzen Ordners sichern und die Fachstelle für "
                "das Archiv verständigen."
              : "Delete nothing, repair nothing. Save a copy of the whole folder and inform those who run the archive.";
}

}  // namespace

std::string Report::to_text(std::string_view language) const {
    const bool de = language == "de";
    std::string out = headline(language) + "\n";
    std::string_view last;
    for (const Problem& p : problems) {
        // The plain sentence once for a run of the same code, the details below it.
        if (p.code != last) out += "\n  " + std::string(explain(p.code, language)) + "\n";
        last = p.code;
        out += "    " + p.code + "  " + (de ? german_place(p.where) : p.where) + ": " + p.text + "\n";
    }
    if (!ok) out += "\n" + advice(*this, de) + "\n";
    out += de ? "Geprüft: " : "Checked: ";
    bool first = true;
    for (const auto& [name, count] : checked) {
        out += (first ? "" : ", ") + counted(count, name, de);
        first = false;
    }
    out += checked.empty() ? (de ? "nichts\n" : "nothing\n") : "\n";
    out += time_line(*this, de) + "\n";
    if (!fingerprint.empty() && (!ok || origin != Origin::unknown))
        out += (de ? "Fingerabdruck: " : "Fingerprint: ") + fingerprint + "\n";
    for (const std::string& n : not_checked)
        out += (de ? "Nicht geprüft: " + german_remark(n) : "Not checked: " + n) + "\n";
    return out;
}

}  // namespace kustos::audit
