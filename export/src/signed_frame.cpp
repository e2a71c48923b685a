#include "export/src/signed_frame.h"

#include "export/src/blocks.h"
#include "export/src/pdf_file.h"
#include "export/src/text_safety.h"

namespace kustos::exporting {

namespace {

constexpr Colour kGreenPale{0.91, 0.96, 0.93}, kAmberPale{0.99, 0.96, 0.89}, kRedPale{0.99, 0.93, 0.93};
constexpr double kWidth = page::kTextWidth;
constexpr std::size_t kMaxSentence = 1'500;

Furniture furniture(const ReportPages& in, const SignedPaper& paper, const Wording& say) {
    Furniture f;
    f.header_left = paper.title + "  ·  " + isolated(in.archive_name, 160);
    f.footer_left = std::string(say("Fingerabdruck ", "Fingerprint ")) + frame_text(paper.fingerprint, 100);
    f.page_number = [say](std::uint64_t page, std::uint64_t pages) {
        return std::string(say("Seite ", "page ")) + say.number(page) + say(" von ", " of ") + say.number(pages);
    };
    return f;
}

}  // namespace

void SignedFrame::title(const std::string& title, const std::string& below) {
    const std::string who = frame_text(in_.authority.empty() ? in_.archive_name : in_.authority, 200);
    canvas_.bookmark(0, title);
    canvas_.move_to(64);
    canvas_.flow(canvas_.text(who, {10.5, true, false, false, kGrey}, {kWidth, Align::left, Direction::frame, 2}),
                 page::kLeft);
    canvas_.rule(page::kLeft, page::kRight, canvas_.y() + 7, kAccent, 1.6);
    canvas_.move_to(canvas_.y() + 22);
    canvas_.flow(canvas_.text(title, {26, true, false, false, kAccent}, {kWidth}), page::kLeft);
    canvas_.flow(canvas_.text(below, {12, false, false, false, kGrey}, {kWidth, Align::left, Direction::frame, 2}),
                 page::kLeft);
    canvas_.gap(14);
}

void SignedFrame::band(Tone tone, const std::string& word, const std::string& body_text,
                       const std::string& advice_text) {
    const Colour strong = tone == Tone::bad ? kRed : tone == Tone::good ? kGreen : kAmber;
    const Colour pale = tone == Tone::bad ? kRedPale : tone == Tone::good ? kGreenPale : kAmberPale;
    const double inner = kWidth - 34;
    const Text head = canvas_.text(frame_text(word, 300), {15, true, false, false, strong}, {inner});
    const Text body = canvas_.text(frame_text(body_text, kMaxSentence), {9.5}, {inner});
    const Text advice = canvas_.text(advice_text, {9.5, true, false, false, kInk}, {inner});
    const double advice_height = advice_text.empty() ? 0 : advice.height() + 4;
    const double height = head.height() + body.height() + advice_height + 22;
    canvas_.need(height);
    const double y = canvas_.y();
    canvas_.fill(page::kLeft, y, kWidth, height, pale);
    canvas_.fill(page::kLeft, y, 7, height, strong);
    canvas_.frame(page::kLeft, y, kWidth, height, strong, 0.9);
    canvas_.place(head, page::kLeft + 20, y + 8);
    canvas_.place(body, page::kLeft + 20, y + 12 + head.height());
    if (!advice_text.empty()) canvas_.place(advice, page::kLeft + 20, y + 16 + head.height() + body.height());
    canvas_.move_to(y + height);
    canvas_.gap(12);
}

void SignedFrame::sentences(const char* title, const std::vector<std::string>& list, const char* mark) {
    if (list.empty()) return;
    heading(canvas_, title);
    for (const std::string& s : list) bullet(canvas_, frame_text(s, kMaxSentence), mark);
}

void SignedFrame::command(const std::string& line) {
    paragraph(canvas_, line, {8.5, false, false, true, kInk}, 18);
}

Result<DrawnReport> draw_signed(const ReportPages& in, const SignedPaper& paper,
                                const std::function<void(Canvas&, const Wording&, const Zone&)>& draw) {
    const FontSet fonts = TRY(FontSet::load());
    const Wording say(in.language);
    const Zone zone(in.time_zone, in.language);
    DrawnReport out;
    {
        Canvas measure(fonts, furniture(in, paper, say), 0);
        draw(measure, say, zone);
        out.pages = measure.page();
    }
    Canvas canvas(fonts, furniture(in, paper, say), out.pages);
    draw(canvas, say, zone);
    const Bytes drawn = TRY(canvas.finish());
    DocumentFacts facts;
    facts.title = paper.title + " " + frame_text(in.archive_name, 120);
    facts.author = frame_text(in.authority.empty() ? in.archive_name : in.authority, 200);
    facts.subject = frame_text(paper.subject, 300);
    facts.creator = frame_text(in.tool, 100);
    facts.language = say("de-DE", "en-GB");
    facts.created_at = in.made_at;
    out.pdf = TRY(finish_report_pdf(drawn, facts, in.json, in.proof));
    return out;
}

}  // namespace kustos::exporting
