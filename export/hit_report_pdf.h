// The pages of a hit report (docs/format/hit-report.md) for people, as PDF/A-3 with the report's JSON and the proof of
// its entry as associated files. Signed by the caller, like a report (report_pdf.h), after its entry is stored.
//
// Pages and JSON hold content: what was searched for, and addresses. Threads, errors: as report_pdf.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "export/report_pdf.h"

namespace kustos::exporting {

struct HitPages {
    struct Term {
        std::string name, query;            // name: may be empty
        std::vector<std::uint64_t> counts;  // as long as `columns`
        std::string note;                   // below: what could not be searched; may be empty
    };
    ReportPages frame;  // language, names, times, entry, the attached files
    std::string fingerprint;
    std::string verdict, below;                              // the band: what was found in all
    std::vector<std::pair<std::string, std::string>> facts;  // name and value
    std::vector<std::string> columns;                        // over the counts; at most five
    std::vector<Term> terms;
    Term total;
    std::string months_title, persons_title;
    std::vector<std::pair<std::string, std::uint64_t>> months;   // all from the first to the last: bars
    std::vector<std::pair<std::string, std::uint64_t>> persons;  // most frequent first
    std::string persons_note;
    std::vector<std::string> definitions, not_proven;  // sentences
};

Result<DrawnReport> draw_hit_report(const HitPages& pages);

}  // namespace kustos::exporting
