#include "app/restore.h"

#include <algorithm>

#include "app/house.h"
#include "audit/key_history.h"
#include "audit/verify_archive.h"
#include "base/log.h"
#include "base/progress.h"
#include "vault/backup.h"
#include "vault/duplicates.h"
#include "vault/escrow.h"

namespace kustos::app {

namespace {

using audit::Tag;

class Restoration {
public:
    Restoration(Environment e, const RestoreRequest& request) : e_(e), request_(request) {}

    Result<RestoreReport> run() {
        manifest_ = TRY(vault::load_backup(e_.fs, request_.from));
        report_.backed_up = manifest_.made;
        report_.ledger_generation = manifest_.generation;
        TRY(put_files());
        TRY(put_keys());
        if (TRY(signer_is_newer()) && !request_.go_on) {
            report_.waiting = true;
        } else if (report_.key_generation != 0) {
            TRY(go_on());
        }
        verify();
        return std::move(report_);
    }

private:
    Path signer_dir() const { return request_.state / manifest_.vault.hex() / "signer"; }

    Status put_files() {
        Progress progress(e_.clock, "restore", "bytes", 0);
        vault::BackupOptions watch;
        watch.stop = interrupt_requested;
        watch.progress = [&progress](std::uint64_t done, std::uint64_t total) {
            progress.expect(total);
            progress.advance_to(done);
        };
        TRY(vault::restore_files(e_, request_.from, manifest_, request_.archive, watch));
        // Rows that came in while the backup was made name entries that it does not have.
        const Path rows = request_.archive / "vault" / "duplicates.db";
        if (e_.fs.exists(rows))
            TRY(TRY(vault::DuplicateStore::open(rows)).forget_from(EntryIndex(manifest_.size.value)));
        return {};
    }

    Status put_keys() {
        if (request_.escrow.empty()) return {};
        const auto restored =
            TRY(vault::restore_escrow(e_, request_.escrow, manifest_.vault, request_.archive / "keys"));
        if (restored.generation < manifest_.generation)
            return Error(Code::conflict, "the escrow is older than the backup: it has generation " +
                                             std::to_string(restored.generation) + " of the keys, the ledger names " +
                                             std::to_string(manifest_.generation))
                .with_hint(
                    "with keys of before an erasure what was erased could be read again: look for the newer medium");
        report_.key_generation = restored.generation;
        return {};
    }

    // A memory of this archive that has survived somewhere else.
    Result<bool> signer_is_newer() {
        if (!e_.fs.exists(signer_dir())) return false;
        const auto signer = TRY_IN("signer", audit::FileSigner::open(e_, signer_dir()));
        const audit::TreeHead head = TRY(signer->last());
        report_.remembered = head.size.value;
        return !(head == audit::TreeHead{manifest_.size, manifest_.root});
    }

    // The archive's own authority was part of the lost state. Its old stamps stand; new ones are of a new one.
    Status make_authority(const Config& config) {
        const auto names = config.list("time_stamps.authorities");
        const Path dir = request_.state / manifest_.vault.hex() / "tsa";
        if (std::find(names.begin(), names.end(), "builtin") == names.end() || e_.fs.exists(dir)) return {};
        TRY(audit::BuiltinAuthority::create(e_, dir));
        return {};
    }

    Status go_on() {
        const Config config = TRY(load_config(e_.fs, request_.archive));
        const bool plain = e_.fs.exists(signer_dir()) && !TRY(signer_is_newer());
        HouseOptions options;
        options.archive = request_.archive;
        options.state = request_.state;
        options.escrow = request_.escrow;
        options.no_escrow = request_.drill;
        if (request_.passphrase) options.secret = vault::PassphraseSecret{request_.passphrase->clone()};
        if (!plain) {
            TRY(make_dirs_synced(e_.fs, request_.state / manifest_.vault.hex()));
            const ContinuationReport c = TRY(continue_archive(e_, std::move(options), ""));
            report_.continued = true;
            report_.remembered = std::max(report_.remembered, c.remembered);
            adopted_ = c.adopted;
        }
        TRY(make_authority(config));
        vault::OpenOptions open;
        open.state = request_.state;
        if (!request_.drill) open.escrow = vault::escrow_in_folder(request_.escrow);
        if (request_.passphrase) open.passphrase = request_.passphrase->clone();
        auto archive = TRY(vault::Archive::open(e_, request_.archive, std::move(open)));
        if (archive->adopted()) adopted_ = archive->adopted();
        if (adopted_) report_.erased_again = adopted_->erased_again;
        TRY(archive->record_control(audit::ControlAction::archive_restored, [this](audit::Body& body) {
            body.put_u64(Tag::checkpoint_size, manifest_.size.value)
                .put_u32(Tag::generation, manifest_.generation)
                .put_u64(Tag::count, report_.erased_again);
        }));
        TRY(look_around(*archive));
        TRY(archive->settle());
        return {};
    }

    Status look_around(vault::Archive& archive) {
        report_.origin = archive.origin();
        report_.fingerprint = archive.fingerprint();
        report_.records = archive.count(audit::Kind::record);
        const auto erased = TRY(archive.erased_records());
        report_.erased = erased->count();
        for (const vault::SourceInfo& s : archive.sources()) report_.sources.push_back({s.name, s.kind, s.records});
        report_.vault_open = archive.is_open();
        if (!report_.vault_open || request_.sample == 0 || report_.records == 0) return {};
        // Spread over the whole ledger. What is opened is compared with what was committed to, and shown to nobody.
        const std::uint64_t step = std::max<std::uint64_t>(1, manifest_.size.value / request_.sample);
        for (std::uint64_t i = step - 1; i < manifest_.size.value; i += step) {
            // The first record from there on.
            for (std::uint64_t at = i; at < std::min(i + step, manifest_.size.value); ++at) {
                const audit::Entry entry = TRY(archive.entry(EntryIndex(at)));
                if (entry.header.kind != audit::Kind::record) continue;
                if (archive.is_erased(entry.header)) {
                    ++report_.passed_over;
                } else if (archive.open_payload(EntryIndex(at), entry).ok()) {
                    ++report_.opened;
                } else {
                    ++report_.not_opened;
                }
                break;
            }
        }
        return {};
    }

    void verify() {
        Progress progress(e_.clock, "verify", "entries", manifest_.size.value);
        audit::VerifyOptions options;
        options.stop = interrupt_requested;
        options.progress = [&progress](std::uint64_t done, std::uint64_t) { progress.advance_to(done); };
        report_.verification = audit::verify_archive(e_.fs, request_.archive, options).report;
        report_.entries = manifest_.size.value;
        // Without keys there is no keyring to be compared; the report says so itself.
        if (report_.key_generation != 0) return;
        auto& problems = report_.verification.problems;
        std::erase_if(problems, [this](const audit::Problem& p) {
            return p.code == "keys.box" &&
                   p.where == "keys/generation-" + std::to_string(manifest_.generation) + "/root";
        });
        report_.verification.ok = problems.empty();
    }

    Environment e_;
    const RestoreRequest& request_;
    vault::BackupManifest manifest_;
    RestoreReport report_;
    std::optional<vault::Archive::Adopted> adopted_;
};

}  // namespace

Status restore_file(Environment e, const RestoreRequest& request, const std::string& name) {
    const RelPath path = TRY(RelPath::parse(name));
    if (!e.fs.exists(request.archive)) return Error(Code::usage, "there is no archive at " + request.archive.string());
    const auto lock = FileLock::acquire(request.archive / "lock");
    if (!lock.ok()) return Error(Code::conflict, "another program has this archive open").with_hint("stop it first");
    const auto manifest = TRY(vault::load_backup(e.fs, request.from));
    constexpr std::string_view kKeys = "keys/";
    const bool key = path.text().compare(0, kKeys.size(), kKeys) == 0 && manifest.files.count(path.text()) == 0;
    if (!key) return vault::restore_file(e, request.from, manifest, request.archive, path.text());
    if (request.escrow.empty())
        return Error(Code::usage, "no backup holds this file: it is in the escrow").with_hint("--escrow DIR");
    return vault::restore_escrow_file(e, request.escrow, manifest.vault, request.archive / "keys",
                                      path.text().substr(kKeys.size()));
}

Result<RestoreReport> restore_archive(Environment environment, const RestoreRequest& request) {
    return Restoration(environment, request).run();
}

}  // namespace kustos::app
