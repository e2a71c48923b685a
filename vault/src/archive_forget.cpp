// Erasure runs (vault/erasure.h; docs/format/keys.md, "Forgetting").
#include <algorithm>

#include "base/log.h"
#include "vault/retention.h"
#include "vault/src/archive_impl.h"
#include "vault/src/key_file.h"

namespace kustos::vault {

using audit::Body;
using audit::BodyReader;
using audit::ControlAction;
using audit::EntryHeader;
using audit::ErasureAction;
using audit::Kind;
using audit::LeafRange;
using audit::Suite;
using audit::Tag;

namespace {

constexpr std::size_t kRangesPerEntry = 1'500;  // 48,000 bytes of body, and 12,000 of affected records
constexpr const char* kWithoutEscrow = "without-escrow";

bool is_content(const EntryHeader& header) {
    return (header.kind == Kind::record || header.kind == Kind::blob) && header.suite != Suite::none;
}

// Neighbours become one range. `leaves`: tree, leaf, entry; sorted.
struct Leaf {
    KeyTreeId tree;
    LeafNumber leaf;
    EntryIndex entry;
    auto operator<=>(const Leaf&) const = default;
};

std::vector<LeafRange> ranges_of(std::vector<Leaf> leaves) {
    std::sort(leaves.begin(), leaves.end());
    std::vector<LeafRange> ranges;
    for (const Leaf& l : leaves) {
        if (!ranges.empty() && ranges.back().tree == l.tree && ranges.back().last == l.leaf) continue;  // named twice
        if (!ranges.empty() && ranges.back().tree == l.tree && ranges.back().last.value + 1 == l.leaf.value) {
            ranges.back().last = l.leaf;
            ranges.back().last_entry = l.entry;
        } else {
            ranges.push_back({l.tree, l.leaf, l.leaf, l.entry, l.entry});
        }
    }
    return ranges;
}

}  // namespace

std::string_view method_name(ForgetMethod method) {
    switch (method) {
        case ForgetMethod::erasure:
            return "erasure";
        case ForgetMethod::disposition:
            return "disposition";
        case ForgetMethod::attachment:
            return "attachment";
    }
    return "erasure";
}

struct ArchiveImpl::Run {
    audit::ErasureId id{};
    std::string method;
    std::vector<LeafRange> ranges;  // by tree and leaf
    std::vector<EntryIndex> affected;
    std::uint64_t count = 0;       // of whatever had a payload
    std::uint32_t generation = 0;  // the one to come
    bool without_escrow = false;
    EntryIndex begun, done;
    bool waits = false;  // for an opener apart
};

bool ArchiveImpl::is_forgotten(const EntryHeader& header) const {
    const std::lock_guard guard(catalog_mutex);
    return catalog->forgotten().contains(header.tree, header.leaf);
}

// A record's blobs stand right before it, in the same batch; an entry that opens a key tree may stand between them.
Result<std::vector<EntryIndex>> ArchiveImpl::blobs_of(EntryIndex record, const EntryHeader& header) const {
    std::vector<EntryIndex> blobs;
    for (std::uint64_t i = record.value; i-- > 0;) {
        const EntryHeader before = TRY(reader->header(EntryIndex(i)));
        if (before.kind == Kind::control && before.source.value == 0) continue;
        if (before.kind != Kind::blob || !(before.source == header.source)) break;
        blobs.push_back(EntryIndex(i));
    }
    return blobs;
}

// Counts on the way: a whole tree's records and blobs without looking at each.
Result<ArchiveImpl::Run> ArchiveImpl::plan_run(const ForgetOrder& order) const {
    Run run;
    env.random.fill(run.id);
    run.method = method_name(order.method);
    if (order.affected.size() > kMostAffected)
        return Error(Code::limit, "more than 1,000 records lose an attachment at once").with_hint("in several runs");
    run.affected = order.affected;
    run.without_escrow = order.without_escrow;
    std::vector<Leaf> leaves;
    const auto take = [&](EntryIndex index, const EntryHeader& header) {
        if (!is_forgotten(header)) leaves.push_back({header.tree, header.leaf, index});
    };
    for (const EntryIndex index : order.entries) {
        if (index.value >= reader->size().value)
            return Error(Code::not_found, "there is no entry " + std::to_string(index.value));
        const EntryHeader header = TRY(reader->header(index));
        if (!is_content(header))
            return Error(Code::not_found, "entry " + std::to_string(index.value) + " is no record and no blob")
                .with_hint("kustos search prints the numbers of records");
        take(index, header);
        if (header.kind != Kind::record) continue;
        for (const EntryIndex blob : TRY(blobs_of(index, header))) take(blob, TRY(reader->header(blob)));
    }
    run.ranges = ranges_of(std::move(leaves));
    for (const LeafRange& r : run.ranges) run.count += r.last.value - r.first.value + 1;
    const std::lock_guard guard(catalog_mutex);
    for (const KeyTreeId tree : order.trees) {
        const auto found = catalog->trees().find(tree);
        if (found == catalog->trees().end())
            return Error(Code::not_found, "there is no key tree " + std::to_string(tree.value));
        const TreeInfo& info = found->second;
        const LeafNumber last(kTreeLeaves - 1);
        const audit::LeafSpan used{tree, LeafNumber(0), LeafNumber(info.next_leaf == 0 ? 0 : info.next_leaf - 1)};
        const std::uint64_t before = info.next_leaf == 0 ? 0 : catalog->forgotten().count_in(used);
        if (info.next_leaf == 0 || before == info.next_leaf) continue;
        run.count += info.next_leaf - before;
        std::erase_if(run.ranges, [&](const LeafRange& r) { return r.tree == tree; });
        run.ranges.push_back({tree, LeafNumber(0), last, info.first_entry, info.last_entry});
    }
    run.generation = catalog->generations().empty() ? 2 : catalog->generations().back().generation + 1;
    if (run.ranges.empty()) return Error(Code::usage, "there is nothing to destroy: it is erased already");
    return run;
}

// As far as the entries say it: the run of an earlier start.
Result<ArchiveImpl::Run> ArchiveImpl::read_run(const audit::ErasureRun& begun) const {
    Run run;
    run.id = begun.id;
    run.method = begun.method;
    run.generation = begun.generation;
    run.begun = begun.begun.front();
    for (const EntryIndex part : begun.begun) {
        const audit::Entry entry = TRY(reader->entry(part));
        const BodyReader body = TRY(BodyReader::parse(entry.body));
        const auto ranges = body.leaf_ranges();
        if (!ranges) return Error(Code::corrupt, "an erasure's entry does not say what it destroys");
        run.ranges.insert(run.ranges.end(), ranges->begin(), ranges->end());
        run.count += body.find_u64(Tag::count).value_or(0);
        run.without_escrow = run.without_escrow || body.find_text(Tag::code) == kWithoutEscrow;
    }
    return run;
}

Status ArchiveImpl::begin_run(Run& run, Composed reason) {
    std::vector<Draft> drafts;
    const std::size_t parts = (run.ranges.size() + kRangesPerEntry - 1) / kRangesPerEntry;
    for (std::size_t part = 0; part < parts; ++part) {
        Draft draft;
        draft.kind = Kind::erasure;
        draft.retention_class = kErasureClass;
        Body body(ErasureAction::begun);
        body.put_bytes(Tag::erasure, run.id)
            .put_text(Tag::method, run.method)
            .put_u32(Tag::generation, run.generation)
            .put_u32(Tag::part, static_cast<std::uint32_t>(part))
            .put_u32(Tag::parts, static_cast<std::uint32_t>(parts));
        if (part == 0) body.put_u64(Tag::count, run.count);
        if (part == 0) {
            for (const EntryIndex record : run.affected) body.put_u64(Tag::entry, record.value);
        }
        if (run.without_escrow) body.put_text(Tag::code, kWithoutEscrow);
        const std::size_t end = std::min(run.ranges.size(), (part + 1) * kRangesPerEntry);
        for (std::size_t i = part * kRangesPerEntry; i < end; ++i) body.put_leaf_range(run.ranges[i]);
        draft.body = body.encode();
        if (part == 0) draft.content = std::move(reason);
        drafts.push_back(std::move(draft));
    }
    run.begun = TRY(commit_now(std::move(drafts))).front().index;
    return {};
}

// A new generation that leaves out what the run destroys and the keys of dropped shards.
Status ArchiveImpl::advance_generation(const Run* run, const std::set<std::uint32_t>& dropped_shards,
                                       const EpochOrder* move_to, Status* refused) {
    GenerationPlan plan;
    plan.move_to = move_to;
    plan.dropped_shards = dropped_shards;
    {
        const std::lock_guard guard(catalog_mutex);
        for (const auto& [id, tree] : catalog->trees()) plan.trees.push_back(tree);
        for (const auto& [id, shard] : catalog->shards()) plan.shards.push_back(shard);
    }
    if (run != nullptr) {
        for (const LeafRange& r : run->ranges) plan.punctured[r.tree].push_back({r.first, r.last});
    }
    TRY(show_ledger());  // an opener apart reads there what is to be destroyed
    auto prepared = holder->prepare(plan);
    if (!prepared.ok() && refused != nullptr) {
        *refused = prepared.error();
        return {};
    }
    const NextGeneration next = TRY(std::move(prepared));
    const std::uint32_t generation = next.generation;
    const X25519Public intake = TRY(X25519Public::from(next.intake_key));
    const bool escrowed = before_generation && (run == nullptr || !run->without_escrow);
    if (escrowed) TRY(before_generation(generation));
    std::vector<Draft> drafts(1);
    drafts.front().kind = Kind::control;
    drafts.front().retention_class = kControlClass;
    // An opener apart keeps to its medium.
    const std::string medium = next.medium.empty() ? holder->medium() : next.medium;
    drafts.front().body = generation_body(generation, intake.view(), next.keyring_hash, medium).encode();
    if (escrowed && has_escrow()) drafts.push_back(escrow_entry(generation, next.keyring_hash));
    TRY(commit_now(std::move(drafts)));
    forward->set_generation(generation, intake);
    TRY(show_ledger());
    TRY(holder->adopt());
    return {};
}

Status ArchiveImpl::show_ledger() {
    return holder->apart() ? log->settle() : ok_status();
}

// An opener apart that is away, or was closed, does not end the writer: the run stays begun, and is finished later. Nor
// does a chip or token that went away meanwhile.
Status ArchiveImpl::carry_out_if_open(Run& run) {
    const Status done = carry_out(run);
    if (done.ok()) return done;
    const bool opener_away = holder->apart() && done.error().code() == Code::closed;
    if (!opener_away && (failed || holder->ready().ok())) return done;
    kustos::log(LogLevel::warning,
                opener_away ? "an erasure waits for the opener" : "an erasure waits for the keys' TPM or token",
                {{"entry", run.begun}});
    run.waits = true;
    return {};
}

// From `begun` to `done`. Each step may have been done before.
Status ArchiveImpl::carry_out(Run& run) {
    // Memory first: from here on nothing of it opens, whatever becomes of the disk.
    std::map<KeyTreeId, std::vector<KeyCover::Leaves>> leaves;
    for (const LeafRange& r : run.ranges) {
        forward->puncture(r.tree, r.first, r.last);
        leaves[r.tree].push_back({r.first, r.last});
        if (r.first.value == 0 && r.last.value == kTreeLeaves - 1) {
            forward->forget_tree(r.tree);
            std::erase_if(open_trees, [&](const auto& open) { return open.second == r.tree; });
        }
    }
    for (auto& [tree, list] : leaves) holder->puncture(tree, list);
    std::uint32_t present = 1;
    Hash keyring{};
    const auto look = [&] {
        const std::lock_guard guard(catalog_mutex);
        if (catalog->generations().empty()) return;
        present = catalog->generations().back().generation;
        keyring = catalog->generations().back().keyring_hash;
    };
    look();
    if (present < run.generation) {
        TRY(advance_generation(&run, {}));
        look();
    }
    TRY(holder->destroy_before(present));
    std::vector<Draft> drafts(1);
    drafts.front().kind = Kind::erasure;
    drafts.front().retention_class = kErasureClass;
    drafts.front().body = Body(ErasureAction::done)
                              .put_bytes(Tag::erasure, run.id)
                              .put_u32(Tag::generation, present)
                              .put_hash(Tag::keyring_hash, keyring)
                              .put_u64(Tag::count, run.count)
                              .encode();
    run.done = TRY(commit_now(std::move(drafts))).front().index;
    run.generation = present;
    if (holder->is_open()) TRY(holder->remove_noise());
    return {};
}

Result<std::vector<LeafRange>> ArchiveImpl::ranges_of_run(const audit::ErasureRun& run) const {
    return TRY(read_run(run)).ranges;
}

bool ArchiveImpl::runs_wait() const {
    const std::lock_guard guard(catalog_mutex);
    const auto& runs = catalog->erasures().runs();
    return std::any_of(runs.begin(), runs.end(), [](const audit::ErasureRun& r) { return !r.done && !r.broken; });
}

// What an interrupted run still needs: a key holder, if its generation was not opened yet. Else nothing.
Status ArchiveImpl::finish_open_runs() {
    std::vector<audit::ErasureRun> open;
    std::uint32_t present = 1;
    {
        const std::lock_guard guard(catalog_mutex);
        for (const audit::ErasureRun& run : catalog->erasures().runs()) {
            if (!run.done && !run.broken) open.push_back(run);
        }
        if (!catalog->generations().empty()) present = catalog->generations().back().generation;
    }
    // A generation that was opened by a run without entries of its own (dropped shards) may have been interrupted, too.
    TRY(show_ledger());
    const Status destroyed = holder->destroy_before(present);
    const bool device_away = !destroyed.ok() && !holder->ready().ok();
    if (!destroyed.ok() && !device_away && !(holder->apart() && destroyed.error().code() == Code::closed))
        return destroyed;
    if (device_away) {
        kustos::log(LogLevel::warning, "an old key waits to be destroyed: its TPM or token is away",
                    {{"code", destroyed.error().code()}});
        return {};
    }
    for (const audit::ErasureRun& begun : open) {
        Run run = TRY(read_run(begun));
        if (present < run.generation && !holder->is_open()) {
            kustos::log(LogLevel::warning, "an erasure waits for the vault to be opened", {{"entry", run.begun}});
            continue;
        }
        if (present < run.generation && has_escrow() && !run.without_escrow && !escrow_ready().ok()) {
            kustos::log(LogLevel::warning, "an erasure waits for the escrow's medium", {{"entry", run.begun}});
            continue;
        }
        if (present < run.generation && !holder->ready().ok()) {
            kustos::log(LogLevel::warning, "an erasure waits for the keys' TPM or token", {{"entry", run.begun}});
            continue;
        }
        TRY(carry_out_if_open(run));
        if (run.waits) continue;
        kustos::log(LogLevel::info, "an interrupted erasure was finished", {{"entry", run.begun}});
    }
    return {};
}

// After a restore: what the newer keys have forgotten is forgotten here, too. Nothing new is destroyed, so the
// generation is the present one.
Status ArchiveImpl::forget_again(ForgetOrder order, std::uint64_t& count) {
    Run run = TRY(plan_run(order));
    {
        const std::lock_guard guard(catalog_mutex);
        run.generation = catalog->generations().back().generation;
    }
    count = run.count;
    return in_turn([this, &run, &order]() -> Status {
        TRY(begin_run(run, std::move(order.reason)));
        return carry_out(run);
    });
}

// --- what is erased --------------------------------------------------------------------------------------

Status ArchiveImpl::resolve_erased() {
    std::vector<audit::ErasureRun> fresh;
    {
        const std::lock_guard guard(catalog_mutex);
        const auto& runs = catalog->erasures().runs();
        if (erased && erased_runs == runs.size()) return {};
        fresh.assign(runs.begin() + static_cast<std::ptrdiff_t>(erased ? erased_runs : 0), runs.end());
    }
    EntrySet all, records;
    if (erased) all = *erased, records = *erased_records;
    const auto take = [&](EntryIndex index, const EntryHeader& header) {
        if (header.suite == Suite::none) return;
        all.add(index);
        if (header.kind == Kind::record) records.add(index);
    };
    for (const audit::ErasureRun& begun : fresh) {
        const Run run = TRY(read_run(begun));
        for (const LeafRange& r : run.ranges) {
            if (r.first_entry == r.last_entry) {
                take(r.first_entry, TRY(reader->header(r.first_entry)));
                continue;
            }
            TRY(reader->for_each(r.first_entry, EntryIndex(r.last_entry.value + 1),
                                 [&](EntryIndex index, ByteView bytes) -> Status {
                                     const EntryHeader header = TRY(audit::decode_header(bytes));
                                     if (header.tree == r.tree && header.leaf >= r.first && header.leaf <= r.last)
                                         take(index, header);
                                     return {};
                                 }));
        }
    }
    erased = std::make_shared<const EntrySet>(std::move(all));
    erased_records = std::make_shared<const EntrySet>(std::move(records));
    erased_runs += fresh.size();
    return {};
}

// --- Archive ---------------------------------------------------------------------------------------------

Result<Forgotten> Archive::forget(ForgetOrder order) {
    if (impl_->failed)
        return Error(Code::read_only, "the writer has ended").with_hint("start again; recovery runs by itself");
    if (!impl_->holder->is_open()) return vault_closed();
    if (impl_->has_escrow() && !order.without_escrow) TRY(impl_->escrow_ready());
    TRY(impl_->holder->ready());
    const std::unique_lock no_boxes(impl_->generation_mutex);
    // Two begun runs would both be meant for the next generation.
    if (impl_->runs_wait()) {
        TRY(impl_->in_turn([this] { return impl_->finish_open_runs(); }));
        if (impl_->runs_wait())
            return Error(Code::closed, "an erasure that was begun before has to be finished first")
                .with_hint("kustos erase list; what it waits for is in the log");
    }
    ArchiveImpl::Run run = TRY(impl_->plan_run(order));
    TRY(impl_->in_turn([this, &run, &order]() -> Status {
        TRY(impl_->begin_run(run, std::move(order.reason)));
        return impl_->carry_out_if_open(run);
    }));
    if (run.waits)
        return Error(Code::closed, impl_->holder->apart()
                                       ? "the erasure is begun, and will be finished when the opener is back and open"
                                       : "the erasure is begun, and will be finished when the keys' TPM or token is "
                                         "back")
            .with_hint("nothing else is to be done; `kustos status` shows it");
    const auto runs = erasure_runs();
    const auto own = std::find_if(runs.begin(), runs.end(), [&run](const auto& r) { return r.id == run.id; });
    return Forgotten{run.id,         run.begun, run.done,
                     run.generation, run.count, own == runs.end() ? "file" : medium_of(*own)};
}

Status Archive::forget_shards(const std::set<std::uint32_t>& shards) {
    if (!impl_->holder->is_open()) return vault_closed();
    if (impl_->has_escrow()) TRY(impl_->escrow_ready());
    TRY(impl_->holder->ready());
    const std::unique_lock no_boxes(impl_->generation_mutex);
    return impl_->in_turn([this, &shards]() -> Status {
        TRY(impl_->advance_generation(nullptr, shards));
        TRY(impl_->holder->destroy_before(impl_->holder->generation()));
        return impl_->holder->remove_noise();
    });
}

Status Archive::resume_erasures() {
    const auto runs = erasure_runs();
    const bool waiting = std::any_of(runs.begin(), runs.end(), [](const auto& r) { return !r.done && !r.broken; });
    if (!waiting || impl_->failed || !impl_->holder->is_open()) return {};
    return finish_erasures();
}

Status Archive::finish_erasures() {
    const std::unique_lock no_boxes(impl_->generation_mutex);
    return impl_->in_turn([this] { return impl_->finish_open_runs(); });
}

Result<audit::CompactReport> Archive::compact(const std::function<bool()>& stop,
                                              const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    if (impl_->failed)
        return Error(Code::read_only, "the writer has ended").with_hint("start again; recovery runs by itself");
    const std::lock_guard one_at_a_time(impl_->compact_mutex);
    const TreeSize size = head().size;  // what is done below it is what this call removes
    bool wanted = false;
    for (const audit::ErasureRun& run : erasure_runs()) wanted = wanted || (run.done && !run.broken && !run.ciphertext);
    if (!wanted) return audit::CompactReport();
    audit::CompactOptions options;
    TRY(impl_->in_turn([this, &options]() -> Status {
        options.below = TRY(impl_->log->close_segment());
        return {};
    }));
    const auto candidates = TRY(erased());
    options.candidates = candidates.get();
    options.stop = stop;
    options.progress = progress;
    options.replaced = [this] { impl_->segments->forget(); };
    const auto covered = [this](EntryIndex, const EntryHeader& header) {
        const std::lock_guard guard(impl_->catalog_mutex);
        return impl_->catalog->erasures().covered(header.tree, header.leaf);
    };
    const audit::HeaderSource headers = [this](EntryIndex i) { return impl_->reader->header(i); };
    auto report = TRY(audit::compact(impl_->env.fs, impl_->dir / "vault", headers, covered, options));
    if (!report.complete()) return report;
    TRY(record_erasure(ErasureAction::ciphertext_removed, [&](Body& body) {
        body.put_u64(Tag::checkpoint_size, size.value).put_u64(Tag::count, report.frames_removed);
    }));
    return report;
}

Result<Receipt> Archive::record_erasure(ErasureAction action, const std::function<void(Body&)>& fill) {
    Draft draft;
    draft.kind = Kind::erasure;
    draft.retention_class = kErasureClass;
    Body body(action);
    fill(body);
    draft.body = body.encode();
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    return TRY(seal(std::move(drafts))).front();
}

Result<std::shared_ptr<const EntrySet>> Archive::erased() const {
    const std::lock_guard guard(impl_->erased_mutex);
    TRY(impl_->resolve_erased());
    return impl_->erased;
}

Result<std::shared_ptr<const EntrySet>> Archive::erased_records() const {
    const std::lock_guard guard(impl_->erased_mutex);
    TRY(impl_->resolve_erased());
    return impl_->erased_records;
}

Result<EntrySet> Archive::affected_by(const audit::ErasureRun& run) const {
    EntrySet records;
    const audit::Entry entry = TRY(impl_->reader->entry(run.begun.front()));
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    for (const ByteView row : body.all(Tag::entry)) {
        if (row.size() == 8) records.add(EntryIndex(load_u64(row.data())));
    }
    return records;
}

std::optional<EntryIndex> Archive::successor_of(EntryIndex record) const {
    const std::lock_guard guard(impl_->catalog_mutex);
    const auto& all = impl_->catalog->successors();
    const auto found = all.find(record);
    return found == all.end() ? std::nullopt : std::optional(found->second);
}

std::vector<audit::ErasureRun> Archive::erasure_runs() const {
    const std::lock_guard guard(impl_->catalog_mutex);
    return impl_->catalog->erasures().runs();
}

bool Archive::is_erased(const EntryHeader& header) const {
    return header.suite != Suite::none && impl_->is_forgotten(header);
}

std::uint32_t Archive::key_generation() const {
    return impl_->holder->generation();
}
std::string Archive::key_medium() const {
    return impl_->holder->medium();
}

}  // namespace kustos::vault
