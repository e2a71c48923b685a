// The forward state: what survived of it, what waits for the indexer, what is forgotten when it is indexed.
#include <algorithm>

#include "base/log.h"
#include "vault/src/archive_impl.h"

namespace kustos::vault {

using audit::EntryHeader;
using audit::Kind;
using audit::Suite;

namespace {

// When the entry was sealed, or somewhat earlier: keys never wait longer for a crash.
std::int64_t sealed_at(const std::vector<ForwardState::Mark>& marks, EntryIndex entry, std::int64_t now) {
    const auto after = std::upper_bound(marks.begin(), marks.end(), entry,
                                        [](EntryIndex e, const ForwardState::Mark& m) { return e < m.entry; });
    return after == marks.begin() ? now : std::min(now, (after - 1)->ms);
}

// The used leaves below `next` that `keep` does not name (ascending) are nobody's any more.
void puncture_but(KeyCover& cover, std::uint32_t next, const std::vector<std::uint32_t>& keep) {
    std::vector<KeyCover::Leaves> gone;
    std::uint32_t from = 0;
    for (const std::uint32_t leaf : keep) {
        if (leaf > from) gone.push_back({LeafNumber(from), LeafNumber(leaf - 1)});
        from = leaf + 1;
    }
    if (next > from) gone.push_back({LeafNumber(from), LeafNumber(next - 1)});
    cover.puncture(gone);
}

}  // namespace

// The ledger decides: a leaf that a committed entry uses is never used again, whatever the memory says; what an erasure
// names, and what somebody else used meanwhile, is punctured.
Status ArchiveImpl::take_over_forward(std::unique_ptr<ForwardMemory> memory) {
    if (!memory) return {};
    std::optional<ForwardState> found = forward->keep_in(std::move(memory), vault);
    if (!found) return {};
    for (auto known = found->trees.begin(); known != found->trees.end();) {
        auto& [id, kept] = *known;
        const auto tree = catalog->trees().find(id);
        const bool here = tree != catalog->trees().end() && id.value >> 24 == continuation;
        const std::uint32_t next = here ? tree->second.next_leaf : kTreeLeaves;
        if (next > kept.next) kept.cover.puncture(LeafNumber(kept.next), LeafNumber(next - 1));
        kept.next = next;
        known = here && !kept.cover.empty() ? std::next(known) : found->trees.erase(known);
    }
    for (const audit::LeafSpan& span : catalog->forgotten().spans()) {
        if (const auto tree = found->trees.find(span.tree); tree != found->trees.end())
            tree->second.cover.puncture(span.first, span.last);
    }
    // Who uses what is used and still covered: it waits for the indexer.
    std::map<KeyTreeId, std::vector<std::uint32_t>> waiting;
    const std::int64_t now = env.clock.monotonic_ms();
    const EntryIndex end(head_value.size.value), from(std::min(found->oldest.value, end.value));
    TRY(reader->for_each(from, end, [&](EntryIndex index, ByteView bytes) -> Status {
        const EntryHeader header = TRY(audit::decode_header(bytes));
        if (header.suite == Suite::none || (header.kind != Kind::record && header.kind != Kind::blob)) return {};
        const auto tree = found->trees.find(header.tree);
        if (tree == found->trees.end() || !tree->second.cover.covers(header.leaf)) return {};
        waiting[header.tree].push_back(header.leaf.value);
        unindexed.push_back({index, header.tree, header.leaf, sealed_at(found->marks, index, now)});
        return {};
    }));
    for (auto& [id, tree] : found->trees) {
        puncture_but(tree.cover, tree.next, waiting[id]);
        if (!tree.cover.empty()) forward->resume_tree(id, std::move(tree.cover), tree.next);
    }
    for (auto& [id, key] : found->shards) {
        if (catalog->shards().count(id) != 0) forward->resume_shard(id, std::move(key));
    }
    forward->resume_waiting(from, std::move(found->marks));
    kustos::log(LogLevel::info, "the forward state survived",
                {{"trees", found->trees.size()}, {"waiting", unindexed.size()}});
    return {};
}

// Under unindexed_mutex.
void ArchiveImpl::forget_waiting(std::size_t count) {
    std::vector<ForwardKeys::Leaf> leaves;
    leaves.reserve(count);
    for (; count > 0; --count, unindexed.pop_front())
        leaves.push_back({unindexed.front().tree, unindexed.front().leaf});
    forward->puncture(leaves, unindexed.empty() ? EntryIndex(committed_size) : unindexed.front().index);
}

Status Archive::indexed_below(EntryIndex index) {
    // A cache that can't be written must stop neither the index nor the forgetting of keys.
    if (const Status kept = impl_->derived->flush(); !kept.ok())
        kustos::log(LogLevel::warning, "extracted text was not kept for snippets", {{"code", kept.error().code()}});
    const std::lock_guard guard(impl_->unindexed_mutex);
    const auto& waiting = impl_->unindexed;
    const auto end = std::find_if(waiting.begin(), waiting.end(), [&](const auto& u) { return u.index >= index; });
    impl_->forget_waiting(static_cast<std::size_t>(end - waiting.begin()));
    return {};
}

std::size_t Archive::forget_older_than(std::int64_t ms, std::size_t most) {
    const std::lock_guard guard(impl_->unindexed_mutex);
    const std::int64_t now = impl_->env.clock.monotonic_ms();
    const auto& waiting = impl_->unindexed;
    std::size_t count = waiting.size() > most ? waiting.size() - most : 0;
    while (count < waiting.size() && now - waiting[count].sealed_ms > ms) ++count;
    if (count != 0) impl_->forget_waiting(count);
    return count;
}

std::size_t Archive::waiting() const {
    const std::lock_guard guard(impl_->unindexed_mutex);
    return impl_->unindexed.size();
}

void Archive::keep_forward_state(std::unique_ptr<ForwardMemory> memory) {
    static_cast<void>(impl_->forward->keep_in(std::move(memory), impl_->vault));
    impl_->forward->save();
}

std::string Archive::forward_memory() const {
    const ForwardMemory* const memory = impl_->forward->memory();
    return memory == nullptr ? "" : memory->is_secret() ? "memfd_secret" : "memfd";
}

}  // namespace kustos::vault
