// Continuation: an archive whose newer state is lost goes on under a new name, and says what is lost
// (docs/format/signer.md, "Continuation"). Each step can be repeated until the last one is done.
#include <algorithm>

#include "app/house.h"
#include "audit/key_history.h"
#include "audit/staging.h"
#include "base/log.h"
#include "search/index.h"
#include "vault/duplicates.h"

namespace kustos::app {

namespace {

// As far as the ledger on this disk goes: what is installed, and the complete batches of the staging log behind it.
Result<audit::TreeHead> surviving_head(Fs& fs, const Path& archive) {
    const std::string note = TRY(audit::read_note(fs, audit::checkpoint_file(archive / "ledger")));
    audit::TreeHead head =
        TRY_IN("ledger/checkpoint", audit::parse_checkpoint(TRY(audit::parse_note(as_bytes(note))).text)).head();
    audit::StagingLog one = TRY(audit::StagingLog::open(fs, archive / "staging", audit::kStagingLogs[0]));
    audit::StagingLog other = TRY(audit::StagingLog::open(fs, archive / "staging", audit::kStagingLogs[1]));
    for (const audit::StagingBundle& bundle : TRY(audit::read_staged(one, other))) {
        if (bundle.before == head) head = bundle.after;
    }
    return head;
}

struct OldSigner {
    std::optional<audit::TreeHead> head;  // nothing: its store is lost or unreadable
    std::string origin;
};
OldSigner ask_signer(const Environment& environment, const Path& dir) {
    const auto signer = audit::FileSigner::open(environment, dir);
    if (!signer.ok()) return {};
    const auto head = (*signer)->last();
    return {head.ok() ? std::optional(*head) : std::nullopt, (*signer)->verifier().name};
}

}  // namespace

Result<ContinuationReport> continue_archive(Environment environment, HouseOptions options, const std::string& keys) {
    Fs& fs = environment.fs;
    const Path ledger = options.archive / "ledger";
    ContinuationReport report;
    audit::VerifierKey first;
    VaultId vault;
    {
        const auto reader = TRY_IN("ledger", audit::LedgerReader::open(fs, ledger));
        const audit::Entry entry = TRY_IN("entry 0", reader->entry(EntryIndex(0)));
        const auto body = TRY(audit::BodyReader::parse(entry.body));
        first = TRY_IN("entry 0", audit::VerifierKey::parse(body.find_text(audit::Tag::vkey).value_or("")));
        vault = TRY(audit::parse_origin(first.name)).vault;
    }
    const audit::KeyHistory history = TRY(audit::read_history(fs, ledger, first));
    const std::uint32_t number = TRY(audit::parse_origin(history.first().name)).continuation + 1;
    if (number > audit::kMaxContinuation) return Error(Code::limit, "an archive is continued at most 255 times");
    const Path state = options.state / vault.hex();
    const Path present = state / "signer", coming = state / "signer.new",
               kept = state / ("signer.origin-" + std::to_string(number - 1));
    report.previous_origin = history.first().name;
    report.origin = audit::origin_of(vault, number);

    {
        auto lock = FileLock::acquire(options.archive / "lock");
        if (!lock.ok())
            return Error(Code::conflict, "another program has this archive open").with_hint("stop it first");
        if (!fs.exists(kept)) {
            const audit::TreeHead head = TRY(surviving_head(fs, options.archive));
            const OldSigner old = ask_signer(environment, present);
            const std::uint64_t others =
                TRY(remembered_by_others(environment, options.archive, head.size, report.previous_origin));
            const bool newer = others > head.size.value || !old.head || !(*old.head == head);
            if (!newer)
                return Error(Code::conflict,
                             "nobody remembers more than this archive has: there is nothing to continue")
                    .with_hint("start it as always");
            std::error_code ignored;
            std::filesystem::remove_all(coming, ignored);  // of a try that ended before it counted
            TRY(audit::FileSigner::create(environment, coming, vault, keys, {number, head}));
            if (fs.exists(present)) {
                TRY(fs.rename(present, kept));
            } else {
                TRY(fs.make_dirs(kept));  // lost: what it remembered, nobody knows
            }
        }
        if (fs.exists(coming)) TRY(fs.rename(coming, present));
        TRY(fs.sync_dir(state));
        // What points at lost entries would hide that they come in again.
        const audit::TreeHead head = TRY(TRY(audit::FileSigner::open(environment, present))->last());
        if (fs.exists(options.archive / "vault" / "duplicates.db"))
            TRY(TRY(vault::DuplicateStore::open(options.archive / "vault" / "duplicates.db"))
                    .forget_from(EntryIndex(head.size.value)));
    }
    vault::OpenOptions open;
    open.state = options.state;
    open.continues = true;
    open.secret = std::move(options.secret);
    const Config config = TRY(load_config(fs, options.archive));
    const Path medium = options.escrow.empty() ? Path(config.text("escrow.dir", "")) : options.escrow;
    if (!medium.empty() && !options.no_escrow) open.escrow = vault::escrow_in_folder(medium);
    auto archive = TRY(vault::Archive::open(environment, options.archive, std::move(open)));
    report.entries = archive->head().size.value;

    // The first entry of the new ledger; a run that ended behind it finds it.
    audit::Continued continued{EntryIndex(report.entries), {}};
    for (std::uint64_t i = report.entries > 8 ? report.entries - 8 : 0; i < report.entries; ++i) {
        const audit::Entry entry = TRY(archive->entry(EntryIndex(i)));
        const auto body = audit::BodyReader::parse(entry.body);
        if (control_action(entry) == audit::ControlAction::archive_continued && body.ok() &&
            body->find_text(audit::Tag::origin) == report.origin)
            continued = {EntryIndex(i), audit::encode(entry)};
    }
    const OldSigner old = ask_signer(environment, kept);
    report.remembered = std::max(old.head ? old.head->size.value : 0,
                                 TRY(remembered_by_others(environment, options.archive, TreeSize(continued.index.value),
                                                          report.previous_origin)));
    report.signer_lost = !old.head;
    if (continued.entry.empty()) {
        const vault::Head head = archive->head();
        const vault::Receipt receipt =
            TRY(archive->record_control(audit::ControlAction::archive_continued, [&](audit::Body& body) {
                body.put_text(audit::Tag::origin, report.origin)
                    .put_text(audit::Tag::vkey, archive->signer().verifier().format())
                    .put_text(audit::Tag::previous_origin, report.previous_origin)
                    .put_text(audit::Tag::previous_vkey, history.first().format())
                    .put_u64(audit::Tag::checkpoint_size, head.size.value)
                    .put_hash(audit::Tag::root, head.root);
                if (report.remembered != 0) body.put_u64(audit::Tag::remembered_size, report.remembered);
                if (old.head) body.put_hash(audit::Tag::remembered_root, old.head->root);
            }));
        const Bytes certificate = archive->signer().evidence_certificate();
        TRY(archive->record_control(audit::ControlAction::evidence_key,
                                    [&](audit::Body& body) { body.put_bytes(audit::Tag::certificate, certificate); }));
        continued = {receipt.index, audit::encode(TRY(archive->entry(receipt.index)))};
    }
    report.entries = continued.index.value;
    TRY(archive->settle());
    const std::string key = archive->signer().verifier().format();
    TRY(replace_file(
        fs, options.archive / "trust.policy",
        as_bytes("# This archive was continued under a new name at entry " + std::to_string(report.entries) +
                 ".\n# Compare its fingerprint with the one that the authority has published.\nlog " + key +
                 "\nquorum none\n")));
    // An index that is ahead would show other records than those that come in now.
    const auto summary = search::summarise(fs, options.archive / "index");
    if (summary.ok()) {
        for (const search::ShardState& shard : summary->shards) {
            if (shard.end.value <= report.entries) continue;
            TRY(search::remove_shard(fs, options.archive / "index", shard.id));
            ++report.shards_removed;
        }
    }
    // From here on there is nothing to continue: what a kill leaves undone before it, the next try does.
    TRY(audit::store_continuation(fs, ledger, continued));
    TRY(archive->take_up());
    report.adopted = archive->adopted();
    report.fingerprint = archive->fingerprint();
    log(LogLevel::warning, "the archive goes on under a new name", {{"entries", report.entries}});
    return report;
}

}  // namespace kustos::app
