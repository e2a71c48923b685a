#include "vault/opener.h"

#include <algorithm>

#include "vault/retention.h"

namespace kustos::vault {

using audit::Body;
using audit::Kind;
using audit::Tag;

Hash list_root(std::vector<EntryIndex> ids) {
    std::sort(ids.begin(), ids.end());
    Sha256 hash;
    for (const EntryIndex id : ids) {
        std::uint8_t number[8];
        store_u64(number, id.value);
        hash.update(number);
    }
    return hash.finish();
}

Result<std::unique_ptr<OpenSession>> Opener::begin(const Purpose& purpose, std::vector<EntryIndex> ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    TRY(check_.allow(purpose, ids));
    if (archive_.keys().apart()) return begin_apart(purpose, std::move(ids));
    if (!archive_.is_open()) {
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    }
    const std::uint64_t size = archive_.head().size.value;
    for (const EntryIndex id : ids) {
        if (id.value >= size || TRY(archive_.entry(id)).header.kind != Kind::record) {
            return Error(Code::not_found, "entry " + std::to_string(id.value) + " is no record")
                .with_hint("search prints the numbers of records");
        }
    }
    Draft draft;
    draft.kind = Kind::access;
    draft.retention_class = kAccessClass;
    Body body(purpose.action);
    body.put_u64(Tag::matter, purpose.matter.value)
        .put_u64(Tag::count, ids.size())
        .put_u64(Tag::total, purpose.total)
        .put_hash(Tag::list_root, list_root(ids));
    if (!purpose.result_set.is_zero()) body.put_hash(Tag::related_hash, purpose.result_set);
    draft.body = body.encode();
    draft.content = compose_access(purpose, ids);
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const auto receipts = TRY(archive_.seal(std::move(drafts)));
    return std::make_unique<OpenSession>(archive_, std::move(ids), receipts.front());
}

Result<OpenedPayload> Opener::read_trail(const Purpose& purpose, EntryIndex index) {
    const audit::Entry entry = TRY(archive_.entry(index));
    const audit::EntryHeader& h = entry.header;
    if (h.kind == Kind::record || h.kind == Kind::blob || h.suite == audit::Suite::none)
        return Error(Code::not_found,
                     "entry " + std::to_string(index.value) + " is no control or access entry with a sealed part")
            .with_hint("kustos audit list shows which have one");
    TRY(check_.allow_trail(purpose, h.retention_class));
    return TRY(begin_trail(purpose, index))->open_trail(index);
}

Result<std::unique_ptr<OpenSession>> Opener::begin_protocol(const Purpose& purpose) {
    const audit::Entry entry = TRY(archive_.entry(purpose.matter));
    if (audit::control_action(entry) != audit::ControlAction::matter_opened)
        return Error(Code::denied, "this entry opens no matter");
    TRY(check_.allow_trail(purpose, entry.header.retention_class));
    return begin_trail(purpose, purpose.matter);
}

Result<std::unique_ptr<OpenSession>> Opener::begin_trail(const Purpose& purpose, EntryIndex index) {
    if (archive_.keys().apart()) return begin_apart(purpose, {index});
    if (!archive_.is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
    Draft draft;
    draft.kind = Kind::access;
    draft.retention_class = kAccessClass;
    draft.body = Body(audit::AccessAction::audit_read).put_u64(Tag::entry, index.value).encode();
    draft.content = compose_access(purpose.actor, purpose.query, {index});
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const Receipt receipt = TRY(archive_.seal(std::move(drafts))).front();
    return std::make_unique<OpenSession>(archive_, std::vector<EntryIndex>{index}, receipt);
}

Result<Receipt> Opener::append(Bytes body, Payload content) {
    Draft draft;
    draft.kind = Kind::access;
    draft.retention_class = kAccessClass;
    draft.body = std::move(body);
    draft.content.emplace();
    draft.content->payload = std::move(content);
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const Receipt receipt = TRY(archive_.seal(std::move(drafts))).front();
    TRY(archive_.settle());  // the opener reads the files
    return receipt;
}

Result<EntryIndex> Opener::append_and_note(Bytes body, Payload content, Receipt& receipt) {
    receipt = TRY(append(std::move(body), std::move(content)));
    return receipt.index;
}

// A refusal for too much is a finding: somebody may be emptying the archive.
Status Opener::note_refusal(const Error& why) {
    if (why.code() != Code::overloaded) return {};
    const std::int64_t now = archive_.clock().monotonic_ms();
    if (now - noted_ms_ < kNoteEvery) return {};
    noted_ms_ = now;
    TRY(archive_.record_control(audit::ControlAction::finding,
                                [](Body& body) { body.put_text(Tag::code, "opener:rate"); }));
    return {};
}

Result<std::unique_ptr<OpenSession>> Opener::begin_apart(const Purpose& purpose, std::vector<EntryIndex> ids) {
    Receipt receipt;
    TRY(archive_.settle());
    auto grant = archive_.keys().begin(purpose, ids, [&](Bytes body, Payload content) {
        return append_and_note(std::move(body), std::move(content), receipt);
    });
    if (!grant.ok()) {
        TRY(note_refusal(grant.error()));
        return std::move(grant).error();
    }
    return std::make_unique<OpenSession>(archive_, std::move(ids), receipt, std::move(*grant));
}

Result<Opener::Searched> Opener::search(const SearchAsk& ask) {
    TRY(check_.allow(ask.purpose, {}));
    TRY(archive_.settle());
    Receipt receipt;
    auto found = archive_.keys().search(ask, [&](Bytes body, Payload content) {
        return append_and_note(std::move(body), std::move(content), receipt);
    });
    if (!found.ok()) {
        TRY(note_refusal(found.error()));
        return std::move(found).error();
    }
    std::vector<EntryIndex> ids = found->second.listed;
    std::sort(ids.begin(), ids.end());
    Searched out;
    out.session = std::make_unique<OpenSession>(archive_, std::move(ids), receipt, std::move(found->first));
    out.reply = std::move(found->second);
    return out;
}

OpenSession::OpenSession(Archive& archive, std::vector<EntryIndex> ids, Receipt access, std::unique_ptr<KeyGrant> grant)
    : archive_(archive), ids_(std::move(ids)), access_(access), grant_(std::move(grant)) {}

Status OpenSession::listed(EntryIndex id) const {
    if (std::binary_search(ids_.begin(), ids_.end(), id)) return {};
    return Error(Code::denied, "entry " + std::to_string(id.value) + " is not on this access entry's list");
}

Result<OpenedRecord> OpenSession::open(EntryIndex id) {
    TRY(listed(id));
    const std::string where = "entry " + std::to_string(id.value);
    audit::Entry entry = TRY_IN(where, archive_.entry(id));
    OpenedPayload payload = TRY_IN(where, open_with_key(id, entry));
    for (const BlobRef& blob : payload.payload.blobs) blob_of_[blob.entry] = id;
    Message message = TRY_IN(where, decompose(payload));
    return OpenedRecord{id, std::move(entry), std::move(message), std::move(payload)};
}

Status OpenSession::write_original(EntryIndex id, const std::function<Status(ByteView)>& sink) {
    const OpenedRecord record = TRY(open(id));
    return reconstruct_raw(
        record.payload, [this](const BlobRef& blob, const ByteSink& out) { return write_blob(blob, out); }, sink);
}

Status OpenSession::write_blob(const BlobRef& blob, const ByteSink& out) {
    if (!grant_) return archive_.blob_content(blob, out);
    return archive_.blob_content_with(TRY(blob_key(blob)).view(), blob, out);
}

Result<SecretBytes> OpenSession::blob_key(const BlobRef& blob) {
    const auto record = blob_of_.find(blob.entry);
    if (record == blob_of_.end()) return Error(Code::denied, "no record that was opened here refers to this blob");
    return grant_->blob_dek(record->second, blob);
}

Status OpenSession::write_attachment(EntryIndex id, std::size_t number, const ByteSink& sink) {
    const OpenedRecord record = TRY(open(id));
    return vault::write_attachment(
        record.payload, number, [this](const BlobRef& blob, const ByteSink& out) { return write_blob(blob, out); },
        sink);
}

Result<OpenedPayload> OpenSession::open_blob(const BlobRef& blob) {
    if (!grant_) return archive_.open_blob(blob);
    const SecretBytes dek = TRY(blob_key(blob));
    return archive_.open_blob_with(dek.view(), blob);
}

Result<Bytes> OpenSession::blob_content(const BlobRef& blob) {
    Bytes content = TRY(vault::blob_content(TRY(open_blob(blob))));
    if (content.size() != blob.size || !(sha256(content) == blob.sha256))
        return Error(Code::corrupt, "a blob's content is not what its record says");
    return content;
}

Result<OpenedPayload> OpenSession::open_with_key(EntryIndex id, const audit::Entry& entry) {
    if (!grant_) return archive_.open_payload(id, entry);
    const SecretBytes dek = TRY(grant_->dek(id));
    return archive_.open_payload_with(dek.view(), id, entry);
}

Result<OpenedPayload> OpenSession::open_trail(EntryIndex index) {
    return open_with_key(index, TRY(archive_.entry(index)));
}

Status OpenSession::keep_derived(EntryIndex id, std::string_view purpose, ByteView object) {
    TRY(listed(id));
    if (!grant_) return archive_.keep_derived(id, TRY(archive_.entry(id)), purpose, object);
    const SecretBytes dek = TRY(grant_->dek(id));
    return archive_.keep_derived_with(dek.view(), id, purpose, object);
}

Result<Bytes> OpenSession::derived(EntryIndex id, std::string_view purpose) const {
    TRY(listed(id));
    if (!grant_) return archive_.derived(id, TRY(archive_.entry(id)), purpose);
    const SecretBytes dek = TRY(grant_->dek(id));
    return archive_.derived_with(dek.view(), id, purpose);
}

}  // namespace kustos::vault
