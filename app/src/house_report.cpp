// A signed report of a verification. The entry comes first: that the archive verified itself, and what came out, is in
// the ledger before a signature over it exists.
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/house.h"
#include "audit/key_history.h"
#include "audit/ledger.h"
#include "audit/pdf_sign.h"
#include "audit/report_text.h"
#include "audit/signer.h"
#include "audit/tlog_proof.h"
#include "audit/verify_report.h"
#include "base/crypto.h"
#include "export/certificate_pdf.h"
#include "export/report_pdf.h"

namespace kustos::app {

using nlohmann::json;

namespace {

bool is_pdf(const Path& file) {
    return file.extension() == ".pdf";
}

}  // namespace

Status check_report_files(const std::vector<Path>& files) {
    for (const Path& file : files) {
        if (!is_pdf(file) && file.extension() != ".json")
            return Error(Code::usage, "--report takes FILE.pdf or FILE.json");
    }
    return {};
}

// Under a published checkpoint, like a bundle's: seen by witnesses and stamped as far as they answer.
Result<std::string> House::report_proof(EntryIndex entry) {
    TRY(publish_and_anchor());
    auto size = archive_->newest_published();
    if (!size || size->size.value <= entry.value) {
        TRY(archive_->publish());
        size = archive_->newest_published();
    }
    if (!size || size->size.value <= entry.value) return Error(Code::overloaded, "no published checkpoint covers it");
    const Path ledger = options_.archive / "ledger", cosigned = audit::cosigned_file(ledger, size->size);
    const std::string note = environment_.fs.exists(cosigned) ? TRY(audit::read_note(environment_.fs, cosigned))
                                                              : TRY(archive_->published_note(size->size));
    const auto part = [&](EntryIndex index) -> Result<audit::ReportProof::Part> {
        audit::TlogProof proof;
        proof.index = index;
        proof.proof = TRY(archive_->ledger().proof(index, size->size));
        proof.note = note;
        return audit::ReportProof::Part{TRY(archive_->ledger().entry_bytes(index)), proof.format()};
    };
    audit::ReportProof out;
    out.vkey = archive_->vkey();
    const audit::KeyHistory keys = TRY(key_history());
    const auto& steps = keys.steps();
    const auto rotations = TRY(audit::read_rotations(environment_.fs, ledger));
    std::size_t number = 0;  // of the rotation that a step is
    for (std::size_t i = 1; i < steps.size(); ++i) {
        if (steps[i].continuation) continue;
        const audit::Rotation& rotation = rotations.at(number++);
        if (i > keys.era()) out.rotations.push_back({rotation.entry, rotation.proof});
    }
    // The evidence key's entry is the second of the ledger as it is called today.
    out.certificate = TRY(part(EntryIndex(keys.era() == 0 ? 1 : steps[keys.era()].entry.value + 1)));
    out.report = TRY(part(entry));
    return out.to_json();
}

// Under the signer's own last checkpoint. It may be a batch ahead of the reader, for a moment.
Result<audit::SigningGround> House::signing_ground(EntryIndex entry) {
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
        audit::TlogProof proof;
        proof.index = entry;
        proof.note = TRY(archive_->signer().note());
        const TreeSize size = TRY(audit::open_checkpoint(as_bytes(proof.note), archive_->signer().verifier())).size;
        auto path = archive_->ledger().proof(entry, size);
        if (!path.ok()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            continue;
        }
        proof.proof = std::move(*path);
        return audit::SigningGround{TRY(archive_->ledger().entry_bytes(entry)), proof.format()};
    }
    return Error(Code::overloaded, "the entry could not be proven to the signer").with_hint("try again");
}

exporting::ReportPages House::report_frame(const ReportRequest& request) {
    exporting::ReportPages pages;
    pages.language = request.language == Language::german ? exporting::Language::de : exporting::Language::en;
    pages.time_zone = config_.text("time_zone", "Europe/Berlin");
    pages.archive_name = config_.text("name", "Zentralarchiv");
    pages.authority = config_.text("authority", "");
    pages.origin = archive_->origin();
    pages.made_at = environment_.clock.now();
    pages.made_by = request.actor;
    pages.tool = "kustos " KUSTOS_VERSION;
    pages.certificate = sha256(archive_->signer().evidence_certificate());
    return pages;
}

// A certificate's JSON is in the pages' frame already.
Result<SignedReport> House::sign_certificate(exporting::CertificatePages& pages, const ReportRequest& request,
                                             audit::ControlAction action,
                                             const std::function<void(audit::Body&)>& fill) {
    exporting::ReportPages& frame = pages.frame;
    const Hash digest = sha256(as_bytes(frame.json));
    const vault::Receipt receipt = TRY(archive_->record_control(action, [&](audit::Body& body) {
        body.put_hash(audit::Tag::related_hash, digest);
        fill(body);
    }));
    frame.entry = receipt.index;
    frame.proof = TRY(report_proof(receipt.index));
    SignedReport made;
    made.entry = receipt.index;
    made.files = TRY(sign_pages(request.files, receipt.index, frame.json, [&]() -> Result<Bytes> {
        return std::move(TRY(exporting::draw_certificate(pages)).pdf);
    }));
    return made;
}

Result<std::string> House::proven_entries(const std::vector<EntryIndex>& wanted) {
    TRY(publish_and_anchor());
    auto size = archive_->newest_published();
    if (!size || size->size.value <= wanted.back().value) {
        TRY(archive_->publish());
        size = archive_->newest_published();
    }
    if (!size || size->size.value <= wanted.back().value)
        return Error(Code::overloaded, "no published checkpoint covers what is to be certified");
    const std::string note = TRY(archive_->published_note(size->size));
    json list = json::array();
    for (const EntryIndex index : wanted) {
        audit::TlogProof proof;
        proof.index = index;
        proof.proof = TRY(archive_->ledger().proof(index, size->size));
        proof.note = note;
        list.push_back({{"index", index.value},
                        {"entry", base64(TRY(archive_->ledger().entry_bytes(index)))},
                        {"proof", proof.format()}});
    }
    return list.dump();
}

Result<SignedReport> House::sign_report(const audit::Report& report, const ReportRequest& request) {
    TRY(check_report_files(request.files));
    const bool german = request.language == Language::german;
    exporting::ReportPages pages = report_frame(request);
    const audit::ReportText text = audit::describe(report, german ? "de" : "en");
    json whole = json::parse(report.to_json());
    whole["report"] = {{"archive", pages.archive_name},    {"authority", pages.authority},
                       {"ledger", pages.origin},           {"made_at", format_rfc3339(pages.made_at)},
                       {"made_by", pages.made_by},         {"tool", pages.tool},
                       {"language", german ? "de" : "en"}, {"verdict", text.verdict},
                       {"checked", text.checked},          {"proven", text.proven},
                       {"not_proven", text.not_proven}};
    pages.json = whole.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";

    const Hash digest = sha256(as_bytes(pages.json));
    const vault::Receipt receipt =
        TRY(archive_->record_control(audit::ControlAction::verification_reported, [&](audit::Body& body) {
            body.put_u64(audit::Tag::checkpoint_size, report.size)
                .put_hash(audit::Tag::related_hash, digest)
                .put_text(audit::Tag::code, report.ok ? "ok" : "problems")
                .put_text(audit::Tag::method, report.mode);
        }));
    pages.entry = receipt.index;
    pages.proof = TRY(report_proof(receipt.index));

    SignedReport made;
    made.entry = receipt.index;
    made.files = TRY(sign_pages(request.files, receipt.index, pages.json, [&]() -> Result<Bytes> {
        return std::move(TRY(exporting::draw_report(report, pages)).pdf);
    }));
    return made;
}

// JSON with its signature beside it, or pages; `entry` allows the signatures.
Result<std::vector<std::string>> House::sign_pages(const std::vector<Path>& files, EntryIndex entry,
                                                   const std::string& content,
                                                   const std::function<Result<Bytes>()>& draw) {
    std::vector<std::string> made;
    const audit::SigningGround ground = TRY(signing_ground(entry));
    const auto sign = [&](const Hash& digest) { return archive_->signer().sign_cms(digest, ground); };
    for (const Path& file : files) {
        if (!is_pdf(file)) {
            Path signature = file;
            signature += ".p7s";
            TRY(replace_file(environment_.fs, signature, TRY(sign(sha256(as_bytes(content))))));
            TRY(replace_file(environment_.fs, file, as_bytes(content)));
            made.push_back(file.string());
            made.push_back(signature.string());
            continue;
        }
        const std::lock_guard making(bundle_mutex_);  // fonts are the process's
        Bytes pdf = TRY(draw());
        TRY(replace_file(environment_.fs, file, TRY(audit::append_signature(std::move(pdf), sign))));
        made.push_back(file.string());
    }
    return made;
}

}  // namespace kustos::app
