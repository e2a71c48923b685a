#include "audit/signer.h"

#include <filesystem>
#include <optional>

#include "audit/cms_signature.h"
#include "audit/src/evidence_key.h"

namespace kustos::audit {

namespace {

constexpr std::uint64_t kMaxKeyFile = 64 * 1024;
constexpr std::size_t kHeadFileSize = 2 * kHeadSlotSpacing;
constexpr std::string_view kOriginPrefix = "kustos.archive/";

Error damaged(const char* what) {
    return Error(Code::corrupt, std::string("signer's store: ") + what)
        .with_hint("restore the store from its own backup, or start a continuation");
}

Result<VaultId> vault_of(const std::string& origin) {
    if (origin.substr(0, kOriginPrefix.size()) != kOriginPrefix) return damaged("the key's name is not an origin");
    const auto vault = VaultId::parse(origin.substr(kOriginPrefix.size()));
    if (!vault.ok() || origin_of(*vault) != origin) return damaged("the key's name is not an origin");
    return *vault;
}

Bytes first_head(const VaultId& vault) {
    Bytes file = encode(HeadSlot{vault, 0, empty_head()});
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

// An Fs without a folder in the real file system is a test's.
Result<std::optional<FileLock>> lock_store(const Path& dir) {
    std::error_code error;
    if (!std::filesystem::is_directory(dir, error)) return std::optional<FileLock>();
    return std::optional(TRY_IN("signer's store", FileLock::acquire(dir / "lock")));
}

}  // namespace

struct FileSigner::State {
    State(SignerKey key, EvidenceKey evidence) : checkpoint_key(std::move(key)), evidence_key(std::move(evidence)) {}

    const SignerKey checkpoint_key;
    const EvidenceKey evidence_key;
    VaultId vault;
    std::optional<FileLock> lock;

    std::mutex mutex;  // guards what follows
    std::unique_ptr<File> file;
    HeadSlot slot;
    bool dead = false;

    std::string signed_note() const {
        return sign_note(format_checkpoint({checkpoint_key.name, slot.head.size, slot.head.root, {}}), checkpoint_key);
    }

    Status store(const HeadSlot& next) {
        TRY(file->write_at(next.counter % 2 * kHeadSlotSpacing, encode(next)));
        return file->sync();
    }
};

FileSigner::FileSigner(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileSigner::~FileSigner() = default;

Status FileSigner::create(Environment environment, const Path& dir, const VaultId& vault) {
    Fs& fs = environment.fs;
    if (fs.exists(dir / "head") || fs.exists(dir / "checkpoint.key")) {
        return Error(Code::conflict, "a signer's store is there already").with_hint("choose another state directory");
    }
    TRY_IN("signer's store", fs.make_dirs(dir));
    const SecretBytes seed = SecretBytes::random(environment.random, 32);
    const SignerKey key = TRY(SignerKey::make(origin_of(vault), seed.view()));
    const EvidenceKey evidence = TRY(make_evidence_key(environment.random, environment.clock.now(), vault));
    const SecretBytes key_text = key.format();
    const SecretBytes evidence_text = TRY(private_key_pem(evidence));
    const Bytes certificate_text = TRY(certificate_pem(evidence));
    TRY_IN("signer's store", put_once(fs, dir / "checkpoint.key", key_text.view()));
    TRY_IN("signer's store", put_once(fs, dir / "evidence.key", evidence_text.view()));
    TRY_IN("signer's store", put_once(fs, dir / "evidence.crt", certificate_text));
    TRY_IN("signer's store", put_once(fs, dir / "head", first_head(vault)));
    TRY_IN("signer's store", fs.sync_dir(dir.parent_path()));
    return {};
}

namespace {
Result<SecretBytes> read_secret(Fs& fs, const Path& path) {
    Bytes bytes = TRY_IN("signer's store", read_file(fs, path, kMaxKeyFile));
    SecretBytes secret((ByteView(bytes)));
    wipe(bytes);
    return secret;
}
}  // namespace

Result<std::unique_ptr<FileSigner>> FileSigner::open(Fs& fs, const Path& dir) {
    if (!fs.exists(dir / "head")) {
        return Error(Code::not_found, "no signer's store there")
            .with_hint("give the state directory with which the archive was created");
    }
    std::optional<FileLock> lock = TRY(lock_store(dir));
    const SecretBytes key_text = TRY(read_secret(fs, dir / "checkpoint.key"));
    auto key = SignerKey::parse(key_text.view());
    if (!key.ok()) return damaged("checkpoint.key can't be read");
    const VaultId vault = TRY(vault_of(key->name));
    const SecretBytes evidence_text = TRY(read_secret(fs, dir / "evidence.key"));
    const Bytes certificate = TRY_IN("signer's store", read_file(fs, dir / "evidence.crt", kMaxKeyFile));
    EvidenceKey evidence = TRY(parse_evidence_key(evidence_text.view(), certificate));

    auto state = std::make_unique<State>(std::move(key).value(), std::move(evidence));
    state->vault = vault;
    state->lock = std::move(lock);
    state->file = TRY_IN("signer's store", fs.open(dir / "head", OpenMode::read_write));
    state->slot = TRY(read_slots(*state->file));
    if (state->slot.vault != vault) return damaged("head and checkpoint.key belong to different archives");
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

Result<std::string> FileSigner::advance(const TreeHead& previous, const TreeHead& next) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) return Error(Code::read_only, "the signer ended after a failed write");
    if (!(previous == state_->slot.head)) {
        return Error(Code::conflict, "the signer remembers another last checkpoint")
            .with_hint("another writer was faster, or the archive was rolled back: open it again");
    }
    if (next.size <= previous.size) return Error(Code::usage, "a checkpoint must grow");
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
    return state_->checkpoint_key.verifier();
}

Bytes FileSigner::evidence_certificate() {
    return state_->evidence_key.certificate_der;
}

Result<Bytes> FileSigner::sign_cms(const Hash& digest) {
    return make_cms(state_->evidence_key.private_key_der.view(), state_->evidence_key.certificate_der, digest);
}

}  // namespace kustos::audit
