// Judges a signed verification report (`kustos verify --report FILE.pdf`; docs/format/report.md, "A signed report"),
// which is signed like a bundle and is none: whether the whole file is what the archive signed, and whether the
// archive's ledger holds the entry that names this report. Not whether what the report says is right: that is checked
// by verifying the archive itself.
//
// Never throws, never writes. Hostile files: time linear in their size. Threads: pure.
#pragma once

#include <optional>

#include "audit/report.h"
#include "audit/trust.h"
#include "base/bytes.h"

namespace kustos::audit {

// The proof that is attached to a report, for the verifier: of the entry that names the archive's evidence certificate
// and of the one that names the report.
struct ReportProof {
    struct Part {
        Bytes entry;        // header || body
        std::string proof;  // C2SP tlog-proof
    };
    std::string vkey;             // the ledger's first key
    std::vector<Part> rotations;  // later ones
    Part certificate, report;
    std::string to_json() const;
    static Result<ReportProof> parse(ByteView json);  // Code::bad_input
};

// nullopt: not such a file.
std::optional<Report> verify_report(ByteView pdf, const std::optional<Trust>& trust);

}  // namespace kustos::audit
