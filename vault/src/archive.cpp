#include "vault/archive.h"

#include <algorithm>

#include "audit/checkpoint.h"
#include "vault/retention.h"
#include "vault/src/archive_impl.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::EntryHeader;
using audit::Kind;
using audit::Suite;
using audit::Tag;

namespace {
constexpr std::size_t kQueueDrafts = 8192;  // above: overloaded
}  // namespace

Archive::Archive(std::unique_ptr<ArchiveImpl> impl) : impl_(std::move(impl)) {}
Archive::~Archive() = default;

const Path& Archive::dir() const {
    return impl_->dir;
}
const VaultId& Archive::vault_id() const {
    return impl_->vault;
}
const std::string& Archive::origin() const {
    return impl_->origin;
}
const std::string& Archive::vkey() const {
    return impl_->vkey;
}
std::string Archive::fingerprint() const {
    const std::string digits = sha256(as_bytes(impl_->vkey)).hex();
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 4) out += (i == 0 ? "" : " ") + digits.substr(i, 4);
    return out;
}
Head Archive::head() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return {impl_->head_value.size, impl_->head_value.root};
}
void Archive::end_writing(const Error& why) {
    impl_->end(why);
}
bool Archive::read_only() const {
    return impl_->failed;
}
std::optional<Error> Archive::why_read_only() const {
    const std::lock_guard guard(impl_->why_mutex);
    return impl_->why_failed;
}

Result<std::vector<Receipt>> Archive::seal(std::vector<Draft> drafts) {
    if (drafts.empty()) return std::vector<Receipt>{};
    if (impl_->failed)
        return Error(Code::read_only, "the writer has ended").with_hint("start again; recovery runs by itself");
    Request request;
    request.drafts = std::move(drafts);
    for (const Draft& d : request.drafts) request.bytes += size_of(d);
    auto answer = request.promise.get_future();
    {
        const std::lock_guard guard(impl_->queue_mutex);
        if (impl_->stopping) return Error(Code::overloaded, "the archive is closing").with_hint("send again later");
        if (impl_->queued_drafts > 0 && impl_->queued_drafts + request.drafts.size() > kQueueDrafts) {
            return Error(Code::overloaded, "too much is waiting to be sealed")
                .with_hint("send again in a few seconds; nothing was taken");
        }
        impl_->queued_drafts += request.drafts.size();
        impl_->queue.push_back(std::move(request));
    }
    impl_->queue_filled.notify_one();
    return answer.get();
}

Status Archive::settle() {
    if (impl_->failed) return {};  // nothing moves any more
    Request request;
    request.settle = true;
    auto answer = request.promise.get_future();
    {
        const std::lock_guard guard(impl_->queue_mutex);
        if (impl_->stopping) return {};
        impl_->queue.push_back(std::move(request));
    }
    impl_->queue_filled.notify_one();
    TRY(answer.get());
    return {};
}

Result<Receipt> Archive::record_control(ControlAction action, const std::function<void(Body&)>& fill) {
    Draft draft;
    draft.kind = Kind::control;
    draft.retention_class = kControlClass;
    Body body(action);
    fill(body);
    draft.body = body.encode();
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    return TRY(seal(std::move(drafts))).front();
}

Result<Receipt> Archive::record_control(ControlAction action, const std::function<void(Body&)>& fill,
                                        ClassCode retention_class, Composed content) {
    Draft draft;
    draft.kind = Kind::control;
    draft.retention_class = retention_class;
    Body body(action);
    fill(body);
    draft.body = body.encode();
    draft.content = std::move(content);
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    return TRY(seal(std::move(drafts))).front();
}

std::shared_ptr<const RetentionBook> Archive::retention() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->retention();
}

std::shared_ptr<const SourceBook> Archive::source_book() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->source_book();
}

std::shared_ptr<const MatterBook> Archive::matter_book() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->matter_book();
}

Hash Archive::configuration() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->configuration();
}

Result<SourceInfo> Archive::add_source(const std::string& name, const std::string& kind, ClassCode retention_class) {
    const bool good = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
    if (!good)
        return Error(Code::usage, "a source's name has 1 to 64 letters, digits, '-', '_' or '.'")
            .with_hint("it stands readable in the ledger: no personal data");
    const std::lock_guard one_at_a_time(impl_->source_mutex);
    if (find_source(name))
        return Error(Code::usage, "there is a source of that name already").with_hint("kustos source list");
    const Receipt receipt = TRY(record_control(ControlAction::source_added, [&](Body& body) {
        body.put_text(Tag::name, name)
            .put_text(Tag::source_kind, kind)
            .put_u16(Tag::retention_class, retention_class.value);
    }));
    const auto added = find_source(SourceId(static_cast<std::uint32_t>(receipt.index.value)));
    CHECK(added.has_value());
    return *added;
}

Status Archive::pause_source(const std::string& name) {
    const auto source = find_source(name);
    if (!source) return Error(Code::usage, "there is no source of that name").with_hint("kustos source list");
    TRY(record_control(ControlAction::source_changed, [&](Body& body) {
        body.put_u64(Tag::entry, source->id.value).put_text(Tag::code, source->paused ? "resumed" : "paused");
    }));
    return {};
}

// A crash between the file and the entry that names it leaves a published checkpoint without one.
Status Archive::name_forgotten_checkpoints() {
    const Path ledger = impl_->dir / "ledger";
    const auto named = newest_published();
    for (const TreeSize size : TRY(audit::list_published(impl_->env.fs, ledger))) {
        if (named && size <= named->size) continue;
        const std::string note = TRY(published_note(size));
        TRY(record_control(ControlAction::checkpoint_published, [&](Body& body) {
            body.put_u64(Tag::checkpoint_size, size.value).put_hash(Tag::note_hash, sha256(as_bytes(note)));
        }));
    }
    return {};
}

Result<TreeSize> Archive::publish() {
    const std::lock_guard one_at_a_time(impl_->publish_mutex);
    if (!impl_->forgotten_named) {
        TRY(name_forgotten_checkpoints());
        impl_->forgotten_named = true;
    }
    audit::TreeHead head;
    std::string note;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        head = impl_->head_value;
        note = impl_->head_note;
        const auto& published = impl_->catalog->published();
        const auto content = impl_->catalog->newest_content();
        if (!published.empty() && (!content || content->value < published.back().size.value))
            return published.back().size;
    }
    TRY(settle());                   // what is published is there to be looked at
    impl_->forgotten_named = false;  // a full disk may come between the file and its entry: the next call names it
    TRY(audit::store_published(impl_->env.fs, impl_->dir / "ledger", head.size, note));
    TRY(record_control(ControlAction::checkpoint_published, [&](Body& body) {
        body.put_u64(Tag::checkpoint_size, head.size.value).put_hash(Tag::note_hash, sha256(as_bytes(note)));
    }));
    impl_->forgotten_named = true;
    return head.size;
}

Hash Archive::duplicate_mac(SourceId source, ByteView native_identity) const {
    return impl_->forward->duplicate_mac(source, native_identity);
}

SecretBytes Archive::stream_key(SourceId source) const {
    return SecretBytes(duplicate_mac(source, as_bytes("kustos1/stream-memory")).view());
}

std::vector<SourceInfo> Archive::sources() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    std::vector<SourceInfo> out;
    for (const auto& [id, s] : impl_->catalog->sources()) out.push_back(s);
    return out;
}
std::vector<MatterInfo> Archive::matters() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    std::vector<MatterInfo> out;
    for (const auto& [id, m] : impl_->catalog->matters()) out.push_back(m);
    return out;
}
std::optional<SourceInfo> Archive::find_source(std::string_view name) const {
    const std::lock_guard guard(impl_->catalog_mutex);
    const SourceInfo* s = impl_->catalog->find_source(name);
    return s != nullptr ? std::optional<SourceInfo>(*s) : std::nullopt;
}
std::optional<SourceInfo> Archive::find_source(SourceId id) const {
    const std::lock_guard guard(impl_->catalog_mutex);
    const auto found = impl_->catalog->sources().find(id);
    return found != impl_->catalog->sources().end() ? std::optional<SourceInfo>(found->second) : std::nullopt;
}
Result<bool> Archive::catalog_agrees() const {
    Catalog fresh = TRY(Catalog::in_memory());
    TreeSize applied;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        applied = impl_->catalog->applied();
    }
    while (true) {
        TRY(impl_->reader->for_each(EntryIndex(fresh.applied().value), EntryIndex(applied.value),
                                    [&fresh](EntryIndex i, ByteView bytes) -> Status {
                                        return fresh.apply(i, TRY(audit::decode_entry(bytes)));
                                    }));
        const std::lock_guard guard(impl_->catalog_mutex);
        if (impl_->catalog->applied() == applied) return impl_->catalog->agrees_with(fresh);
        applied = impl_->catalog->applied();  // something was sealed meanwhile
    }
}
std::uint64_t Archive::count(Kind kind) const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->count(kind);
}
const audit::LedgerReader& Archive::ledger() const {
    return *impl_->reader;
}
const audit::SegmentReader& Archive::segments() const {
    return *impl_->segments;
}
std::uint32_t Archive::newest_renewal() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->newest_renewal();
}
Result<audit::Entry> Archive::entry(EntryIndex index) const {
    return impl_->reader->entry(index);
}
Result<std::vector<audit::Entry>> Archive::entries(EntryIndex from, std::size_t limit) const {
    std::vector<audit::Entry> out;
    for (const Bytes& bytes : TRY(impl_->reader->entries(from, limit))) out.push_back(TRY(audit::decode_entry(bytes)));
    return out;
}
Result<std::vector<Hash>> Archive::inclusion_proof(EntryIndex index, TreeSize size) const {
    return impl_->reader->proof(index, size);
}
Result<std::string> Archive::published_note(TreeSize size) const {
    return audit::read_note(impl_->env.fs, audit::published_file(impl_->dir / "ledger", size));
}
std::optional<PublishedInfo> Archive::newest_published() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    const auto& list = impl_->catalog->published();
    return list.empty() ? std::nullopt : std::optional<PublishedInfo>(list.back());
}
std::vector<AnchorInfo> Archive::anchors() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return {impl_->catalog->anchors().begin(), impl_->catalog->anchors().end()};
}
audit::Signer& Archive::signer() {
    return *impl_->signer;
}
Fs& Archive::fs() {
    return impl_->env.fs;
}
const Clock& Archive::clock() const {
    return impl_->env.clock;
}
Random& Archive::random() {
    return impl_->env.random;
}

}  // namespace kustos::vault
