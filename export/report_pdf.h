// The pages of a signed verification report (docs/format/report.md): what `kustos verify` found, for people, as PDF/A-3
// with the report's JSON and the proof of its entry as associated files. It has no evidence container and is no bundle;
// a marker key of its own says so. It is signed like a bundle by the caller (audit/pdf_sign.h), after its entry is
// stored.
//
// Threads: one at a time in a process (fonts). Errors: environment (a font is missing), internal.
#pragma once

#include <string>

#include "audit/report.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "export/bundle_input.h"

namespace kustos::exporting {

inline constexpr const char* kReportName = "report.json";
inline constexpr const char* kReportProofName = "proof.json";

struct ReportPages {
    Language language = Language::de;
    std::string time_zone = "Europe/Berlin";
    std::string archive_name, authority;
    std::string origin;  // the ledger's name
    UtcTime made_at;
    std::string made_by, tool;
    EntryIndex entry;   // that names the JSON's hash
    std::string json;   // the attached files, byte for byte
    std::string proof;  // audit/verify_report.h
    Hash certificate;   // SHA-256 of the evidence certificate that will sign
};
struct DrawnReport {
    Bytes pdf;  // not signed yet
    std::uint64_t pages = 0;
};
Result<DrawnReport> draw_report(const audit::Report& report, const ReportPages& pages);

}  // namespace kustos::exporting
