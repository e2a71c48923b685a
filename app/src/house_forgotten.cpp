// What is erased, seen from the index and from whoever asks for it.
#include "app/src/house_ports.h"
#include "base/log.h"

namespace kustos::app {

Result<search::RewriteReport> House::forget_terms(const EntrySet& reindex, bool merge) {
    if (!archive_->is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("give --passphrase-file FILE, or - for standard input");
    const std::lock_guard lock(index_mutex_);
    TRY(need_indexer());
    if (indexer_->has_open_shard()) TRY(indexer_->close_shard(*feed_));
    const auto erased = TRY(archive_->erased());
    EntrySet derived = *erased;
    derived.add(reindex);
    TRY(archive_->forget_derived(derived));
    search::RewriteOptions options;
    options.reindex = reindex;
    options.merge = merge;
    options.stop = interrupt_requested;
    auto report = archive_->keys().apart()
                      ? rewrite_apart(reindex, merge)
                      : search::rewrite_shards(environment_.fs, options_.archive / "index", *keys_, *erased,
                                               environment_.clock, environment_.random, options);
    searcher_->forget();
    indexer_.reset();  // with the words that it remembers; the next step opens a new one
    if (!report.ok()) return report;
    if (const auto stale = TRY(stale_shards()); !stale.empty()) TRY(archive_->forget_shards(stale));
    log(LogLevel::info, "index forgot what was erased",
        {{"looked_at", report->looked_at}, {"rewritten", report->rewritten}, {"documents", report->documents_dropped}});
    return report;
}

// Days of a closed vault leave hundreds of small shards, and each search asks all of them.
Status House::join_small_shards() {
    constexpr std::uint64_t kSmall = 5'000;  // records
    constexpr int kMany = 32;                // such shards, which searches begin to feel
    if (!archive_->is_open()) return {};
    const auto count = [&]() -> Result<int> {
        int small = 0;
        for (const search::ShardState& shard :
             TRY(search::summarise(environment_.fs, options_.archive / "index")).shards)
            small += shard.closed && shard.counts.total() <= kSmall ? 1 : 0;
        return small;
    };
    const int small = TRY(count());
    if (small < small_shards_left_ + kMany) return {};
    small_shards_left_ = small;  // should it fail: tried again when as many more have come
    const search::RewriteReport report = TRY(forget_terms());
    small_shards_left_ = TRY(count());
    log(LogLevel::info, "small shards of the index were joined",
        {{"joined", report.joined}, {"written", report.written}});
    return {};
}

// Where the keys of closed shards are. Meanwhile nobody else writes the index: this process has its lock.
Result<search::RewriteReport> House::rewrite_apart(const EntrySet& reindex, bool merge) {
    const vault::RewriteDone done = TRY(archive_->rewrite_apart({reindex, merge}));
    search::RewriteReport report;
    report.looked_at = done.looked_at;
    report.rewritten = done.rewritten;
    report.joined = done.joined;
    report.written = done.written;
    report.documents_dropped = done.documents_dropped;
    report.words_dropped = done.words_dropped;
    for (const std::uint32_t shard : done.gone) report.gone.push_back(search::ShardId(shard));
    return report;
}

// Shards without files whose keys can still be had, also of a run that a crash ended.
Result<std::set<std::uint32_t>> House::stale_shards() const {
    std::set<std::uint64_t> living;
    for (const search::ShardId id : TRY(search::shards_with_files(environment_.fs, options_.archive / "index")))
        living.insert(id.value);
    std::set<std::uint32_t> stale;
    const bool apart = archive_->keys().apart();
    for (const std::uint32_t id : apart ? TRY(archive_->keys().living_shards()) : archive_->shards()) {
        if (living.count(id) == 0 && (apart || archive_->shard_key(id).ok())) stale.insert(id);
    }
    return stale;
}

// "on 2026-11-29 by entry 42"; empty: by a run that is not finished.
Result<std::string> House::when_erased(EntryIndex entry, const audit::EntryHeader& header) const {
    for (const audit::ErasureRun& run : archive_->erasure_runs()) {
        for (const EntryIndex part : run.begun) {
            const audit::Entry begun = TRY(archive_->entry(part));
            const auto body = TRY(audit::BodyReader::parse(begun.body));
            for (const audit::LeafRange& range : body.leaf_ranges().value_or(std::vector<audit::LeafRange>())) {
                if (range.tree != header.tree || header.leaf < range.first || header.leaf > range.last) continue;
                if (entry < range.first_entry || entry > range.last_entry || !run.done) continue;
                return "on " + format_rfc3339(run.done_at).substr(0, 10) + " by entry " + std::to_string(part.value);
            }
        }
    }
    return std::string();
}

Status House::expect_not_erased(const std::vector<EntryIndex>& entries) const {
    for (const EntryIndex index : entries) {
        if (index.value >= archive_->head().size.value) continue;  // said by who opens it
        const audit::Entry entry = TRY(archive_->entry(index));
        if (entry.header.kind != audit::Kind::record || !archive_->is_erased(entry.header)) continue;
        const std::string when = TRY(when_erased(index, entry.header));
        return Error(Code::erased, "entry " + std::to_string(index.value) + " was erased" +
                                       (when.empty() ? "; the erasure is not finished yet" : " " + when))
            .with_hint("the proof that it was sealed stays; its content is gone for good");
    }
    return {};
}

}  // namespace kustos::app
