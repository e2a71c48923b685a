#include "export/bundle.h"

#include <memory>

#include "audit/pdf_sign.h"
#include "base/crypto.h"
#include "export/src/pages.h"
#include "export/src/pdf_file.h"
#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

std::string document_title(const BundleInput& input, const Wording& say) {
    return std::string(say("Beweispaket ", "Evidence bundle ")) + frame_text(input.matter.reference, 120);
}

Furniture furniture(const BundleInput& input, const Wording& say) {
    Furniture f;
    f.header_left =
        std::string(say("Beweispaket", "Evidence bundle")) + "  ·  " + isolated(input.matter.reference, 160);
    f.footer_left = std::string(say("Fingerabdruck ", "Fingerprint ")) + fingerprint_text(input.proof.fingerprint);
    f.page_number = [say](std::uint64_t page, std::uint64_t pages) {
        return std::string(say("Seite ", "page ")) + say.number(page) + say(" von ", " of ") + say.number(pages);
    };
    return f;
}

Status draw(Canvas& canvas, const Parts& parts) {
    cover_page(canvas, parts);
    TRY(transcript_pages(canvas, parts));
    custody_pages(canvas, parts);
    proof_pages(canvas, parts);
    return ok_status();
}

Status check(const BundleInput& input) {
    if (!input.coverage.adds_up())
        return Error(Code::bad_input, "the coverage counts do not add up: sealed must be the sum of the rest");
    if (input.people_attachments.size() > kMaxPeopleAttachments)
        return Error(Code::bad_input,
                     "too many attachments for people: at most " + std::to_string(kMaxPeopleAttachments));
    return ok_status();
}

}  // namespace

EvidenceContainer container_in_memory(Bytes zip) {
    const auto shared = std::make_shared<const Bytes>(std::move(zip));
    return {shared->size(), sha256(*shared), [shared](const ByteSink& out) { return out(*shared); }};
}

Result<PdfFacts> write_pdf(const BundleInput& input, RecordSource& records, const EvidenceContainer& container,
                           const ByteSink& out) {
    TRY(check(input));
    const FontSet fonts = TRY(FontSet::load());
    const Wording say(input.language);
    const Zone zone(input.time_zone, input.language);
    const Transcript transcript = TRY(read_transcript(records));

    Contents measured, none;
    std::uint64_t pages = 0;
    {
        Canvas measure(fonts, furniture(input, say), 0);
        TRY(draw(measure, {input, records, transcript, say, zone, none, measured}));
        pages = measure.page();
    }
    Bytes drawn;
    {
        Canvas canvas(fonts, furniture(input, say), pages);
        Contents again;
        TRY(draw(canvas, {input, records, transcript, say, zone, measured, again}));
        if (canvas.page() != pages) return Error(Code::internal, "the records changed between two readings");
        drawn = TRY(canvas.finish());
    }
    DocumentFacts facts;
    facts.title = document_title(input, say);
    facts.author = frame_text(input.authority.empty() ? input.archive_name : input.authority, 200);
    facts.subject = frame_text(input.matter.ground, 300);
    facts.creator = frame_text(input.tool, 100);
    facts.language = say("de-DE", "en-GB");
    facts.created_at = input.created_at;
    Bytes pdf = TRY(finish_pdf(drawn, facts, input.people_attachments, container));
    drawn = {};
    PdfFacts written;
    written.pages = pages;
    written.records = transcript.records.size();
    written.bytes = TRY(write_with_container(pdf, container, out));
    return written;
}

Result<PdfFacts> make_bundle(const BundleInput& input, RecordSource& records, const EvidenceContainer& container,
                             const SignDigest& sign, const ByteSink& out) {
    Bytes pdf;
    PdfFacts facts = TRY(write_pdf(input, records, container, [&](ByteView part) {
        put(pdf, part);
        return ok_status();
    }));
    const Bytes signed_pdf = TRY_IN("signing the bundle", audit::append_signature(std::move(pdf), sign));
    facts.bytes = signed_pdf.size();
    TRY(out(signed_pdf));
    return facts;
}

}  // namespace kustos::exporting
