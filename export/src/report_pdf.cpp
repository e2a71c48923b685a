#include "export/report_pdf.h"

#include <algorithm>

#include "audit/report_text.h"
#include "base/crypto.h"
#include "export/src/blocks.h"
#include "export/src/signed_frame.h"
#include "export/src/text_safety.h"
#include "export/src/wording.h"

namespace kustos::exporting {
namespace {

using audit::Origin;
using audit::ReportedAnchor;
using audit::TimeLevel;

constexpr Colour kBlue{0.11, 0.37, 0.66}, kWhite{1, 1, 1};
constexpr double kWidth = page::kTextWidth;
constexpr std::size_t kMaxSentence = 1'500;

class ReportDrawing {
public:
    ReportDrawing(Canvas& canvas, const audit::Report& report, const ReportPages& in, const Wording& say,
                  const Zone& zone)
        : canvas_(canvas),
          frame_(canvas, in),
          r_(report),
          in_(in),
          say_(say),
          zone_(zone),
          language_(say.german() ? "de" : "en"),
          text_(audit::describe(report, language_)) {}

    void draw() {
        title();
        band();
        facts();
        findings();
        sentences(say_("Was geprüft wurde", "What was checked"), text_.checked, "•");
        sentences(say_("Was das beweist", "What that proves"), text_.proven, "•");
        std::vector<std::string> not_proven = text_.not_proven;
        not_proven.emplace_back(say_(
            "Dass dieser Bericht richtig ist: Ihn unterschreibt das Archiv, um das es geht. Wer dem nicht trauen will, "
            "prüft das Archiv selbst mit kustos-verify; dafür braucht niemand einen Schlüssel.",
            "That this report is right: it is signed by the archive that it is about. Who does not want to rely on "
            "that verifies the archive with kustos-verify; nobody needs a key for it."));
        sentences(say_("Was es nicht beweist", "What it does not prove"), not_proven, "–");
        time_stamps();
        how_to_check();
    }

private:
    void title() {
        const std::string name = isolated(in_.archive_name, 160);
        frame_.title(say_("Prüfbericht", "Verification report"),
                     say_.german() ? "über das Archiv " + name : "on the archive " + name);
    }

    // The verdict: a word and a sign, and only then a colour.
    void band() {
        const bool known = r_.origin != Origin::unknown;
        const char* word = !r_.ok  ? say_("Nicht in Ordnung", "Not in order")
                           : known ? say_("Unversehrt, Herkunft bekannt", "Intact, origin known")
                                   : say_("Unversehrt, Herkunft offen", "Intact, origin open");
        const Tone tone = !r_.ok ? Tone::bad : known ? Tone::good : Tone::mind;
        frame_.band(tone, (r_.ok ? "✔ " : "✘ ") + std::string(word), text_.verdict + ".", text_.advice);
    }

    void fact(const char* de, const char* en, const std::string& value, bool mono = false) {
        if (!value.empty())
            name_value(canvas_, say_(de, en), value, {9, false, false, mono, kInk}, 4, page::kLeft, 100);
    }

    void facts() {
        fact("Fingerabdruck", "Fingerprint", frame_text(r_.fingerprint), true);
        fact("Kette", "Ledger", frame_text(in_.origin, 200), true);
        if (r_.size != 0)
            fact("Prüfpunkt", "Checkpoint", say_.count(r_.size, "Eintrag", "Einträge", "entry", "entries"));
        if (r_.root) fact("Wurzel", "Root", grouped(r_.root->hex(), 8), true);
        fact("Umfang", "Extent", extent());
        std::string made = zone_.local(in_.made_at).stamp();
        if (!in_.made_by.empty()) made += say_(" durch ", " by ") + isolated(in_.made_by, 120);
        fact("Geprüft", "Verified", made);
        fact("Geprüft mit", "Verified with", frame_text(in_.tool, 100));
        fact("Vermerkt in", "Noted in",
             say_.german() ? "Eintrag " + say_.number(in_.entry.value) + " der Kette, vor der Unterschrift"
                           : "entry " + say_.number(in_.entry.value) + " of the ledger, before the signature");
    }

    std::string extent() const {
        if (r_.mode == "sampled")
            return say_("Stichprobe: ", "sample: ") + say_.count(r_.sampled, "Eintrag", "Einträge", "entry", "entries");
        if (r_.mode == "since")
            return say_("was seit dem Prüfpunkt über ", "what came since the checkpoint over ") +
                   say_.count(r_.since_size, "Eintrag", "Einträge", "entry", "entries") + say_(" dazukam", "");
        return say_("das ganze Archiv", "the whole archive");
    }

    void sentences(const char* title, const std::vector<std::string>& list, const char* mark) {
        frame_.sentences(title, list, mark);
    }

    void findings() {
        if (text_.findings.empty()) return;
        heading(canvas_, say_("Befunde", "Findings"));
        for (const audit::ReportFinding& f : text_.findings) {
            const Style plain{9.5}, bold{9.5, true}, code{8, false, false, true, kGrey};
            const std::string name = frame_text(f.code, 100);
            const Text what =
                canvas_.text({{frame_text(f.explanation, kMaxSentence) + "  ", bold}, {name, code}}, {kWidth - 18});
            canvas_.need(what.height() + 30);
            canvas_.place(canvas_.text("✘", {9.5, true, false, false, kRed}, {}), page::kLeft + 2, canvas_.y());
            canvas_.flow(what, page::kLeft + 18);
            canvas_.gap(4);
            for (const std::string& d : f.details)
                paragraph(canvas_, frame_text(d, 600), {8.5, false, false, true, kInk}, 18);
            canvas_.flow(
                canvas_.text({{say_("Zu tun: ", "To do: "), bold}, {frame_text(f.next_step, kMaxSentence), plain}},
                             {kWidth - 18}),
                page::kLeft + 18);
            canvas_.gap(6);
            canvas_.gap(4);
        }
    }

    // --- time stamps: how far they reach, and when they were made ---
    void time_stamps() {
        sentences(say_("Zeitstempel", "Time stamps"), text_.time, "•");
        if (r_.anchors.empty()) return;
        coverage_bar();
        timeline();
        table();
    }

    void hatch(double x, double y, double width, double height) {
        for (double at = x - height; at < x + width; at += 4) {
            const double begin = std::max(at, x), end = std::min(at + height, x + width);
            if (begin < end) canvas_.line(begin, y + height - (begin - at), end, y + height - (end - at), kGrey, 0.8);
        }
    }
    void area(TimeLevel level, double x, double y, double width, double height) {
        canvas_.fill(x, y, width, height,
                     level == TimeLevel::qualified     ? kGreen
                     : level == TimeLevel::independent ? kBlue
                                                       : kWhite);
        if (level == TimeLevel::self) hatch(x, y, width, height);
        canvas_.frame(x, y, width, height, kInk, 0.6);
    }
    void mark(TimeLevel level, double x, double y) {
        if (level == TimeLevel::qualified) return canvas_.diamond(x, y, 4.4, kGreen);
        if (level == TimeLevel::independent) return canvas_.disc(x, y, 3.4, kBlue);
        canvas_.fill(x - 3, y - 3, 6, 6, kWhite);
        canvas_.frame(x - 3, y - 3, 6, 6, kGrey, 1.3);
    }

    void coverage_bar() {
        const audit::StampShares s = audit::stamp_shares(r_);
        if (s.size == 0) return;
        struct Part {
            TimeLevel level;
            std::uint64_t count;
            const char* name;
        };
        const Part parts[] = {
            {TimeLevel::qualified, s.qualified, say_("qualifizierte Stelle", "qualified authority")},
            {TimeLevel::independent, s.independent, say_("unabhängige Stelle", "independent authority")},
            {TimeLevel::self, s.self, say_("unbestätigte Stelle", "unconfirmed authority")},
            {TimeLevel::none, s.none, say_("kein Zeitstempel", "no time stamp")}};
        canvas_.need(58);
        const double y = canvas_.y() + 4;
        double x = page::kLeft;
        for (const Part& p : parts) {
            if (p.count == 0) continue;
            const double width = kWidth * static_cast<double>(p.count) / static_cast<double>(s.size);
            area(p.level, x, y, std::min(std::max(width, 1.2), page::kRight - x), 13);
            x += width;
        }
        int place = 0;
        for (const Part& p : parts) {
            if (p.count == 0) continue;
            const double left = page::kLeft + (place % 2 == 0 ? 0 : kWidth / 2), top = y + (place < 2 ? 20 : 34);
            area(p.level, left, top + 2, 8, 8);
            canvas_.place(canvas_.text(p.name + std::string(": ") + say_.number(p.count), {8.5}, {}), left + 13, top);
            ++place;
        }
        canvas_.move_to(y + (place > 2 ? 48 : 34));
    }

    void timeline() {
        std::vector<ReportedAnchor> stamps = r_.anchors;
        std::sort(stamps.begin(), stamps.end(),
                  [](const ReportedAnchor& a, const ReportedAnchor& b) { return a.gen_time < b.gen_time; });
        const double size = static_cast<double>(std::max<std::uint64_t>(audit::stamp_shares(r_).size, 1));
        constexpr double kHeight = 84, kAxis = 48;
        canvas_.need(kHeight + 40);
        const double top = canvas_.y() + 10, bottom = top + kHeight, left = page::kLeft + kAxis;
        const std::int64_t first = stamps.front().gen_time.ms, span = stamps.back().gen_time.ms - first;
        const auto x = [&](const ReportedAnchor& a) {
            return span == 0 ? (left + page::kRight) / 2
                             : left + 8 +
                                   (page::kRight - left - 16) * static_cast<double>(a.gen_time.ms - first) /
                                       static_cast<double>(span);
        };
        const auto y = [&](const ReportedAnchor& a) {
            return bottom - (kHeight - 6) * static_cast<double>(a.size) / size;
        };
        const Style small{7.5, false, false, false, kGrey};
        const auto axis = [&](const std::string& label, double at) {
            canvas_.place(canvas_.text(label, small, {kAxis - 6, Align::right, Direction::frame, 1}), page::kLeft, at);
        };
        canvas_.line(left, top, left, bottom, kGrey, 0.7);
        canvas_.line(left, bottom, page::kRight, bottom, kGrey, 0.7);
        axis(say_.number(static_cast<std::uint64_t>(size)), top);
        axis(say_("Einträge", "entries"), top + 10);
        axis("0", bottom - 6);
        double reached = bottom, from = left;
        for (const ReportedAnchor& a : stamps) {
            if (y(a) > reached) continue;  // covers less than an earlier one
            if (reached != bottom) canvas_.line(from, reached, x(a), reached, kGrey, 0.8);
            canvas_.line(x(a), reached, x(a), y(a), kGrey, 0.8);
            from = x(a);
            reached = y(a);
        }
        canvas_.line(from, reached, page::kRight, reached, kGrey, 0.8);
        for (const ReportedAnchor& a : stamps) mark(a.level, x(a), y(a));
        const auto when = [&](const ReportedAnchor& a) { return zone_.local(a.gen_time).stamp(); };
        const double half = (page::kRight - left) / 2;
        if (span == 0) {
            canvas_.place(canvas_.text(when(stamps[0]), small, {2 * half, Align::centre, Direction::frame, 1}), left,
                          bottom + 5);
        } else {
            canvas_.place(canvas_.text(when(stamps.front()), small, {half, Align::left, Direction::frame, 1}), left,
                          bottom + 5);
            canvas_.place(canvas_.text(when(stamps.back()), small, {half, Align::right, Direction::frame, 1}),
                          page::kRight - half, bottom + 5);
        }
        canvas_.move_to(bottom + 24);
    }

    void table() {
        const Style head{8.5, true, false, false, kGrey}, cell{8.5};
        const double x = page::kLeft;
        const auto columns = [&](const Style& style) {
            return std::vector<Column>{{x + 14, 132, Align::left, style},
                                       {x + 152, 136, Align::left, style},
                                       {x + 294, 82, Align::left, style},
                                       {x + 382, 60, Align::right, style}};
        };
        canvas_.need(48);
        row(canvas_, columns(head),
            {say_("Zeit", "Time"), say_("Stelle", "Authority"), say_("Art der Stelle", "Kind"),
             say_("Einträge", "Entries")});
        for (const ReportedAnchor& a : r_.anchors) {
            const std::vector<std::string> cells = {zone_.local(a.gen_time).stamp(), isolated(a.authority, 100),
                                                    audit::level_name(a.level, language_), say_.number(a.size)};
            canvas_.need(row_height(canvas_, columns(cell), cells));
            const double y = canvas_.y();
            row(canvas_, columns(cell), cells);
            mark(a.level, x + 5, y + 6.5);
        }
        const auto all = r_.checked.find("anchors");
        if (all != r_.checked.end() && all->second > r_.anchors.size())
            paragraph(canvas_,
                      say_("Gezeigt sind die ersten und die letzten; insgesamt: ",
                           "The first and the last are shown; in all: ") +
                          say_.number(all->second) + ".",
                      {8.5});
    }

    // --- the report itself ---
    void command(const std::string& line) { frame_.command(line); }

    void how_to_check() {
        heading(canvas_, say_("So prüfen Sie diesen Bericht", "How to check this report"));
        bullet(canvas_,
               say_("Diese Datei, mit dem Programm, offline: ob sie unverändert ist, ob das Archiv sie unterschrieben "
                    "hat und "
                    "ob seine Kette sie nennt. Die Vertrauensdatei erhalten Sie von der Behörde auf einem anderen Weg.",
                    "This file, with the program, offline: whether it is unchanged, whether the archive signed it, and "
                    "whether its ledger names it. You receive the trust file from the authority by another way."),
               "1", 24);
        command(say_("kustos-verify bericht.pdf --trust behoerde.trust",
                     "kustos-verify report.pdf --trust authority.trust"));
        bullet(
            canvas_,
            say_("Das Archiv selbst, ohne Schlüssel und ohne Zugang zu Inhalten. Das ist mehr wert als dieser Bericht:",
                 "The archive itself, without a key and without access to content. That is worth more than this "
                 "report:"),
            "2", 24);
        command(say_("kustos-verify ORDNER --trust behoerde.trust", "kustos-verify FOLDER --trust authority.trust"));
        bullet(
            canvas_,
            say_("Von Hand: Die Unterschrift über die ganze Datei zeigt jedes gute PDF-Programm. Das Zertifikat hat "
                 "sich "
                 "das Archiv selbst ausgestellt; deshalb nennt das Programm den Unterzeichner unbekannt. Es muss diese "
                 "SHA-256-Summe haben:",
                 "By hand: every good PDF program shows the signature over the whole file. The archive has issued the "
                 "certificate to itself, so the program calls the signer unknown. It must have this SHA-256 sum:"),
            "3", 40);
        command(grouped(in_.certificate.hex(), 8, 4));
        bullet(
            canvas_,
            say_.german()
                ? "Der Bericht für Programme hängt an (" + std::string(kReportName) + "). Eintrag " +
                      say_.number(in_.entry.value) +
                      " der Kette nennt seine SHA-256-Summe; die Beweise für diesen Eintrag und für das Zertifikat "
                      "stehen in " +
                      kReportProofName + " (Format C2SP tlog-proof)."
                : "The report for programs is attached (" + std::string(kReportName) + "). Entry " +
                      say_.number(in_.entry.value) +
                      " of the ledger names its SHA-256 sum; the proofs of that entry and of the certificate are in " +
                      kReportProofName + " (format C2SP tlog-proof).",
            "4", 40);
        command(grouped(sha256(as_bytes(in_.json)).hex(), 8, 4));
        bullet(canvas_,
               say_("Wer den Bericht als JSON mit der Unterschrift daneben bekommen hat, prüft sie so:",
                    "Who received the report as JSON with the signature beside it checks that like this:"),
               "5", 24);
        command(
            say_("openssl cms -verify -binary -inform DER -in bericht.json.p7s -content bericht.json -noverify -out "
                 "bericht.txt",
                 "openssl cms -verify -binary -inform DER -in report.json.p7s -content report.json -noverify -out "
                 "report.txt"));
    }

    Canvas& canvas_;
    SignedFrame frame_;
    const audit::Report& r_;
    const ReportPages& in_;
    const Wording& say_;
    const Zone& zone_;
    std::string language_;
    audit::ReportText text_;
};

}  // namespace

Result<DrawnReport> draw_report(const audit::Report& report, const ReportPages& in) {
    const Wording say(in.language);
    SignedPaper paper;
    paper.title = say("Prüfbericht", "Verification report");
    paper.fingerprint = report.fingerprint;
    paper.subject = report.headline(say.german() ? "de" : "en");
    return draw_signed(in, paper, [&](Canvas& canvas, const Wording& words, const Zone& zone) {
        ReportDrawing(canvas, report, in, words, zone).draw();
    });
}

}  // namespace kustos::exporting
