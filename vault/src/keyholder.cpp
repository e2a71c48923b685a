#include "vault/src/keyholder.h"

#include <algorithm>

#include "vault/src/key_file.h"

namespace kustos::vault {

Result<Keyholder::Founded> Keyholder::create(Environment e, const Path& dir, const VaultId& vault,
                                             const SlotOrder& order) {
    TRY(make_dirs_synced(e.fs, dir));
    const SecretBytes root = SecretBytes::random(e.random, 32);
    NewSlot slot = TRY(make_slot(e, order, root.view(), vault));
    if (!slot.key_file.empty()) TRY(replace_file(e.fs, dir / "auto.key", slot.key_file.view()));
    std::vector<Slot> slots;
    slots.push_back(std::move(slot.slot));
    TRY(store_slots(e.fs, dir, slots));
    Keyring keyring;
    keyring.intake = X25519Key::from_seed(SecretBytes::random(e.random, 32).view());
    Founded founded;
    founded.shares = std::move(slot.shares);
    founded.intake = keyring.intake.public_key;
    const SecretBytes epoch = SecretBytes::random(e.random, 32);
    TRY(file_epochs(e, dir)->store(founded.generation, epoch.view()));
    founded.keyring_hash = TRY(store_keyring(e, dir, vault, root.view(), epoch.view(), keyring));
    // Until the generation's control entry stands, the first opening takes the intake key from here.
    TRY(replace_file(e.fs, dir / "intake.pub", founded.intake.view()));
    return founded;
}

Result<std::unique_ptr<Keyholder>> Keyholder::open(Environment e, const Path& dir, const VaultId& vault,
                                                   std::uint32_t generation, const UnlockSecret* secret,
                                                   std::unique_ptr<EpochStore> epochs) {
    if (!epochs) epochs = recorded_epochs(e, dir, vault);
    auto holder = std::unique_ptr<Keyholder>(new Keyholder(e, dir, vault, generation, std::move(epochs)));
    for (const Slot& slot : TRY(load_slots(e.fs, dir))) {
        if (slot.kind != SlotKind::automatic) continue;
        TRY(holder->unlock(AutomaticSecret{}));
        return holder;
    }
    if (secret != nullptr) TRY(holder->unlock(*secret));
    return holder;
}

Status Keyholder::unlock(const UnlockSecret& secret) {
    const auto slots = TRY(load_slots(environment_.fs, dir_));
    OpenedRoot opened = TRY(open_root(environment_, dir_, slots, secret, vault_));
    return open_with(std::move(opened.root), opened.method);
}

Result<Keyholder::Rekeyed> Keyholder::rekey(const std::vector<SlotOrder>& add,
                                            const std::vector<SlotKind>& remove) const {
    const std::lock_guard guard(mutex_);
    if (!keyring_) return vault_closed();
    Rekeyed next;
    next.slots = TRY(load_slots(environment_.fs, dir_));
    const auto take_out = [&next](SlotKind kind) {
        for (const Slot& slot : next.slots) {
            if (slot.kind == kind) next.dropped.push_back(slot);
        }
    };
    for (const SlotOrder& order : add) {
        const bool there = std::any_of(next.slots.begin(), next.slots.end(),
                                       [&](const Slot& slot) { return slot.kind == order.kind; });
        // Its key file can't be replaced together with the slot: a crash between the two would lose both.
        if (there && order.kind == SlotKind::automatic)
            return Error(Code::usage, "this archive opens by itself already");
        std::optional<ShareSetInfo> old;
        for (const Slot& slot : next.slots) {
            if (slot.kind == SlotKind::shares && order.kind == slot.kind)
                old = TRY_IN("keys/slots", decode_share_set(slot.details));
        }
        NewSlot made = TRY(make_slot(environment_, order, root_key_.view(), vault_, old));
        take_out(order.kind);
        next.slots = with_slot(std::move(next.slots), std::move(made.slot));
        if (!made.shares.empty()) next.shares = std::move(made.shares);
        if (!made.key_file.empty()) next.key_file = std::move(made.key_file);
    }
    for (const SlotKind kind : remove) {
        take_out(kind);
        next.slots = TRY(without_slot(std::move(next.slots), kind));
    }
    return next;
}

Status Keyholder::open_with(SecretBytes root_key, const std::string& method) {
    const std::lock_guard guard(mutex_);
    auto epoch = epochs_->load(generation_);
    if (!epoch.ok() && epoch.error().code() == Code::not_found)
        return Error(Code::corrupt, "the key of keyring generation " + std::to_string(generation_) + " is not here")
            .with_hint("restore it from its escrow: kustos restore --escrow; without it nothing can be opened");
    if (!epoch.ok()) return std::move(epoch).error();
    keyring_ = std::make_unique<Keyring>(
        TRY(load_keyring(environment_.fs, dir_, vault_, root_key.view(), epoch->view(), generation_)));
    root_key_ = std::move(root_key);
    method_ = method;
    return {};
}

void Keyholder::lock() {
    const std::lock_guard guard(mutex_);
    keyring_.reset();
    root_key_.wipe();
    method_.clear();
    covers_.clear();
    shards_.clear();
    shards_loaded_ = false;
}

bool Keyholder::is_open() const {
    const std::lock_guard guard(mutex_);
    return keyring_ != nullptr;
}

std::string Keyholder::state() const {
    const std::lock_guard guard(mutex_);
    return keyring_ ? "open (" + method_ + ")" : "closed";
}

std::string Keyholder::method() const {
    const std::lock_guard guard(mutex_);
    return method_;
}

std::uint32_t Keyholder::generation() const {
    const std::lock_guard guard(mutex_);
    return generation_;
}

std::string Keyholder::medium() const {
    const std::lock_guard guard(mutex_);
    return epochs_->medium(generation_);
}

Result<SecretBytes> Keyholder::epoch(std::uint32_t generation) const {
    const std::lock_guard guard(mutex_);
    return epochs_->load(generation);
}

Status Keyholder::ready() const {
    const std::lock_guard guard(mutex_);
    return epochs_->ready(generation_);
}

Result<X25519Public> Keyholder::intake() const {
    const std::lock_guard guard(mutex_);
    if (!keyring_) return vault_closed();
    return keyring_->intake.public_key;
}

Result<bool> Keyholder::has_epoch(EpochStore& epochs, std::uint32_t generation) {
    const auto epoch = epochs.load(generation);
    if (!epoch.ok() && epoch.error().code() != Code::not_found) return epoch.error();
    return epoch.ok();
}

Result<std::uint32_t> Keyholder::newer_than(Fs& fs, const Path& keys_dir, EpochStore& epochs,
                                            std::uint32_t generation) {
    if (TRY(has_epoch(epochs, generation))) return 0U;
    std::uint32_t newest = 0;
    for (const std::string& name : TRY(fs.list(keys_dir))) {
        const auto number = generation_of(name);
        if (number && *number > generation && epochs.load(*number).ok()) newest = std::max(newest, *number);
    }
    return newest;
}

// Code::erased: the box belongs to a generation that is no more, and no page took over what was in it.
Result<SecretBytes> Keyholder::open_box(BoxPurpose purpose, std::uint32_t id) const {
    const Box box = TRY(load_box(environment_.fs, dir_, purpose, id, Hash{}));
    if (box.generation != generation_) return Error(Code::erased, "the keys of this part are destroyed");
    return box_open(keyring_->intake, box.sealed);
}

Result<KeyCover> Keyholder::load_cover(KeyTreeId tree) const {
    KeyCover cover;
    if (const KeyringPage* page = keyring_->find(PageKind::tree, tree.value)) {
        const SecretBytes plain = TRY(load_page(environment_.fs, dir_, vault_, *page));
        cover = TRY(KeyCover::decode(plain.view()));
    } else {
        const SecretBytes seed = TRY(open_box(BoxPurpose::tree, tree.value));
        if (seed.size() != 32) return Error(Code::corrupt, "a key tree's box does not hold a seed");
        cover = KeyCover::whole(seed.view());
    }
    if (const auto doomed = doomed_.find(tree); doomed != doomed_.end()) {
        for (const KeyCover::Leaves& leaves : doomed->second) cover.puncture(leaves.first, leaves.last);
    }
    return cover;
}

Result<KeyCover*> Keyholder::cover(KeyTreeId tree) const {
    if (!keyring_) return vault_closed();
    auto found = covers_.find(tree);
    if (found == covers_.end()) found = covers_.emplace(tree, TRY(load_cover(tree))).first;
    return &found->second;
}

Result<SecretBytes> Keyholder::dek(KeyTreeId tree, LeafNumber leaf) const {
    const std::lock_guard guard(mutex_);
    KeyCover* const opened = TRY(cover(tree));
    if (auto dek = opened->derive(tree, leaf)) return std::move(*dek);
    return Error(Code::erased, "this record's key was destroyed");
}

Result<bool> Keyholder::holds(KeyTreeId tree, LeafNumber leaf) const {
    const std::lock_guard guard(mutex_);
    const auto opened = cover(tree);
    if (!opened.ok() && opened.error().code() == Code::erased) return false;
    return TRY(opened)->covers(leaf);
}

Result<SecretBytes> Keyholder::surviving(KeyTreeId tree) const {
    const std::lock_guard guard(mutex_);
    return TRY(cover(tree))->encode();
}

Result<KeyCover> Keyholder::ahead(const TreeInfo& tree) const {
    const std::lock_guard guard(mutex_);
    if (!keyring_) return vault_closed();
    if (keyring_->find(PageKind::tree, tree.id.value) == nullptr) {
        const SecretBytes seed = TRY(open_box(BoxPurpose::tree, tree.id.value));
        if (!(key_check_value(seed.view(), tree.id) == tree.key_check))
            return Error(Code::corrupt, "a key tree's box holds another seed than its entry says");
    }
    KeyCover ahead = TRY(load_cover(tree.id));
    if (tree.next_leaf > 0) ahead.puncture(LeafNumber(0), LeafNumber(tree.next_leaf - 1));
    return ahead;
}

Status Keyholder::load_shards() const {
    if (shards_loaded_) return {};
    if (const KeyringPage* page = keyring_->find(PageKind::shards, 0)) {
        const SecretBytes plain = TRY(load_page(environment_.fs, dir_, vault_, *page));
        ByteReader in(plain.view());
        while (in.remaining() != 0) {
            const std::uint32_t id = TRY(in.u32());
            shards_[id] = SecretBytes(TRY(in.take(32)));
        }
    }
    shards_loaded_ = true;
    return {};
}

Result<SecretBytes> Keyholder::shard_key(std::uint32_t shard) const {
    const std::lock_guard guard(mutex_);
    if (!keyring_) return vault_closed();
    TRY(load_shards());
    if (const auto found = shards_.find(shard); found != shards_.end()) return found->second.clone();
    auto key = open_box(BoxPurpose::shard, shard);
    if (!key.ok() && key.error().code() == Code::erased) return Error(Code::not_found, "this shard's key is destroyed");
    return key;
}

void Keyholder::puncture(KeyTreeId tree, const std::vector<KeyCover::Leaves>& leaves) {
    const std::lock_guard guard(mutex_);
    auto& doomed = doomed_[tree];
    doomed.insert(doomed.end(), leaves.begin(), leaves.end());
    if (const auto opened = covers_.find(tree); opened != covers_.end()) opened->second.puncture(leaves);
}

// --- a new generation ----------------------------------------------------------------------------------

// A page for each tree that survives: the old one where nothing changed, a new one under a new key otherwise.
Result<std::vector<KeyringPage>> Keyholder::next_tree_pages(const Plan& plan) {
    std::vector<KeyringPage> pages;
    for (const TreeInfo& tree : plan.trees) {
        const KeyringPage* page = keyring_->find(PageKind::tree, tree.id.value);
        const auto punctured = plan.punctured.find(tree.id);
        if (page != nullptr && punctured == plan.punctured.end()) {
            pages.push_back({page->kind, page->id, page->key.clone(), page->hash});
            continue;
        }
        if (page == nullptr) {
            auto seed = open_box(BoxPurpose::tree, tree.id.value);
            if (!seed.ok() && seed.error().code() == Code::erased) continue;  // dropped in a generation before
            if (!seed.ok()) return std::move(seed).error();
            if (!(key_check_value(seed->view(), tree.id) == tree.key_check))
                return Error(Code::corrupt, "a key tree's box holds another seed than its entry says");
        }
        KeyCover* const opened = TRY(cover(tree.id));
        if (punctured != plan.punctured.end()) opened->puncture(punctured->second);
        if (opened->empty()) continue;
        pages.push_back(
            TRY(store_page(environment_, dir_, vault_, PageKind::tree, tree.id.value, opened->encode().view())));
    }
    return pages;
}

Result<std::map<std::uint32_t, SecretBytes>> Keyholder::next_shards(const Plan& plan) {
    TRY(load_shards());
    std::map<std::uint32_t, SecretBytes> keys;
    for (const ShardInfo& shard : plan.shards) {
        if (plan.dropped_shards.count(shard.shard) != 0) continue;
        if (const auto known = shards_.find(shard.shard); known != shards_.end()) {
            keys[shard.shard] = known->second.clone();
            continue;
        }
        auto opened = open_box(BoxPurpose::shard, shard.shard);
        if (!opened.ok() && opened.error().code() == Code::erased) continue;
        keys[shard.shard] = TRY_IN("shard " + std::to_string(shard.shard), std::move(opened));
    }
    return keys;
}

Result<Keyholder::Next> Keyholder::prepare(const Plan& plan) {
    const std::lock_guard guard(mutex_);
    if (!keyring_) return vault_closed();
    Next next;
    next.keyring.generation = generation_ + 1;
    next.keyring.intake = X25519Key::from_seed(SecretBytes::random(environment_.random, 32).view());
    next.keyring.pages = TRY(next_tree_pages(plan));
    next.shard_keys = TRY(next_shards(plan));
    const KeyringPage* old = keyring_->find(PageKind::shards, 0);
    bool same = old != nullptr && next.shard_keys.size() == shards_.size();
    for (const auto& [id, key] : next.shard_keys) same = same && shards_.count(id) != 0;
    if (same) {
        next.keyring.pages.push_back({old->kind, old->id, old->key.clone(), old->hash});
    } else if (!next.shard_keys.empty()) {
        SecretBytes plain(next.shard_keys.size() * 36);
        std::uint8_t* at = plain.writable().data();
        for (const auto& [id, key] : next.shard_keys) {
            store_u32(at, id);
            std::copy(key.view().begin(), key.view().end(), at + 4);
            at += 36;
        }
        next.keyring.pages.push_back(TRY(store_page(environment_, dir_, vault_, PageKind::shards, 0, plain.view())));
    }
    const SecretBytes epoch = SecretBytes::random(environment_.random, 32);
    TRY(plan.move_to ? epochs_->store_in(next.keyring.generation, epoch.view(), *plan.move_to)
                     : epochs_->store(next.keyring.generation, epoch.view()));
    next.medium = epochs_->medium(next.keyring.generation);
    next.keyring_hash = TRY(store_keyring(environment_, dir_, vault_, root_key_.view(), epoch.view(), next.keyring));
    return next;
}

void Keyholder::adopt(Next next) {
    const std::lock_guard guard(mutex_);
    generation_ = next.keyring.generation;
    keyring_ = std::make_unique<Keyring>(std::move(next.keyring));
    shards_ = std::move(next.shard_keys);
    shards_loaded_ = true;
    doomed_.clear();
}

Status Keyholder::destroy_before(std::uint32_t generation) {
    const std::lock_guard guard(mutex_);
    for (const std::string& name : TRY(environment_.fs.list(dir_))) {
        const auto number = generation_of(name);
        if (!number || *number >= generation) continue;
        TRY(epochs_->destroy(*number));
        for (const std::string& file : TRY(environment_.fs.list(dir_ / name)))
            TRY(environment_.fs.remove(dir_ / name / file));
        TRY(environment_.fs.remove_dir(dir_ / name));
    }
    return environment_.fs.sync_dir(dir_);
}

Status Keyholder::remove_noise() {
    const std::lock_guard guard(mutex_);
    if (!keyring_) return vault_closed();
    return remove_old_pages(environment_.fs, dir_, *keyring_);
}

}  // namespace kustos::vault
