// What a signed report and a certificate have in common: title, band with the verdict, lists of sentences, commands to
// type, header and footer, and how they become a PDF with their two attached files. Private to export.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "export/report_pdf.h"
#include "export/src/canvas.h"
#include "export/src/wording.h"

namespace kustos::exporting {

inline constexpr Colour kGreen{0.07, 0.40, 0.23};
enum class Tone { good, mind, bad };

class SignedFrame {
public:
    SignedFrame(Canvas& canvas, const ReportPages& pages) : canvas_(canvas), in_(pages) {}
    void title(const std::string& title, const std::string& below);
    // The verdict with its sign; the colour only says it once more. advice: may be empty.
    void band(Tone tone, const std::string& word, const std::string& body, const std::string& advice);
    void sentences(const char* title, const std::vector<std::string>& list, const char* mark);
    void command(const std::string& line);

private:
    Canvas& canvas_;
    const ReportPages& in_;
};

struct SignedPaper {
    std::string title, fingerprint, subject;
};
// Drawn twice: once to count the pages.
Result<DrawnReport> draw_signed(const ReportPages& in, const SignedPaper& paper,
                                const std::function<void(Canvas&, const Wording&, const Zone&)>& draw);

}  // namespace kustos::exporting
