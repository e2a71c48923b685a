// From Cairo's pages to a PDF/A-3U file (ISO 19005-3) with its files attached, by libqpdf; and the evidence container
// put into it without being held in memory twice.
//
// What is put right (each found with veraPDF on earlier trials; docs/architecture/export.md has the list): file
// identifier, CIDToGIDMap, Interpolate, CIDSet, XMP metadata that agrees with the information dictionary, output
// intent, language, line ends before `endstream`, no object streams.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "export/bundle.h"

namespace kustos::exporting {

struct DocumentFacts {
    std::string title, author, subject, creator;
    std::string language;  // "de-DE"
    UtcTime created_at;
};

inline constexpr const char* kContainerName = "evidence.zip";

// A PDF whose container stream holds a placeholder. One cross-reference table, no object streams.
Result<Bytes> finish_pdf(const Bytes& pages, const DocumentFacts& facts,
                         const std::vector<PeopleAttachment>& attachments, const EvidenceContainer& container);
// The same with the container in its place: offsets, /Length and /ID follow. Returns the number of bytes written.
Result<std::uint64_t> write_with_container(const Bytes& pdf, const EvidenceContainer& container, const ByteSink& out);

// A verification report: no container, but its JSON and the proof of its entry, uncompressed and marked with
// /KustosReport 1 and 2.
Result<Bytes> finish_report_pdf(const Bytes& pages, const DocumentFacts& facts, const std::string& json,
                                const std::string& proof);

}  // namespace kustos::exporting
