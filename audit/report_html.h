// A report as one HTML file: no script, nothing that is loaded from elsewhere, readable in print and without colour
// (WCAG 2.1 AA). Its Content-Security-Policy allows its own style sheet by hash and nothing else. Everything foreign is
// escaped; the size is bounded by the report's own limits. Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "audit/report.h"

namespace kustos::audit {

// subject: what was verified, as the caller names it (a file's name); made_at and tool: for the foot of the page.
struct ReportPage {
    std::string subject, tool;
    UtcTime made_at;
};
std::string report_html(const Report& report, const ReportPage& page, std::string_view language);

}  // namespace kustos::audit
