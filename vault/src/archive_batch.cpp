// The committer: one thread that numbers, seals and appends what came, in batches.
#include <algorithm>

#include "audit/committer.h"
#include "base/log.h"
#include "base/stack.h"
#include "vault/blob_stream.h"
#include "vault/retention.h"
#include "vault/seal.h"
#include "vault/src/archive_impl.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::EntryHeader;
using audit::Kind;
using audit::Suite;
using audit::Tag;

namespace {

constexpr std::size_t kBatchEntries = 512;
constexpr std::uint64_t kBatchBytes = 1u << 20;
// Tiles go to the disk and the staging log is emptied, in the background: after so long without a batch, and under a
// steady stream every so often.
constexpr auto kSettleAfter = std::chrono::milliseconds(250), kSettleEvery = std::chrono::milliseconds(1'000);
// A disk that is nearly full takes no more records; what remains is for control, access and erasure entries, which must
// go on to be stored. Below the second figure nothing is taken.
constexpr std::uint64_t kReserve = 256u << 20, kLastReserve = 32u << 20;

Error disk_full() {
    return Error(Code::environment, "the disk is nearly full: nothing was taken")
        .with_hint("make room; it goes on by itself. 256 MiB are kept for entries about access, control and erasure");
}

Error ended(const Error& why) {
    return Error(Code::read_only, "the writer has ended and nothing more is acknowledged: " + why.message())
        .with_hint("check disk and space, then start again; recovery runs by itself");
}

}  // namespace

std::uint64_t size_of(const Draft& draft) {
    return draft.body.size() + (draft.content ? draft.content->approximate_size() : 0);
}

// Numbers in order, by this thread; then keys apart from each other, so that every core can seal; then in order again.
// A piece at a time: what is sealed and not written yet stays small.
Status ArchiveImpl::add_drafts(Batch& batch, std::span<Draft> drafts, std::span<Receipt> receipts) {
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        batch.numbered_bytes += size_of(drafts[i]);
        TRY(number(batch, drafts[i], receipts[i]));
        if (batch.numbered_bytes >= kBatchBytes) TRY(seal_and_append(batch));
    }
    return {};
}

// What is too large to be held goes from its spool into a file of its own.
Status ArchiveImpl::seal_spooled(Numbered& n, EntryIndex index) {
    auto sealer = TRY(BlobSealer::plan(vault, n.dek.view(), n.entry.header, n.blob->spool, n.b));
    if (sealer.ciphertext_length() < audit::kOwnFileFrom) {  // compressed, it is small
        n.entry.header = TRY(sealer.seal([&n](ByteView piece) {
            put(n.ciphertext, piece);
            return ok_status();
        }));
        return {};
    }
    auto file = TRY(log->begin_blob(index, sealer.ciphertext_length()));
    n.entry.header = TRY(sealer.seal([&file](ByteView piece) { return file.write(piece); }));
    n.in_file = true;
    return file.finish();
}

Status ArchiveImpl::seal_and_append(Batch& batch) {
    for (std::size_t i = 0; i < batch.numbered.size(); ++i) {
        Numbered& n = batch.numbered[i];
        if (n.blob != nullptr && n.blob->spool) TRY(seal_spooled(n, EntryIndex(log->next().value + i)));
    }
    workers.for_each(batch.numbered.size(), [&](std::size_t i) {
        Numbered& n = batch.numbered[i];
        EntryHeader& header = n.entry.header;
        const bool spooled = n.blob != nullptr && n.blob->spool;
        if (n.dek.size() != 0 && !spooled) {
            auto sealed = n.blob != nullptr
                              ? seal_blob(vault, n.dek.view(), header, *n.blob, n.b)
                              : seal_payload(vault, n.dek.view(), header, n.entry.body, n.draft->content->payload);
            if (sealed.ok()) {
                header = sealed->header;
                n.ciphertext = std::move(sealed->ciphertext);
            } else {
                n.sealed = sealed.error();
            }
        }
        if (n.receipt != nullptr) n.receipt->leaf = audit::leaf_hash(audit::encode(n.entry));
    });
    for (Numbered& n : batch.numbered) {
        TRY(n.sealed);
        TRY(n.in_file ? log->add_with_file(n.entry) : log->add(n.entry, n.ciphertext));
        batch.entries.push_back(std::move(n.entry));
    }
    batch.numbered.clear();
    batch.numbered_bytes = 0;
    return {};
}

Result<std::pair<KeyTreeId, LeafNumber>> ArchiveImpl::take_leaf(Batch& batch, ClassCode retention_class) {
    std::uint16_t year = 0;
    {
        const std::lock_guard guard(catalog_mutex);
        year = expiry_year(catalog->retention()->classes(), retention_class, env.clock.now());
    }
    const auto key = std::make_pair(retention_class, year);
    auto found = open_trees.find(key);
    if (found == open_trees.end() || next_leaf[found->second] >= audit::kLeavesPerKeyTree) {
        const KeyTreeId tree(newest_tree + 1);
        const ForwardKeys::NewTree made = TRY(forward->new_tree(tree));
        newest_tree = tree.value;
        std::uint32_t generation = 1;
        {
            const std::lock_guard guard(catalog_mutex);
            if (!catalog->generations().empty()) generation = catalog->generations().back().generation;
        }
        Body body(ControlAction::tree_opened);
        body.put_time(Tag::time, env.clock.now())
            .put_u16(Tag::retention_class, retention_class.value)
            .put_u32(Tag::tree, tree.value)
            .put_u16(Tag::year, year)
            .put_u32(Tag::generation, generation)
            .put_hash(Tag::box_hash, made.box_hash)
            .put_hash(Tag::key_check, made.key_check);
        EntryHeader header;
        header.kind = Kind::control;
        header.retention_class = kControlClass;
        header.sequence = batch.sequence[SourceId(0)]++;
        header.record = env.random.make<RecordId>();
        Numbered opened;
        opened.entry = {header, body.encode()};
        batch.numbered.push_back(std::move(opened));
        batch.next.value += 1;
        next_leaf[tree] = 0;
        found = open_trees.insert_or_assign(key, tree).first;
    }
    return std::make_pair(found->second, LeafNumber(next_leaf[found->second]++));
}

Status ArchiveImpl::number(Batch& batch, Draft& draft, Receipt& receipt) {
    if (draft.duplicate) {
        const auto key = std::make_pair(draft.source, *draft.duplicate);
        std::optional<EntryIndex> earlier;
        if (const auto seen = batch.seen.find(key); seen != batch.seen.end()) {
            earlier = seen->second;
        } else {
            earlier = TRY(duplicates->find(draft.source, *draft.duplicate));
        }
        if (earlier) {
            receipt.duplicate = true;
            receipt.index = *earlier;
            return {};
        }
    }
    if (draft.content) {
        for (BlobDraft& blob : draft.content->blobs) {
            const auto [tree, leaf] = TRY(take_leaf(batch, draft.retention_class));
            EntryHeader header;
            header.kind = Kind::blob;
            header.suite = suite;
            header.retention_class = draft.retention_class;
            header.source = draft.source;
            header.sequence = batch.sequence[draft.source]++;
            header.record = env.random.make<RecordId>();
            header.tree = tree;
            header.leaf = leaf;
            Numbered n;
            n.dek = TRY(forward->dek(tree, leaf));
            env.random.fill(n.b);
            draft.content->set_blob(blob, batch.next, header.record, n.b);
            batch.leaves.push_back({batch.next, tree, leaf, env.clock.monotonic_ms()});
            n.entry.header = header;
            n.draft = &draft;
            n.blob = &blob;
            batch.numbered.push_back(std::move(n));
            batch.next.value += 1;
        }
    }
    EntryHeader header;
    header.kind = draft.kind;
    header.retention_class = draft.retention_class;
    header.source = draft.source;
    header.record = env.random.make<RecordId>();
    Bytes body = std::move(draft.body);
    if (draft.kind != Kind::record) {
        Body tlv = TRY(Body::decode(body));
        if (!tlv.has(Tag::time)) tlv.put_time(Tag::time, env.clock.now());
        if (tlv.encoded_size() > audit::kMaxBody) return Error(Code::limit, "an entry's public body is too long");
        body = tlv.encode();
    }
    Numbered n;
    if (draft.content) {
        const auto [tree, leaf] = TRY(take_leaf(batch, draft.retention_class));
        header.sequence = batch.sequence[draft.source]++;
        header.suite = suite;
        header.tree = tree;
        header.leaf = leaf;
        n.dek = TRY(forward->dek(tree, leaf));
        if (draft.kind == Kind::record) {
            batch.leaves.push_back({batch.next, tree, leaf, env.clock.monotonic_ms()});
        } else {
            batch.done_leaves.push_back({tree, leaf});
        }
    } else {
        header.sequence = batch.sequence[draft.source]++;
    }
    const EntryIndex index = batch.next;
    receipt.index = index;
    receipt.record = header.record;
    n.entry = {header, std::move(body)};
    n.draft = &draft;
    n.receipt = &receipt;
    batch.numbered.push_back(std::move(n));
    batch.next.value += 1;
    if (draft.duplicate) {
        log->add_row({draft.source, *draft.duplicate, index});
        batch.seen[{draft.source, *draft.duplicate}] = index;
    }
    return {};
}

// The protocol of docs/format/staging.md. Any error after the first byte was written ends the writer.
Result<std::vector<std::vector<Receipt>>> ArchiveImpl::commit(std::vector<Request>& requests) {
    Batch batch;
    batch.next = log->next();
    {
        const std::lock_guard guard(catalog_mutex);
        batch.sequence[SourceId(0)] = catalog->next_sequence(SourceId(0));
        for (const auto& [id, source] : catalog->sources()) batch.sequence[id] = source.next_sequence;
    }
    std::vector<std::vector<Receipt>> receipts;
    for (Request& request : requests) {
        std::vector<Receipt>& list = receipts.emplace_back(request.drafts.size());
        TRY(add_drafts(batch, request.drafts, list));
    }
    TRY(seal_and_append(batch));
    if (batch.entries.empty()) return receipts;  // duplicates only

    const EntryIndex first(log->head().size.value);
    forward->note_batch(next_leaf, first, env.clock.monotonic_ms());
    const std::string note = TRY(log->commit());
    {
        const std::lock_guard guard(unindexed_mutex);
        unindexed.insert(unindexed.end(), batch.leaves.begin(), batch.leaves.end());
        committed_size = log->head().size.value;
    }
    if (!batch.done_leaves.empty()) forward->puncture(batch.done_leaves, EntryIndex(0));
    const std::lock_guard guard(catalog_mutex);
    EntryIndex index = first;
    bool control = false;
    for (const audit::Entry& entry : batch.entries) {
        TRY(catalog->apply(index, entry));
        index.value += 1;
        control = control || entry.header.kind == Kind::control || entry.header.kind == Kind::erasure;
    }
    head_value = log->head();
    head_note = note;
    if (control) TRY(catalog->flush());
    return receipts;
}

Status ArchiveImpl::in_turn(std::function<Status()> task) {
    Request request;
    request.task = std::move(task);
    auto answer = request.promise.get_future();
    {
        const std::lock_guard guard(queue_mutex);
        if (stopping) return Error(Code::overloaded, "the archive is closing").with_hint("try again later");
        queue.push_back(std::move(request));
    }
    queue_filled.notify_one();
    TRY(answer.get());
    return {};
}

Result<std::vector<Receipt>> ArchiveImpl::commit_now(std::vector<Draft> drafts) {
    std::vector<Request> requests(1);
    requests.front().drafts = std::move(drafts);
    return std::move(TRY(commit(requests)).front());
}

void ArchiveImpl::run() {
    auto settle_at = std::chrono::steady_clock::now() + kSettleEvery;
    while (true) {
        const StackWiper wiper;
        std::vector<Request> requests;
        {
            std::unique_lock guard(queue_mutex);
            const auto wanted = [this] { return stopping || !queue.empty(); };
            const bool idle = !queue_filled.wait_for(guard, kSettleAfter, wanted);
            if (idle || std::chrono::steady_clock::now() >= settle_at) {
                guard.unlock();
                if (!failed && !log->settled()) {
                    if (const Status begun = log->begin_settling(); !begun.ok()) end(begun.error());
                }
                const bool more = !failed && !log->settled();
                settle_at = std::chrono::steady_clock::now() + kSettleEvery;
                guard.lock();
                if (idle && more) continue;  // until what is on its way is done
                queue_filled.wait(guard, wanted);
            }
            if (queue.empty()) return;
            // Whatever came while the last batch was under way is the next one: nobody waits for company that may not
            // come, and many writers still share a sync.
            std::size_t drafts = 0;
            std::uint64_t bytes = 0;
            while (!queue.empty() && drafts < kBatchEntries && bytes < kBatchBytes) {
                drafts += queue.front().drafts.size();
                bytes += queue.front().bytes;
                queued_drafts -= queue.front().drafts.size();
                requests.push_back(std::move(queue.front()));
                queue.pop_front();
            }
        }
        if (failed) {
            for (Request& r : requests)
                r.promise.set_value(Error(Code::read_only, "the writer has ended").with_hint("start again"));
            continue;
        }
        // Tasks run alone, in their turn.
        for (Request& r : requests) {
            if (!r.task) continue;
            const Status done = r.task();
            if (!done.ok()) end(done.error());
            r.promise.set_value(done.ok() ? Result<std::vector<Receipt>>(std::vector<Receipt>{})
                                          : Result<std::vector<Receipt>>(done.error()));
        }
        std::erase_if(requests, [](const Request& r) { return static_cast<bool>(r.task); });
        if (requests.empty()) continue;
        if (failed) {
            for (Request& r : requests)
                r.promise.set_value(Error(Code::read_only, "the writer has ended").with_hint("start again"));
            continue;
        }
        const std::uint64_t space = env.fs.free_bytes(dir);
        std::erase_if(requests, [&](Request& r) {
            const bool records =
                std::any_of(r.drafts.begin(), r.drafts.end(), [](const Draft& d) { return d.kind == Kind::record; });
            if (r.settle || space >= kReserve + r.bytes || (!records && space >= kLastReserve)) return false;
            r.promise.set_value(disk_full());
            return true;
        });
        if (requests.empty()) continue;
        auto result = commit(requests);
        const bool settle = std::any_of(requests.begin(), requests.end(), [](const Request& r) { return r.settle; });
        if (result.ok() && settle) {
            Status done = log->settle();
            if (done.ok()) done = log->sign_again();  // after a rotation the checkpoint has another signature
            if (!done.ok()) result = done.error();
            const std::lock_guard guard(catalog_mutex);
            head_note = log->note();
        }
        if (result.ok()) {
            for (std::size_t i = 0; i < requests.size(); ++i) requests[i].promise.set_value(std::move((*result)[i]));
            continue;
        }
        end(result.error());
        for (Request& r : requests) r.promise.set_value(ended(result.error()));
    }
}

}  // namespace kustos::vault
