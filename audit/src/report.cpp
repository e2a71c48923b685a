#include "audit/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "audit/report_text.h"
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

void Report::remark(RemarkCode code, std::vector<std::string> values) {
    Remark r{code, std::move(values)};
    for (std::string& value : r.values) value = printable(std::move(value));
    if (remarks.size() < kMaxProblems && std::find(remarks.begin(), remarks.end(), r) == remarks.end())
        remarks.push_back(std::move(r));
}

void Report::retract(RemarkCode code) {
    std::erase_if(remarks, [code](const Remark& r) { return r.code == code; });
}

std::vector<std::string> Report::not_checked(std::string_view language) const {
    std::vector<std::string> out;
    for (const Remark& r : remarks) out.push_back(remark_text(r, language));
    return out;
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

std::string Report::to_json() const {
    json problem_list = json::array(), anchor_list = json::array(), remark_list = json::array();
    for (const Problem& p : problems) problem_list.push_back({{"code", p.code}, {"where", p.where}, {"text", p.text}});
    for (const ReportedAnchor& a : anchors) {
        anchor_list.push_back({{"size", a.size},
                               {"authority", a.authority},
                               {"gen_time", format_rfc3339(a.gen_time)},
                               {"level", std::string(time_name(a.level))}});
    }
    for (const Remark& r : remarks)
        remark_list.push_back({{"code", std::string(remark_name(r.code))}, {"values", r.values}});
    json j = {{"ok", ok},
              {"origin", std::string(origin_name(origin))},
              {"time", std::string(time_name(time))},
              {"checked", checked},
              {"not_checked", not_checked()},
              {"remarks", std::move(remark_list)},
              {"problems", std::move(problem_list)},
              {"subject", subject},
              {"fingerprint", fingerprint},
              {"anchors", std::move(anchor_list)},
              {"mode", mode},
              {"headline", headline("en")}};
    if (erasures.runs != 0) {
        j["erasures"] = {{"runs", erasures.runs},
                         {"contents", erasures.contents},
                         {"unreadable", erasures.unreadable},
                         {"terms_gone", erasures.terms_gone},
                         {"ciphertext_gone", erasures.ciphertext_gone},
                         {"final", erasures.final_}};
    }
    if (mode == "since") j["since"] = since_size;
    if (mode == "sampled") j["sample"] = {{"count", sampled}, {"nonce", nonce}, {"passed_over", passed_over}};
    if (size != 0) j["size"] = size;
    if (!reported.empty()) j["reported"] = reported;
    if (root) j["root"] = root->hex();
    if (proven_since) {
        j["proven_since"] = format_rfc3339(*proven_since);
        j["proven_size"] = proven_size;
    }
    return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Report::to_text(std::string_view language) const {
    const bool de = language == "de";
    const ReportText text = describe(*this, language);
    std::string out = text.verdict + "\n";
    for (const ReportFinding& f : text.findings) {
        out += "\n  " + f.explanation + "\n";
        for (const std::string& d : f.details) out += "    " + f.code + "  " + d + "\n";
        out += (de ? "  Zu tun: " : "  To do: ") + f.next_step + "\n";
    }
    if (!text.advice.empty()) out += "\n" + text.advice + "\n";
    const auto list = [&out](const char* title, const std::vector<std::string>& sentences) {
        if (sentences.empty()) return;
        out += std::string("\n") + title + "\n";
        for (const std::string& s : sentences) out += "  - " + s + "\n";
    };
    list(de ? "Was geprüft wurde" : "What was checked", text.checked);
    list(de ? "Was das beweist" : "What that proves", text.proven);
    list(de ? "Was es nicht beweist" : "What it does not prove", text.not_proven);
    list(de ? "Löschungen" : "Erasures", text.erasures);
    list(de ? "Zeitstempel" : "Time stamps", text.time);
    if (!fingerprint.empty() && (!ok || origin != Origin::unknown))
        out += std::string("\n") + (de ? "Fingerabdruck: " : "Fingerprint: ") + fingerprint + "\n";
    return out;
}

}  // namespace kustos::audit
