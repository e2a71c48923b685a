// An evidence bundle from anybody: the whole of it, and each of its parsers alone, since a changed bundle ends at its
// signature. The first byte chooses.
#include <cstdint>

#include "audit/cms_signature.h"
#include "audit/pdf_container.h"
#include "audit/report_html.h"
#include "audit/src/bundle_json.h"
#include "audit/trust.h"
#include "audit/verify_bundle.h"
#include "audit/verify_report.h"
#include "audit/zip.h"
#include "base/crypto.h"
#include "base/result.h"

using namespace kustos;
using namespace kustos::audit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    switch (data[0]) {
        case 'j':
            static_cast<void>(parse_manifest(bytes).ok());
            static_cast<void>(parse_context(bytes).ok());
            static_cast<void>(parse_disclosure(bytes).ok());
            break;
        case 'z':
            if (const auto members = read_zip(bytes); members.ok()) {
                for (const ZipMember& member : *members) CHECK(member.content.size() <= bytes.size());
            }
            break;
        case 't':
            static_cast<void>(parse_trust(as_text(bytes)).ok());
            break;
        case 'c':
            static_cast<void>(verify_cms(bytes, sha256(bytes)).ok());
            break;
        case 'p': {
            if (const auto file = walk_pdf(bytes); file.ok()) static_cast<void>(find_container(*file).ok());
            static_cast<void>(find_signature(bytes).ok());
            break;
        }
        default: {
            const Report report = verify_bundle(bytes, std::nullopt);
            CHECK(report.ok == report.problems.empty());
            if (const auto judged = verify_report(bytes, std::nullopt)) CHECK(judged->ok == judged->problems.empty());
            static_cast<void>(ReportProof::parse(bytes).ok());
            CHECK(report_html(report, {"x", "y", UtcTime{0}}, "de").size() < (1u << 20));
            break;
        }
    }
    return 0;
}
