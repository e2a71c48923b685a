#include "audit/signer.h"

#include <filesystem>
#include <map>
#include <optional>

#include "audit/cms_signature.h"
#include "audit/entry.h"
#include "audit/key_history.h"
#include "audit/src/signer_keys.h"
#include "audit/tlog_proof.h"

namespace kustos::audit {

namespace {

constexpr std::uint64_t kMaxKeyFile = 64 * 1024;
constexpr std::size_t kRememberedEntries = 1024;
constexpr unsigned kDocumentsOfAnEntry = 8;  // a report as PDF and as JSON, and an attempt that failed
constexpr std::size_t kHeadFileSize = 2 * kHeadSlotSpacing;

Error damaged(const char* what) {
    return Error(Code::corrupt, std::string("signer's store: ") + what)
        .with_hint("restore the store from its own backup, or start a continuation");
}

Result<VaultId> vault_of(const std::string& origin) {
    const auto parts = parse_origin(origin);
    if (!parts.ok()) return damaged("the key's name is not an origin");
    return parts->vault;
}

Bytes first_head(const VaultId& vault, const TreeHead& head) {
    Bytes file = encode(HeadSlot{vault, 0, head});
    file.resize(kHeadFileSize);
    return file;
}

// The readable slot with the higher counter.
Result<HeadSlot> read_slots(File& file) {
    std::optional<HeadSlot> best;
    for (const std::uint64_t number : {0, 1}) {
        Bytes bytes(kHeadSlotSize);
        const std::size_t got = TRY_IN("signer's head", file.read_at(number * kHeadSlotSpacing, bytes));
        bytes.resize(got);
        const auto slot = decode_head_slot(bytes);
        if (!slot.ok() || slot->counter % 2 != number) continue;
        if (!best || slot->counter > best->counter) best = *slot;
    }
    if (!best) return damaged("both slots of the head are unreadable");
    return *best;
}

// An Fs without a folder in the real file system is a test's, or a drill's that keeps it in memory: nobody shares it.
Result<std::optional<FileLock>> lock_store(const Path& dir) {
    std::error_code error;
    if (!std::filesystem::is_directory(dir, error)) return std::optional<FileLock>();
    return std::optional(TRY_IN("signer's store", FileLock::acquire(dir / "lock")));
}

}  // namespace

struct FileSigner::State {
    State(Environment e, Path folder) : environment(e), dir(std::move(folder)) {}

    Environment environment;
    Path dir;
    BundleKey evidence_key;
    VaultId vault;
    std::optional<FileLock> lock;

    std::mutex mutex;  // guards what follows
    CheckpointKey checkpoint_key;
    std::unique_ptr<File> file;
    HeadSlot slot;
    std::uint64_t opened_at = 0;  // the ledger's size when this signer began
    bool dead = false;
    std::optional<std::uint64_t> served;  // the newest entry that a document was signed for; absent: not read yet
    std::uint64_t floor = 0;              // no entry up to here serves, but those in `documents`
    std::map<std::uint64_t, unsigned> documents;  // that were signed for an entry

    Result<std::string> signed_note() const {
        return signed_note_of(checkpoint_key,
                              format_checkpoint({checkpoint_key.verifier.name, slot.head.size, slot.head.root, {}}));
    }

    Status store(const HeadSlot& next) {
        TRY(file->write_at(next.counter % 2 * kHeadSlotSpacing, encode(next)));
        return file->sync();
    }
};

FileSigner::FileSigner(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileSigner::~FileSigner() = default;

Status FileSigner::create(Environment environment, const Path& dir, const VaultId& vault, const std::string& keys,
                          const Begin& of) {
    Fs& fs = environment.fs;
    if (fs.exists(dir / "head") || fs.exists(dir / "checkpoint.key")) {
        return Error(Code::conflict, "a signer's store is there already").with_hint("choose another state directory");
    }
    TRY_IN("signer's store", make_dirs_synced(fs, dir));
    const CheckpointKey key = TRY(CheckpointKey::make(environment, origin_of(vault, of.continuation), keys));
    const BundleKey evidence = TRY(BundleKey::make(environment, vault, keys));
    TRY_IN("signer's store", put_once(fs, dir / "checkpoint.key", key.file.view()));
    TRY_IN("signer's store", put_once(fs, dir / "evidence.key", evidence.file.view()));
    TRY_IN("signer's store", put_once(fs, dir / "evidence.crt", TRY(certificate_pem(ByteView(evidence.certificate)))));
    TRY_IN("signer's store", put_once(fs, dir / "head", first_head(vault, of.head)));
    TRY_IN("signer's store", fs.sync_dir(dir.parent_path()));
    return {};
}

Result<std::unique_ptr<FileSigner>> FileSigner::open(Environment environment, const Path& dir) {
    Fs& fs = environment.fs;
    if (!fs.exists(dir / "head")) {
        return Error(Code::not_found, "no signer's store there")
            .with_hint("give the state directory with which the archive was created");
    }
    auto state = std::make_unique<State>(environment, dir);
    state->lock = TRY(lock_store(dir));
    const SecretBytes key_text = TRY_IN("signer's store", read_secret_file(fs, dir / "checkpoint.key", kMaxKeyFile));
    state->checkpoint_key = TRY(CheckpointKey::open(fs, key_text.view()));
    state->vault = TRY(vault_of(state->checkpoint_key.verifier.name));
    const SecretBytes evidence_text = TRY_IN("signer's store", read_secret_file(fs, dir / "evidence.key", kMaxKeyFile));
    const Bytes certificate = TRY_IN("signer's store", read_file(fs, dir / "evidence.crt", kMaxKeyFile));
    state->evidence_key = TRY(BundleKey::open(fs, evidence_text.view(), certificate));
    state->file = TRY_IN("signer's store", fs.open(dir / "head", OpenMode::read_write));
    state->slot = TRY(read_slots(*state->file));
    state->opened_at = state->slot.head.size.value;
    if (state->slot.vault != state->vault) return damaged("head and checkpoint.key belong to different archives");
    // What was read may be a page whose sync failed before this start: only once it is stored does it count.
    TRY_IN("signer's head", state->store(state->slot));
    return std::unique_ptr<FileSigner>(new FileSigner(std::move(state)));
}

Result<TreeHead> FileSigner::last() {
    const std::lock_guard lock(state_->mutex);
    return state_->slot.head;
}

Result<std::string> FileSigner::note() {
    const std::lock_guard lock(state_->mutex);
    return state_->signed_note();
}

Result<std::string> FileSigner::advance(const TreeHead& previous, const TreeHead& next, const Growth& growth) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) return Error(Code::read_only, "the signer ended after a failed write");
    if (!(previous == state_->slot.head)) {
        return Error(Code::conflict, "the signer remembers another last checkpoint")
            .with_hint("another writer was faster, or the archive was rolled back: open it again");
    }
    if (next.size <= previous.size) return Error(Code::usage, "a checkpoint must grow");
    auto range = CompactRange::from(previous.size, growth.before);
    if (!range.ok() || !(range->root() == previous.root) ||
        growth.leaves.size() != next.size.value - previous.size.value)
        return Error(Code::conflict, "the new checkpoint does not follow from the last one");
    for (const Hash& leaf : growth.leaves) range->append(leaf);
    if (!(range->root() == next.root))
        return Error(Code::conflict, "the new checkpoint does not follow from the last one");
    const HeadSlot slot{state_->vault, state_->slot.counter + 1, next};
    const Status stored = state_->store(slot);
    if (!stored.ok()) {
        // It may or may not be on disk: only a restart can tell, so nothing is signed until then.
        state_->dead = true;
        return Error(stored.error()).within("signer's head");
    }
    state_->slot = slot;
    return state_->signed_note();
}

VaultId FileSigner::vault() {
    return state_->vault;
}

VerifierKey FileSigner::verifier() {
    const std::lock_guard lock(state_->mutex);
    return state_->checkpoint_key.verifier;
}

Bytes FileSigner::evidence_certificate() {
    return state_->evidence_key.certificate;
}

namespace {

bool allows_a_document(ByteView bytes) {
    const auto entry = decode_entry(bytes);
    if (!entry.ok()) return false;
    return access_action(*entry) == AccessAction::export_ ||
           control_action(*entry) == ControlAction::verification_reported ||
           control_action(*entry) == ControlAction::completeness_certified ||
           control_action(*entry) == ControlAction::hits_reported ||
           control_action(*entry) == ControlAction::certificate_issued;
}

}  // namespace

// The file `served` holds one number, the newest entry that served; it is durable before a signature over it exists.
// Two exports at the same time may come in either order; behind a restart only newer entries count.
Status FileSigner::serve(EntryIndex entry) {
    Fs& fs = state_->environment.fs;
    const Path file = state_->dir / "served";
    std::map<std::uint64_t, unsigned>& documents = state_->documents;
    if (!state_->served) {
        const auto bytes = read_file(fs, file, 8);
        if (bytes.ok() && bytes->size() != 8) return damaged("served is not 8 bytes");
        if (!bytes.ok() && bytes.error().code() != Code::not_found) return bytes.error();
        // A store that never signed yet: entries of before are no grounds, or each old export would be one.
        const std::uint64_t old = state_->opened_at == 0 ? 0 : state_->opened_at - 1;
        state_->served = state_->floor = bytes.ok() ? load_u64(bytes->data()) : old;
    }
    const auto [place, fresh] = documents.try_emplace(entry.value, 0);
    if ((fresh && entry.value <= state_->floor) || place->second >= kDocumentsOfAnEntry) {
        if (fresh) documents.erase(place);
        return Error(Code::denied, "this entry has served for its documents already");
    }
    if (entry.value > *state_->served) {
        Bytes number(8);
        store_u64(number.data(), entry.value);
        TRY_IN("signer's store", replace_file(fs, file, number));
        state_->served = entry.value;
    }
    ++place->second;
    for (; documents.size() > kRememberedEntries; documents.erase(documents.begin()))
        state_->floor = std::max(state_->floor, documents.begin()->first);
    return {};
}

Result<Bytes> FileSigner::sign_cms(const Hash& digest, const SigningGround& ground) {
    const std::lock_guard lock(state_->mutex);
    const auto proof = TlogProof::parse(as_bytes(ground.proof));
    if (!allows_a_document(ground.entry) || !proof.ok() ||
        !verify_tlog_proof(*proof, ground.entry, state_->checkpoint_key.verifier).ok())
        return Error(Code::denied, "the signer signs only what an entry of the ledger allows: an export, or a report");
    TRY(serve(proof->index));
    return make_cms(state_->evidence_key.sign, state_->evidence_key.certificate, digest);
}

// --- rotation --------------------------------------------------------------------------------------------

Result<std::optional<VerifierKey>> FileSigner::waiting_key() {
    const std::lock_guard lock(state_->mutex);
    Fs& fs = state_->environment.fs;
    if (!fs.exists(state_->dir / "next.key")) return std::optional<VerifierKey>();
    const SecretBytes text = TRY_IN("signer's store", read_secret_file(fs, state_->dir / "next.key", kMaxKeyFile));
    return std::optional(TRY(CheckpointKey::open(fs, text.view())).verifier);
}

Result<VerifierKey> FileSigner::next_key(const std::string& source) {
    if (const auto waiting = TRY(waiting_key())) return *waiting;
    const std::lock_guard lock(state_->mutex);
    const CheckpointKey& now = state_->checkpoint_key;
    const CheckpointKey next =
        TRY(CheckpointKey::make(state_->environment, now.verifier.name, source.empty() ? now.source : source));
    TRY_IN("signer's store", put_once(state_->environment.fs, state_->dir / "next.key", next.file.view()));
    return next.verifier;
}

Result<VerifierKey> FileSigner::take_next_key(ByteView entry, std::string_view proof) {
    const auto waiting = TRY(waiting_key());
    const std::lock_guard lock(state_->mutex);
    if (!waiting) return Error(Code::conflict, "no key waits to be taken");
    const auto named = announced_key(entry);
    const auto parsed = TlogProof::parse(as_bytes(proof));
    if (!named.ok() || !(*named == *waiting) || !parsed.ok() ||
        !verify_tlog_proof(*parsed, entry, state_->checkpoint_key.verifier).ok())
        return Error(Code::conflict, "the new key is not announced under the present one");
    Fs& fs = state_->environment.fs;
    const SecretBytes text = TRY_IN("signer's store", read_secret_file(fs, state_->dir / "next.key", kMaxKeyFile));
    CheckpointKey next = TRY(CheckpointKey::open(fs, text.view()));
    // One rename: either key signs, never none. The old file's bytes are the file system's to forget.
    const Status moved = fs.rename(state_->dir / "next.key", state_->dir / "checkpoint.key");
    const Status synced = moved.ok() ? fs.sync_dir(state_->dir) : moved;
    if (!synced.ok()) {
        state_->dead = true;
        return Error(synced.error()).within("signer's store");
    }
    state_->checkpoint_key.forget(fs);
    state_->checkpoint_key = std::move(next);
    return state_->checkpoint_key.verifier;
}

}  // namespace kustos::audit
