// What an archive has to do with its escrow (vault/escrow.h), and a restored ledger with keys that are newer than it.
#include <algorithm>

#include "base/log.h"
#include "vault/retention.h"
#include "vault/src/archive_impl.h"
#include "vault/src/key_file.h"
#include "vault/src/keyholder.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::EntryHeader;
using audit::ErasureAction;
using audit::Kind;
using audit::Suite;
using audit::Tag;

// Of what an archive does with keys of its own alone.
Result<Keyholder*> ArchiveImpl::own_keys() const {
    if (Keyholder* const keys = holder->local()) return keys;
    return Error(Code::not_in_version, "not with an opener apart")
        .with_hint("docs/operations.md, \"The opener apart\"");
}

void ArchiveImpl::take_escrow(const EscrowMaker& maker) {
    escrow = holder->apart() ? holder->escrow_apart() : maker(env, dir / "keys", vault);
    before_generation = [this](std::uint32_t generation) -> Status {
        const bool first = escrowed() == 0;
        const SecretBytes epoch = TRY(own_epoch(generation));
        const std::lock_guard guard(escrow_mutex);
        TRY_IN("escrow", escrow->store(generation, epoch.view(), env.clock.now(), first));
        return {};
    };
}

// An opener apart takes it itself.
Result<SecretBytes> ArchiveImpl::own_epoch(std::uint32_t generation) const {
    if (holder->apart()) return SecretBytes();
    return TRY(own_keys())->epoch(generation);
}

std::uint32_t ArchiveImpl::escrowed() const {
    const std::lock_guard guard(catalog_mutex);
    return catalog->escrowed();
}

Status ArchiveImpl::escrow_ready() const {
    const bool first = escrowed() == 0;
    const std::lock_guard guard(escrow_mutex);
    Status there = escrow->reachable(first);
    if (there.ok()) return there;
    return Error(there.error().code(), there.error().message())
        .with_hint("connect the medium; or say --without-escrow: a lost disk then loses all content until it is back");
}

Draft ArchiveImpl::escrow_entry(std::uint32_t generation, const Hash& keyring) const {
    Draft draft;
    draft.kind = Kind::control;
    draft.retention_class = kControlClass;
    draft.body = Body(ControlAction::escrow_stored)
                     .put_u32(Tag::generation, generation)
                     .put_hash(Tag::keyring_hash, keyring)
                     .put_text(Tag::method, "folder")
                     .encode();
    return draft;
}

// --- a restored ledger -----------------------------------------------------------------------------------------

// Leaves of this ledger that the keys of today have forgotten, and that it does not know to be erased.
Result<ForgetOrder> ArchiveImpl::erased_elsewhere() const {
    ForgetOrder order;
    std::vector<TreeInfo> trees;
    {
        const std::lock_guard guard(catalog_mutex);
        for (const auto& [id, tree] : catalog->trees()) trees.push_back(tree);
    }
    for (const TreeInfo& tree : trees) {
        std::vector<bool> gone(tree.next_leaf);
        std::uint32_t count = 0;
        for (std::uint32_t leaf = 0; leaf < tree.next_leaf; ++leaf) {
            {
                const std::lock_guard guard(catalog_mutex);
                if (catalog->forgotten().contains(tree.id, LeafNumber(leaf))) continue;
            }
            gone[leaf] = !TRY(TRY(own_keys())->holds(tree.id, LeafNumber(leaf)));
            count += gone[leaf] ? 1 : 0;
        }
        if (count == 0) continue;
        if (count == tree.next_leaf) {
            order.trees.push_back(tree.id);
            continue;
        }
        TRY(reader->for_each(tree.first_entry, EntryIndex(tree.last_entry.value + 1),
                             [&](EntryIndex index, ByteView bytes) -> Status {
                                 const EntryHeader h = TRY(audit::decode_header(bytes));
                                 const bool content = h.kind == Kind::record || h.kind == Kind::blob;
                                 if (h.suite != Suite::none && h.tree == tree.id && content && gone[h.leaf.value])
                                     order.entries.push_back(index);
                                 return {};
                             }));
    }
    return order;
}

Status ArchiveImpl::adopt_restored() {
    const std::unique_lock no_boxes(generation_mutex);
    const Bytes root =
        TRY(read_file(env.fs, generation_dir(dir / "keys", adopted->key_generation) / "root", std::uint64_t{64} << 20));
    const X25519Public intake = TRY(TRY(own_keys())->intake());
    TRY(in_turn([&]() -> Status {
        std::vector<Draft> drafts(1);
        drafts.front().kind = Kind::control;
        drafts.front().retention_class = kControlClass;
        drafts.front().body = Body(ControlAction::generation_opened)
                                  .put_u32(Tag::generation, adopted->key_generation)
                                  .put_bytes(Tag::intake_key, intake.view())
                                  .put_hash(Tag::keyring_hash, sha256(root))
                                  .encode();
        // It lies in the escrow: that is where it came from.
        drafts.push_back(escrow_entry(adopted->key_generation, sha256(root)));
        TRY(commit_now(std::move(drafts)));
        return {};
    }));
    ForgetOrder order = TRY(erased_elsewhere());
    if (order.entries.empty() && order.trees.empty()) return {};
    order.reason = compose_reason({"restored from a backup: these keys had been destroyed before", "kustos", {}, ""});
    TRY(forget_again(std::move(order), adopted->erased_again));
    kustos::log(LogLevel::warning, "erased again what was erased after the backup", {{"count", adopted->erased_again}});
    return {};
}

// --- Archive ---------------------------------------------------------------------------------------------------

std::optional<Archive::Adopted> Archive::adopted() const {
    return impl_->adopted;
}

EscrowState Archive::escrow_state() const {
    EscrowState state;
    state.present = impl_->holder->generation();
    state.newest = impl_->escrowed();
    state.configured = impl_->has_escrow();
    if (!state.configured) return state;
    const std::lock_guard guard(impl_->escrow_mutex);
    const auto list = impl_->escrow->generations();
    if (!list.ok()) {
        state.problem = list.error().message();
    } else if (list->empty()) {
        state.newest = 0;  // another medium than the ledger knows, or a damaged one
    } else {
        state.oldest = list->front().generation;
        state.stored = list->back().stored;
        state.newest = list->back().generation;
    }
    return state;
}

Status Archive::keep_escrow() {
    if (!impl_->has_escrow() || impl_->failed) return {};
    const std::shared_lock generation_stays(impl_->generation_mutex);
    const std::uint32_t known = impl_->escrowed();
    GenerationInfo present;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        if (impl_->catalog->generations().empty()) return {};
        present = impl_->catalog->generations().back();
    }
    {
        const std::lock_guard guard(impl_->escrow_mutex);
        TRY(impl_->escrow->reachable(known == 0));
        const auto list = TRY(impl_->escrow->generations());
        const bool whole = std::any_of(list.begin(), list.end(), [&](const EscrowedGeneration& g) {
            return g.generation == present.generation && g.root == present.keyring_hash;
        });
        if (whole) {
            TRY(impl_->escrow->refresh());
        } else {
            const SecretBytes epoch = TRY_IN("escrow", impl_->own_epoch(present.generation));
            TRY(impl_->escrow->store(present.generation, epoch.view(), impl_->env.clock.now(), known == 0));
        }
    }
    if (known >= present.generation) return {};
    std::vector<Draft> drafts;
    drafts.push_back(impl_->escrow_entry(present.generation, present.keyring_hash));
    TRY(seal(std::move(drafts)));
    return {};
}

Result<bool> Archive::finalise(std::int64_t keep_ms) {
    std::uint32_t oldest = impl_->holder->generation();
    if (impl_->has_escrow()) {
        const std::lock_guard guard(impl_->escrow_mutex);
        if (!impl_->escrow->reachable(false).ok()) return false;
        TRY(impl_->escrow->remove_superseded(UtcTime{impl_->env.clock.now().ms - keep_ms}));
        const auto left = TRY(impl_->escrow->generations());
        if (left.empty()) return false;  // nobody can tell what is on the medium that was there before
        oldest = std::min(oldest, left.front().generation);
    } else if (impl_->escrowed() != 0) {
        return false;  // there is a medium somewhere that nobody looks at
    }
    TreeSize size;
    {
        const std::lock_guard guard(impl_->catalog_mutex);
        const auto& runs = impl_->catalog->erasures().runs();
        size = impl_->head_value.size;
        const bool any = std::any_of(runs.begin(), runs.end(), [&](const audit::ErasureRun& run) {
            return run.done && run.done->value < size.value && !run.final_entry && run.generation <= oldest;
        });
        if (!any) return false;
    }
    std::vector<Draft> drafts(1);
    drafts.front().kind = Kind::erasure;
    drafts.front().retention_class = kErasureClass;
    drafts.front().body = Body(ErasureAction::final_)
                              .put_u64(Tag::checkpoint_size, size.value)
                              .put_u32(Tag::generation, oldest)
                              .put_text(Tag::method, impl_->has_escrow() ? "escrow" : "no-escrow")
                              .encode();
    TRY(seal(std::move(drafts)));
    return true;
}

Status Archive::export_covers(const std::function<Status(KeyTreeId, ByteView)>& take) const {
    for (const TreeInfo& tree : trees()) {
        auto cover = impl_->holder->surviving(tree.id);
        if (!cover.ok() && cover.error().code() == Code::erased) continue;
        const SecretBytes survives = TRY(std::move(cover));
        TRY(take(tree.id, survives.view()));
    }
    return {};
}

std::vector<TreeInfo> Archive::trees() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    std::vector<TreeInfo> out;
    for (const auto& [id, tree] : impl_->catalog->trees()) out.push_back(tree);
    return out;
}

std::vector<ShardInfo> Archive::shard_infos() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    std::vector<ShardInfo> out;
    for (const auto& [id, shard] : impl_->catalog->shards()) out.push_back(shard);
    return out;
}

std::uint32_t Archive::ledger_generation() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->generations().empty() ? 1 : impl_->catalog->generations().back().generation;
}

Status Archive::copy_duplicates(const Path& file, const std::function<bool()>& stop) const {
    // The committer's connection is its thread's alone: what is made of it is used and given up there.
    std::optional<DatabaseCopy> copy;
    bool more = true;
    while (more) {
        const bool enough = stop && stop();
        Status stepped;
        const auto turn = [&]() -> Status {
            const auto step = [&]() -> Status {
                if (!copy) copy.emplace(TRY(impl_->duplicates->begin_copy(file)));
                more = TRY(copy->step(512));
                return {};
            };
            if (!enough) stepped = step();
            if (enough || !stepped.ok()) copy.reset();
            return {};  // a full backup disk does not end the writer
        };
        // Of an archive whose writer has ended nobody uses it any more: a backup is wanted all the more.
        TRY(impl_->failed ? turn() : impl_->in_turn(turn));
        TRY(std::move(stepped));
        if (enough) return Error(Code::interrupted, "interrupted");
    }
    return {};
}

}  // namespace kustos::vault
