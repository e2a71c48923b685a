// The index, looked at as a whole: does it hold what the ledger says, and nothing else?
#include "app/house.h"
#include "app/src/house_ports.h"
#include "base/progress.h"
#include "search/self_check.h"

namespace kustos::app {

namespace {

// Of all, erased ones too.
Result<EntrySet> all_records(const vault::Archive& archive) {
    EntrySet out;
    TRY(archive.ledger().for_each(
        EntryIndex(0), archive.head().size.value == 0 ? EntryIndex(0) : EntryIndex(archive.head().size.value),
        [&](EntryIndex i, ByteView bytes) -> Status {
            if (TRY(audit::decode_header(bytes)).kind == audit::Kind::record) out.add(i);
            return {};
        }));
    return out;
}

std::uint64_t count_without(const EntrySet& all, const EntrySet& a, const EntrySet& b) {
    std::uint64_t count = 0;
    for (const EntrySet::Interval& span : all.intervals()) {
        for (std::uint64_t i = span.first.value; i <= span.last.value; ++i)
            count += !a.contains(EntryIndex(i)) && !b.contains(EntryIndex(i)) ? 1 : 0;
    }
    return count;
}

}  // namespace

// Both read all of the index, or all of the vault, in this process.
Status House::expect_index_keys() const {
    if (!archive_->is_open())
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("give --passphrase-file FILE, or - for standard input");
    if (archive_->keys().apart())
        return Error(Code::not_in_version, "with an opener apart the index can't be checked in this version")
            .with_hint("kustos status shows its coverage; remove the folder index/ and it is made again");
    return {};
}

Result<std::uint64_t> House::rebuild_index(bool show_progress) {
    TRY(expect_index_keys());
    {
        const std::lock_guard lock(index_mutex_);
        TRY(need_indexer());
        if (indexer_->has_open_shard()) TRY(indexer_->close_shard(*feed_));
        const Path dir = options_.archive / "index";
        for (const search::ShardId id : TRY(search::shards_with_files(environment_.fs, dir)))
            TRY(search::remove_shard(environment_.fs, dir, id));
        searcher_->forget();
        indexer_.reset();  // the next one finds that nothing is accounted for
        if (const auto stale = TRY(stale_shards()); !stale.empty()) TRY(archive_->forget_shards(stale));
    }
    TRY(index_all(show_progress));
    if (interrupt_requested())
        return Error(Code::interrupted, "interrupted; what was indexed stays").with_hint("kustos index update goes on");
    return TRY(search::summarise(environment_.fs, options_.archive / "index")).counts.total();
}

Result<IndexReport> House::check_index(bool repair, bool show_progress) {
    TRY(expect_index_keys());
    IndexReport report;
    bool bad = false;
    std::uint64_t wrong = 0;
    {
        const std::lock_guard lock(index_mutex_);
        TRY(need_indexer());
        if (indexer_->has_open_shard()) TRY(indexer_->close_shard(*feed_));
        const EntrySet records = TRY(all_records(*archive_));
        const auto erased = TRY(archive_->erased_records());
        const Path dir = options_.archive / "index";
        Progress progress(environment_.clock, "index check", "shards", 0);
        const search::SelfCheck found = TRY(search::check_shards(
            environment_.fs, dir, *keys_, records, interrupt_requested, [&](std::uint64_t done, std::uint64_t) {
                if (show_progress) progress.advance_to(done);
            }));
        report.shards = found.shards;
        report.records = found.records;
        report.damaged = found.damaged.size();
        report.doubtful = found.doubtful.size();
        report.missing = count_without(records, found.accounted, *erased);
        wrong = report.missing;  // the parts that can't be trusted account for nothing
        bad = report.damaged + report.doubtful + report.missing != 0;
        if (bad && repair) {
            for (const auto* list : {&found.damaged, &found.doubtful})
                for (const search::ShardId id : *list) TRY(search::remove_shard(environment_.fs, dir, id));
            searcher_->forget();
            indexer_.reset();  // the next one looks again for what no shard accounts for
        }
    }
    if (bad && repair) {
        TRY(index_all(show_progress));
        report.repaired = true;
        report.missing = TRY(searcher_->coverage(*census_)).deferred;
    }
    const char* code = !bad ? "ok" : report.repaired && report.missing == 0 ? "repaired" : "problems";
    TRY(archive_->record_control(audit::ControlAction::index_checked, [&](audit::Body& body) {
        body.put_u64(audit::Tag::count, report.records)
            .put_u64(audit::Tag::total, wrong)
            .put_text(audit::Tag::code, code);
    }));
    return report;
}

}  // namespace kustos::app
