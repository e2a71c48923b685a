// Verification from inside: whole, from where the last one ended, by sample; and what only key holders can check.
#include "app/house.h"
#include "audit/erasures.h"
#include "audit/verify_archive.h"
#include "audit/verify_draw.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::RemarkCode;
using audit::Tag;

namespace {

// Beside the signer's store, out of reach of who writes the archive alone.
constexpr const char* kVerified = "verified";

std::optional<audit::VerifiedState> read_state(Fs& fs, const Path& file) {
    const auto bytes = read_file(fs, file, audit::kMaxVerifiedState);
    if (!bytes.ok()) return std::nullopt;
    auto state = audit::VerifiedState::parse(as_text(*bytes));
    return state.ok() ? std::optional(std::move(*state)) : std::nullopt;
}

// What is opened must be what the entry commits to; attachments that are entries of their own as well.
Status check_content(const vault::Archive& archive, EntryIndex index, const audit::Entry& entry) {
    if (archive.keys().apart()) return archive.keys().check(index);
    const vault::OpenedPayload opened = TRY(archive.open_payload(index, entry));
    for (const vault::BlobRef& blob : opened.payload.blobs)
        TRY(archive.blob_content(blob, [](ByteView) { return ok_status(); }));
    return {};
}

Error vault_closed(const char* what) {
    return Error(Code::closed, std::string(what) + " opens content: a key holder must open the vault")
        .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
}

}  // namespace

Result<audit::Report> House::verify_with(const VerifyRequest& request) {
    audit::VerifyOptions options;
    if (request.trust) {
        const Bytes bytes = TRY_IN("trust file", read_file(environment_.fs, *request.trust, audit::kMaxTrustFile));
        options.trust = TRY(audit::parse_trust(as_text(bytes)));
        options.trust_digest = sha256(bytes);
    } else {
        options.trust = trust_;
        options.trust_digest = trust_digest_;
    }
    TRY(archive_->settle());
    if (request.sample != 0) {
        const Bytes nonce = TRY_IN("--nonce", parse_hex(request.nonce));
        TRY(audit::draw_entries(Hash{}, TreeSize(0), nonce, request.sample));  // says what is wrong with them
        return audit::verify_drawn(environment_.fs, options_.archive, nonce, request.sample, options.trust);
    }
    const Path verified = options_.state / kVerified;
    if (request.since_last) options.since = read_state(environment_.fs, verified);
    Progress progress(environment_.clock, "verify", "entries", archive_->head().size.value);
    options.progress = [&progress](std::uint64_t done, std::uint64_t) { progress.advance_to(done); };
    options.stop = interrupt_requested;
    audit::Verification found = audit::verify_archive(environment_.fs, options_.archive, options);
    progress.finish();
    if (found.state) TRY(replace_file(environment_.fs, verified, as_bytes(found.state->format())));
    if (found.interrupted)
        return Error(Code::interrupted, "interrupted; what was verified is remembered")
            .with_hint("kustos verify --since-last goes on from there");
    audit::Report report = std::move(found.report);
    if (TRY(archive_->catalog_agrees())) {
        report.checked["catalogs"] += 1;
    } else {
        report.problem("catalog", "catalog.db", "does not say what the ledger says");
    }
    if (!request.deep) return report;
    if (!archive_->is_open()) return vault_closed("--deep");
    // What only an opener can check: that plaintext matches the commitments. Leaves an access entry like every opening.
    TRY(archive_->record_control(ControlAction::finding, [](Body& body) { body.put_text(Tag::code, "verify:deep"); }));
    if (archive_->keys().apart()) TRY(archive_->settle());  // it reads the files
    const auto head = archive_->head();
    const TreeSize size = head.size;
    const auto erasures = TRY(audit::collect_erasures(archive_->ledger(), size, head.root));
    Progress opening(environment_.clock, "verify --deep", "entries", size.value);
    for (std::uint64_t i = 0; i < size.value; ++i) {
        if (interrupt_requested()) return Error(Code::interrupted, "interrupted; nothing was found so far");
        const audit::Entry entry = TRY(archive_->entry(EntryIndex(i)));
        if (entry.header.suite == audit::Suite::none || entry.header.kind == audit::Kind::blob) continue;
        if (erasures.covered(entry.header.tree, entry.header.leaf)) continue;  // nobody can
        if (const Status held = check_content(*archive_, EntryIndex(i), entry); !held.ok()) {
            report.problem("content", "entry " + std::to_string(i), held.error().message());
        } else {
            report.checked["opened"] += 1;
        }
        opening.advance_to(i);
    }
    report.retract(RemarkCode::not_decrypted);
    return report;
}

// The nonce draws from the newest published checkpoint: it has left the house (witnesses, time stamps), so that nobody
// can choose a ledger that fits the nonce.
Result<audit::Report> House::sample_content(ByteView nonce, std::uint64_t count) {
    if (!archive_->is_open()) return vault_closed("a sample");
    const auto published = archive_->newest_published();
    if (!published)
        return Error(Code::usage, "no checkpoint is published yet: there is nothing to draw from")
            .with_hint("kustos serve publishes; so does kustos ingest");
    const TreeSize size = published->size;
    const Hash root = TRY(archive_->ledger().root(size));
    std::uint64_t passed_over = 0;
    std::vector<EntryIndex> gone;
    const auto head = archive_->head();
    const auto erasures = TRY(audit::collect_erasures(archive_->ledger(), head.size, head.root));
    std::uint64_t erased = 0;
    const auto has_content = [&](EntryIndex i) -> Result<bool> {
        const auto header = TRY(archive_->ledger().header(i));
        bool fits = header.kind == audit::Kind::record;
        if (fits && erasures.covered(header.tree, header.leaf)) {
            fits = false;  // its key is destroyed; whether its ciphertext is gone as well does not matter
            ++erased;
        } else if (fits) {
            // Only what was removed is passed over. A file that is missing is not: else whoever takes it away, or
            // damages it, would choose the sample.
            const auto frame = archive_->segments().frame(i);
            fits = frame.ok() || frame.error().code() != Code::not_found;
            if (!fits) gone.push_back(i);
        }
        passed_over += fits ? 0 : 1;
        return fits;
    };
    const auto drawn = TRY(audit::draw_entries(root, size, nonce, count, has_content));
    const vault::Receipt entry = TRY(archive_->record_control(ControlAction::sample_drawn, [&](Body& body) {
        body.put_u64(Tag::checkpoint_size, size.value)
            .put_hash(Tag::root, root)
            .put_bytes(Tag::nonce, nonce)
            .put_u64(Tag::count, drawn.size())
            .put_u64(Tag::total, passed_over)
            .put_hash(Tag::list_root, vault::list_root(drawn));
    }));
    audit::Report report;
    report.subject = "archive";
    report.mode = "sampled";
    report.size = size.value;
    report.root = root;
    report.fingerprint = archive_->fingerprint();
    report.nonce = hex(nonce);
    report.sampled = drawn.size();
    report.passed_over = erased;
    report.remark(RemarkCode::only_drawn);
    if (drawn.empty()) report.remark(RemarkCode::nothing_drawn);
    for (const EntryIndex i : gone)
        report.problem("vault.missing", "entry " + std::to_string(i.value),
                       "the ciphertext is gone and no entry allows it");
    Progress opening(environment_.clock, "sample", "records", drawn.size());
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        if (interrupt_requested()) return Error(Code::interrupted, "interrupted; no result was stored");
        const audit::Entry record = TRY(archive_->entry(drawn[i]));
        if (const Status held = check_content(*archive_, drawn[i], record); !held.ok()) {
            report.problem("content", "entry " + std::to_string(drawn[i].value), held.error().message());
        } else {
            report.checked["opened"] += 1;
        }
        opening.advance_to(i + 1);
    }
    TRY(archive_->record_control(ControlAction::sample_judged, [&](Body& body) {
        body.put_u64(Tag::entry, entry.index.value)
            .put_u64(Tag::count, report.checked["opened"])
            .put_u64(Tag::total, report.problems.size())
            .put_text(Tag::code, report.ok ? "ok" : "problems");
    }));
    return report;
}

}  // namespace kustos::app
