// The signed certificate of an erasure (docs/format/certificate.md). As with reports the entry comes first.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/erasure.h"
#include "app/house.h"
#include "audit/erasures.h"
#include "export/certificate_pdf.h"

namespace kustos::app {

using audit::ErasureRun;
using nlohmann::json;

namespace {

struct Words {
    bool de;
    const char* operator()(const char* german, const char* english) const { return de ? german : english; }
};

struct Reached {
    const char* state;
    std::optional<EntryIndex> entry;
};

std::vector<Reached> states_of(const ErasureRun& run) {
    return {{"begun", run.begun.front()},
            {"unreadable", run.done},
            {"terms_gone", run.terms},
            {"ciphertext_gone", run.ciphertext},
            {"final", run.final_entry}};
}

std::string name_of(const std::string& state, const Words& say) {
    if (state == "begun") return say("Angeordnet", "Ordered");
    if (state == "unreadable") return say("Unlesbar", "Unreadable");
    if (state == "terms_gone") return say("Wörter entfernt", "Words removed");
    if (state == "ciphertext_gone") return say("Chiffrat entfernt", "Ciphertext removed");
    return say("Endgültig", "Final");
}

std::string meaning_of(const std::string& state, const Words& say) {
    if (state == "begun")
        return say("Die Löschung steht in der Kette und kann nicht mehr zurückgenommen werden.",
                   "The erasure stands in the ledger and can't be taken back.");
    if (state == "unreadable")
        return say(
            "Die Schlüssel sind vernichtet. Der Inhalt ist weder im Archiv noch in gewöhnlichen Sicherungen zu "
            "lesen.",
            "The keys are destroyed. The content can be read neither in the archive nor in ordinary backups.");
    if (state == "terms_gone")
        return say("Die Wörter sind aus dem Suchverzeichnis entfernt, dessen Schlüssel erneuert sind.",
                   "The words are gone from the search index, whose keys are new.");
    if (state == "ciphertext_gone")
        return say("Auch die verschlüsselten Bytes sind aus dem Archiv entfernt.",
                   "The encrypted bytes are removed from the archive, too.");
    return say("Auch in der Schlüsselhinterlegung ist keine Kopie mehr, mit der man den Inhalt öffnen könnte.",
               "No copy is left in the escrow of keys either that could open the content.");
}

}  // namespace

// A JSON array: bytes and proofs of the entries that a verifier needs to see the run and its states.
Result<std::string> House::erasure_entries(const ErasureRun& run) {
    std::vector<EntryIndex> wanted(run.begun.begin(), run.begun.end());
    for (const auto& entry : {run.done, run.terms, run.ciphertext, run.final_entry}) {
        if (entry) wanted.push_back(*entry);
    }
    if (run.done) {  // the generation that it names was opened before it
        for (std::uint64_t i = run.done->value; i-- > 0;) {
            const audit::Entry entry = TRY(archive_->entry(EntryIndex(i)));
            if (control_action(entry) != audit::ControlAction::generation_opened) continue;
            wanted.push_back(EntryIndex(i));
            break;
        }
    }
    std::sort(wanted.begin(), wanted.end());
    return proven_entries(wanted);
}

Result<std::vector<std::string>> House::certify_erasure(const audit::ErasureId& id, const ReportRequest& request) {
    TRY(check_report_files(request.files));
    const auto runs = archive_->erasure_runs();
    const auto found = std::find_if(runs.begin(), runs.end(), [&](const ErasureRun& r) { return r.id == id; });
    if (found == runs.end())
        return Error(Code::not_found, "there is no erasure of that name").with_hint("kustos erase list");
    const ErasureRun& run = *found;
    const Words say{request.language == Language::german};
    const ErasureStatus status = status_of(run, archive_->medium_of(run));

    exporting::CertificatePages pages;
    const exporting::ReportPages& frame = pages.frame = report_frame(request);
    pages.title = say("Löschbescheinigung", "Certificate of erasure");
    pages.steps_title = say("Wie weit die Löschung ist", "How far the erasure has come");
    pages.what_is_checked =
        say("Diese Datei, mit dem Programm, offline: ob sie unverändert ist, ob das Archiv sie unterschrieben hat und "
            "ob seine Kette die Löschung und ihre Zustände nennt.",
            "This file, with the program, offline: whether it is unchanged, whether the archive signed it, and "
            "whether its ledger names the erasure and its states.");
    pages.fulfilled = run.final_entry.has_value();
    pages.fingerprint = archive_->fingerprint();
    pages.verdict = name_of(status.state, say);
    pages.strength = state_words(status.state, status.medium, request.language);

    // What is sealed in the run's first entry is read under an entry of its own.
    std::vector<std::string> approvers;
    std::string ground;
    if (archive_->is_open()) {
        vault::Purpose purpose;
        purpose.action = audit::AccessAction::audit_read;
        purpose.actor = request.actor;
        purpose.query = say("Löschbescheinigung", "certificate of erasure");
        const vault::OpenedPayload opened = TRY(opener_->read_trail(purpose, run.begun.front()));
        ground = vault::field_text(opened, vault::PathCode::legal_ground);
        for (const vault::FieldRow& row : opened.payload.rows) {
            if (row.path == vault::PathCode::actor && row.ordinal > 0)
                approvers.emplace_back(as_text(opened.payload.field(row)));
        }
    }
    const auto fact = [&](const char* de, const char* en, const std::string& value) {
        if (!value.empty()) pages.facts.emplace_back(say(de, en), value);
    };
    fact("Löschung", "Erasure", erasure_name(id));
    fact("Umfang", "Extent",
         std::to_string(run.count) + say(" Aufzeichnungen und Anhänge", " records and attachments"));
    fact("Rechtsgrund", "Legal basis", ground);
    std::string people;
    for (const std::string& a : approvers) people += (people.empty() ? "" : ", ") + a;
    fact("Freigegeben von", "Approved by", people);
    fact("Schlüsselmedium", "Medium of the keys",
         status.medium == "file" ? say("Datei (nach bestem Vermögen)", "file (best effort)") : status.medium);

    json states = json::array();
    for (const Reached& r : states_of(run)) {
        exporting::CertificateStep step{name_of(r.state, say), meaning_of(r.state, say), std::nullopt, r.entry};
        json j = {{"state", r.state}};
        if (r.entry) {
            const audit::Entry entry = TRY(archive_->entry(*r.entry));
            const auto body = TRY(audit::BodyReader::parse(entry.body));
            step.reached = body.find_time(audit::Tag::time);
            j["entry"] = r.entry->value;
            if (step.reached) j["time"] = format_rfc3339(*step.reached);
        }
        states.push_back(std::move(j));
        pages.steps.push_back(std::move(step));
    }
    pages.proven = {
        say("Dass diese Löschung mit diesem Umfang zu diesen Zeiten in der Kette des Archivs steht und dort nicht mehr "
            "entfernt werden kann.",
            "That this erasure, of this extent, stands in the archive's ledger with these times, and can't be removed "
            "from it."),
        say("Dass die Kette trotz der Löschung unversehrt ist: Von den gelöschten Aufzeichnungen bleiben nur "
            "Prüfsummen, aus denen sich nichts lesen lässt.",
            "That the ledger is intact in spite of the erasure: of the erased records only hashes remain, from which "
            "nothing can be read.")};
    pages.not_proven = {
        say("Dass es keine Kopie außerhalb des Archivs gibt: in Postfächern, Exporten oder Beweispaketen.",
            "That no copy exists outside the archive: in mailboxes, exports or evidence bundles."),
        say("Dass ein Schlüssel wirklich vernichtet ist, kann kein Programm beweisen; das Archiv versichert es.",
            "That a key is really destroyed no program can prove; the archive attests it.")};

    json whole = {{"format", "kustos-certificate-1"},
                  {"kind", "erasure"},
                  {"erasure", erasure_name(id)},
                  {"method", run.method},
                  {"state", status.state},
                  {"count", run.count},
                  {"medium", status.medium},
                  {"strength", pages.strength},
                  {"states", std::move(states)},
                  {"entries", json::parse(TRY(erasure_entries(run)))},
                  {"archive", frame.archive_name},
                  {"authority", frame.authority},
                  {"ledger", frame.origin},
                  {"fingerprint", pages.fingerprint},
                  {"made_at", format_rfc3339(frame.made_at)},
                  {"made_by", frame.made_by},
                  {"tool", frame.tool},
                  {"language", say.de ? "de" : "en"}};
    if (run.done) whole["generation"] = run.generation;
    if (!ground.empty()) whole["ground"] = ground;
    if (!approvers.empty()) whole["approvers"] = approvers;
    pages.frame.json = whole.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";

    return std::move(
        TRY(sign_certificate(pages, request, audit::ControlAction::certificate_issued, [&](audit::Body& body) {
            body.put_bytes(audit::Tag::erasure, id).put_text(audit::Tag::code, status.state);
        })).files);
}

}  // namespace kustos::app
