// Erasure, from the words of who asks for it to the entries of the ledger.
#include <algorithm>
#include <set>

#include "app/erasure.h"
#include "app/house.h"
#include "app/src/house_ports.h"
#include "base/text.h"
#include "search/query.h"

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
    return words;
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
    EraseAnswer answer;
    std::vector<EntryIndex> found = request.records;
    if (!request.query.empty()) {
        const search::Query parsed = TRY(search::parse_query(request.query));
        const search::Answer hits = TRY(searcher_->run(parsed, search::SearchOptions{}, *census_));
        const search::Coverage& c = hits.coverage;
        answer.coverage = web::Coverage{c.sealed, c.searchable, c.partial, c.opaque, c.deferred, c.failed, c.erased};
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
    TRY(check_holds(EntrySet(answer.records)));
    if (request.only_look || answer.records.empty()) return answer;
    vault::ForgetOrder order;
    order.method = vault::ForgetMethod::erasure;
    order.entries = answer.records;
    order.reason = vault::compose_reason({request.ground, request.actor, request.approvers, request.query});
    answer.done = TRY(archive_->forget(std::move(order)));
    return answer;
}

// Holds are asked right before anything is destroyed.
Status House::check_holds(const EntrySet& records) {
    static_cast<void>(records);
    return {};
}

Result<TermsReport> House::remove_terms() {
    const TreeSize size = archive_->head().size;
    bool wanted = false;
    for (const audit::ErasureRun& run : archive_->erasure_runs())
        wanted = wanted || (run.done && !run.broken && !run.terms);
    const search::RewriteReport done = TRY(forget_terms({}));
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
    return {};
}

std::vector<ErasureStatus> House::erasures() const {
    std::vector<ErasureStatus> list;
    for (const audit::ErasureRun& run : archive_->erasure_runs())
        list.push_back(status_of(run, archive_->key_medium()));
    return list;
}

}  // namespace kustos::app
