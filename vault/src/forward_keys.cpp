#include "vault/src/forward_keys.h"

#include "vault/duplicates.h"
#include "vault/src/key_file.h"

namespace kustos::vault {

Status ForwardKeys::create(Environment e, const Path& dir) {
    return replace_file(e.fs, dir / "duplicates.key", SecretBytes::random(e.random, 32).view());
}

Result<std::unique_ptr<ForwardKeys>> ForwardKeys::open(Environment e, const Path& dir) {
    auto keys = std::unique_ptr<ForwardKeys>(new ForwardKeys(e, dir));
    keys->duplicates_key_ = TRY_IN("keys/duplicates.key", read_key(e.fs, dir / "duplicates.key"));
    const Bytes intake = TRY_IN("keys/intake.pub", read_file(e.fs, dir / "intake.pub", 64));
    keys->intake_ = TRY(X25519Public::from(intake));
    return keys;
}

void ForwardKeys::set_generation(std::uint32_t generation, const X25519Public& intake) {
    const std::lock_guard lock(mutex_);
    generation_ = generation;
    intake_ = intake;
}

std::uint32_t ForwardKeys::generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
}

Result<ForwardKeys::NewTree> ForwardKeys::new_tree(KeyTreeId tree) {
    const SecretBytes seed = SecretBytes::random(environment_.random, 32);
    const std::lock_guard lock(mutex_);
    NewTree made;
    made.box_hash = TRY(
        store_box(environment_.fs, dir_, {BoxPurpose::tree, tree.value, generation_, box_seal(intake_, seed.view())}));
    made.key_check = key_check_value(seed.view(), tree);
    trees_[tree] = KeyCover::whole(seed.view());
    return made;
}

void ForwardKeys::resume_tree(KeyTreeId tree, KeyCover ahead) {
    const std::lock_guard lock(mutex_);
    trees_[tree] = std::move(ahead);
}

void ForwardKeys::forget_tree(KeyTreeId tree) {
    const std::lock_guard lock(mutex_);
    trees_.erase(tree);
}

bool ForwardKeys::has_tree(KeyTreeId tree) const {
    const std::lock_guard lock(mutex_);
    return trees_.count(tree) != 0;
}

Result<SecretBytes> ForwardKeys::dek(KeyTreeId tree, LeafNumber leaf) const {
    const std::lock_guard lock(mutex_);
    const auto found = trees_.find(tree);
    if (found != trees_.end()) {
        if (auto dek = found->second.derive(tree, leaf)) return std::move(*dek);
    }
    return vault_closed();
}

void ForwardKeys::puncture(KeyTreeId tree, LeafNumber first, LeafNumber last) {
    const std::lock_guard lock(mutex_);
    const auto found = trees_.find(tree);
    if (found != trees_.end()) found->second.puncture(first, last);
}

Result<ForwardKeys::NewShard> ForwardKeys::new_shard(std::uint32_t shard) {
    NewShard made;
    made.term_key = SecretBytes::random(environment_.random, 32);
    const std::lock_guard lock(mutex_);
    made.box_hash = TRY(store_box(environment_.fs, dir_,
                                  {BoxPurpose::shard, shard, generation_, box_seal(intake_, made.term_key.view())}));
    shards_[shard] = made.term_key.clone();
    return made;
}

std::optional<SecretBytes> ForwardKeys::shard_key(std::uint32_t shard) const {
    const std::lock_guard lock(mutex_);
    const auto found = shards_.find(shard);
    if (found == shards_.end()) return std::nullopt;
    return found->second.clone();
}

void ForwardKeys::forget_shard(std::uint32_t shard) {
    const std::lock_guard lock(mutex_);
    shards_.erase(shard);
}

Hash ForwardKeys::duplicate_mac(SourceId source, ByteView native_identity) const {
    return vault::duplicate_mac(duplicates_key_.view(), source, native_identity);
}

}  // namespace kustos::vault
