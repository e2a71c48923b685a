// Evidence records, and keeping them alive: nothing here needs a key.
#include <algorithm>

#include "app/house.h"
#include "audit/renewal.h"
#include "base/log.h"
#include "base/progress.h"

namespace kustos::app {

// Entries for renewals that have none: the one just made, or of before a crash.
Status House::name_renewals() {
    const audit::RenewalStore store(environment_.fs, options_.archive / "ledger");
    for (const audit::Renewal& renewal : TRY(store.list())) {
        if (renewal.number <= archive_->newest_renewal()) continue;
        for (const audit::AnchorToken& token : renewal.tokens) {
            TRY(archive_->record_control(audit::ControlAction::evidence_renewed, [&](audit::Body& body) {
                body.put_u32(audit::Tag::renewal, renewal.number)
                    .put_hash(audit::Tag::manifest_hash, renewal.manifest_hash)
                    .put_hash(audit::Tag::token_hash, sha256(token.token))
                    .put_text(audit::Tag::authority, token.authority)
                    .put_text(audit::Tag::method,
                              renewal.manifest.kind == audit::RenewalKind::time_stamp ? "time-stamp" : "hash-tree");
            }));
        }
    }
    return {};
}

Result<RenewalReport> House::renew(bool only_look) {
    const std::lock_guard lock(anchor_mutex_);
    const Path ledger = options_.archive / "ledger";
    TRY(name_renewals());
    RenewalReport report;
    while (true) {
        const auto evidence = TRY(audit::Evidence::open(environment_.fs, ledger, archive_->ledger()));
        const audit::RenewalPlan plan = TRY(audit::plan_renewal(*evidence, algorithm_ends_, environment_.clock.now()));
        report.next = plan.next;
        report.time_stamps_due = plan.time_stamps.size();
        report.hash_trees_due = plan.hash_trees.size();
        if (!plan.due() || only_look) return report;
        audit::Renewer renewer(environment_.fs, ledger, archive_->ledger(),
                               audit::ciphertext_digests(archive_->segments()));
        std::optional<Progress> progress;
        const auto result = TRY(renewer.run(plan, choices_, environment_.clock, environment_.random,
                                            [&](std::uint64_t done, std::uint64_t total) {
                                                if (!progress)
                                                    progress.emplace(environment_.clock, "renew", "objects", total);
                                                progress->advance_to(done);
                                                return !interrupt_requested();
                                            }));
        TRY(name_renewals());
        report.done.push_back({result.number, result.kind == audit::RenewalKind::hash_tree,
                               std::string(audit::digest_name(result.algorithm)), result.leaves});
    }
}

Result<std::vector<EvidenceFile>> House::evidence_of(const std::vector<EntryIndex>& entries) {
    const auto evidence = TRY(audit::Evidence::open(environment_.fs, options_.archive / "ledger", archive_->ledger()));
    std::vector<EvidenceFile> files;
    for (const EntryIndex entry : entries) {
        const auto record = TRY_IN("entry " + std::to_string(entry.value), evidence->record_of(entry));
        Bytes object = TRY(archive_->ledger().entry_bytes(entry));
        files.push_back({entry, audit::encode(record), std::move(object)});
    }
    return files;
}

}  // namespace kustos::app
