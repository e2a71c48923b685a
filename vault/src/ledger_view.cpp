#include "vault/ledger_view.h"

#include "base/secret.h"

namespace kustos::vault {

namespace {
constexpr std::uint8_t kMagic[4] = {'K', 'O', 'S', '1'};
constexpr std::size_t kMaxSeen = 8 * 1024;
constexpr std::size_t kMaxKeyLine = 1'024;

std::string_view first_line(ByteView bytes) {
    const std::string_view text = as_text(bytes);
    return text.substr(0, text.find('\n'));
}
}  // namespace

Bytes encode(const SeenLedger& seen) {
    Bytes out;
    put(out, ByteView(kMagic));
    put(out, seen.vault.view());
    put_u64(out, seen.head.size.value);
    put(out, seen.head.root.view());
    put_u64(out, seen.catalog.size().value);
    put_u32(out, static_cast<std::uint32_t>(seen.catalog.hashes().size()));
    for (const Hash& h : seen.catalog.hashes()) put(out, h.view());
    put(out, sha256(out).view());
    return out;
}

Result<SeenLedger> decode_seen(ByteView bytes) {
    const Error damaged = Error(Code::corrupt, "the opener's memory of the ledger is damaged")
                              .with_hint("remove the opener's state folder, and give --key at the next start");
    if (bytes.size() < 32 + sizeof kMagic) return damaged;
    const ByteView whole = bytes.first(bytes.size() - 32);
    if (!equal(sha256(whole).view(), bytes.last(32)) || !equal(whole.first(sizeof kMagic), kMagic)) return damaged;
    ByteReader in(whole.subspan(sizeof kMagic));
    SeenLedger seen;
    seen.vault = TRY(VaultId::from(TRY(in.take(VaultId::kSize))));
    seen.head.size = TreeSize(TRY(in.u64()));
    seen.head.root = TRY(Hash::from(TRY(in.take(32))));
    const TreeSize size(TRY(in.u64()));
    const std::uint32_t count = TRY(in.u32());
    if (count > 64) return damaged;
    std::vector<Hash> hashes;
    for (std::uint32_t i = 0; i < count; ++i) hashes.push_back(TRY(Hash::from(TRY(in.take(32)))));
    TRY(in.expect_end());
    auto range = audit::CompactRange::from(size, std::move(hashes));
    if (!range.ok() || seen.head.size < size) return damaged;
    seen.catalog = std::move(*range);
    return seen;
}

Result<std::unique_ptr<LedgerView>> LedgerView::open(Environment environment, const Path& archive, const Path& state,
                                                     const std::optional<audit::VerifierKey>& key) {
    auto view = std::unique_ptr<LedgerView>(new LedgerView(environment, archive, state));
    TRY(make_dirs_synced(environment.fs, state));
    view->reader_ = TRY_IN("ledger", audit::LedgerReader::open(environment.fs, archive / "ledger"));
    TRY(view->trust(key));
    TRY(view->load());
    TRY(view->follow());
    TRY(view->flush());
    return view;
}

// What entry 0 says is believed once at most: afterwards the key of the first start counts.
Status LedgerView::trust(const std::optional<audit::VerifierKey>& key) {
    TRY(read_history());
    const Path file = state_ / "ledger.key";
    if (key) {
        key_ = *key;
    } else if (environment_.fs.exists(file)) {
        const Bytes line = TRY_IN("ledger.key", read_file(environment_.fs, file, kMaxKeyLine));
        key_ = TRY_IN("ledger.key", audit::VerifierKey::parse(std::string(first_line(line))));
    } else {
        key_ = history_->first();
    }
    if (!(history_->first() == key_))
        return Error(Code::conflict, "the ledger here is another one than the opener trusts")
            .with_hint("after `kustos continue`: give its new key with --key, once");
    vault_ = TRY(audit::parse_origin(key_.name)).vault;
    return replace_file(environment_.fs, file, as_bytes(key_.format() + "\n"));
}

Status LedgerView::read_history() {
    const audit::Entry introduction = TRY_IN("entry 0", reader_->entry(EntryIndex(0)));
    const auto body = TRY(audit::BodyReader::parse(introduction.body));
    const auto first = TRY(audit::VerifierKey::parse(body.find_text(audit::Tag::vkey).value_or("")));
    history_.emplace(TRY(audit::read_history(environment_.fs, archive_ / "ledger", first)));
    return {};
}

Result<SecretBytes> LedgerView::catalog_key() const {
    const Path file = state_ / "catalog.key";
    if (!environment_.fs.exists(file)) {
        SecretBytes made = SecretBytes::random(environment_.random, 32);
        TRY(put_once(environment_.fs, file, made.view()));
        return made;
    }
    Bytes bytes = TRY_IN("catalog.key", read_file(environment_.fs, file, 32));
    SecretBytes key((ByteView(bytes)));
    wipe(bytes);
    return key;
}

Status LedgerView::open_catalog() {
    catalog_.emplace(TRY(Catalog::open(state_ / "catalog.db", TRY(catalog_key()))));
    return {};
}

Status LedgerView::load() {
    const Path file = state_ / "seen";
    TRY(open_catalog());
    if (environment_.fs.exists(file)) {
        const Bytes bytes = TRY_IN("seen", read_file(environment_.fs, file, kMaxSeen));
        SeenLedger seen = TRY(decode_seen(bytes));
        if (!(seen.vault == vault_)) return Error(Code::conflict, "the opener's state belongs to another archive");
        seen_ = remembered_ = seen.head;
        range_ = flushed_ = std::move(seen.catalog);
    }
    if (catalog_->applied() == range_.size()) return {};
    // A crash came between the two: made anew from the ledger.
    catalog_.reset();
    TRY(environment_.fs.remove(state_ / "catalog.db"));
    range_ = audit::CompactRange();
    return open_catalog();
}

Result<audit::Checkpoint> LedgerView::checkpoint() {
    const std::string note =
        TRY_IN("checkpoint", audit::read_note(environment_.fs, audit::checkpoint_file(archive_ / "ledger")));
    auto opened = history_->open(as_bytes(note));
    if (!opened.ok()) {  // perhaps the key was rotated
        TRY(read_history());
        if (!(history_->first() == key_))
            return Error(Code::conflict, "the ledger here is another one than the opener trusts");
        opened = history_->open(as_bytes(note));
    }
    return TRY_IN("checkpoint", std::move(opened)).checkpoint;
}

Status LedgerView::follow() {
    if (dirty_) TRY(start_over());
    const audit::Checkpoint signed_head = TRY(checkpoint());
    const Status followed = follow_to(signed_head);
    dirty_ = !followed.ok();
    return followed;
}

// What was taken in before a step failed counts for nothing: back to what is on the disk.
Status LedgerView::start_over() {
    reader_ = std::make_unique<audit::LedgerReader>(environment_.fs, archive_ / "ledger", head_.size);
    catalog_.reset();
    range_ = audit::CompactRange();
    TRY(load());
    dirty_ = false;
    return {};
}

Status LedgerView::take(EntryIndex index, ByteView bytes) {
    range_.append(audit::leaf_hash(bytes));
    if (index.value >= catalog_->applied().value) TRY(catalog_->apply(index, TRY(audit::decode_entry(bytes))));
    if (range_.size() == seen_.size && !(range_.root() == seen_.root))
        return Error(Code::conflict, "the ledger is another one than the opener has seen before");
    return {};
}

Status LedgerView::follow_to(const audit::Checkpoint& checkpoint) {
    if (checkpoint.size.value < range_.size().value || checkpoint.size.value < seen_.size.value)
        return Error(Code::rolled_back, "the ledger is older than the opener has seen it")
            .with_hint("put the newest copy back");
    reader_->advance(checkpoint.size);
    TRY(reader_->for_each(EntryIndex(range_.size().value), EntryIndex(checkpoint.size.value),
                          [this](EntryIndex index, ByteView bytes) { return take(index, bytes); }));
    if (!(range_.root() == checkpoint.root))
        return Error(Code::corrupt, "the ledger's entries do not add up to what its checkpoint says");
    head_ = checkpoint.head();
    return {};
}

Status LedgerView::remember() {
    if (remembered_ == head_) return {};
    TRY(replace_file(environment_.fs, state_ / "seen", encode(SeenLedger{vault_, head_, flushed_})));
    remembered_ = head_;
    return {};
}

Status LedgerView::flush() {
    if (dirty_) return {};
    TRY(catalog_->flush());
    flushed_ = range_;
    TRY(replace_file(environment_.fs, state_ / "seen", encode(SeenLedger{vault_, head_, flushed_})));
    remembered_ = head_;
    return {};
}

Result<audit::Entry> LedgerView::entry(EntryIndex index) const {
    if (index.value >= head_.size.value)
        return Error(Code::not_found, "entry " + std::to_string(index.value) + " is not there");
    const Bytes bytes = TRY(reader_->entry_bytes(index));
    const auto proof = TRY(reader_->proof(index, head_.size));
    TRY_IN("entry " + std::to_string(index.value),
           audit::verify_inclusion(index, head_.size, audit::leaf_hash(bytes), proof, head_.root));
    return audit::decode_entry(bytes);
}

}  // namespace kustos::vault
