// Export: records of a matter become an evidence bundle, or originals. The access entry comes first; then a checkpoint
// that covers it, its time stamp, and only then the signature.
#include <algorithm>
#include <set>

#include "app/house.h"
#include "app/result_desk.h"
#include "app/src/house_ports.h"
#include "audit/anchors.h"
#include "audit/bundle_writer.h"
#include "audit/checkpoint.h"
#include "audit/imprint.h"
#include "audit/ledger.h"
#include "audit/pdf_sign.h"
#include "audit/verify_archive.h"
#include "base/progress.h"
#include "base/staged_file.h"
#include "export/bundle.h"
#include "export/originals.h"
#include "export/read_back.h"
#include "ingest/value_words.h"
#include "search/exact.h"
#include "vault/entry_sets.h"

namespace kustos::app {

namespace {

constexpr std::uint64_t kMaxBundleBytes = 2ull << 30;

// One opened entry as the container discloses it: every field, decoys by their salts.
audit::RecordDisclosure disclose(EntryIndex index, const audit::Entry& entry, const vault::OpenedPayload& opened,
                                 std::vector<Hash> proof) {
    audit::RecordDisclosure d;
    d.index = index;
    d.entry = audit::encode(entry);
    d.proof = std::move(proof);
    d.key_commitment = opened.key_commitment;
    d.commitments = opened.commitments;
    for (std::size_t i = 0; i < opened.payload.rows.size(); ++i) {
        const vault::FieldRow& row = opened.payload.rows[i];
        audit::DisclosedField f;
        f.path = static_cast<std::uint16_t>(row.path);
        f.ordinal = row.ordinal;
        f.type = static_cast<std::uint8_t>(row.type);
        f.salt = opened.salts[i];
        f.value = to_bytes(opened.payload.field(row));
        d.fields.push_back(std::move(f));
    }
    return d;
}

// The records of one export, opened again for each pass of the page layout.
class SessionRecords final : public exporting::RecordSource {
public:
    SessionRecords(vault::Archive& archive, vault::OpenSession& session, std::vector<EntryIndex> ids,
                   std::vector<std::string> originals, bool german)
        : archive_(archive),
          session_(session),
          ids_(std::move(ids)),
          originals_(std::move(originals)),
          german_(german) {}
    std::size_t count() const override { return ids_.size(); }
    Result<exporting::BundleRecord> at(std::size_t position) override {
        vault::OpenedRecord opened = TRY(session_.open(ids_.at(position)));
        exporting::BundleRecord r;
        r.entry = opened.index;
        r.original_sha256 = opened.message.raw_sha256;
        r.original_size = opened.message.raw_size;
        r.original_path = originals_.at(position);
        r.sequence = opened.entry.header.sequence;
        if (const auto source = archive_.find_source(opened.entry.header.source)) r.source = source->name;
        for (vault::Attachment& a : opened.message.attachments) {
            exporting::AttachmentFacts facts;
            facts.place = a.missing ? exporting::AttachmentPlace::missing : exporting::AttachmentPlace::in_original;
            a.content.clear();
            r.attachments.push_back(std::move(facts));
        }
        r.message = std::move(opened.message);
        if (const ingest::FormatInfo* format = ingest::find_format(r.message.format))
            r.evidential_value = ingest::level_words(format->value.level, german_);
        return r;
    }

private:
    vault::Archive& archive_;
    vault::OpenSession& session_;
    std::vector<EntryIndex> ids_;
    std::vector<std::string> originals_;
    bool german_;
};

class SessionOriginals final : public exporting::OriginalSource {
public:
    SessionOriginals(vault::OpenSession& session, std::vector<EntryIndex> ids)
        : session_(session), ids_(std::move(ids)) {}
    std::size_t count() const override { return ids_.size(); }
    Result<exporting::Original> describe(std::size_t position) override {
        const vault::OpenedRecord opened = TRY(session_.open(ids_.at(position)));
        exporting::Original o;
        o.entry = opened.index;
        o.kind = opened.message.kind;
        o.format = opened.message.format;
        o.sender_address = opened.message.sender.address;
        o.received_at = opened.message.received_at;
        o.sha256 = opened.message.raw_sha256;
        o.size = opened.message.raw_size;
        o.report = vault::report_layout(opened.message);
        if (auto enclosed = Hash::parse(opened.message.thread); o.report && enclosed.ok()) o.enclosed = *enclosed;
        return o;
    }
    Status write(std::size_t position, const exporting::ByteSink& out) override {
        return session_.write_original(ids_.at(position), out);
    }

private:
    vault::OpenSession& session_;
    std::vector<EntryIndex> ids_;
};

// What happened in this matter, as the ledger's public bodies tell it.
Result<std::vector<exporting::CustodyEvent>> custody_of(vault::Archive& archive, vault::OpenSession& session,
                                                        EntryIndex matter) {
    std::vector<exporting::CustodyEvent> events;
    const TreeSize size = archive.head().size;
    for (EntryIndex at = matter; at.value < size.value;) {
        const auto entries = TRY(archive.entries(at, 512));
        if (entries.empty()) break;
        for (const audit::Entry& entry : entries) {
            const EntryIndex index = at;
            at.value += 1;
            const bool opened_matter = index == matter;
            const auto action = audit::access_action(entry);
            if (!opened_matter && !action) continue;
            const auto body = TRY(audit::BodyReader::parse(entry.body));
            if (!opened_matter && body.find_u64(audit::Tag::matter) != matter.value) continue;
            exporting::CustodyEvent e;
            e.entry = index;
            if (const auto time = body.find_time(audit::Tag::time)) e.time = *time;
            e.action = opened_matter                            ? "matter_opened"
                       : *action == audit::AccessAction::search ? "search"
                       : *action == audit::AccessAction::open   ? "open"
                                                                : "export";
            if (const auto total = body.find_u64(audit::Tag::total)) e.code = "total=" + std::to_string(*total);
            if (!opened_matter) {
                if (auto payload = session.open_trail(index); payload.ok())
                    e.actor = vault::field_text(*payload, vault::PathCode::actor);
            }
            events.push_back(std::move(e));
        }
    }
    return events;
}

std::vector<EntryIndex> entries_of(const EntrySet& set) {
    std::vector<EntryIndex> out;
    out.reserve(set.count());
    for (const EntrySet::Interval& run : set.intervals())
        for (std::uint64_t n = run.first.value; n <= run.last.value; ++n) out.emplace_back(n);
    return out;
}

// As the bundle says where its records come from; what was erased meanwhile is named.
std::string describe(const FrozenSet& set, const EntrySet& erased, Language language) {
    constexpr std::size_t kMostNamed = 50;
    const bool de = language == Language::german;
    std::string out = access::result_id(set.note.entry) + (set.name.empty() ? "" : " " + set.name) +
                      (de ? ", festgehalten " : ", frozen ") + format_rfc3339(set.note.time) + ": " + set.query;
    if (!set.scope.empty()) out += (de ? "; Umfang: " : "; scope: ") + set.scope;
    if (erased.empty()) return out;
    out += (de ? "; seitdem gelöscht: " : "; erased since: ") + std::to_string(erased.count()) + " (";
    std::size_t named = 0;
    for (const EntryIndex id : entries_of(erased)) {
        if (named == kMostNamed) break;
        out += (named++ == 0 ? "" : ", ") + std::to_string(id.value);
    }
    return out + (erased.count() > named ? ", ...)" : ")");
}

}  // namespace

Result<ExportReport> House::export_records(const ExportRequest& request) {
    const EntryIndex matter = request.matter.empty() && request.result
                                  ? TRY(ResultDesk(*archive_).matter_of(*request.result))
                                  : TRY(need_matter(request.matter));
    const access::Matter found = TRY(matters_->find(matter));
    if (!archive_->is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::export_;
    purpose.matter = matter;
    purpose.actor = request.actor;
    purpose.query = request.query;
    MatterQuery query;
    ExportReport report;
    if (!request.query.empty()) {
        TRY(matters_->allow(purpose, {}));
        const auto language = request.language == Language::german ? search::Language::de : search::Language::en;
        query = TRY(matter_query(request.actor, matter, request.query, language, nullptr));
        purpose.query = query.text;
    }
    web::Coverage coverage;
    std::vector<EntryIndex> ids = request.records;
    std::string described = request.query;
    if (request.result) {
        const FrozenSet frozen = TRY(ResultDesk(*archive_).of_matter(*request.result, matter));
        report.erased = vault::intersection(frozen.records, *TRY(archive_->erased()));
        ids = entries_of(vault::difference(frozen.records, report.erased));
        purpose.within = access::result_id(*request.result);
        purpose.query = frozen.query;
        coverage = to_web(frozen.coverage);
        report.unsearched = frozen.unsearched;
        described = describe(frozen, report.erased, request.language);
    }
    std::unique_ptr<vault::OpenSession> granted;  // by an opener apart, that ran the query
    if (!request.result && !archive_->keys().apart()) coverage = to_web(TRY(searcher_->coverage(*census_)));
    if (!request.query.empty() && archive_->keys().apart()) {
        vault::SearchAsk ask;
        ask.purpose = purpose;
        ask.german = request.language == Language::german;
        ask.limit = ~std::uint64_t{0};
        vault::Opener::Searched answer = TRY(opener_->search(ask));
        granted = std::move(answer.session);
        ids = answer.reply.listed;
        purpose.result_set = answer.reply.result_set;
        coverage = to_web(answer.reply.coverage);
        report.unsearched = std::move(answer.reply.unsearched);
    } else if (!request.query.empty()) {
        purpose.scope = query.scope;
        purpose.scope_decided = true;
        search::SearchOptions options;
        if (search::asks_exactly(query.run.root)) {
            vault::Purpose looking = purpose;
            looking.action = audit::AccessAction::search;
            query.run = TRY(decide_exact(looking, query.run, options.undecided));
        }
        const search::Answer answer = TRY(ask(query.run, std::move(options)));
        ids = answer.entries;
        report.unsearched = answer.unsearched;
        purpose.result_set = answer.result_set;
        coverage = to_web(answer.coverage);
        purpose.coverage = to_counts(coverage);
        purpose.unsearched = report.unsearched;
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    // What a query finds and a restriction keeps back is left out and counted; named one by one it is refused below.
    std::uint64_t restricted = 0;
    if (!request.query.empty() || request.result) {
        const auto book = archive_->retention();
        restricted = std::erase_if(ids, [&](EntryIndex id) { return book->restriction_for(id, matter).has_value(); });
    }
    if (ids.empty())
        return Error(Code::usage, "nothing to export: no record was found")
            .with_hint("kustos search shows what a query finds");
    purpose.total = ids.size();
    TRY(matters_->allow(purpose, ids));
    TRY(expect_not_erased(ids));
    const auto session = granted ? std::move(granted) : TRY(opener_->begin(purpose, ids));  // its entry is durable now

    report.restricted = restricted;
    report.file = request.out.string();
    if (request.as != "pdf") {
        SessionOriginals originals(*session, ids);
        exporting::OriginalsWritten written;
        if (request.as == "eml") {
            TRY(environment_.fs.make_dirs(request.out));
            written = TRY(exporting::write_eml_folder(environment_.fs, request.out, originals));
        } else {
            StagedFile mbox = TRY(StagedFile::create(environment_.fs, request.out, StagedFile::Existing::replace));
            written = TRY(exporting::write_mbox([&mbox](ByteView piece) { return mbox.write(piece); }, originals));
            TRY(mbox.commit());
        }
        report.records = written.written;
        report.left_out = written.left_out;
        report.bytes = written.bytes;
        return report;
    }

    // One bundle at a time: each may need gigabytes, and fonts are the process's.
    const std::lock_guard making(bundle_mutex_);
    // A checkpoint that covers the export's own entry, and its time stamp as far as an authority answers.
    TRY(publish_and_anchor());
    audit::AnchorStore store(environment_.fs, options_.archive / "ledger");
    const auto spans = TRY(store.list());
    const EntryIndex last = session->access_entry().index;
    const auto span = audit::newest_covering(spans, TreeSize(last.value + 1));
    const TreeSize size = span ? span->size : TRY(archive_->publish());
    std::string note = TRY(archive_->published_note(size));
    const Path cosigned = audit::cosigned_file(options_.archive / "ledger", size);
    if (environment_.fs.exists(cosigned)) note = TRY(audit::read_note(environment_.fs, cosigned));
    const auto rotations = TRY(audit::read_rotations(environment_.fs, options_.archive / "ledger"));
    const audit::KeyHistory keys = TRY(key_history());
    const audit::KeyHistory::Opened opened_note = TRY(keys.open(as_bytes(note)));
    const audit::Checkpoint& checkpoint = opened_note.checkpoint;

    audit::BundleWriter writer;
    TRY(writer.set_checkpoint(note));
    // Those of this ledger, up to the key that signed the checkpoint.
    const auto& steps = keys.steps();
    const auto before = std::count_if(steps.begin() + 1, steps.begin() + static_cast<std::ptrdiff_t>(keys.era()) + 1,
                                      [](const auto& step) { return !step.continuation; });
    for (std::size_t i = keys.era(); !(steps[i].key == opened_note.key); ++i)
        TRY(writer.add_rotation(rotations.at(static_cast<std::size_t>(before) + i - keys.era())));
    exporting::BundleInput input;
    if (span) {
        const audit::Anchor anchor = TRY(store.read(*span));
        audit::ImprintTree tree(sha256(anchor.note));
        for (EntryIndex at(span->previous.value); at.value < span->size.value;) {
            const auto entries = TRY(archive_->entries(
                at, static_cast<std::size_t>(std::min<std::uint64_t>(512, span->size.value - at.value))));
            if (entries.empty()) return Error(Code::corrupt, "the ledger ends before its checkpoint");
            for (const audit::Entry& entry : entries) {
                audit::ImprintGroup group;
                group.object = sha256(audit::encode(entry));
                if (entry.header.suite != audit::Suite::none) group.ciphertext = entry.header.ciphertext_hash;
                tree.add(group);
            }
            at.value += entries.size();
        }
        tree.finish();
        for (const audit::AnchorToken& token : anchor.tokens) {
            TRY(writer.add_anchor(token.authority, span->previous, token.token, tree.path_of_note()));
            const auto facts = TRY(audit::read_token(token.token));
            input.proof.anchors.push_back(
                {facts.gen_time, token.authority, token.authority == audit::BuiltinAuthority::kName, span->size});
        }
    }
    std::vector<EntryIndex> contexts = {EntryIndex(0), EntryIndex(1)};
    if (keys.era() != 0) {  // and how the ledger of today began: its first entry, and its evidence key's
        const EntryIndex begin = steps[keys.era()].entry;
        contexts = {EntryIndex(0), begin, EntryIndex(begin.value + 1)};
    }
    for (const EntryIndex context : contexts) {
        TRY(writer.add_context(context, audit::encode(TRY(archive_->entry(context))),
                               TRY(archive_->inclusion_proof(context, size))));
    }
    const auto evidence = TRY(audit::Evidence::open(environment_.fs, options_.archive / "ledger", archive_->ledger()));
    // An entry that no time stamp covers yet goes without.
    const auto add_evidence = [&](EntryIndex id) -> Status {
        const auto found_record = evidence->record_of(id);
        if (!found_record.ok() && found_record.error().code() == Code::not_found) return {};
        return writer.add_evidence_record(id, audit::encode(TRY(found_record)));
    };
    std::vector<std::string> originals;
    std::uint64_t total_bytes = 0;
    std::set<SourceId> sources;     // of these records
    std::set<std::string> formats;  // likewise
    Progress progress(environment_.clock, "export", "records", ids.size());
    for (const EntryIndex id : ids) {
        const vault::OpenedRecord opened = TRY(session->open(id));
        sources.insert(opened.entry.header.source);
        formats.insert(opened.message.format);
        total_bytes += opened.message.raw_size;  // with its attachments once more as files
        for (const vault::BlobRef& blob : opened.payload.payload.blobs) total_bytes += blob.size;
        if (total_bytes > kMaxBundleBytes)
            return Error(Code::limit, "one bundle holds at most 2 GiB of originals and attachments")
                .with_hint("a narrower query, several bundles, or --as eml for what is larger");
        Bytes original;
        TRY(session->write_original(id, [&original](ByteView piece) {
            put(original, piece);
            return ok_status();
        }));
        const std::string name = audit::original_member(
            id, exporting::original_extension(opened.message.kind, opened.message.format).substr(1));
        TRY(writer.add_file(name, original));
        originals.push_back(name);
        audit::RecordDisclosure d =
            disclose(id, opened.entry, opened.payload, TRY(archive_->inclusion_proof(id, size)));
        d.original = name;
        for (const vault::BlobRef& blob : opened.payload.payload.blobs) {
            const vault::OpenedPayload blob_opened = TRY(session->open_blob(blob));
            audit::RecordDisclosure b = disclose(blob.entry, TRY(archive_->entry(blob.entry)), blob_opened,
                                                 TRY(archive_->inclusion_proof(blob.entry, size)));
            // Its bytes once more as a file, so that people can open them; the fields point into it.
            const std::string file = "attachments/" + audit::twelve_digits(blob.entry.value) + ".bin";
            TRY(writer.add_file(file, TRY(vault::blob_content(blob_opened))));
            std::uint64_t offset = 0;
            for (audit::DisclosedField& f : b.fields) {
                if (f.path != static_cast<std::uint16_t>(vault::PathCode::attachment_content)) continue;
                f.file = file;
                f.offset = offset;
                f.length = f.value.size();
                offset += f.length;
                f.value.clear();
            }
            d.blobs.push_back(std::move(b));
        }
        TRY(add_evidence(id));
        for (const audit::RecordDisclosure& blob : d.blobs) TRY(add_evidence(blob.index));
        TRY(writer.add_record(d));
        progress.advance_to(originals.size());
        if (interrupt_requested()) return Error(Code::interrupted, "interrupted; nothing was written");
    }
    progress.finish();

    audit::BundleFacts facts;
    facts.vault = archive_->vault_id();
    facts.origin = archive_->origin();
    facts.vkey = archive_->vkey();
    facts.created_at = environment_.clock.now();
    facts.language = request.language == Language::german ? "de" : "en";
    facts.tool = "kustos " KUSTOS_VERSION;
    facts.matter_reference = found.reference;
    facts.matter_ground = found.ground;
    facts.matter = matter;
    facts.query = described;
    facts.total = ids.size();
    facts.coverage = {{"sealed", coverage.sealed}, {"searchable", coverage.searchable}, {"partial", coverage.partial},
                      {"opaque", coverage.opaque}, {"deferred", coverage.deferred},     {"failed", coverage.failed},
                      {"erased", coverage.erased}};
    facts.unsearched = report.unsearched;
    Bytes zip = TRY(writer.finish(facts));

    input.language = request.language == Language::german ? exporting::Language::de : exporting::Language::en;
    input.time_zone = config_.text("time_zone", "Europe/Berlin");
    input.archive_name = config_.text("name", "Zentralarchiv");
    input.authority = config_.text("authority", "");
    input.matter = {found.reference, found.ground, matter};
    input.query = described;
    input.total = ids.size();
    input.coverage = {coverage.sealed,   coverage.searchable, coverage.partial, coverage.opaque,
                      coverage.deferred, coverage.failed,     coverage.erased};
    if (report.unsearched) {
        input.unsearched = report.unsearched->total();
        input.unsearched_words = web::unsearched_words(
            *report.unsearched, request.language == Language::german ? web::Language::german : web::Language::english);
    }
    input.created_at = facts.created_at;
    input.created_by = request.actor;
    input.tool = facts.tool;
    input.custody = TRY(custody_of(*archive_, *session, matter));
    input.proof.checkpoint_size = checkpoint.size;
    input.proof.checkpoint_root = checkpoint.root;
    input.proof.origin = archive_->origin();
    input.proof.fingerprint = archive_->fingerprint();
    input.proof.verifier_key = archive_->vkey();
    for (const SourceId source : sources) {
        const auto info = archive_->find_source(source);
        if (info) input.sources.push_back({info->name, TRY(completeness_words(source, request.language))});
    }
    const bool german = request.language == Language::german;
    for (const std::string& format : formats) input.formats.push_back({format, ingest::value_words(format, german)});
    SessionRecords records(*archive_, *session, ids, originals, german);
    Bytes pdf;
    const exporting::PdfFacts pages = TRY(
        exporting::write_pdf(input, records, exporting::container_in_memory(std::move(zip)), [&pdf](ByteView piece) {
            put(pdf, piece);
            return ok_status();
        }));
    const audit::SigningGround ground = TRY(signing_ground(session->access_entry().index));
    const Bytes bundle = TRY(audit::append_signature(
        std::move(pdf), [&](const Hash& digest) { return archive_->signer().sign_cms(digest, ground); }));
    TRY(exporting::read_back(bundle, pages.pages));
    TRY(replace_file(environment_.fs, request.out, bundle));
    report.records = pages.records;
    report.pages = pages.pages;
    report.bytes = bundle.size();
    return report;
}

}  // namespace kustos::app
