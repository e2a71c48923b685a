#include "audit/report_html.h"

#include <algorithm>
#include <cstdio>

#include "audit/report_text.h"
#include "base/bytes.h"
#include "base/crypto.h"
#include "base/text.h"

namespace kustos::audit {

namespace {

// Contrast of every pair of colours is at least 4.5 (text) or 3 (what a plot is made of) to 1: WCAG 2.1, 1.4.3 and
// 1.4.11. No colour says anything that a word or a shape does not say, too.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:#17191d;font:16px/1.5 system-ui,"Noto Sans","DejaVu Sans",sans-serif}
main{max-width:46rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}
h1{font-size:1.05rem;margin:0 0 .75rem;color:#4a4f58;font-weight:600}
h2{font-size:1.15rem;margin:2rem 0 .5rem;color:#163a66}
h3{font-size:1rem;margin:0 0 .25rem}
p{margin:.4rem 0}
ul{margin:.4rem 0;padding-left:1.3rem}
li{margin:.3rem 0}
.band{border:2px solid;border-left-width:.6rem;border-radius:.3rem;padding:.8rem 1rem}
.band p{margin:.2rem 0 0;overflow-wrap:anywhere}
.band strong{font-size:1.35rem}
.good{border-color:#12653a;background:#e9f6ee;color:#0c3f25}
.open{border-color:#7a5200;background:#fdf5e3;color:#4a3200}
.bad{border-color:#98191b;background:#fdecec;color:#6b0f11}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.2rem 1rem;margin:1rem 0}
dt{color:#4a4f58}
dd{margin:0;overflow-wrap:anywhere}
code,.mono{font-family:"Noto Sans Mono","DejaVu Sans Mono",monospace;font-size:.88em;overflow-wrap:anywhere}
.finding{border:1px solid #c9ccd2;border-left:.35rem solid #98191b;border-radius:.3rem;padding:.7rem 1rem;margin:.8rem 0;break-inside:avoid}
.finding li{overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto;margin:.75rem 0}
svg text{font:12px system-ui,"Noto Sans","DejaVu Sans",sans-serif;fill:#17191d}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #c9ccd2;overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td svg{width:28px;margin:.15rem 0}
footer{margin-top:2.5rem;padding-top:.75rem;border-top:1px solid #c9ccd2;color:#4a4f58;font-size:.9rem}
@media print{main{max-width:none;padding:0}body{font-size:11pt}h2{break-after:avoid}.band{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

std::string tenth(double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", v);
    return text;
}

// What stands for a level in plots: a shape and a colour.
std::string fill_of(TimeLevel level) {
    switch (level) {
        case TimeLevel::qualified:
            return "#12653a";
        case TimeLevel::independent:
            return "#1d5fa8";
        case TimeLevel::self:
            return "url(#hatched)";
        case TimeLevel::none:
            break;
    }
    return "#fff";
}
std::string mark(TimeLevel level, double x, double y) {
    switch (level) {
        case TimeLevel::qualified:
            return "<path d=\"M" + tenth(x) + " " + tenth(y - 6) + "l6 6l-6 6l-6 -6z\" fill=\"#12653a\"/>";
        case TimeLevel::independent:
            return "<circle cx=\"" + tenth(x) + "\" cy=\"" + tenth(y) + "\" r=\"5\" fill=\"#1d5fa8\"/>";
        case TimeLevel::self:
        case TimeLevel::none:
            break;
    }
    return "<rect x=\"" + tenth(x - 4.5) + "\" y=\"" + tenth(y - 4.5) +
           "\" width=\"9\" height=\"9\" fill=\"#fff\" stroke=\"#4a4f58\" stroke-width=\"2\"/>";
}

class Page {
public:
    Page(const Report& report, const ReportPage& page, std::string_view language)
        : r_(report), page_(page), language_(language == "de" ? "de" : "en"), text_(describe(report, language_)) {}

    std::string run() {
        const std::string title = std::string(say("Prüfbericht", "Verification report"));
        std::string csp = "default-src 'none'; style-src 'sha256-" + base64(sha256(as_bytes(kStyle)).view()) +
                          "'; base-uri 'none'; form-action 'none'";
        out_ = "<!DOCTYPE html>\n<html lang=\"" + language_ + "\">\n<head>\n<meta charset=\"utf-8\">\n";
        out_ += "<meta http-equiv=\"Content-Security-Policy\" content=\"" + csp + "\">\n";
        out_ += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
        out_ += "<meta name=\"referrer\" content=\"no-referrer\">\n";
        out_ += "<title>" + title + ": " + escape_html(harmless(page_.subject, 120)) + "</title>\n";
        out_ += "<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n<main>\n";
        out_ += "<h1>" + title + "</h1>\n";
        band();
        facts();
        findings();
        section(say("Was geprüft wurde", "What was checked"), text_.checked);
        section(say("Was das beweist", "What that proves"), text_.proven);
        section(say("Was es nicht beweist", "What it does not prove"), text_.not_proven);
        if (!text_.erasures.empty()) section(say("Löschungen", "Erasures"), text_.erasures);
        time_stamps();
        foot();
        return std::move(out_) + "</main>\n</body>\n</html>\n";
    }

private:
    const char* say(const char* de, const char* en) const { return language_ == "de" ? de : en; }

    void band() {
        const bool known = r_.origin != Origin::unknown, names_findings = r_.reported == "problems";
        out_ += std::string("<div class=\"band ") +
                (!r_.ok                     ? "bad"
                 : known && !names_findings ? "good"
                                            : "open") +
                "\">\n<strong>";
        out_ += !r_.ok ? say("✘ Nicht in Ordnung", "✘ Not in order")
                : names_findings
                    ? say("✔ Der Bericht ist unversehrt; er nennt Befunde", "✔ The report is intact; it names findings")
                : known ? say("✔ Unversehrt, Herkunft bekannt", "✔ Intact, origin known")
                        : say("✔ Unversehrt, Herkunft offen", "✔ Intact, origin open");
        out_ += "</strong>\n<p>" + escape_html(text_.verdict) + ".</p>\n";
        if (!text_.advice.empty()) out_ += "<p><b>" + escape_html(text_.advice) + "</b></p>\n";
        out_ += "</div>\n";
    }

    void fact(const char* name, const std::string& value, bool mono = false) {
        if (value.empty()) return;
        out_ += std::string("<dt>") + name + "</dt><dd" + (mono ? " class=\"mono\"" : "") + ">" + escape_html(value) +
                "</dd>\n";
    }

    void facts() {
        out_ += "<dl>\n";
        fact(r_.subject == "bundle"   ? say("Beweispaket", "Bundle")
             : r_.subject == "report" ? say("Prüfbericht", "Report")
                                      : say("Archiv", "Archive"),
             harmless(page_.subject, 200));
        fact(say("Fingerabdruck", "Fingerprint"), harmless(r_.fingerprint, 200), true);
        if (r_.size != 0)
            fact(say("Prüfpunkt", "Checkpoint"),
                 written_number(r_.size, language_) +
                     (r_.size == 1 ? say(" Eintrag", " entry") : say(" Einträge", " entries")));
        if (r_.root) fact(say("Wurzel", "Root"), r_.root->hex(), true);
        fact(say("Geprüft am", "Verified on"), written_time(page_.made_at, language_));
        fact(say("Geprüft mit", "Verified with"), harmless(page_.tool, 100));
        out_ += "</dl>\n";
    }

    void section(const char* title, const std::vector<std::string>& sentences) {
        out_ += std::string("<h2>") + title + "</h2>\n<ul>\n";
        for (const std::string& s : sentences) out_ += "<li>" + escape_html(s) + "</li>\n";
        out_ += "</ul>\n";
    }

    void findings() {
        if (text_.findings.empty()) return;
        out_ += std::string("<h2>") + say("Befunde", "Findings") + "</h2>\n";
        for (const ReportFinding& f : text_.findings) {
            out_ += "<div class=\"finding\">\n<h3>" + escape_html(f.explanation) + "</h3>\n<ul>\n";
            for (const std::string& d : f.details) out_ += "<li><bdi>" + escape_html(d) + "</bdi></li>\n";
            out_ += "</ul>\n<p><b>" + std::string(say("Zu tun:", "To do:")) + "</b> " + escape_html(f.next_step) +
                    "</p>\n<p><code>" + escape_html(f.code) + "</code></p>\n</div>\n";
        }
    }

    void time_stamps() {
        if (text_.time.empty()) return;
        section(say("Zeitstempel", "Time stamps"), text_.time);
        if (r_.anchors.empty()) return;
        if (r_.subject == "archive") {
            coverage_bar();
            timeline();
        }
        out_ += "<table>\n<thead><tr><td></td><th>" + std::string(say("Zeit", "Time")) + "</th><th>" +
                say("Stelle", "Authority") + "</th><th>" + say("Art der Stelle", "Kind") + "</th><th class=\"n\">" +
                say("Einträge", "Entries") + "</th></tr></thead>\n<tbody>\n";
        for (const ReportedAnchor& a : r_.anchors) {
            out_ += "<tr><td><svg viewBox=\"0 0 28 16\" aria-hidden=\"true\">" + mark(a.level, 10, 8) +
                    "</svg></td><td>" + written_time(a.gen_time, language_) + "</td><td><bdi>" +
                    escape_html(harmless(a.authority, 100)) + "</bdi></td><td>" + level_name(a.level, language_) +
                    "</td><td class=\"n\">" + written_number(a.size, language_) + "</td></tr>\n";
        }
        out_ += "</tbody>\n</table>\n";
        const auto all = r_.checked.find("anchors");
        if (all != r_.checked.end() && all->second > r_.anchors.size())
            out_ += std::string("<p>") +
                    say("Gezeigt sind die ersten und die letzten; insgesamt: ",
                        "The first and the last are shown; in all: ") +
                    written_number(all->second, language_) + ".</p>\n";
    }

    struct Part {
        TimeLevel level;
        std::uint64_t count;
        const char* name;
    };
    std::vector<Part> parts() const {
        const StampShares s = stamp_shares(r_);
        return {{TimeLevel::qualified, s.qualified, say("qualifizierte Stelle", "qualified authority")},
                {TimeLevel::independent, s.independent, say("unabhängige Stelle", "independent authority")},
                {TimeLevel::self, s.self, say("unbestätigte Stelle", "unconfirmed authority")},
                {TimeLevel::none, s.none, say("kein Zeitstempel", "no time stamp")}};
    }

    // How many entries have which kind of time stamp: one bar, and its numbers beside it.
    void coverage_bar() {
        const StampShares s = stamp_shares(r_);
        if (s.size == 0) return;
        out_ += "<svg viewBox=\"0 0 700 84\" role=\"img\" aria-label=\"" +
                std::string(say("Einträge nach ihrem besten Zeitstempel", "Entries by their best time stamp")) +
                "\">\n<defs><pattern id=\"hatched\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
                "<path d=\"M0 6L6 0\" stroke=\"#4a4f58\" stroke-width=\"1.6\"/></pattern></defs>\n";
        double x = 1;
        int place = 0;
        for (const Part& p : parts()) {
            if (p.count == 0) continue;
            const double width = 698.0 * static_cast<double>(p.count) / static_cast<double>(s.size);
            out_ += "<rect x=\"" + tenth(x) + "\" y=\"1\" width=\"" + tenth(std::max(width, 1.5)) +
                    "\" height=\"24\" fill=\"" + fill_of(p.level) + "\" stroke=\"#17191d\"/>\n";
            x += width;
        }
        for (const Part& p : parts()) {
            if (p.count == 0) continue;
            const double left = place % 2 == 0 ? 1 : 351, top = place < 2 ? 38 : 62;
            out_ += "<rect x=\"" + tenth(left) + "\" y=\"" + tenth(top) + "\" width=\"14\" height=\"14\" fill=\"" +
                    fill_of(p.level) + "\" stroke=\"#17191d\"/><text x=\"" + tenth(left + 20) + "\" y=\"" +
                    tenth(top + 12) + "\">" + p.name + ": " + written_number(p.count, language_) + "</text>\n";
            ++place;
        }
        out_ += "</svg>\n";
    }

    // To the right the time of a stamp, upwards how many entries it covers.
    void timeline() {
        const auto by_time = [](const ReportedAnchor& a, const ReportedAnchor& b) { return a.gen_time < b.gen_time; };
        std::vector<ReportedAnchor> stamps = r_.anchors;
        std::sort(stamps.begin(), stamps.end(), by_time);
        const std::int64_t first = stamps.front().gen_time.ms, span = stamps.back().gen_time.ms - first;
        const double size = static_cast<double>(std::max<std::uint64_t>(stamp_shares(r_).size, 1));
        const auto x = [&](const ReportedAnchor& a) {
            return span == 0 ? 380.0
                             : 90 + 595 * static_cast<double>(a.gen_time.ms - first) / static_cast<double>(span);
        };
        const auto y = [&](const ReportedAnchor& a) { return 150 - 130 * static_cast<double>(a.size) / size; };
        out_ += "<svg viewBox=\"0 0 700 190\" role=\"img\" aria-label=\"" +
                std::string(say("Zeitstempel im Lauf der Zeit und wie viele Einträge sie erfassen",
                                "Time stamps over time, and how many entries they cover")) +
                "\">\n<path d=\"M80 10V150H692\" fill=\"none\" stroke=\"#4a4f58\"/>\n";
        out_ += "<text x=\"74\" y=\"24\" text-anchor=\"end\">" +
                written_number(static_cast<std::uint64_t>(size), language_) +
                "</text><text x=\"74\" y=\"38\" text-anchor=\"end\">" + say("Einträge", "entries") +
                "</text><text x=\"74\" y=\"154\" text-anchor=\"end\">0</text>\n";
        if (span == 0) {
            out_ += "<text x=\"380\" y=\"172\" text-anchor=\"middle\">" + written_time(stamps[0].gen_time, language_) +
                    "</text>\n";
        } else {
            out_ += "<text x=\"80\" y=\"172\">" + written_time(stamps.front().gen_time, language_) +
                    "</text><text x=\"692\" y=\"172\" text-anchor=\"end\">" +
                    written_time(stamps.back().gen_time, language_) + "</text>\n";
        }
        std::string steps;
        double reached = 150;
        for (const ReportedAnchor& a : stamps) {
            if (y(a) > reached) continue;  // covers less than an earlier one
            steps += (steps.empty() ? "M" + tenth(x(a)) + " 150" : "H" + tenth(x(a))) + "V" + tenth(y(a));
            reached = y(a);
        }
        out_ += "<path d=\"" + steps + "H692\" fill=\"none\" stroke=\"#6b7078\" stroke-width=\"1.5\"/>\n";
        for (const ReportedAnchor& a : stamps) out_ += mark(a.level, x(a), y(a)) + "\n";
        out_ += "</svg>\n";
    }

    void foot() {
        out_ +=
            std::string("<footer>\n<p>") +
            say("Dieser Bericht ist nicht unterschrieben: Er ist so viel wert wie der Rechner, auf dem er entstand. "
                "Wer "
                "ihn nachprüfen will, prüft dasselbe Archiv oder Beweispaket mit demselben Programm oder einem "
                "anderen, "
                "das die offen beschriebenen Formate liest.",
                "This report is not signed: it is worth as much as the machine that made it. To check it, verify the "
                "same archive or bundle with the same program, or with any other that reads the openly described "
                "formats.") +
            "</p>\n</footer>\n";
    }

    const Report& r_;
    const ReportPage& page_;
    std::string language_;
    ReportText text_;
    std::string out_;
};

}  // namespace

std::string report_html(const Report& report, const ReportPage& page, std::string_view language) {
    return Page(report, page, language).run();
}

}  // namespace kustos::audit
