// Certificates (docs/format/certificate.md) for people: of an erasure, what was destroyed, how far it has come, what
// that means and what it does not; of completeness, what of a source is here and what is known to be missing. As
// PDF/A-3 with the certificate's JSON and the proof of its entry as associated files. Signed by the caller, like a
// report (report_pdf.h), after its entry is stored.
//
// No content: numbers, states, times, and the words that the caller gives. Threads, errors: as report_pdf.h.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "export/report_pdf.h"

namespace kustos::exporting {

// One of the states that an erasure passes through.
struct CertificateStep {
    std::string name;
    std::string meaning;
    std::optional<UtcTime> reached;
    std::optional<EntryIndex> entry;
};

struct CertificateSection {
    std::string title;
    std::vector<std::pair<std::string, std::string>> facts;  // name and value; none: it is left out
};

struct CertificatePages {
    ReportPages frame;  // language, names, times, entry, the attached files
    std::string title;
    std::string fingerprint;
    bool fulfilled = false;                                  // green, else amber
    std::string sign = "✔";                                  // before the verdict
    std::string verdict, strength;                           // the band: what holds now, and how strong it is
    std::vector<std::pair<std::string, std::string>> facts;  // name and value
    std::string steps_title;
    std::vector<CertificateStep> steps;           // in order; none: no such part
    std::vector<CertificateSection> sections;     // behind them
    std::string what_is_checked;                  // by a verifier, one sentence
    std::vector<std::string> proven, not_proven;  // sentences
};

Result<DrawnReport> draw_certificate(const CertificatePages& pages);
// A time as the pages write it.
std::string local_stamp(const ReportPages& frame, UtcTime time);

}  // namespace kustos::exporting
