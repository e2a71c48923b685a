#include "tests/audit/verify_sample.h"

#include <cstdio>

#include "audit/anchors.h"
#include "audit/pdf_sign.h"
#include "audit/timestamp.h"
#include "audit/tlog_proof.h"
#include "base/crypto.h"
#include "tests/audit/sample_entries.h"

namespace kustos::test {

using namespace audit;

namespace {

constexpr std::uint32_t kSource = 2;

template <class T>
T must(Result<T> result) {
    if (!result.ok()) std::fprintf(stderr, "%s\n", result.error().message().c_str());
    CHECK(result.ok());
    return std::move(*result);
}
void must(Status status) {
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().message().c_str());
    CHECK(status.ok());
}

Entry control(Body body) {
    Entry entry;
    entry.header.kind = Kind::control;
    entry.header.retention_class = ClassCode{1};
    entry.body = body.encode();
    return entry;
}

Bytes time_value(UtcTime time) {
    Bytes out;
    put_u64(out, static_cast<std::uint64_t>(time.ms));
    return out;
}

DisclosedField field(Random& random, std::uint16_t path, std::uint16_t ordinal, std::uint8_t type, Bytes value) {
    DisclosedField f;
    f.path = path;
    f.ordinal = ordinal;
    f.type = type;
    random.fill(f.salt);
    f.value = std::move(value);
    return f;
}

// Commitments over the fields, and the header that holds them.
RecordDisclosure seal(Random& random, Kind kind, std::vector<DisclosedField> fields, const Bytes& ciphertext) {
    RecordDisclosure r;
    r.key_commitment = random.make<Hash>();
    EntryHeader h = sample_sealed(random, 0, 16, kind).entry.header;
    h.source = SourceId{kSource};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const DisclosedField& f = fields[i];
        r.commitments.push_back(field_commitment(
            encode_field(h.record, f.salt, static_cast<std::uint16_t>(i), f.path, f.ordinal, f.type, f.value)));
    }
    h.field_count = static_cast<std::uint16_t>(fields.size());
    h.content_root = content_root(r.key_commitment, field_root(r.commitments));
    h.ciphertext_length = ciphertext.size();
    h.ciphertext_hash = sha256(ciphertext);
    r.fields = std::move(fields);
    r.entry = encode_header(h);
    return r;
}

}  // namespace

VerifySample::VerifySample(const Path& dir, std::uint64_t seed)
    : clock_(UtcTime{1'772'445'600'000}), random_(seed), dir_(dir), sequence_(2) {
    const Environment environment{fs_, clock_, random_};
    const auto vault = random_.make<VaultId>();
    must(FileSigner::create(environment, dir_ / "signer", vault));
    signer_ = must(FileSigner::open(environment, dir_ / "signer"));
    tsa_ = must(BuiltinAuthority::create(environment, dir_ / "tsa"));
    must(fs_.make_dirs(archive() / "ledger"));
    must(fs_.make_dirs(archive() / "keys" / "boxes"));
    segments_ = must(SegmentWriter::open(
        fs_, archive() / "vault", TreeSize{0},
        [this](EntryIndex i) { return decode_header(entries_.at(static_cast<std::size_t>(i.value))); },
        {4'000, 100, 1'024}));

    const std::string vkey = signer_->verifier().format();
    append(control(Body(ControlAction::archive_created)
                       .put_time(Tag::time, clock_.now())
                       .put_bytes(Tag::vault_id, vault.view())
                       .put_text(Tag::origin, origin_of(vault))
                       .put_text(Tag::vkey, vkey)
                       .put_hash(Tag::tsa_root_hash, tsa_->root_hash())));
    append(control(Body(ControlAction::evidence_key)
                       .put_time(Tag::time, clock_.now())
                       .put_bytes(Tag::certificate, signer_->evidence_certificate())));
    append(control(Body(ControlAction::source_added)
                       .put_time(Tag::time, clock_.now())
                       .put_text(Tag::name, "mail")
                       .put_text(Tag::source_kind, "import")));
    Bytes box(200);
    random_.fill(box);
    for (const char* copy : {"tree-00000001.a", "tree-00000001.b"})
        must(replace_file(fs_, archive() / "keys" / "boxes" / copy, box));
    append(control(Body(ControlAction::tree_opened)
                       .put_time(Tag::time, clock_.now())
                       .put_u32(Tag::tree, 1)
                       .put_u32(Tag::generation, 1)
                       .put_hash(Tag::box_hash, sha256(box))));
    add_records();
    for (int i = 0; i < 260; ++i) {
        SampleSealed s = sample_sealed(random_, 0, 16 + random_.next() % 60);
        if (i == 100) s = sample_sealed(random_, 0, kOwnFileFrom, Kind::blob);
        append(s.entry, s.ciphertext);
    }
    commit();
    publish();
    commit();
    must(replace_file(fs_, dir_ / "trust.policy", as_bytes(trust_text())));
}

std::string VerifySample::trust_text() const {
    return "# this ledger\nlog " + signer_->verifier().format() + "\nquorum none\n";
}

std::uint64_t VerifySample::append(Entry entry, const Bytes& ciphertext) {
    const bool sealed = entry.header.suite != Suite::none;
    entry.header.source = SourceId{sealed ? kSource : 0};
    entry.header.sequence = sequence_[sealed ? 1 : 0]++;
    if (!sealed) entry.header.record = random_.make<RecordId>();
    if (sealed) entry.header.leaf = LeafNumber{leaves_++};
    const EntryIndex index{entries_.size()};
    entries_.push_back(encode(entry));
    must(segments_->append(index, entry.header, ciphertext));
    return index.value;
}

void VerifySample::commit() {
    if (committed_ == entries_.size()) return;
    const std::vector<Bytes> batch(entries_.begin() + static_cast<std::ptrdiff_t>(committed_), entries_.end());
    AppendPlan plan = plan_append(state_, batch);
    must(segments_->sync());
    Growth growth{state_.range.hashes(), {}};
    for (const Bytes& entry : batch) growth.leaves.push_back(leaf_hash(entry));
    const std::string note = must(signer_->advance(state_.head(), plan.after.head(), growth));
    segments_->committed();
    must(install(fs_, archive() / "ledger", plan.writes, note));
    state_ = std::move(plan.after);
    committed_ = entries_.size();
}

void VerifySample::add_records() {
    for (int n = 0; n < 3; ++n) {
        const Bytes original =
            to_bytes("From: a@example.org\r\nSubject: Beam " + std::to_string(n) + "\r\n\r\ncracked\r\n");
        Bytes raw;
        put_u64(raw, original.size());
        put(raw, sha256(original).view());
        std::vector<DisclosedField> fields;
        fields.push_back(field(random_, 1, 0, 1, to_bytes("mail")));
        fields.push_back(field(random_, 4, 0, 3, time_value(clock_.now())));
        fields.push_back(field(random_, 7, 0, 1, to_bytes("Beam " + std::to_string(n))));
        fields.push_back(field(random_, 14, 0, 7, raw));
        fields.push_back(field(random_, 0, 0, 0, {}));
        fields.push_back(field(random_, 0, 0, 0, {}));
        Bytes ciphertext(48);
        random_.fill(ciphertext);
        RecordDisclosure record = seal(random_, Kind::record, std::move(fields), ciphertext);
        const auto place = [&](RecordDisclosure& r, const Bytes& frame) {
            r.index = EntryIndex{append(must(decode_entry(r.entry)), frame)};
            r.entry = entries_.back();
        };
        place(record, ciphertext);
        record.original = original_member(record.index, "eml");
        content_.files.emplace_back(record.original, original);
        if (n == 1) {
            const Bytes content = to_bytes("a large attachment, in two fields");
            RecordDisclosure blob = seal(random_, Kind::blob,
                                         {field(random_, 18, 0, 2, to_bytes(ByteView(content).first(20))),
                                          field(random_, 18, 1, 2, to_bytes(ByteView(content).subspan(20)))},
                                         ciphertext);
            place(blob, ciphertext);
            const std::string file = "attachments/" + twelve_digits(blob.index.value) + ".bin";
            content_.files.emplace_back(file, content);
            std::uint64_t at = 0;
            for (DisclosedField& f : blob.fields) {
                f.file = file;
                f.offset = at;
                f.length = f.value.size();
                at += f.length;
                f.value.clear();
            }
            record.blobs.push_back(std::move(blob));
        }
        content_.records.push_back(std::move(record));
    }
}

void VerifySample::extend(std::uint64_t records) {
    for (std::uint64_t i = 0; i < records; ++i) {
        const SampleSealed s = sample_sealed(random_, 0, 16 + random_.next() % 60);
        append(s.entry, s.ciphertext);
    }
    publish_next();
}

void VerifySample::extend_to_blob(std::uint64_t records) {
    for (std::uint64_t i = 0; i < records; ++i) {
        const bool last = i + 1 == records;
        const SampleSealed s = last ? sample_sealed(random_, 0, kOwnFileFrom, Kind::blob)
                                    : sample_sealed(random_, 0, 16 + random_.next() % 60);
        append(s.entry, s.ciphertext);
    }
    publish_next();
}

std::uint64_t VerifySample::add_source() {
    return append(control(Body(ControlAction::source_added)
                              .put_time(Tag::time, clock_.now())
                              .put_text(Tag::name, "idle")
                              .put_text(Tag::source_kind, "import")));
}

void VerifySample::append_of(std::uint64_t source) {
    SampleSealed s = sample_sealed(random_, 0, 40);
    s.entry.header.source = SourceId{static_cast<std::uint32_t>(source)};
    s.entry.header.sequence = 0;
    s.entry.header.leaf = LeafNumber{leaves_++};
    entries_.push_back(encode(s.entry));
    must(segments_->append(EntryIndex{entries_.size() - 1}, s.entry.header, s.ciphertext));
}

std::uint64_t VerifySample::append_control(const Body& body) {
    return append(control(body));
}

std::uint64_t VerifySample::append_erasure(const Body& body) {
    Entry entry = control(body);
    entry.header.kind = Kind::erasure;
    return append(entry);
}

Hash VerifySample::open_generation(std::uint32_t number) {
    const Path folder = archive() / "keys" / ("generation-" + std::to_string(number));
    must(fs_.make_dirs(folder));
    Bytes page(100), e(4096);
    random_.fill(page);
    random_.fill(std::span(e).first(32));
    must(replace_file(fs_, folder / "root", page));
    must(replace_file(fs_, folder / "e", e));
    append_control(Body(ControlAction::generation_opened)
                       .put_time(Tag::time, clock_.now())
                       .put_u32(Tag::generation, number)
                       .put_bytes(Tag::intake_key, Bytes(32, 7))
                       .put_hash(Tag::keyring_hash, sha256(page)));
    return sha256(page);
}

EntryHeader VerifySample::header(std::uint64_t entry) const {
    return must(decode_header(entries_.at(static_cast<std::size_t>(entry))));
}

EntryIndex VerifySample::close_segment() {
    return must(segments_->close_current());
}

SignerKey VerifySample::key() const {
    RealFs fs;
    return must(SignerKey::parse(must(read_file(fs, dir_ / "signer" / "checkpoint.key", 4096))));
}

void VerifySample::publish_next() {
    commit();
    const TreeSize size = state_.size();
    const std::string note = must(signer_->note());
    must(store_published(fs_, archive() / "ledger", size, note));
    ImprintTree tree(sha256(as_bytes(note)));
    for (std::uint64_t i = anchored_; i < size.value; ++i) {
        const EntryHeader h = must(decode_header(entries_[i]));
        ImprintGroup group{sha256(entries_[i]), std::nullopt};
        if (h.suite != Suite::none) group.ciphertext = h.ciphertext_hash;
        tree.add(group);
    }
    tree.finish();
    const TimestampRequest request = TimestampRequest::make(tree.root(), random_);
    const Bytes token = must(token_from_response(must(tsa_->answer(request.encode()))));
    const AnchorSpan span{TreeSize{anchored_}, size};
    must(AnchorStore(fs_, archive() / "ledger").store(span, as_bytes(note), token, "builtin"));
    name(span, note, token);
    anchored_ = size.value;
    commit();
}

void VerifySample::publish() {
    const TreeSize size = state_.size();
    content_.note = must(signer_->note());
    const Hash digest = sha256(as_bytes(content_.note));
    must(store_published(fs_, archive() / "ledger", size, content_.note));
    ImprintTree tree(digest);
    for (const Bytes& bytes : entries_) {
        const EntryHeader h = must(decode_header(bytes));
        ImprintGroup group;
        group.object = sha256(bytes);
        if (h.suite != Suite::none) group.ciphertext = h.ciphertext_hash;
        tree.add(group);
    }
    tree.finish();
    const TimestampRequest request = TimestampRequest::make(tree.root(), random_);
    content_.token = must(token_from_response(must(tsa_->answer(request.encode()))));
    content_.path = tree.path_of_note();
    AnchorStore store(fs_, archive() / "ledger");
    must(store.store({TreeSize{0}, size}, as_bytes(content_.note), content_.token, "builtin").ok()
             ? Status()
             : Status(Error(Code::internal, "anchor")));

    const LedgerReader reader(fs_, archive() / "ledger", size);
    for (RecordDisclosure& r : content_.records) {
        r.proof = must(reader.proof(r.index, size));
        for (RecordDisclosure& b : r.blobs) b.proof = must(reader.proof(b.index, size));
    }
    content_.context = {EntryIndex{0}, EntryIndex{1}};
    BundleFacts& f = content_.facts;
    f.vault = signer_->vault();
    f.origin = signer_->verifier().name;
    f.vkey = signer_->verifier().format();
    f.created_at = clock_.now();
    f.language = "en";
    f.tool = "kustos test";
    f.matter_reference = "12/26";
    f.matter_ground = "a test";
    f.matter = EntryIndex{3};
    f.query = "beam";
    f.total = content_.records.size();
    f.coverage = {{"sealed", 3},   {"searchable", 3}, {"partial", 0}, {"opaque", 0},
                  {"deferred", 0}, {"failed", 0},     {"erased", 0}};

    name({TreeSize{0}, size}, content_.note, content_.token);
    anchored_ = size.value;
}

// The entries that say what was published and stamped.
void VerifySample::name(const AnchorSpan& span, const std::string& note, const Bytes& token) {
    const Hash digest = sha256(as_bytes(note));
    append(control(Body(ControlAction::checkpoint_published)
                       .put_time(Tag::time, clock_.now())
                       .put_u64(Tag::checkpoint_size, span.size.value)
                       .put_hash(Tag::note_hash, digest)));
    append(control(Body(ControlAction::anchor_stored)
                       .put_time(Tag::time, clock_.now())
                       .put_u64(Tag::previous_size, span.previous.value)
                       .put_u64(Tag::checkpoint_size, span.size.value)
                       .put_hash(Tag::note_hash, digest)
                       .put_hash(Tag::token_hash, sha256(token))
                       .put_text(Tag::authority, "builtin")));
}

Bytes VerifySample::zip(const Content& c) const {
    RealFs fs;
    const Bytes note = to_bytes(c.note);
    // Proofs of the context to the size that the bundle's checkpoint states.
    const Checkpoint checkpoint = must(open_checkpoint(as_bytes(content_.note), signer_->verifier()));
    const LedgerReader reader(fs, dir_ / "archive" / "ledger", checkpoint.size);
    BundleWriter writer;
    must(writer.set_checkpoint(c.note));
    if (!c.token.empty()) must(writer.add_anchor("builtin", TreeSize{0}, c.token, c.path));
    for (const EntryIndex i : c.context) {
        must(writer.add_context(i, entries_.at(static_cast<std::size_t>(i.value)),
                                must(reader.proof(i, checkpoint.size))));
    }
    for (const auto& [name, bytes] : c.files) must(writer.add_file(name, bytes));
    for (const RecordDisclosure& r : c.records) must(writer.add_record(r));
    return must(writer.finish(c.facts));
}

// The signer asks for an entry that allows it.
Bytes VerifySample::bundle(const Bytes& zip) {
    Entry allows;
    allows.header.kind = Kind::access;
    allows.body = Body(AccessAction::export_).put_time(Tag::time, clock_.now()).encode();
    TlogProof proof;
    proof.index = EntryIndex{append(allows)};
    commit();
    proof.proof = must(LedgerReader(fs_, archive() / "ledger", state_.size()).proof(proof.index, state_.size()));
    proof.note = must(signer_->note());
    const SigningGround ground{entries_.back(), proof.format()};
    return must(
        append_signature(small_pdf(zip), [&](const Hash& digest) { return signer_->sign_cms(digest, ground); }));
}

Bytes small_pdf(ByteView container) {
    Bytes out;
    std::vector<std::size_t> offsets;
    const auto object = [&](const std::string& body, ByteView stream = {}) {
        offsets.push_back(out.size());
        put(out, std::to_string(offsets.size()) + " 0 obj\n" + body + "\n");
        if (!stream.empty()) {
            put(out, "stream\n");
            put(out, stream);
            put(out, "\nendstream\n");
        }
        put(out, "endobj\n");
    };
    put(out, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n");
    const std::string page = "BT /F1 12 Tf 40 60 Td (Evidence) Tj ET";
    object("<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [ (evidence.zip) 5 0 R ] >> >> >>");
    object("<< /Type /Pages /Kids [ 3 0 R ] /Count 1 >>");
    object(
        "<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 200 100 ] /Contents 4 0 R /Resources << /Font << /F1 << /Type "
        "/Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>");
    object("<< /Length " + std::to_string(page.size()) + " >>", as_bytes(page));
    object("<< /Type /Filespec /F (evidence.zip) /UF (evidence.zip) /AFRelationship /Data /EF << /F 6 0 R >> >>");
    object("<< /Type /EmbeddedFile /Subtype /application#2Fzip /KustosEvidence 1 /Length " +
               std::to_string(container.size()) + " >>",
           container);
    const std::size_t xref = out.size();
    put(out, "xref\n0 " + std::to_string(offsets.size() + 1) + "\n0000000000 65535 f \n");
    for (const std::size_t o : offsets) {
        char row[32];
        std::snprintf(row, sizeof row, "%010zu 00000 n \n", o);
        put(out, row);
    }
    put(out, "trailer\n<< /Size " + std::to_string(offsets.size() + 1) + " /Root 1 0 R >>\nstartxref\n" +
                 std::to_string(xref) + "\n%%EOF\n");
    return out;
}

}  // namespace kustos::test
