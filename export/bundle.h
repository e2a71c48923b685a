// The evidence bundle: a PDF/A-3 (ISO 19005-3, conformance U) whose pages people read and whose evidence container
// programs read (docs/format/bundle.md).
//
// write_pdf() makes the unsigned file: pages by Pango and Cairo, document structure by libqpdf, and the container
// spliced in uncompressed with a direct /Length, so that it is never held twice in memory. make_bundle() also signs it
// (audit/pdf_sign.h, an incremental update). An unsigned file proves nothing, although its pages say that it is signed.
//
// Memory: the pages (about 2 kB a page), a digest of each record, and the attachments for people. Content never touches
// a temporary file. Errors: environment (fonts missing, with the package to install in the hint), bad_input (coverage
// that does not add up, too many attachments), what RecordSource and the sink return. Threads: any, one call at a time
// a RecordSource. Deterministic: the same input gives the same bytes with the same versions of fonts and libraries.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "export/bundle_input.h"

namespace kustos::exporting {

using ByteSink = std::function<Status(ByteView)>;

// The finished container. write() must deliver exactly `size` bytes with this SHA-256; anything else is Code::corrupt.
struct EvidenceContainer {
    std::uint64_t size = 0;
    Hash sha256;
    std::function<Status(const ByteSink&)> write;
};
EvidenceContainer container_in_memory(Bytes zip);

struct PdfFacts {
    std::uint64_t pages = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
};

Result<PdfFacts> write_pdf(const BundleInput& input, RecordSource& records, const EvidenceContainer& container,
                           const ByteSink& out);

// The same, signed. sign: the CMS signature over content with this SHA-256 (audit::Signer::sign_cms). The whole file is
// in memory about twice while it is signed.
using SignDigest = std::function<Result<Bytes>(const Hash&)>;
Result<PdfFacts> make_bundle(const BundleInput& input, RecordSource& records, const EvidenceContainer& container,
                             const SignDigest& sign, const ByteSink& out);

}  // namespace kustos::exporting
