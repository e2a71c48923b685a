#include "export/certificate_pdf.h"

#include "base/crypto.h"
#include "export/src/blocks.h"
#include "export/src/signed_frame.h"
#include "export/src/text_safety.h"
#include "export/src/wording.h"

namespace kustos::exporting {
namespace {

constexpr double kWidth = page::kTextWidth;
constexpr std::size_t kMaxSentence = 1'500;

class CertificateDrawing {
public:
    CertificateDrawing(Canvas& canvas, const CertificatePages& in, const Wording& say, const Zone& zone)
        : canvas_(canvas), frame_(canvas, in.frame), in_(in), say_(say), zone_(zone) {}

    void draw() {
        title();
        band();
        facts(in_.facts);
        steps();
        sections();
        frame_.sentences(say_("Was das beweist", "What that proves"), in_.proven, "•");
        frame_.sentences(say_("Was es nicht beweist", "What it does not prove"), in_.not_proven, "–");
        how_to_check();
    }

private:
    void title() {
        const std::string name = isolated(in_.frame.archive_name, 160);
        frame_.title(in_.title, say_.german() ? "aus dem Archiv " + name : "from the archive " + name);
    }

    void band() {
        frame_.band(in_.fulfilled ? Tone::good : Tone::mind, in_.sign + " " + in_.verdict, in_.strength, "");
    }

    void facts(const std::vector<std::pair<std::string, std::string>>& list) {
        for (const auto& [name, value] : list)
            name_value(canvas_, name, frame_text(value, 2'000), {9, false, false, false, kInk}, 8, page::kLeft, 118);
    }

    void sections() {
        for (const CertificateSection& section : in_.sections) {
            if (section.facts.empty()) continue;
            heading(canvas_, section.title);
            facts(section.facts);
            canvas_.gap(4);
        }
    }

    // A line with a mark for each state: full where it is reached, empty where it is not.
    void steps() {
        if (in_.steps.empty()) return;
        heading(canvas_, in_.steps_title);
        constexpr double kMark = 5, kText = 22;
        for (std::size_t i = 0; i < in_.steps.size(); ++i) {
            const CertificateStep& step = in_.steps[i];
            std::string when = say_("steht noch aus", "still to come");
            if (step.reached) when = zone_.local(*step.reached).stamp();
            if (step.entry)
                when += say_.german() ? ", Eintrag " + say_.number(step.entry->value)
                                      : ", entry " + say_.number(step.entry->value);
            const Colour ink = step.reached ? kInk : kGrey;
            const Text head = canvas_.text({{frame_text(step.name, 200), {10, true, false, false, ink}},
                                            {"   " + when, {8.5, false, false, false, kGrey}}},
                                           {kWidth - kText});
            const Text body =
                canvas_.text(frame_text(step.meaning, kMaxSentence), {9, false, false, false, ink}, {kWidth - kText});
            const double height = head.height() + body.height() + 10;
            canvas_.need(height);
            const double y = canvas_.y(), x = page::kLeft + kMark + 1, middle = y + head.height() / 2;
            if (i + 1 < in_.steps.size()) canvas_.line(x, middle, x, y + height + head.height() / 2, kPale, 1.2);
            canvas_.disc(x, middle, kMark, step.reached ? kGreen : kGrey);
            if (!step.reached) canvas_.disc(x, middle, kMark - 1.4, Colour{1, 1, 1});
            canvas_.place(head, page::kLeft + kText, y);
            canvas_.place(body, page::kLeft + kText, y + head.height() + 1);
            canvas_.move_to(y + height);
        }
        canvas_.gap(4);
    }

    void command(const std::string& line) { frame_.command(line); }

    void how_to_check() {
        heading(canvas_, say_("So prüfen Sie diese Bescheinigung", "How to check this certificate"));
        bullet(canvas_, in_.what_is_checked, "1", 24);
        command(say_("kustos-verify bescheinigung.pdf --trust behoerde.trust",
                     "kustos-verify certificate.pdf --trust authority.trust"));
        bullet(canvas_,
               say_("Von Hand: die Unterschrift über die ganze Datei zeigt jedes gute PDF-Programm. Das Zertifikat des "
                    "Unterzeichners muss diese SHA-256-Summe haben:",
                    "By hand: every good PDF program shows the signature over the whole file. The signer's certificate "
                    "must have this SHA-256 sum:"),
               "2", 40);
        command(grouped(in_.frame.certificate.hex(), 8, 4));
        bullet(canvas_,
               say_.german() ? "Für Programme hängt dasselbe als " + std::string(kReportName) + " an; Eintrag " +
                                   say_.number(in_.frame.entry.value) + " der Kette nennt dessen SHA-256-Summe:"
                             : "For programs the same is attached as " + std::string(kReportName) + "; entry " +
                                   say_.number(in_.frame.entry.value) + " of the ledger names its SHA-256 sum:",
               "3", 40);
        command(grouped(sha256(as_bytes(in_.frame.json)).hex(), 8, 4));
    }

    Canvas& canvas_;
    SignedFrame frame_;
    const CertificatePages& in_;
    const Wording& say_;
    const Zone& zone_;
};

}  // namespace

Result<DrawnReport> draw_certificate(const CertificatePages& in) {
    return draw_signed(in.frame, {in.title, in.fingerprint, in.verdict},
                       [&](Canvas& canvas, const Wording& say, const Zone& zone) {
                           CertificateDrawing(canvas, in, say, zone).draw();
                       });
}

std::string local_stamp(const ReportPages& frame, UtcTime time) {
    return Zone(frame.time_zone, frame.language).local(time).stamp();
}

}  // namespace kustos::exporting
