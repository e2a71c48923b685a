#include "web/src/html.h"

#include <cstdio>

#include "base/text.h"

namespace kustos::web {

std::string when(UtcTime time) {
    const std::string t = format_rfc3339(time);
    return t.substr(0, 10) + " " + t.substr(11, 5) + " UTC";
}

std::string url_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if ((u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') || u == '-' || u == '_' ||
            u == '.') {
            out += c;
        } else {
            char hexed[4];
            std::snprintf(hexed, sizeof hexed, "%%%02X", u);
            out += hexed;
        }
    }
    return out;
}

std::string_view style_sheet() {
    return R"css(:root{--ink:#1a1f26;--soft:#5b6673;--line:#d5dae0;--paper:#fff;--back:#f4f5f7;--mark:#fff1a8;--act:#0b4f86;--bad:#a3162a;--good:#1c6b3a}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 "Noto Sans",system-ui,sans-serif;color:var(--ink);background:var(--back)}
a{color:var(--act)}header{background:var(--paper);border-bottom:1px solid var(--line)}
header .in,main{max-width:62rem;margin:0 auto;padding:.8rem 1.2rem}header .in{display:flex;gap:1.4rem;align-items:center;flex-wrap:wrap}
header b{font-size:1.15rem}header nav{display:flex;gap:1rem;flex:1}header form{margin:0}
h1{font-size:1.5rem;margin:.6rem 0 1rem}h2{font-size:1.1rem;margin:1.6rem 0 .5rem}
.card>h2:first-child,.card>p:first-child{margin-top:0}.card{background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:1rem 1.2rem;margin:0 0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
label{display:block;font-weight:600;margin:.6rem 0 .2rem}input,select{font:inherit;padding:.4rem .5rem;border:1px solid #8a95a1;border-radius:4px;max-width:100%}
input[type=search]{width:100%}button{font:inherit;padding:.45rem 1.1rem;border:0;border-radius:4px;background:var(--act);color:#fff;cursor:pointer}
button.plain{background:none;color:var(--act);padding:0;text-decoration:underline}:focus-visible{outline:3px solid #f0a500;outline-offset:1px}
.hit{padding:.8rem 0;border-bottom:1px solid var(--line)}.hit p{margin:.15rem 0}.soft{color:var(--soft);font-size:.92rem}
mark{background:var(--mark)}pre.body{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:0}bdi{unicode-bidi:isolate}
label.tick{font-weight:400}.bars{width:100%;height:auto;max-height:12rem}.bars rect{fill:var(--act)}.bars text{font-size:10px;fill:var(--soft)}
.bars line{stroke:var(--line)}.wide{overflow-x:auto}.matrix th,.matrix td{font-size:.85rem;padding:.25rem .5rem}.matrix thead th{vertical-align:bottom;overflow-wrap:anywhere}
.matrix tbody th{overflow-wrap:anywhere;min-width:8rem}.here{background:#eef4fa;border-left:4px solid var(--act);padding-left:.6rem}code{overflow-wrap:anywhere;font-size:.9em}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.dot{display:inline-block;width:.8rem;height:.8rem;border-radius:2px}
)css"
           ".s0{background:#1c6b3a}.s1{background:#7a9a2e}.s2{background:#8a95a1}.s3{background:#c98a00}.s4{background:"
           "#a3162a}.s5{background:#3d3d3d}\n";
}

std::string page(const PageContext& c, std::string_view title, std::string_view body) {
    std::string out = "<!doctype html><html lang=\"";
    out += say(c.language, "de", "en");
    out +=
        "\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>";
    out += escape_html(title);
    out +=
        " – Kustos</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body><header><div "
        "class=\"in\"><b>Kustos</b>";
    if (!c.actor.empty()) {
        out += "<nav><a href=\"/\">" + std::string(say(c.language, "Stand", "Status")) + "</a><a href=\"/search\">" +
               std::string(say(c.language, "Suche", "Search")) + "</a><a href=\"/verify\">" +
               std::string(say(c.language, "Prüfen", "Verify")) + "</a></nav><span class=\"soft\">" +
               escape_html(c.actor) +
               "</span><form method=\"post\" action=\"/logout\"><input type=\"hidden\" name=\"form_token\" value=\"" +
               escape_html(c.form_token) + "\"><button class=\"plain\">" +
               std::string(say(c.language, "Abmelden", "Log out")) + "</button></form>";
    }
    out += "</div></header><main><h1>" + escape_html(title) + "</h1>";
    out += body;
    out += "</main></body></html>";
    return out;
}

std::string login_page(const PageContext& c, bool failed) {
    std::string body = "<form class=\"card\" method=\"post\" action=\"/login\">";
    if (failed) {
        body += "<p class=\"bad\" role=\"alert\">" +
                std::string(say(c.language, "Name oder Passwort stimmt nicht.", "Wrong name or password.")) + "</p>";
    }
    body += "<label for=\"name\">" + std::string(say(c.language, "Name", "Name")) +
            "</label><input id=\"name\" name=\"name\" autocomplete=\"username\" required autofocus><label "
            "for=\"password\">" +
            std::string(say(c.language, "Passwort", "Password")) +
            "</label><input id=\"password\" type=\"password\" name=\"password\" autocomplete=\"current-password\" "
            "required><p><button>" +
            std::string(say(c.language, "Anmelden", "Log in")) + "</button></p></form>";
    return page(c, say(c.language, "Anmelden", "Log in"), body);
}

namespace {

std::string number(std::uint64_t n, Language language) {
    std::string digits = std::to_string(n);
    for (std::size_t i = digits.size(); i > 3; i -= 3) {
        digits.insert(i - 3, language == Language::german ? "." : ",");
        if (i <= 3) break;
    }
    return digits;
}

std::string row(std::string_view label, std::string_view markup) {
    return "<tr><th scope=\"row\">" + std::string(label) + "</th><td>" + std::string(markup) + "</td></tr>";
}

// Of what people typed; nothing, if there is none.
std::string names_row(std::string_view label, const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "<bdi>" : ", <bdi>") + escape_html(name) + "</bdi>";
    return names.empty() ? out : row(label, out);
}

std::string coverage_block(Language l, const Coverage& c) {
    struct Part {
        std::string_view german, english;
        std::uint64_t n;
    };
    const Part parts[] = {
        {"durchsuchbar", "searchable", c.searchable},
        {"teilweise (ein Anhang nicht)", "partly (an attachment not)", c.partial},
        {"nicht lesbar (verschlüsselt, Bild, Ton)", "opaque (encrypted, image, audio)", c.opaque},
        {"noch nicht im Verzeichnis", "not yet indexed", c.deferred},
        {"fehlgeschlagen", "failed", c.failed},
        {"gelöscht", "erased", c.erased},
    };
    std::string rows;
    int i = 0;
    for (const Part& p : parts) {
        rows += "<tr><td><i class=\"dot s" + std::to_string(i) + "\"></i></td><td>" +
                std::string(say(l, p.german, p.english)) + "</td><td class=\"n\">" + number(p.n, l) + "</td></tr>";
        ++i;
    }
    rows += "<tr><td></td><th scope=\"row\">" + std::string(say(l, "versiegelt", "sealed")) + "</th><td class=\"n\">" +
            number(c.sealed, l) + "</td></tr>";
    return "<table>" + rows + "</table>";
}

std::string unknown_coverage(Language l, const Coverage& c) {
    return "<table>" + row(say(l, "versiegelt", "sealed"), number(c.sealed, l)) +
           row(say(l, "gelöscht", "erased"), number(c.erased, l)) + "</table><p>" +
           std::string(say(l,
                           "Wie viele davon durchsuchbar sind, ist bei geschlossenem Tresor nicht bekannt: Nach einer "
                           "Löschung ist das Verzeichnis noch nicht bereinigt.",
                           "How many of them are searchable is not known while the vault is closed: the index has not "
                           "been cleaned since an erasure.")) +
           "</p>";
}

std::string vault_state(Language l, const std::string& state) {
    if (l == Language::english) return state;
    if (state == "closed") return "zu";
    return state.rfind("open", 0) == 0 ? "offen" + state.substr(4) : state;
}

std::string person(const vault::Person& p) {
    std::string out =
        "<bdi>" + escape_html(p.name.empty() ? (p.address.empty() ? p.id : p.address) : p.name) + "</bdi>";
    if (!p.name.empty() && !p.address.empty())
        out += " <span class=\"soft\">&lt;" + escape_html(p.address) + "&gt;</span>";
    return out;
}

}  // namespace

std::string status_page(const PageContext& c, const StatusReport& s) {
    const Language l = c.language;
    std::string body;
    if (!s.next_steps.empty()) {
        body += "<div class=\"card\"><h2>" + std::string(say(l, "Was als Nächstes zu tun ist", "What to do next")) +
                "</h2><ul>";
        for (const std::string& step : s.next_steps) body += "<li>" + escape_html(step) + "</li>";
        body += "</ul></div>";
    }
    body += "<div class=\"card\"><h2>" + std::string(say(l, "Abdeckung", "Coverage")) + "</h2>" +
            (s.coverage_known ? coverage_block(l, s.coverage) : unknown_coverage(l, s.coverage)) + "</div>";
    body += "<div class=\"card\"><h2>" + std::string(say(l, "Beweis", "Proof")) + "</h2><table>";
    body += row(say(l, "Einträge", "Entries"), number(s.entries, l));
    body += row(say(l, "Prüfpunkt", "Checkpoint"),
                number(s.checkpoint_size.value, l) + " · <code>" + s.checkpoint_root.hex() + "</code>");
    body += row(say(l, "Bestehen", "Existence"), escape_html(existence_words(s, l)));
    body += row(say(l, "Fingerabdruck", "Fingerprint"), "<code>" + escape_html(s.fingerprint) + "</code>");
    body += row(say(l, "Tresor", "Vault"), escape_html(vault_state(l, s.vault)));
    body += row(say(l, "In Quarantäne", "Quarantined"), number(s.quarantined, l));
    body += "</table></div><div class=\"card\"><h2>" + std::string(say(l, "Quellen", "Sources")) +
            "</h2><table><tr><th>Name</th><th>" + std::string(say(l, "Art", "Kind")) + "</th><th class=\"n\">" +
            std::string(say(l, "Einträge", "Entries")) + "</th><th class=\"n\">" +
            std::string(say(l, "Fehlend", "Missing")) + "</th><th class=\"n\">" +
            std::string(say(l, "Befunde", "Findings")) + "</th></tr>";
    for (const SourceReport& source : s.sources) {
        body += "<tr><td>" + escape_html(source.name) +
                (source.paused ? std::string(say(l, " (angehalten)", " (paused)")) : "") + "</td><td>" +
                escape_html(source.kind) + "</td><td class=\"n\">" + number(source.entries, l) +
                "</td><td class=\"n\">" + (source.missing == 0 ? std::string() : number(source.missing, l)) +
                "</td><td class=\"n\">" +
                (source.open_findings == 0 ? std::string() : number(source.open_findings, l)) + "</td></tr>";
    }
    body += "</table></div>";
    return page(c, say(l, "Stand", "Status"), body);
}

std::string search_page(const PageContext& c, const std::vector<MatterReport>& matters, const SearchForm& form,
                        const SearchReport* result, const Error* problem) {
    const Language l = c.language;
    std::string body =
        "<form class=\"card\" method=\"post\" action=\"/search\"><input type=\"hidden\" name=\"form_token\" value=\"" +
        escape_html(c.form_token) + "\"><label for=\"matter\">" + std::string(say(l, "Fall", "Matter")) +
        "</label><select id=\"matter\" name=\"matter\" required>";
    for (const MatterReport& m : matters) {
        if (m.closed) continue;
        body += "<option value=\"" + escape_html(m.id) + "\"" + (m.id == form.matter ? " selected" : "") + ">" +
                escape_html(m.id) + (m.reference.empty() ? "" : " – " + escape_html(m.reference)) + "</option>";
    }
    body += "</select><label for=\"query\">" + std::string(say(l, "Suchworte", "Words")) +
            "</label><input id=\"query\" type=\"search\" name=\"query\" required autofocus value=\"" +
            escape_html(form.query) + "\"><p class=\"soft\">" +
            std::string(
                say(l,
                    "Beispiele: Prüfbericht · „neue Schaukel“ in \"…\" · von:weber · datum:2026-03 · hat:anhang · "
                    "NICHT Entwurf",
                    "Examples: report · \"exact words\" · from:weber · date:2026-03 · has:attachment · NOT draft")) +
            "</p><label for=\"sort\">" + std::string(say(l, "Reihenfolge", "Order")) +
            "</label><select id=\"sort\" name=\"sort\"><option value=\"date\">" +
            std::string(say(l, "neueste zuerst", "newest first")) + "</option><option value=\"relevance\"" +
            (form.sort == "relevance" ? " selected" : "") + ">" + std::string(say(l, "beste zuerst", "best first")) +
            "</option></select><label class=\"tick\"><input type=\"checkbox\" name=\"figures\" value=\"yes\"" +
            (form.figures ? " checked" : "") + "> " +
            std::string(say(l, "auch nach Monaten und Beteiligten zählen", "count by months and participants, too")) +
            "</label><p><button>" + std::string(say(l, "Suchen", "Search")) + "</button></p><p class=\"soft\">" +
            std::string(say(l, "Jede Suche wird mit Fall und Name in der Kette festgehalten.",
                            "Each search is recorded in the ledger with matter and name.")) +
            "</p></form>";
    if (matters.empty()) {
        body += "<p>" +
                std::string(say(l, "Es gibt noch keinen Fall. Anlegen: ", "There is no matter yet. Make one: ")) +
                "<code>kustos matter new --reference R --ground TEXT</code></p>";
    }
    if (problem != nullptr) {
        body += "<p class=\"bad\" role=\"alert\">" + escape_html(problem->message()) + "</p>";
        if (!problem->hint().empty()) body += "<p>" + escape_html(problem->hint()) + "</p>";
    }
    if (result != nullptr) {
        body += "<h2>" + number(result->total, l) + " " +
                std::string(say(l, "Treffer", result->total == 1 ? "hit" : "hits")) + "</h2>";
        if (result->restricted != 0)
            body += "<p class=\"soft\">" + number(result->restricted, l) + " " +
                    std::string(say(l, "davon eingeschränkt (Art. 18 DSGVO): gezählt, nicht geöffnet",
                                    "of them restricted (GDPR Art. 18): counted, not opened")) +
                    "</p>";
        body += figures_section(l, *result);
        if (form.figures && result->facets.empty())
            body += "<p class=\"soft\">" +
                    std::string(
                        say(l, "Mit einem Öffner in eigenem Prozess wird nicht nach Monaten und Beteiligten gezählt.",
                            "With an opener apart hits are not counted by months and participants.")) +
                    "</p>";
        for (const Hit& h : result->hits) {
            body += "<div class=\"hit\"><p><a href=\"/record/" + std::to_string(h.entry.value) +
                    "?matter=" + url_encode(form.matter) + "\"><bdi>" +
                    escape_html(h.subject.empty()
                                    ? (h.conversation.empty() ? say(l, "ohne Betreff", "no subject") : h.conversation)
                                    : h.subject) +
                    "</bdi></a></p><p class=\"soft\"><bdi>" + escape_html(h.sender) + "</bdi> · " +
                    (h.sent_at ? when(*h.sent_at) : std::string(say(l, "ohne Zeit", "no time"))) + " · " +
                    std::string(say(l, "Eintrag ", "entry ")) + std::to_string(h.entry.value) + "</p><p dir=\"auto\">";
            if (!h.found_in.empty()) {
                body += "<span class=\"soft\"><bdi>" + escape_html(place_words(h, l)) + "</bdi></span><br>";
            }
            std::size_t at = 0;
            for (const auto& [begin, end] : h.marks) {
                if (begin < at || end > h.snippet.size() || end < begin) continue;
                body += escape_html(std::string_view(h.snippet).substr(at, begin - at)) + "<mark>" +
                        escape_html(std::string_view(h.snippet).substr(begin, end - begin)) + "</mark>";
                at = end;
            }
            body += escape_html(std::string_view(h.snippet).substr(at)) + "</p></div>";
        }
        const std::uint64_t shown = result->offset + result->hits.size();
        if (shown < result->total - result->restricted && !result->hits.empty()) {
            body += "<form method=\"post\" action=\"/search\"><input type=\"hidden\" name=\"form_token\" value=\"" +
                    escape_html(c.form_token) + "\"><input type=\"hidden\" name=\"matter\" value=\"" +
                    escape_html(form.matter) + "\"><input type=\"hidden\" name=\"query\" value=\"" +
                    escape_html(form.query) + "\"><input type=\"hidden\" name=\"sort\" value=\"" +
                    escape_html(form.sort) + "\"><input type=\"hidden\" name=\"offset\" value=\"" +
                    std::to_string(shown) + "\"><p><button>" + std::string(say(l, "Weitere Treffer", "More hits")) +
                    "</button> <span class=\"soft\">" + number(shown, l) + " / " + number(result->total, l) +
                    "</span></p></form>";
        }
        body += "<div class=\"card\"><h2>" +
                std::string(say(l, "Abdeckung dieser Antwort", "Coverage of this answer")) + "</h2>" + "<p>" +
                escape_html(unsearched_words(result->unsearched, l)) + "</p>" + coverage_block(l, result->coverage) +
                "<p class=\"soft\">" + escape_html(as_of_words(*result, l)) + "</p></div>";
    }
    return page(c, say(l, "Suche", "Search"), body);
}

std::string record_page(const PageContext& c, const RecordReport& r, const std::string& matter,
                        const Result<ContextReport>* around) {
    const Language l = c.language;
    const vault::Message& m = r.message;
    std::string body = "<div class=\"card\"><table>";
    body += row(say(l, "Von", "From"), person(m.sender));
    std::string to;
    for (const auto& recipient : m.recipients) {
        if (!to.empty()) to += ", ";
        to += person(recipient.person);
    }
    if (!to.empty()) body += row(say(l, "An", "To"), to);
    body += row(say(l, "Gesendet", "Sent"), m.sent_at ? when(*m.sent_at) : std::string(say(l, "unbekannt", "unknown")));
    body += row(say(l, "Eingegangen", "Received"), when(m.received_at));
    if (!m.conversation.empty())
        body += row(
            say(l, "Gespräch", "Conversation"),
            "<bdi>" + escape_html(m.conversation.title.empty() ? m.conversation.id : m.conversation.title) + "</bdi>");
    if (!m.subject.empty()) body += row(say(l, "Betreff", "Subject"), "<bdi>" + escape_html(m.subject) + "</bdi>");
    body += row(say(l, "Art", "Kind"), escape_html(vault::kind_name(m.kind)));
    if (!m.target.empty())
        body += row(say(l, "Bezieht sich auf", "Refers to"), "<code>" + escape_html(m.target) + "</code>");
    for (std::size_t i = 0; i < m.attachments.size(); ++i) {
        const auto& a = m.attachments[i];
        std::string facts;
        if (i < r.attachments.size())
            for (const std::string& words : r.attachments[i].words)
                facts += "<br><span class=\"soft\">" + escape_html(words) + "</span>";
        body += row(say(l, "Anhang", "Attachment"),
                    "<bdi>" + escape_html(a.name) + "</bdi> <span class=\"soft\">" + escape_html(a.media_type) + ", " +
                        (a.missing ? std::string(say(l, "nicht geliefert", "not delivered"))
                                   : number(a.size, l) + " Byte, SHA-256 " + a.sha256.hex()) +
                        "</span>" + facts);
    }
    body += names_row(say(l, "Schlagworte", "Labels"), r.labels);
    body += names_row(say(l, "Bewertung", "Codes"), r.codes);
    body += "</table></div>";
    if (!m.previous_body.empty()) {
        body += "<h2>" + std::string(say(l, "Vorher", "Before")) +
                "</h2><div class=\"card\"><pre class=\"body\" dir=\"auto\">" + escape_html(m.previous_body) +
                "</pre></div>";
    }
    std::string text = m.body;
    if (text.empty() && !m.body_html.empty()) text = m.body_html;
    body += "<div class=\"card\"><pre class=\"body\" dir=\"auto\">" + escape_html(text) + "</pre></div>";
    body += "<h2 id=\"context\">" + std::string(say(l, "Verlauf", "Context")) + "</h2><div class=\"card\">";
    if (around == nullptr) {
        body +=
            "<p><a href=\"/record/" + std::to_string(r.entry.value) + "?matter=" + url_encode(matter) +
            "&amp;context=5#context\">" +
            std::string(say(l, "fünf Nachrichten davor und danach öffnen", "open five messages before and after it")) +
            "</a> <span class=\"soft\">" +
            std::string(say(l, "Was dazu geöffnet wird, steht danach in der Kette.",
                            "What is opened for it is recorded in the ledger.")) +
            "</span></p>";
    } else if (!around->ok()) {
        body += "<p class=\"bad\" role=\"alert\">" + escape_html(around->error().message()) + "</p>";
    } else {
        body += context_section(l, **around, matter);
    }
    body += "</div><div class=\"card\"><table>";
    body += row(say(l, "Eintrag", "Entry"), std::to_string(r.entry.value) + " · <code>" + r.leaf.hex() + "</code>");
    body += row(say(l, "Quelle", "Source"),
                escape_html(r.source) + ", " + std::string(say(l, "Nr. ", "no. ")) + std::to_string(r.sequence));
    if (!r.completeness.empty()) body += row(say(l, "Vollständigkeit", "Completeness"), escape_html(r.completeness));
    if (!r.evidential_value.empty())
        body += row(say(l, "Beweiswert", "Evidential value"),
                    "<code>" + escape_html(m.format) + "</code> " + escape_html(r.evidential_value));
    body +=
        row(say(l, "Beweis", "Proof"),
            r.anchored ? std::string(say(l, "im Prüfpunkt und mit Zeitstempel", "in a checkpoint with a time stamp"))
            : r.checkpoint_size != 0
                ? std::string(say(l, "im Prüfpunkt, Zeitstempel folgt", "in a checkpoint, time stamp to come"))
                : std::string(say(l, "versiegelt, Prüfpunkt folgt", "sealed, checkpoint to come")));
    body += row(say(l, "Original", "Original"),
                "<a href=\"/record/" + std::to_string(r.entry.value) + "/original?matter=" + url_encode(matter) +
                    "\">" + std::string(say(l, "genaue Bytes herunterladen", "download the exact bytes")) + "</a>, " +
                    number(m.raw_size, l) + " Byte");
    body += "</table></div>";
    return page(c, std::string(say(l, "Aufzeichnung ", "Record ")) + std::to_string(r.entry.value), body);
}

std::string verify_page(const PageContext& c, const audit::Report* report) {
    const Language l = c.language;
    std::string body =
        "<p>" +
        std::string(say(
            l, "Prüft die ganze Kette, alle Prüfpunkte, Zeitstempel und jeden Geheimtext, ohne Inhalte zu öffnen.",
            "Checks the whole ledger, all checkpoints, time stamps and every ciphertext, without opening content.")) +
        "</p><form method=\"post\" action=\"/verify\"><input type=\"hidden\" name=\"form_token\" value=\"" +
        escape_html(c.form_token) + "\"><p><button>" + std::string(say(l, "Jetzt prüfen", "Verify now")) +
        "</button></p></form>";
    if (report != nullptr) {
        const std::string_view language = l == Language::german ? "de" : "en";
        const std::string headline = report->headline(language);
        std::string text = report->to_text(language);
        if (text.rfind(headline, 0) == 0) text.erase(0, std::min(text.size(), headline.size() + 1));
        body += "<div class=\"card\"><p class=\"" + std::string(report->ok ? "good" : "bad") + "\">" +
                escape_html(headline) + "</p><pre class=\"body\">" + escape_html(text) + "</pre></div>";
    }
    return page(c, say(l, "Prüfen", "Verify"), body);
}

std::string error_page(const PageContext& c, const Error& error) {
    return page(c, say(c.language, "Das ging nicht", "That did not work"),
                "<div class=\"card\"><p class=\"bad\">" + escape_html(error.message()) + "</p><p>" +
                    escape_html(error.hint()) + "</p></div>");
}

}  // namespace kustos::web
