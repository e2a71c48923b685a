// The certificate of an erasure (docs/format/certificate.md) for people: what was destroyed, how far it has come, what
// that means and what it does not, as PDF/A-3 with the certificate's JSON and the proof of its entry as associated
// files. Signed by the caller, like a report (report_pdf.h), after its entry is stored.
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

struct CertificatePages {
    ReportPages frame;  // language, names, times, entry, the attached files
    std::string fingerprint;
    std::string verdict, strength;                           // the band: what holds now, and how strong it is
    std::vector<std::pair<std::string, std::string>> facts;  // name and value
    std::vector<CertificateStep> steps;                      // in order
    std::vector<std::string> proven, not_proven;             // sentences
};

Result<DrawnReport> draw_certificate(const CertificatePages& pages);

}  // namespace kustos::exporting
