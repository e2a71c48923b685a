#include "export/hit_report_pdf.h"

#include <algorithm>

#include "base/crypto.h"
#include "export/src/blocks.h"
#include "export/src/signed_frame.h"
#include "export/src/text_safety.h"
#include "export/src/wording.h"

namespace kustos::exporting {
namespace {

constexpr Colour kBarBlue{0.11, 0.37, 0.66};
constexpr double kNumber = 44, kNumberGap = 6, kOrdinal = 26;  // widths in the table of terms
constexpr std::size_t kMaxQuery = 8'192, kMaxName = 200;

class HitDrawing {
public:
    HitDrawing(Canvas& canvas, const HitPages& in, const Wording& say)
        : canvas_(canvas), frame_(canvas, in.frame), in_(in), say_(say) {}

    void draw() {
        const std::string name = isolated(in_.frame.archive_name, 160);
        frame_.title(say_("Trefferbericht", "Hit report"),
                     say_.german() ? "aus dem Archiv " + name : "from the archive " + name);
        // amber where a term might find more than could be searched
        const bool whole =
            std::all_of(in_.terms.begin(), in_.terms.end(), [](const auto& t) { return t.note.empty(); });
        frame_.band(whole ? Tone::good : Tone::mind, in_.verdict, in_.below, "");
        for (const auto& [label, value] : in_.facts)
            name_value(canvas_, label, frame_text(value, 9'000), {9, false, false, false, kInk}, 0, page::kLeft, 118);
        terms();
        months();
        persons();
        frame_.sentences(say_("Was die Zahlen bedeuten", "What the figures mean"), in_.definitions, "•");
        frame_.sentences(say_("Was dieser Bericht nicht beweist", "What this report does not prove"), in_.not_proven,
                         "–");
        how_to_check();
    }

private:
    double count_x(std::size_t i) const {  // right columns, from the right
        return page::kRight - static_cast<double>(in_.columns.size() - i) * (kNumber + kNumberGap) + kNumberGap;
    }
    double text_width() const { return count_x(0) - kNumberGap - page::kLeft - kOrdinal; }

    void table_head() {
        const Style style{8, true, false, false, kGrey};
        std::vector<Text> texts;
        double height = 0;
        for (const std::string& column : in_.columns) {
            texts.push_back(canvas_.text(column, style, {kNumber, Align::right, Direction::frame, 2}));
            height = std::max(height, texts.back().height());
        }
        const double y = canvas_.y();
        canvas_.place(canvas_.text(say_("Begriff", "Term"), style, {}), page::kLeft + kOrdinal, y);
        for (std::size_t i = 0; i < texts.size(); ++i) canvas_.place(texts[i], count_x(i), y);
        canvas_.move_to(y + height + 3);
        canvas_.rule(page::kLeft, page::kRight, canvas_.y(), kGrey, 0.7);
        canvas_.move_to(canvas_.y() + 4);
    }

    // A query may be longer than a page: it flows, with its figures beside its first line.
    void term(const HitPages::Term& t, const std::string& ordinal, bool bold) {
        const Style query{8.5, bold && t.name.empty(), false, !bold, kInk};
        std::vector<Text> parts;
        if (!t.name.empty())
            parts.push_back(canvas_.text(frame_text(t.name, kMaxName), {9, true, false, false, kInk}, {text_width()}));
        if (!t.query.empty()) parts.push_back(canvas_.text(frame_text(t.query, kMaxQuery), query, {text_width()}));
        if (!t.note.empty())
            parts.push_back(canvas_.text(frame_text(t.note, 1'000), {7.5, false, true, false, kGrey}, {text_width()}));
        if (parts.empty()) return;
        double height = 0;
        for (const Text& part : parts) height += part.height();
        canvas_.need(std::min(height + 6, 120.0));
        const double line = canvas_.y() + parts.front().baseline();
        canvas_.place_on(canvas_.text(ordinal, {8, false, false, false, kGrey}, {}), page::kLeft, line);
        for (std::size_t i = 0; i < t.counts.size() && i < in_.columns.size(); ++i)
            canvas_.place_on(canvas_.text(say_.number(t.counts[i]), {8.5, bold, false, false, kInk},
                                          {kNumber, Align::right, Direction::frame, 1}),
                             count_x(i), line);
        for (const Text& part : parts) canvas_.flow(part, page::kLeft + kOrdinal);
        canvas_.move_to(canvas_.y() + 3);
        canvas_.rule(page::kLeft, page::kRight, canvas_.y(), kPale, 0.4);
        canvas_.move_to(canvas_.y() + 3);
    }

    void terms() {
        heading(canvas_, say_("Begriffe", "Terms"));
        table_head();
        canvas_.set_continuation([this] { table_head(); });
        for (std::size_t i = 0; i < in_.terms.size(); ++i) term(in_.terms[i], say_.number(i + 1), false);
        term(in_.total, "", true);
        canvas_.set_continuation({});
    }

    // One bar for each; the number stands behind it.
    void bars(const std::vector<std::pair<std::string, std::uint64_t>>& list, double label_width, double height) {
        constexpr double kFigure = 52;
        std::uint64_t most = 1;
        for (const auto& one : list) most = std::max(most, one.second);
        const double room = page::kTextWidth - label_width - 8 - kFigure;
        for (const auto& [label, count] : list) {
            const Text name = canvas_.text(frame_text(label, 330), {8, false, false, false, kInk},
                                           {label_width, Align::right, Direction::frame, 1});
            canvas_.need(height + 3);
            const double y = canvas_.y(), x = page::kLeft + label_width + 8;
            const double width =
                count == 0 ? 0 : std::max(0.8, room * static_cast<double>(count) / static_cast<double>(most));
            canvas_.place(name, page::kLeft, y + (height - name.height()) / 2);
            canvas_.fill(x, y + 1, width, height - 2, kBarBlue);
            const Text figure = canvas_.text(say_.number(count), {8, false, false, false, kInk}, {});
            canvas_.place(figure, x + width + 4, y + (height - figure.height()) / 2);
            canvas_.move_to(y + height + 1.5);
        }
        canvas_.gap(4);
    }

    void months() {
        if (in_.months.empty()) return;
        heading(canvas_, in_.months_title);
        bars(in_.months, 46, 11);
    }

    void persons() {
        if (in_.persons.empty()) return;
        heading(canvas_, in_.persons_title);
        bars(in_.persons, 190, 11);
        if (!in_.persons_note.empty()) paragraph(canvas_, in_.persons_note, {8.5, false, false, false, kGrey});
    }

    void how_to_check() {
        heading(canvas_, say_("So prüfen Sie diesen Bericht", "How to check this report"));
        bullet(canvas_,
               say_("Diese Datei, mit dem Programm, offline: ob sie unverändert ist, ob das Archiv sie unterschrieben "
                    "hat, und ob seine Kette sie mit diesen Zahlen nennt.",
                    "This file, with the program, offline: whether it is unchanged, whether the archive signed it, and "
                    "whether its ledger names it with these figures."),
               "1", 24);
        frame_.command(say_("kustos-verify bericht.pdf --trust behoerde.trust",
                            "kustos-verify report.pdf --trust authority.trust"));
        bullet(canvas_,
               say_("Von Hand: die Unterschrift über die ganze Datei zeigt jedes gute PDF-Programm. Das Zertifikat des "
                    "Unterzeichners muss diese SHA-256-Summe haben:",
                    "By hand: every good PDF program shows the signature over the whole file. The signer's certificate "
                    "must have this SHA-256 sum:"),
               "2", 40);
        frame_.command(grouped(in_.frame.certificate.hex(), 8, 4));
        bullet(canvas_,
               say_.german() ? "Für Programme hängt dasselbe als " + std::string(kReportName) + " an; Eintrag " +
                                   say_.number(in_.frame.entry.value) + " der Kette nennt dessen SHA-256-Summe:"
                             : "For programs the same is attached as " + std::string(kReportName) + "; entry " +
                                   say_.number(in_.frame.entry.value) + " of the ledger names its SHA-256 sum:",
               "3", 40);
        frame_.command(grouped(sha256(as_bytes(in_.frame.json)).hex(), 8, 4));
    }

    Canvas& canvas_;
    SignedFrame frame_;
    const HitPages& in_;
    const Wording& say_;
};

}  // namespace

Result<DrawnReport> draw_hit_report(const HitPages& in) {
    const Wording say(in.frame.language);
    const SignedPaper paper{say("Trefferbericht", "Hit report"), in.fingerprint, in.verdict};
    return draw_signed(in.frame, paper, [&](Canvas& canvas, const Wording& words, const Zone&) {
        HitDrawing(canvas, in, words).draw();
    });
}

}  // namespace kustos::exporting
