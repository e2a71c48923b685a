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
    draft.content = compose_access(purpose.actor, purpose.query, ids);
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
    TRY(archive_.seal(std::move(drafts)));
    return archive_.open_payload(index, entry);
}

OpenSession::OpenSession(Archive& archive, std::vector<EntryIndex> ids, Receipt access)
    : archive_(archive), ids_(std::move(ids)), access_(access) {}

Status OpenSession::listed(EntryIndex id) const {
    if (std::binary_search(ids_.begin(), ids_.end(), id)) return {};
    return Error(Code::denied, "entry " + std::to_string(id.value) + " is not on this access entry's list");
}

Result<OpenedRecord> OpenSession::open(EntryIndex id) {
    TRY(listed(id));
    const std::string where = "entry " + std::to_string(id.value);
    audit::Entry entry = TRY_IN(where, archive_.entry(id));
    OpenedPayload payload = TRY_IN(where, archive_.open_payload(id, entry));
    Message message = TRY_IN(where, decompose(payload));
    return OpenedRecord{id, std::move(entry), std::move(message), std::move(payload)};
}

Status OpenSession::write_original(EntryIndex id, const std::function<Status(ByteView)>& sink) {
    const OpenedRecord record = TRY(open(id));
    return reconstruct_raw(
        record.payload, [this](const BlobRef& blob, const ByteSink& out) { return archive_.blob_content(blob, out); },
        sink);
}

Status OpenSession::write_attachment(EntryIndex id, std::size_t number, const ByteSink& sink) {
    const OpenedRecord record = TRY(open(id));
    return archive_.write_attachment(record.payload, number, sink);
}

Result<OpenedPayload> OpenSession::open_blob(const BlobRef& blob) {
    return archive_.open_blob(blob);
}

Result<Bytes> OpenSession::derived(EntryIndex id, std::string_view purpose) const {
    TRY(listed(id));
    return archive_.derived(id, TRY(archive_.entry(id)), purpose);
}

}  // namespace kustos::vault
