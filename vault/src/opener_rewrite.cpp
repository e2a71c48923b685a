// Taking words out of closed index shards, at the opener: a worker with their keys does it, and each new shard's key is
// made here and named in the ledger before anything is written under it.
#include "vault/boxes.h"
#include "vault/src/key_file.h"
#include "vault/src/opener_state.h"

namespace kustos::vault {

using audit::ControlAction;
using audit::Tag;

// Without the state's lock: others go on meanwhile.
Result<Bytes> OpenerCaller::rewrite(const OpenerRequest& request) {
    rewriting_.reset();
    const RewriteOrder order = TRY(decode_rewrite_order(request.order.view()));
    if (!state_.options.finder) return Error(Code::not_in_version, "this opener runs no queries");
    EntrySet erased;
    {
        const std::lock_guard lock(state_.mutex);
        pending_.reset();
        state_.expire();
        TRY(state_.look());
        if (!state_.holder->is_open()) return vault_closed();
        erased = TRY(state_.erased_records());
    }
    {
        const std::lock_guard searching(state_.search_mutex);
        rewriting_ = TRY(state_.options.finder->rewrite(order, erased));
    }
    return rewrite_on(std::nullopt);
}

Result<Bytes> OpenerCaller::rewrite_on(std::optional<Finder::Rewriting::NewShard> made) {
    auto done = rewriting_->go_on(std::move(made), state_.shard_keys());
    if (!done.ok()) {
        rewriting_.reset();
        return std::move(done).error();
    }
    if (!*done) return want_shard();
    rewriting_.reset();
    {
        const std::lock_guard searching(state_.search_mutex);
        state_.options.finder->forget();  // what it knows of the old shards
    }
    RewriteStep step;
    step.done = std::move(**done);
    return encode(step);
}

Result<Bytes> OpenerCaller::want_shard() {
    const std::lock_guard lock(state_.mutex);
    state_.expire();
    TRY(state_.look());
    const X25519Public intake = TRY(state_.holder->intake());
    const auto& shards = state_.view->catalog().shards();
    ShardWanted wanted;
    wanted.shard = shards.empty() ? 1 : shards.rbegin()->first + 1;
    SecretBytes key = SecretBytes::random(state_.environment.random, 32);
    const std::uint32_t generation = state_.holder->generation();
    wanted.box = encode(Box{BoxPurpose::shard, wanted.shard, generation, box_seal(intake, key.view())});
    const Hash box_hash = sha256(wanted.box);
    audit::Body body = dated(ControlAction::shard_opened);
    body.put_u32(Tag::shard, wanted.shard).put_u32(Tag::generation, generation).put_hash(Tag::box_hash, box_hash);
    wanted.body = body.encode();
    made_ = Finder::Rewriting::NewShard{wanted.shard, std::move(key)};
    propose_control(std::move(body), std::nullopt, nullptr, [this, box_hash](EntryIndex) -> Result<Bytes> {
        TRY(load_box(state_.environment.fs, state_.options.archive / "keys", BoxPurpose::shard, made_->shard,
                     box_hash));
        return Bytes();
    });
    RewriteStep step;
    step.wanted = std::move(wanted);
    return encode(step);
}

Result<Bytes> OpenerCaller::shard_stored(EntryIndex entry) {
    {
        const std::lock_guard lock(state_.mutex);
        state_.expire();
        TRY(stored(entry));
    }
    return rewrite_on(std::exchange(made_, std::nullopt));
}

Result<Bytes> OpenerCaller::shards() {
    TRY(state_.look());
    if (!state_.holder->is_open()) return vault_closed();
    Bytes out;
    for (const auto& [shard, info] : state_.view->catalog().shards()) {
        if (state_.holder->shard_key(shard).ok()) put_u32(out, shard);
    }
    return out;
}

}  // namespace kustos::vault
