#include "export/certificate_pdf.h"

#include "base/crypto.h"
#include "export/src/blocks.h"
#include "export/src/pdf_file.h"
#include "export/src/text_safety.h"
#include "export/src/wording.h"

namespace kustos::exporting {
namespace {

constexpr Colour kGreen{0.07, 0.40, 0.23}, kGreenPale{0.91, 0.96, 0.93}, kAmberPale{0.99, 0.96, 0.89};
constexpr double kWidth = page::kTextWidth;
constexpr std::size_t kMaxSentence = 1'500;

class CertificateDrawing {
public:
    CertificateDrawing(Canvas& canvas, const CertificatePages& in, const Wording& say, const Zone& zone)
        : canvas_(canvas), in_(in), say_(say), zone_(zone) {}

    void draw() {
        title();
        band();
        for (const auto& [name, value] : in_.facts)
            name_value(canvas_, name, frame_text(value, 2'000), {9, false, false, false, kInk}, 8, page::kLeft, 118);
        steps();
        sentences(say_("Was das beweist", "What that proves"), in_.proven, "•");
        sentences(say_("Was es nicht beweist", "What it does not prove"), in_.not_proven, "–");
        how_to_check();
    }

private:
    void title() {
        const ReportPages& f = in_.frame;
        const std::string who = frame_text(f.authority.empty() ? f.archive_name : f.authority, 200);
        canvas_.bookmark(0, say_("Löschbescheinigung", "Certificate of erasure"));
        canvas_.move_to(64);
        canvas_.flow(canvas_.text(who, {10.5, true, false, false, kGrey}, {kWidth, Align::left, Direction::frame, 2}),
                     page::kLeft);
        canvas_.rule(page::kLeft, page::kRight, canvas_.y() + 7, kAccent, 1.6);
        canvas_.move_to(canvas_.y() + 22);
        canvas_.flow(canvas_.text(say_("Löschbescheinigung", "Certificate of erasure"),
                                  {26, true, false, false, kAccent}, {kWidth}),
                     page::kLeft);
        const std::string name = isolated(f.archive_name, 160);
        canvas_.flow(canvas_.text(say_.german() ? "aus dem Archiv " + name : "from the archive " + name,
                                  {12, false, false, false, kGrey}, {kWidth, Align::left, Direction::frame, 2}),
                     page::kLeft);
        canvas_.gap(14);
    }

    bool is_final() const { return !in_.steps.empty() && in_.steps.back().reached.has_value(); }

    void band() {
        const Colour strong = is_final() ? kGreen : kAmber, pale = is_final() ? kGreenPale : kAmberPale;
        const double inner = kWidth - 34;
        const Text head = canvas_.text("✔ " + frame_text(in_.verdict, 300), {14, true, false, false, strong}, {inner});
        const Text body = canvas_.text(frame_text(in_.strength, kMaxSentence), {9.5}, {inner});
        const double height = head.height() + body.height() + 22;
        canvas_.need(height);
        const double y = canvas_.y();
        canvas_.fill(page::kLeft, y, kWidth, height, pale);
        canvas_.fill(page::kLeft, y, 7, height, strong);
        canvas_.frame(page::kLeft, y, kWidth, height, strong, 0.9);
        canvas_.place(head, page::kLeft + 20, y + 8);
        canvas_.place(body, page::kLeft + 20, y + 12 + head.height());
        canvas_.move_to(y + height);
        canvas_.gap(12);
    }

    // A line with a mark for each state: full where it is reached, empty where it is not.
    void steps() {
        heading(canvas_, say_("Wie weit die Löschung ist", "How far the erasure has come"));
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

    void sentences(const char* title, const std::vector<std::string>& list, const char* mark) {
        if (list.empty()) return;
        heading(canvas_, title);
        for (const std::string& s : list) bullet(canvas_, frame_text(s, kMaxSentence), mark);
    }

    void command(const std::string& line) { paragraph(canvas_, line, {8.5, false, false, true, kInk}, 18); }

    void how_to_check() {
        heading(canvas_, say_("So prüfen Sie diese Bescheinigung", "How to check this certificate"));
        bullet(
            canvas_,
            say_("Diese Datei, mit dem Programm, offline: ob sie unverändert ist, ob das Archiv sie unterschrieben hat "
                 "und ob seine Kette die Löschung und ihre Zustände nennt.",
                 "This file, with the program, offline: whether it is unchanged, whether the archive signed it, and "
                 "whether its ledger names the erasure and its states."),
            "1", 24);
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
    const CertificatePages& in_;
    const Wording& say_;
    const Zone& zone_;
};

Furniture furniture(const CertificatePages& in, const Wording& say) {
    Furniture f;
    f.header_left = std::string(say("Löschbescheinigung", "Certificate of erasure")) + "  ·  " +
                    isolated(in.frame.archive_name, 160);
    f.footer_left = std::string(say("Fingerabdruck ", "Fingerprint ")) + frame_text(in.fingerprint, 100);
    f.page_number = [say](std::uint64_t page, std::uint64_t pages) {
        return std::string(say("Seite ", "page ")) + say.number(page) + say(" von ", " of ") + say.number(pages);
    };
    return f;
}

}  // namespace

Result<DrawnReport> draw_certificate(const CertificatePages& in) {
    const FontSet fonts = TRY(FontSet::load());
    const Wording say(in.frame.language);
    const Zone zone(in.frame.time_zone, in.frame.language);
    DrawnReport out;
    {
        Canvas measure(fonts, furniture(in, say), 0);
        CertificateDrawing(measure, in, say, zone).draw();
        out.pages = measure.page();
    }
    Canvas canvas(fonts, furniture(in, say), out.pages);
    CertificateDrawing(canvas, in, say, zone).draw();
    const Bytes drawn = TRY(canvas.finish());
    const ReportPages& f = in.frame;
    DocumentFacts facts;
    facts.title = std::string(say("Löschbescheinigung ", "Certificate of erasure ")) + frame_text(f.archive_name, 120);
    facts.author = frame_text(f.authority.empty() ? f.archive_name : f.authority, 200);
    facts.subject = frame_text(in.verdict, 300);
    facts.creator = frame_text(f.tool, 100);
    facts.language = say("de-DE", "en-GB");
    facts.created_at = f.made_at;
    out.pdf = TRY(finish_report_pdf(drawn, facts, f.json, f.proof));
    return out;
}

}  // namespace kustos::exporting
