// Evidence records and renewal manifests from anywhere: parsed, written again, judged.
#include <cstdint>

#include "audit/evidence_record.h"
#include "audit/renewal.h"
#include "base/result.h"

using namespace kustos;
using namespace kustos::audit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    if (const auto manifest = RenewalManifest::parse(as_text(bytes)); manifest.ok())
        CHECK(manifest->format() == as_text(bytes));
    const auto record = parse_evidence_record(bytes);
    EvidenceObject object{"object", to_bytes("object"), {}};
    const EvidenceReport report = verify_evidence_record(bytes, {object}, std::nullopt, UtcTime{1'790'000'000'000});
    CHECK(record.ok() == (report.verdict != EvidenceVerdict::malformed));
    if (!record.ok()) return 0;
    std::size_t stamps = 0;
    for (const auto& chain : record->chains) stamps += chain.stamps.size();
    CHECK(report.stamps.size() == stamps);
    if (!record->has_crypto_infos && !record->has_encryption_info) {
        const auto again = parse_evidence_record(encode(*record));
        CHECK(again.ok() && encode(*again) == encode(*record));
    }
    (void)report.to_json();
    (void)report.to_text("de");
    return 0;
}
