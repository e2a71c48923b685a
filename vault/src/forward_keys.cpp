#include "vault/src/forward_keys.h"

#include "base/log.h"
#include "vault/duplicates.h"
#include "vault/src/key_file.h"

namespace kustos::vault {

namespace {
constexpr std::int64_t kMarkEvery = 10'000;  // ms: so exactly an entry's age is known after a crash
constexpr std::size_t kMostMarks = 1'000;
}  // namespace

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
    state_.trees[tree] = {KeyCover::whole(seed.view()), 0};
    save_locked();
    return made;
}

void ForwardKeys::resume_tree(KeyTreeId tree, KeyCover cover, std::uint32_t next) {
    const std::lock_guard lock(mutex_);
    state_.trees[tree] = {std::move(cover), next};
}

void ForwardKeys::forget_tree(KeyTreeId tree) {
    const std::lock_guard lock(mutex_);
    if (state_.trees.erase(tree) != 0) save_locked();
}

bool ForwardKeys::has_tree(KeyTreeId tree) const {
    const std::lock_guard lock(mutex_);
    return state_.trees.count(tree) != 0;
}

Result<SecretBytes> ForwardKeys::dek(KeyTreeId tree, LeafNumber leaf) const {
    const std::lock_guard lock(mutex_);
    const auto found = state_.trees.find(tree);
    if (found != state_.trees.end()) {
        if (auto dek = found->second.cover.derive(tree, leaf)) return std::move(*dek);
    }
    return vault_closed();
}

void ForwardKeys::puncture(KeyTreeId tree, LeafNumber first, LeafNumber last) {
    const std::lock_guard lock(mutex_);
    const auto found = state_.trees.find(tree);
    if (found == state_.trees.end()) return;
    if (first == last && !found->second.cover.covers(first)) return;  // most of what is erased was indexed long ago
    found->second.cover.puncture(first, last);
    save_locked();
}

void ForwardKeys::puncture(std::span<const Leaf> leaves, EntryIndex oldest) {
    const std::lock_guard lock(mutex_);
    for (const Leaf& l : leaves) {
        const auto found = state_.trees.find(l.tree);
        if (found == state_.trees.end()) continue;
        found->second.cover.puncture(l.leaf);
        if (found->second.cover.empty()) state_.trees.erase(found);
    }
    state_.oldest = std::max(state_.oldest, oldest);
    auto& marks = state_.marks;
    while (marks.size() > 1 && marks[1].entry <= state_.oldest) marks.erase(marks.begin());
    save_locked();
}

void ForwardKeys::note_batch(const std::map<KeyTreeId, std::uint32_t>& next, EntryIndex first, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, tree] : state_.trees) {
        if (const auto found = next.find(id); found != next.end()) tree.next = found->second;
    }
    auto& marks = state_.marks;
    if (!marks.empty() && state_.oldest >= first) marks.clear();  // nothing before this batch waits
    if (marks.empty() || now_ms - marks.back().ms >= kMarkEvery) marks.push_back({first, now_ms});
    if (marks.size() > kMostMarks) marks.erase(marks.begin() + 1);
    save_locked();
}

Result<ForwardKeys::NewShard> ForwardKeys::new_shard(std::uint32_t shard) {
    NewShard made;
    made.term_key = SecretBytes::random(environment_.random, 32);
    const std::lock_guard lock(mutex_);
    made.box_hash = TRY(store_box(environment_.fs, dir_,
                                  {BoxPurpose::shard, shard, generation_, box_seal(intake_, made.term_key.view())}));
    state_.shards[shard] = made.term_key.clone();
    save_locked();
    return made;
}

std::optional<SecretBytes> ForwardKeys::shard_key(std::uint32_t shard) const {
    const std::lock_guard lock(mutex_);
    const auto found = state_.shards.find(shard);
    if (found == state_.shards.end()) return std::nullopt;
    return found->second.clone();
}

void ForwardKeys::forget_shard(std::uint32_t shard) {
    const std::lock_guard lock(mutex_);
    if (state_.shards.erase(shard) != 0) save_locked();
}

void ForwardKeys::resume_shard(std::uint32_t shard, SecretBytes term_key) {
    const std::lock_guard lock(mutex_);
    state_.shards[shard] = std::move(term_key);
}

std::optional<ForwardState> ForwardKeys::keep_in(std::unique_ptr<ForwardMemory> memory, const VaultId& vault) {
    const std::lock_guard lock(mutex_);
    memory_ = std::move(memory);
    saving_ = false;
    vault_ = vault;
    mac_key_ = hkdf_expand(duplicates_key_.view(), as_bytes(std::string_view("kustos1/forward-state")), 32);
    auto found = memory_->read(vault_, mac_key_.view());
    if (!found.ok()) return std::nullopt;
    return std::move(*found);
}

void ForwardKeys::resume_waiting(EntryIndex oldest, std::vector<ForwardState::Mark> marks) {
    const std::lock_guard lock(mutex_);
    state_.oldest = oldest;
    state_.marks = std::move(marks);
}

void ForwardKeys::save() {
    const std::lock_guard lock(mutex_);
    saving_ = true;
    save_locked();
}

void ForwardKeys::save_locked() {
    if (!memory_ || !saving_) return;
    const bool fits = memory_->write(state_, vault_, mac_key_.view());
    if (!fits && !too_large_)
        log(LogLevel::warning, "the forward state is too large to survive a crash", {{"trees", state_.trees.size()}});
    too_large_ = !fits;
}

const ForwardMemory* ForwardKeys::memory() const {
    const std::lock_guard lock(mutex_);
    return memory_.get();
}

Hash ForwardKeys::duplicate_mac(SourceId source, ByteView native_identity) const {
    return vault::duplicate_mac(duplicates_key_.view(), source, native_identity);
}

}  // namespace kustos::vault
