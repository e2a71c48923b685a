// What an archive does with keys: opening and closing it, opening sealed parts, index shards, derived objects,
// forgetting what is indexed.
#include "base/log.h"
#include "vault/seal.h"
#include "vault/src/archive_impl.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::EntryHeader;
using audit::Kind;
using audit::Suite;
using audit::Tag;

Result<SecretBytes> ArchiveImpl::dek(EntryIndex index, const EntryHeader& header) const {
    if (is_forgotten(header)) return Error(Code::erased, "the key of this record is destroyed: it was erased");
    auto own = forward->dek(header.tree, header.leaf);
    if (own.ok() || own.error().code() != Code::closed) return own;
    return holder->dek(index, header);
}

KeyService& Archive::keys() const {
    return *impl_->holder;
}

Result<OpenedPayload> Archive::open_payload_with(ByteView dek, EntryIndex index, const audit::Entry& entry) const {
    const Bytes ciphertext = TRY(impl_->segments->ciphertext(index, kMaxInMemory));
    return vault::open_payload(impl_->vault, dek, entry.header, entry.body, ciphertext);
}

Result<OpenedPayload> Archive::open_blob_with(ByteView blob_dek, const BlobRef& blob) const {
    const audit::Entry entry = TRY(impl_->reader->entry(blob.entry));
    if (entry.header.kind != Kind::blob || !(entry.header.record == blob.record))
        return Error(Code::corrupt, "a payload refers to an entry that is not its blob");
    return open_payload_with(blob_dek, blob.entry, entry);
}

Result<Bytes> Archive::derived_with(ByteView dek, EntryIndex index, std::string_view purpose) const {
    const Bytes sealed = TRY(impl_->derived->get(index, purpose));
    return open_derived(impl_->vault, dek, purpose, sealed);
}

Status Archive::keep_derived_with(ByteView dek, EntryIndex index, std::string_view purpose, ByteView object) {
    if (object.size() > kMaxDerived) return Error(Code::limit, "a derived object has more than 16 MiB");
    return impl_->derived->put(index, purpose, seal_derived(impl_->vault, dek, purpose, object, impl_->env.random));
}

bool Archive::is_open() const {
    return impl_->holder->is_open();
}
std::string Archive::unlock_state() const {
    return impl_->holder->state();
}
Status Archive::unlock(ByteView passphrase) {
    TRY(impl_->holder->unlock(passphrase));
    TRY(finish_erasures());
    TRY(record_control(ControlAction::vault_unlocked, [](Body& body) { body.put_text(Tag::method, "passphrase"); }));
    return {};
}

Status Archive::lock() {
    impl_->holder->lock();
    TRY(record_control(ControlAction::vault_locked, [](Body&) {}));
    return {};
}

Result<OpenedPayload> Archive::open_payload(EntryIndex index, const audit::Entry& entry) const {
    if (entry.header.suite == Suite::none) return Error(Code::not_found, "this entry has no sealed payload");
    const SecretBytes dek = TRY(impl_->dek(index, entry.header));
    const Bytes ciphertext = TRY(impl_->segments->ciphertext(index, kMaxInMemory));
    return vault::open_payload(impl_->vault, dek.view(), entry.header, entry.body, ciphertext);
}

Result<OpenedPayload> Archive::open_blob(const BlobRef& blob) const {
    const audit::Entry entry = TRY(impl_->reader->entry(blob.entry));
    if (entry.header.kind != Kind::blob || !(entry.header.record == blob.record))
        return Error(Code::corrupt, "a payload refers to an entry that is not its blob");
    const SecretBytes leaf_dek = TRY(impl_->dek(blob.entry, entry.header));
    const SecretBytes dek = blob_dek(leaf_dek.view(), blob.b);
    const Bytes ciphertext = TRY(impl_->segments->ciphertext(blob.entry, kMaxInMemory));
    return vault::open_payload(impl_->vault, dek.view(), entry.header, entry.body, ciphertext);
}

Result<Bytes> Archive::blob_content(const BlobRef& blob) const {
    const OpenedPayload opened = TRY(open_blob(blob));
    Bytes content = TRY(vault::blob_content(opened));
    if (content.size() != blob.size || !(sha256(content) == blob.sha256))
        return Error(Code::corrupt, "a blob's content is not what its record says");
    return content;
}

Result<Bytes> Archive::attachment_content(const OpenedPayload& payload, std::size_t number) const {
    return vault::attachment_content(payload, number, [this](const BlobRef& blob) { return blob_content(blob); });
}

Result<std::pair<std::uint32_t, SecretBytes>> Archive::new_shard() {
    const std::shared_lock generation_stays(impl_->generation_mutex);
    std::uint32_t shard = 1, generation = 1;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        if (!impl_->catalog->shards().empty()) shard = impl_->catalog->shards().rbegin()->first + 1;
        if (!impl_->catalog->generations().empty()) generation = impl_->catalog->generations().back().generation;
    }
    ForwardKeys::NewShard made = TRY(impl_->forward->new_shard(shard));
    TRY(record_control(ControlAction::shard_opened, [&](Body& body) {
        body.put_u32(Tag::shard, shard).put_u32(Tag::generation, generation).put_hash(Tag::box_hash, made.box_hash);
    }));
    return std::make_pair(shard, std::move(made.term_key));
}

Result<SecretBytes> Archive::shard_key(std::uint32_t shard) const {
    if (auto own = impl_->forward->shard_key(shard)) return std::move(*own);
    return impl_->holder->shard_key(shard);
}

Status Archive::keep_derived(EntryIndex index, const audit::Entry& entry, std::string_view purpose, ByteView object) {
    if (object.size() > kMaxDerived) return Error(Code::limit, "a derived object has more than 16 MiB");
    const SecretBytes dek = TRY(impl_->dek(index, entry.header));
    return impl_->derived->put(index, purpose,
                               seal_derived(impl_->vault, dek.view(), purpose, object, impl_->env.random));
}

Result<Bytes> Archive::derived(EntryIndex index, const audit::Entry& entry, std::string_view purpose) const {
    const Bytes sealed = TRY(impl_->derived->get(index, purpose));
    const SecretBytes dek = TRY(impl_->dek(index, entry.header));
    return open_derived(impl_->vault, dek.view(), purpose, sealed);
}

Status Archive::indexed_below(EntryIndex index) {
    // A cache that can't be written must stop neither the index nor the forgetting of keys.
    if (const Status kept = impl_->derived->flush(); !kept.ok())
        kustos::log(LogLevel::warning, "extracted text was not kept for snippets", {{"code", kept.error().code()}});
    const std::lock_guard guard(impl_->unindexed_mutex);
    while (!impl_->unindexed.empty() && impl_->unindexed.front().index.value < index.value) {
        impl_->forward->puncture(impl_->unindexed.front().tree, impl_->unindexed.front().leaf);
        impl_->unindexed.pop_front();
    }
    return {};
}

void Archive::forget_older_than(std::int64_t ms, std::size_t most) {
    const std::lock_guard guard(impl_->unindexed_mutex);
    const std::int64_t now = impl_->env.clock.monotonic_ms();
    while (!impl_->unindexed.empty() &&
           (impl_->unindexed.size() > most || now - impl_->unindexed.front().sealed_ms > ms)) {
        impl_->forward->puncture(impl_->unindexed.front().tree, impl_->unindexed.front().leaf);
        impl_->unindexed.pop_front();
    }
}

}  // namespace kustos::vault
