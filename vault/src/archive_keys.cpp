// What an archive does with keys: opening and closing it, opening sealed parts, index shards, derived objects,
// forgetting what is indexed.
#include <algorithm>

#include "base/log.h"
#include "vault/blob_stream.h"
#include "vault/retention.h"
#include "vault/seal.h"
#include "vault/src/archive_impl.h"
#include "vault/src/keyholder.h"
#include "vault/src/rekeyed.h"

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
Status Archive::unlock(const UnlockSecret& secret, std::optional<UtcTime> until, const std::string& actor) {
    if (impl_->holder->apart()) {
        // It closes by itself, whatever becomes of this process.
        const std::int64_t left = until ? until->ms - impl_->env.clock.now().ms : 0;
        TRY(settle());
        TRY(impl_->holder->open_noted(
            secret, left > 0 ? static_cast<std::uint32_t>((left + 999) / 1000) : 0, actor.empty() ? "kustos" : actor,
            [this](Bytes body, auto content) { return append_control(std::move(body), std::move(content)); }));
    } else {
        TRY(impl_->holder->unlock(secret));
        TRY(note_opening(until, actor));
    }
    if (const Status finished = finish_erasures(); !finished.ok()) {
        (void)lock("work").ok();
        return Error(finished.error());
    }
    return {};
}

// An opening that can't be put on record is none.
Status Archive::note_opening(std::optional<UtcTime> until, const std::string& actor) {
    const std::string method = impl_->holder->method();
    const auto fill = [&](Body& body) {
        body.put_text(Tag::method, method);
        if (until) body.put_time(Tag::until, *until);
    };
    const auto noted = actor.empty() ? record_control(ControlAction::vault_unlocked, fill)
                                     : record_control(ControlAction::vault_unlocked, fill, kAccessClass,
                                                      compose_access(actor, "", {}));
    if (!noted.ok() && method != "auto") impl_->holder->lock();
    return noted.ok() ? Status() : noted.error();
}

Result<EntryIndex> Archive::append_control(Bytes body, std::optional<Payload> content) {
    Draft draft;
    draft.kind = Kind::control;
    draft.retention_class = content ? kAccessClass : kControlClass;
    draft.body = std::move(body);
    if (content) {
        draft.content.emplace();
        draft.content->payload = std::move(*content);
    }
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const EntryIndex entry = TRY(seal(std::move(drafts))).front().index;
    TRY(settle());
    return entry;
}

void Archive::settle_openings() {
    if (!impl_->holder->apart() || impl_->failed) return;
    const Status noted = impl_->holder->settle_owed(
        [this](Bytes body, auto content) { return append_control(std::move(body), std::move(content)); });
    if (!noted.ok() && noted.error().code() != Code::closed)
        kustos::log(LogLevel::warning, "a closing of the vault has no entry yet", {{"code", noted.error().code()}});
}

Result<EntryIndex> Archive::give_away(const LeaveOrder& order) {
    std::vector<KeyTreeId> trees;
    for (const TreeInfo& tree : this->trees()) trees.push_back(tree.id);
    TRY(settle());
    EntryIndex entry;
    TRY(impl_->holder->give_away(order, trees, [this, &entry](Bytes body, auto content) -> Result<EntryIndex> {
        entry = TRY(append_control(std::move(body), std::move(content)));
        return entry;
    }));
    return entry;
}

Result<RewriteDone> Archive::rewrite_apart(const RewriteOrder& order) {
    TRY(settle());
    return impl_->holder->rewrite(order, [this](const ShardWanted& wanted) -> Result<EntryIndex> {
        const Box box = TRY(decode_box(wanted.box));
        if (box.purpose != BoxPurpose::shard || box.id != wanted.shard)
            return Error(Code::bad_input, "the opener's box is not the one that it names");
        const std::shared_lock generation_stays(impl_->generation_mutex);
        TRY(store_box(impl_->env.fs, impl_->dir / "keys", box));
        return append_control(wanted.body, std::nullopt);
    });
}

Result<std::vector<SlotFacts>> Archive::slots() const {
    return read_slot_facts(impl_->env.fs, impl_->dir);
}

KeyState Archive::key_state() const {
    return {impl_->holder->generation(), impl_->holder->medium()};
}

Status Archive::rekey(const std::vector<SlotOrder>& add, const std::vector<SlotKind>& remove, const HandOut& hand_out) {
    const std::lock_guard guard(impl_->rekey_mutex);
    const Path keys = impl_->dir / "keys";
    Keyholder* const local = impl_->holder->local();
    if (local == nullptr)
        return Error(Code::usage, "the slots of an opener apart are changed there")
            .with_hint("kustos key rekey with --passphrase-file, --share-file: it hands them straight to the opener");
    Keyholder::Rekeyed next = TRY(local->rekey(add, remove));
    if (!next.shares.empty()) {
        if (!hand_out) return Error(Code::usage, "nobody takes the shares");
        TRY(hand_out({impl_->vkey, impl_->vault, next.shares}));
    }
    // The entry first: a change that nobody noted must not be. After a crash between the two the old slots still open,
    // and the entry's hash shows that they are not the ones it names.
    TRY(record_control(ControlAction::slots_changed, [&](Body& body) {
        body.put_text(Tag::method, methods_of(next)).put_hash(Tag::slots_hash, sha256(encode(next.slots)));
    }));
    return store_rekeyed(impl_->env, keys, next);
}

Status Archive::lock(std::string_view why, const std::string& actor) {
    if (impl_->holder->apart()) {
        (void)settle().ok();
        const Status closed = impl_->holder->close_noted(actor, why, [this](Bytes body, auto content) {
            return append_control(std::move(body), std::move(content));
        });
        if (!closed.ok()) impl_->holder->lock();  // closed all the same; the entry is owed
        return closed.ok() || closed.error().code() != Code::closed ? Status(closed) : ok_status();
    }
    impl_->holder->lock();
    const auto fill = [why](Body& body) { body.put_text(Tag::method, why); };
    if (actor.empty()) {
        TRY(record_control(ControlAction::vault_locked, fill));
    } else {
        TRY(record_control(ControlAction::vault_locked, fill, kAccessClass, compose_access(actor, "", {})));
    }
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

Status Archive::blob_content(const BlobRef& blob, const ByteSink& sink) const {
    const audit::Entry entry = TRY(impl_->reader->entry(blob.entry));
    if (entry.header.kind != Kind::blob || !(entry.header.record == blob.record))
        return Error(Code::corrupt, "a payload refers to an entry that is not its blob");
    const SecretBytes leaf_dek = TRY(impl_->dek(blob.entry, entry.header));
    return blob_content_with(blob_dek(leaf_dek.view(), blob.b).view(), blob, sink);
}

Status Archive::blob_content_with(ByteView dek, const BlobRef& blob, const ByteSink& sink) const {
    const audit::Entry entry = TRY(impl_->reader->entry(blob.entry));
    if (entry.header.kind != Kind::blob || !(entry.header.record == blob.record))
        return Error(Code::corrupt, "a payload refers to an entry that is not its blob");
    const audit::Frame frame = TRY(impl_->segments->frame(blob.entry));
    Sha256 hash;
    std::uint64_t size = 0;
    TRY(open_blob_stream(
        impl_->vault, dek, entry.header,
        [&frame](std::uint64_t at, std::span<std::uint8_t> out) { return frame.read(at, out); },
        [&](ByteView piece) {
            hash.update(piece);
            size += piece.size();
            return sink(piece);
        }));
    if (size != blob.size || !(hash.finish() == blob.sha256))
        return Error(Code::corrupt, "a blob's content is not what its record says");
    return {};
}

Result<Bytes> Archive::attachment_content(const OpenedPayload& payload, std::size_t number) const {
    return vault::attachment_content(
        payload, number, [this](const BlobRef& blob, const ByteSink& sink) { return blob_content(blob, sink); });
}

Status Archive::write_attachment(const OpenedPayload& payload, std::size_t number, const ByteSink& sink) const {
    return vault::write_attachment(
        payload, number, [this](const BlobRef& blob, const ByteSink& out) { return blob_content(blob, out); }, sink);
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

void Archive::shard_closed(std::uint32_t shard) {
    impl_->forward->forget_shard(shard);
}

std::vector<std::uint32_t> Archive::shards() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    std::vector<std::uint32_t> out;
    for (const auto& [id, shard] : impl_->catalog->shards()) out.push_back(id);
    return out;
}

Status Archive::forget_derived(const EntrySet& entries) {
    TRY(impl_->derived->remove(entries));
    return {};
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

}  // namespace kustos::vault
