// Erasure, from the words of who asks for it to the entries of the ledger.
#include <algorithm>
#include <set>

#include "app/erasure.h"
#include "app/hold_desk.h"
#include "app/house.h"
#include "app/src/house_ports.h"
#include "base/text.h"
#include "search/analysis.h"
#include "search/index.h"
#include "search/query.h"
#include "vault/succession.h"

namespace kustos::app {

namespace {

constexpr std::size_t kFewestApprovers = 2;

// Two people: the same name in other letters or spaces is one.
Status check_approvers(const std::vector<std::string>& approvers) {
    std::set<std::string> people;
    for (const std::string& name : approvers) {
        std::string plain;
        for (const char c : fold(name)) {
            if (c != ' ' && c != '\t') plain.push_back(c);
        }
        if (!plain.empty()) people.insert(plain);
    }
    if (people.size() >= kFewestApprovers) return {};
    return Error(Code::denied, "an erasure needs the approval of two different people")
        .with_hint("--approver NAME --approver NAME");
}

}  // namespace

std::string erasure_name(const audit::ErasureId& id) {
    return hex(id);
}

Result<audit::ErasureId> parse_erasure_name(const std::string& text) {
    audit::ErasureId id{};
    const auto bytes = parse_hex(text);
    if (!bytes.ok() || bytes->size() != id.size())
        return Error(Code::usage, "an erasure's name has 32 hex digits").with_hint("kustos erase list shows them");
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return id;
}

ErasureStatus status_of(const audit::ErasureRun& run, const std::string& medium) {
    return {run, std::string(audit::name_of(audit::state_of(run))), medium};
}

std::string state_words(const std::string& state, const std::string& medium, Language language) {
    const bool de = language == Language::german;
    std::string words;
    if (state == "begun")
        return de ? "Begonnen, noch nicht vollzogen: Es wird beim nächsten Start oder Öffnen des Tresors beendet. Bis "
                    "dahin öffnet das Archiv die Aufzeichnungen schon nicht mehr."
                  : "Begun, not carried out yet: it is finished at the next start, or when the vault is opened. Until "
                    "then the archive does not open the records any more.";
    words = de ? "Der Schlüssel ist vernichtet: Niemand kann den Inhalt aus diesem Archiv oder aus gewöhnlichen "
                 "Sicherungen lesen."
               : "The key is destroyed: nobody can read the content from this archive or from ordinary backups.";
    if (state == "terms_gone" || state == "ciphertext_gone" || state == "final")
        words +=
            de ? " Die Wörter sind aus dem Suchverzeichnis entfernt." : " The words are gone from the search index.";
    if (state == "ciphertext_gone" || state == "final")
        words += de ? " Auch das Chiffrat ist entfernt." : " The ciphertext is removed, too.";
    if (state == "final")
        words += de ? " Auch in der Schlüsselhinterlegung gibt es keine ältere Kopie mehr."
                    : " No older copy is left in the escrow of keys either.";
    if (medium == "file")
        words += de ? " Stärke: nach bestem Vermögen auf diesem Datenträger. Der Schlüssel lag in einer Datei, die "
                      "überschrieben und freigegeben wurde; manche Datenträger behalten alte Blöcke."
                    : " Strength: best effort on this medium. The key was in a file that was overwritten and given "
                      "back; some disks keep old blocks.";
    else if (medium == "tpm" || medium == "pkcs11")
        words += de ? " Stärke: Der Schlüssel lag in einem " + std::string(medium == "tpm" ? "TPM" : "Token") +
                          ", nicht auf einem Datenträger dieses Rechners; was dort vernichtet wird, ist weg."
                    : " Strength: the key was in a " + std::string(medium == "tpm" ? "TPM" : "token") +
                          ", not on a disk of this machine; what is destroyed there is gone.";
    return words;
}

// What has to go so that an attachment is nowhere: blobs, and records that hold it in themselves, each of which is
// sealed again without it.
struct House::AttachmentPlan {
    std::vector<EntryIndex> blobs, replaced, affected, successors;
    std::vector<std::pair<EntryIndex, std::vector<std::size_t>>> to_replace;  // record, numbers of its attachments
};

Result<House::AttachmentPlan> House::plan_attachment(const Hash& sha256, const std::vector<EntryIndex>& records) {
    AttachmentPlan plan;
    for (const EntryIndex index : records) {
        const audit::Entry entry = TRY(archive_->entry(index));
        const vault::OpenedPayload opened = TRY(archive_->open_payload(index, entry));
        const vault::Message message = TRY(vault::decompose(opened));
        std::vector<std::size_t> inside;
        bool affected = false;
        for (std::size_t i = 0; i < message.attachments.size(); ++i) {
            const vault::Attachment& a = message.attachments[i];
            if (a.missing || !(a.sha256 == sha256)) continue;
            if (a.blob && archive_->is_erased(TRY(archive_->entry(*a.blob)).header)) continue;
            affected = true;
            if (!a.blob) inside.push_back(i);
        }
        if (!affected) continue;
        if (inside.empty()) {
            for (const vault::Attachment& a : message.attachments) {
                if (a.blob && a.sha256 == sha256) plan.blobs.push_back(*a.blob);
            }
            plan.affected.push_back(index);
        } else {
            plan.to_replace.emplace_back(index, inside);
            plan.replaced.push_back(index);
        }
    }
    return plan;
}

// Each successor is sealed and named before its original is destroyed. A try that was interrupted finds its own.
Status House::seal_successors(AttachmentPlan& plan) {
    for (const auto& [index, numbers] : plan.to_replace) {
        if (const auto known = archive_->successor_of(index)) {
            plan.successors.push_back(*known);
            continue;
        }
        const audit::Entry entry = TRY(archive_->entry(index));
        const vault::OpenedPayload opened = TRY(archive_->open_payload(index, entry));
        const auto fetch = [this](const vault::BlobRef& blob, const ByteSink& sink) {
            return archive_->blob_content(blob, sink);
        };
        vault::Draft draft;
        draft.kind = audit::Kind::record;
        draft.source = entry.header.source;
        draft.retention_class = entry.header.retention_class;
        draft.content = TRY(vault::compose(TRY(vault::without_attachments(opened, numbers, fetch))));
        std::vector<vault::Draft> drafts;
        drafts.push_back(std::move(draft));
        const vault::Receipt receipt = TRY(archive_->seal(std::move(drafts))).front();
        const EntryIndex original = index;
        TRY(archive_->record_control(audit::ControlAction::record_succeeded, [&](audit::Body& body) {
            body.put_u64(audit::Tag::entry, original.value).put_u64(audit::Tag::successor, receipt.index.value);
        }));
        plan.successors.push_back(receipt.index);
    }
    return {};
}

Result<EraseAnswer> House::erase_attachment(const EraseRequest& request) {
    const auto bytes = parse_hex(request.attachment);
    if (!bytes.ok() || bytes->size() != Hash::kSize)
        return Error(Code::usage, "--attachment takes the SHA-256 of its content")
            .with_hint("sha256sum FILE prints it");
    const search::Query query = TRY(search::parse_query("sha256:" + hex(*bytes)));
    const search::Answer hits = TRY(searcher_->run(query, search::SearchOptions{}, *census_));
    EraseAnswer answer;
    answer.coverage = to_web(hits.coverage);
    answer.unsearched = hits.unsearched;
    std::vector<EntryIndex> records = hits.entries;
    std::sort(records.begin(), records.end());
    AttachmentPlan plan = TRY(plan_attachment(TRY(Hash::from(*bytes)), records));
    EntrySet touched(plan.affected);
    touched.add(EntrySet(plan.replaced));
    TRY(check_holds(touched, request.actor));
    for (const EntrySet::Interval& i : touched.intervals()) {
        for (std::uint64_t n = i.first.value; n <= i.last.value; ++n) answer.records.push_back(EntryIndex(n));
    }
    if (request.only_look || answer.records.empty()) return answer;
    TRY(seal_successors(plan));
    answer.successors = plan.successors;
    vault::ForgetOrder order;
    order.method = vault::ForgetMethod::attachment;
    order.entries = plan.blobs;
    order.entries.insert(order.entries.end(), plan.replaced.begin(), plan.replaced.end());
    order.affected = plan.affected;
    order.reason = vault::compose_reason({request.ground, request.actor, request.approvers, "sha256:" + hex(*bytes)});
    answer.done = TRY(archive_->forget(std::move(order)));
    TRY(remove_terms());  // which drops the records that stay, too: they are taken in again without it
    TRY(index_all(false));
    return answer;
}

Result<EraseAnswer> House::erase(const EraseRequest& request) {
    if (request.ground.empty())
        return Error(Code::usage, "an erasure needs its legal basis")
            .with_hint("--ground \"Art. 17 Abs. 1 DSGVO, ...\"");
    TRY(check_approvers(request.approvers));
    if (!archive_->is_open()) {
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    }
    const std::lock_guard no_new_holds(decision_mutex_);
    if (!request.attachment.empty()) return erase_attachment(request);
    EraseAnswer answer;
    std::vector<EntryIndex> found = request.records;
    if (!request.query.empty()) {
        const search::Query parsed = TRY(search::parse_query(request.query));
        const search::Answer hits = TRY(searcher_->run(parsed, search::SearchOptions{}, *census_));
        answer.coverage = to_web(hits.coverage);
        answer.unsearched = hits.unsearched;
        found = hits.entries;
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    for (const EntryIndex index : found) {
        if (index.value >= archive_->head().size.value)
            return Error(Code::not_found, "there is no entry " + std::to_string(index.value));
        const audit::Entry entry = TRY(archive_->entry(index));
        if (entry.header.kind != audit::Kind::record)
            return Error(Code::not_found, "entry " + std::to_string(index.value) + " is no record")
                .with_hint("search prints the numbers of records");
        if (archive_->is_erased(entry.header)) {
            ++answer.erased_before;
        } else {
            answer.records.push_back(index);
        }
    }
    TRY(check_holds(EntrySet(answer.records), request.actor));
    if (request.only_look || answer.records.empty()) return answer;
    vault::ForgetOrder order;
    order.method = vault::ForgetMethod::erasure;
    order.entries = answer.records;
    order.without_escrow = request.without_escrow;
    order.reason = vault::compose_reason({request.ground, request.actor, request.approvers, request.query});
    answer.done = TRY(archive_->forget(std::move(order)));
    return answer;
}

// Holds are asked right before anything is destroyed; the caller lets nobody set or release one meanwhile.
Status House::check_holds(const EntrySet& records, const std::string& actor) {
    if (records.empty()) return {};
    const auto search = record_search();
    HoldDesk desk(*archive_, *search, actor);
    const vault::HoldAnswer answer = TRY(desk.check(records));
    const EntrySet held = answer.held();
    if (held.empty()) return {};
    std::string holds;
    for (const auto& by : answer.by) {
        if (!by.records.empty()) holds += (holds.empty() ? "" : ", ") + std::to_string(by.hold.value);
    }
    return Error(Code::denied, std::to_string(held.count()) + " of " + std::to_string(records.count()) +
                                   " records are held (hold " + holds + "): nothing was destroyed")
        .with_hint("kustos hold list; what a hold covers can't be erased until it is released");
}

Result<TermsReport> House::remove_terms() {
    const TreeSize size = archive_->head().size;
    bool wanted = false;
    for (const audit::ErasureRun& run : archive_->erasure_runs())
        wanted = wanted || (run.done && !run.broken && !run.terms);
    EntrySet reindex;  // of runs that a crash ended behind their keys
    for (const audit::ErasureRun& run : archive_->erasure_runs()) {
        if (run.done && !run.broken && !run.terms) reindex.add(TRY(archive_->affected_by(run)));
    }
    const search::RewriteReport done = TRY(forget_terms(reindex));
    TermsReport report{done.looked_at, done.rewritten, done.documents_dropped, std::nullopt};
    if (!wanted) return report;
    report.entry = TRY(archive_->record_erasure(audit::ErasureAction::terms_removed, [&](audit::Body& body) {
                       body.put_u64(audit::Tag::checkpoint_size, size.value)
                           .put_u64(audit::Tag::count, done.rewritten + done.given_up.size());
                   })).index;
    return report;
}

Result<CompactionReport> House::compact(bool show_progress) {
    Progress progress(environment_.clock, "compact", "bytes", 0);
    const auto show = [&](std::uint64_t at, std::uint64_t) {
        if (show_progress) progress.advance_to(at);
    };
    const audit::CompactReport done = TRY(archive_->compact(interrupt_requested, show));
    if (done.interrupted)
        return Error(Code::interrupted, "interrupted; what is removed is removed").with_hint("the same call goes on");
    if (!done.damaged.empty())
        return Error(Code::corrupt, std::to_string(done.damaged.size()) + " segments are damaged and were left alone")
            .with_hint("kustos verify names them");
    return CompactionReport{done.segments_rewritten, done.frames_removed, done.bytes_freed};
}

// Once a day (the server): words and ciphertext of what was erased. Without an open vault the words wait.
Status House::maintain() {
    if (archive_->is_open()) TRY(remove_terms());
    TRY(compact(false));
    if (archive_->is_open() && !archive_->keys().apart()) TRY(retry_what_is_cured());
    return {};
}

std::vector<ErasureStatus> House::erasures() const {
    std::vector<ErasureStatus> list;
    for (const audit::ErasureRun& run : archive_->erasure_runs())
        list.push_back(status_of(run, archive_->medium_of(run)));
    return list;
}

}  // namespace kustos::app
