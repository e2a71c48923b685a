#include "vault/src/key_store.h"

#include "vault/duplicates.h"

namespace kustos::vault {

namespace {
constexpr std::size_t kMaxKeyFile = 64 * 1024;

Result<SecretBytes> read_key(Fs& fs, const Path& file) {
    Bytes bytes = TRY(read_file(fs, file, kMaxKeyFile));
    SecretBytes key(bytes);
    wipe(bytes);
    if (key.size() != 32) return Error(Code::corrupt, "a key file has not 32 bytes");
    return key;
}
}  // namespace

Result<KeyStore::Founded> KeyStore::create(Environment e, const Path& dir, const VaultId& vault,
                                           const std::string& unlock, ByteView passphrase) {
    TRY(make_dirs_synced(e.fs, dir));
    const SecretBytes root = SecretBytes::random(e.random, 32);
    std::vector<Slot> slots;
    if (unlock == "auto") {
        const SecretBytes key = SecretBytes::random(e.random, 32);
        TRY(replace_file(e.fs, dir / "auto.key", key.view()));
        slots.push_back(TRY(make_slot(SlotKind::automatic, key.view(), {}, root.view(), vault, e.random)));
    } else if (unlock == "passphrase") {
        slots.push_back(TRY(make_slot(SlotKind::passphrase, passphrase, Argon2Cost{}, root.view(), vault, e.random)));
    } else {
        return Error(Code::not_in_version, "this way of unlocking is not in this version")
            .with_hint("auto or passphrase");
    }
    TRY(replace_file(e.fs, dir / "slots", encode(slots)));
    TRY(replace_file(e.fs, dir / "duplicates.key", SecretBytes::random(e.random, 32).view()));
    Keyring keyring;
    keyring.intake = X25519Key::from_seed(SecretBytes::random(e.random, 32).view());
    Founded founded;
    founded.intake = keyring.intake.public_key;
    founded.keyring_hash = TRY(store_keyring(e, dir, vault, root.view(), keyring));
    // Until the generation's control entry stands, the first opening takes the intake key from here.
    TRY(replace_file(e.fs, dir / "intake.pub", founded.intake.view()));
    return founded;
}

Result<std::unique_ptr<KeyStore>> KeyStore::open(Environment e, const Path& dir, const VaultId& vault,
                                                 const std::optional<SecretBytes>& passphrase) {
    auto store = std::unique_ptr<KeyStore>(new KeyStore(e, dir, vault));
    store->duplicates_key_ = TRY_IN("keys/duplicates.key", read_key(e.fs, dir / "duplicates.key"));
    const Bytes intake = TRY_IN("keys/intake.pub", read_file(e.fs, dir / "intake.pub", 64));
    store->intake_ = TRY(X25519Public::from(intake));
    const Bytes bytes = TRY_IN("keys/slots", read_file(e.fs, dir / "slots", kMaxKeyFile));
    for (const Slot& slot : TRY(decode_slots(bytes))) {
        if (slot.kind != SlotKind::automatic) continue;
        const SecretBytes key = TRY_IN("keys/auto.key", read_key(e.fs, dir / "auto.key"));
        const SecretBytes root = TRY(open_slot(slot, key.view(), vault));
        store->keyring_ =
            std::make_unique<Keyring>(TRY(load_keyring(e.fs, dir, vault, root.view(), store->generation_)));
        store->method_ = "auto";
        return store;
    }
    if (passphrase) TRY(store->unlock(passphrase->view()));
    return store;
}

Status KeyStore::unlock(ByteView passphrase) {
    const Bytes bytes = TRY_IN("keys/slots", read_file(environment_.fs, dir_ / "slots", kMaxKeyFile));
    for (const Slot& slot : TRY(decode_slots(bytes))) {
        if (slot.kind != SlotKind::passphrase) continue;
        const SecretBytes root = TRY(open_slot(slot, passphrase, vault_));
        auto keyring =
            std::make_unique<Keyring>(TRY(load_keyring(environment_.fs, dir_, vault_, root.view(), generation_)));
        const std::lock_guard lock(mutex_);
        keyring_ = std::move(keyring);
        method_ = "passphrase";
        return {};
    }
    return Error(Code::usage, "this archive has no passphrase slot");
}

void KeyStore::lock() {
    const std::lock_guard guard(mutex_);
    keyring_.reset();
    method_.clear();
    seeds_.clear();
    opened_.clear();
}

bool KeyStore::is_open() const {
    const std::lock_guard lock(mutex_);
    return keyring_ != nullptr;
}

std::string KeyStore::state() const {
    const std::lock_guard lock(mutex_);
    return keyring_ ? "open (" + method_ + ")" : "closed";
}

void KeyStore::set_generation(std::uint32_t generation, const X25519Public& intake) {
    const std::lock_guard lock(mutex_);
    generation_ = generation;
    intake_ = intake;
}

Result<KeyStore::NewTree> KeyStore::new_tree(KeyTreeId tree) {
    const SecretBytes seed = SecretBytes::random(environment_.random, 32);
    const std::lock_guard lock(mutex_);
    NewTree made;
    made.box_hash = TRY(
        store_box(environment_.fs, dir_, {BoxPurpose::tree, tree.value, generation_, box_seal(intake_, seed.view())}));
    made.key_check = key_check_value(seed.view(), tree);
    forward_[tree] = KeyCover::whole(seed.view());
    return made;
}

Result<SecretBytes> KeyStore::tree_seed(KeyTreeId tree) const {
    if (const auto cached = seeds_.find(tree); cached != seeds_.end()) return cached->second.clone();
    if (!keyring_)
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("give --passphrase-file FILE, or - for standard input");
    const Box box = TRY(load_box(environment_.fs, dir_, BoxPurpose::tree, tree.value, Hash{}));
    SecretBytes seed = TRY(box_open(keyring_->intake, box.sealed));
    if (seed.size() != 32) return Error(Code::corrupt, "a key tree's box does not hold a seed");
    seeds_[tree] = seed.clone();
    return seed;
}

Status KeyStore::resume_tree(const TreeInfo& tree) {
    const std::lock_guard lock(mutex_);
    const SecretBytes seed = TRY(tree_seed(tree.id));
    if (!(key_check_value(seed.view(), tree.id) == tree.key_check))
        return Error(Code::corrupt, "a key tree's box holds another seed than its entry says");
    forward_[tree.id] = KeyCover::from_leaf(seed.view(), LeafNumber(tree.next_leaf));
    return {};
}

bool KeyStore::has_forward(KeyTreeId tree) const {
    const std::lock_guard lock(mutex_);
    return forward_.count(tree) != 0;
}

Result<SecretBytes> KeyStore::forward_dek(KeyTreeId tree, LeafNumber leaf) const {
    const std::lock_guard lock(mutex_);
    const auto found = forward_.find(tree);
    if (found != forward_.end()) {
        if (auto dek = found->second.derive(tree, leaf)) return std::move(*dek);
    }
    return Error(Code::internal, "a leaf was taken whose key is gone");
}

Result<SecretBytes> KeyStore::dek(KeyTreeId tree, LeafNumber leaf) const {
    const std::lock_guard lock(mutex_);
    const auto found = forward_.find(tree);
    if (found != forward_.end()) {
        if (auto dek = found->second.derive(tree, leaf)) return std::move(*dek);
    }
    const SecretBytes seed = TRY(tree_seed(tree));
    auto& cover = opened_[tree];
    if (cover.empty()) cover = KeyCover::whole(seed.view());
    if (auto dek = cover.derive(tree, leaf)) return std::move(*dek);
    return Error(Code::not_found, "this record's key was erased");
}

void KeyStore::puncture(KeyTreeId tree, LeafNumber leaf) {
    const std::lock_guard lock(mutex_);
    const auto found = forward_.find(tree);
    if (found != forward_.end()) found->second.puncture(leaf);
}

Result<KeyStore::NewShard> KeyStore::new_shard(std::uint32_t shard) {
    NewShard made;
    made.term_key = SecretBytes::random(environment_.random, 32);
    const std::lock_guard lock(mutex_);
    made.box_hash = TRY(store_box(environment_.fs, dir_,
                                  {BoxPurpose::shard, shard, generation_, box_seal(intake_, made.term_key.view())}));
    shards_[shard] = made.term_key.clone();
    return made;
}

Result<SecretBytes> KeyStore::shard_key(std::uint32_t shard) const {
    const std::lock_guard lock(mutex_);
    if (const auto found = shards_.find(shard); found != shards_.end()) return found->second.clone();
    if (!keyring_) return Error(Code::closed, "the vault is closed: a key holder must open it");
    const Box box = TRY(load_box(environment_.fs, dir_, BoxPurpose::shard, shard, Hash{}));
    return box_open(keyring_->intake, box.sealed);
}

void KeyStore::forget_shard(std::uint32_t shard) {
    const std::lock_guard lock(mutex_);
    shards_.erase(shard);
}

Hash KeyStore::duplicate_mac(SourceId source, ByteView native_identity) const {
    return vault::duplicate_mac(duplicates_key_.view(), source, native_identity);
}

}  // namespace kustos::vault
