// Ingest and index: how something new comes in and becomes findable.
#include <algorithm>
#include <thread>

#include "app/house.h"
#include "app/src/house_ports.h"
#include "base/log.h"
#include "base/progress.h"
#include "ingest/format.h"

namespace kustos::app {

Result<ingest::ImportResult> House::import_paths(const std::string& source_name, const std::string& format,
                                                 const std::vector<Path>& paths, const ImportSettings& settings) {
    const auto source = archive_->find_source(source_name);
    if (!source) {
        return Error(Code::usage, "there is no source of that name")
            .with_hint("kustos source add NAME --kind import, or kustos source list");
    }
    if (source->paused) return Error(Code::denied, "this source is paused");
    ingest::ImportOptions options;
    options.format = TRY(ingest::parse_format_name(format));
    ingest::ExtractorOptions sandbox;
    sandbox.program = ingest::default_extractor_program();
    const auto unpacker = TRY(ingest::Extractor::create(sandbox));
    options.context.extractor = unpacker.get();
    options.context.spool_folder = options_.archive / "staging";
    options.context.time_zone = settings.time_zone;
    options.context.origin_secret = settings.origin_secret;
    // While the vault is closed keys wait for the indexer, and the server drops what waits too long: an import goes no
    // faster than it.
    Port port(door_of(source->id), [this] {
        constexpr std::size_t kWaiting = 10'000;
        return index_lives_ && !archive_->is_open() && archive_->waiting() > kWaiting;
    });
    ingest::ImportResult so_far;
    auto result = ingest::run_import(port, environment_.clock, paths, options, &so_far);
    const ingest::ImportResult& counts = result.ok() ? *result : so_far;
    // What the source itself said is missing becomes part of the ledger: counts, no content.
    for (const auto& found : counts.findings) {
        TRY(archive_->record_control(audit::ControlAction::finding, [&](audit::Body& body) {
            body.put_u64(audit::Tag::entry, source->id.value);
            body.put_text(audit::Tag::code, found.first);
            body.put_u64(audit::Tag::count, found.second);
        }));
    }
    TRY(count_source(*archive_->find_source(source->id)));
    return result;
}

SourceDoor House::door_of(SourceId source) {
    return SourceDoor(*archive_, *tallies_, source);
}

Status House::need_indexer() {
    if (indexer_) return {};
    search::IndexerOptions options;
    options.word_list = "/usr/share/hunspell/de_DE.dic";
    auto opened = search::Indexer::open(environment_.fs, options_.archive / "index", *keys_, *text_, environment_.clock,
                                        environment_.random, options);
    indexer_ = TRY(std::move(opened));
    next_to_index_ = TRY(first_to_index());
    return {};
}

Result<bool> House::index_step(const std::function<bool()>& stop) {
    const std::lock_guard lock(index_mutex_);
    TRY(need_indexer());
    TRY(look_at_opener());
    indexer_->use_lanes(TRY(index_lanes()));
    const TreeSize before = archive_->head().size;
    auto step = indexer_->run_once(*feed_, next_to_index_, stop);
    if (!step.ok()) {
        const Code code = step.error().code();
        // Deferred ones wait; new ones come in.
        if (code == Code::closed || (code == Code::overloaded && archive_->keys().apart())) {
            next_to_index_ = indexer_->position();
            opener_was_open_ = false;  // asked again in a while
        }
        // Anything else is final for this indexer: the next step opens a new one, which goes on from the last commit.
        if (code != Code::closed && code != Code::overloaded && code != Code::interrupted) indexer_.reset();
        return std::move(step).error();
    }
    next_to_index_ = step->next;
    is_drained_ = step->drained;
    if (is_drained_) drained_ = {next_to_index_, before};
    return !step->drained || step->taken != 0;
}

// All processors for much at once, if the vault is open: what a crash then leaves out comes again from it
// (search/indexer.h).
Result<std::size_t> House::index_lanes() const {
    constexpr std::uint64_t kMuch = 4'096;  // entries, that nobody has looked at
    const bool looked = next_to_index_ == drained_.first;
    const std::uint64_t from = looked ? std::max(drained_.second.value, next_to_index_.value) : next_to_index_.value;
    const bool goes_on = indexer_->lanes() > 1 && !is_drained_;
    if (!goes_on && archive_->head().size.value < from + kMuch) return 1;
    if (!archive_->is_open() || archive_->keys().apart()) return 1;
    const auto told = static_cast<std::size_t>(TRY(config_.number("index.lanes", 0, 0, search::kMostLanes)));
    return told != 0 ? told : std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
}

// An opener apart may be opened and closed by others: what was deferred comes in when it is open again.
Status House::look_at_opener() {
    constexpr std::int64_t kLookEvery = 30'000;
    const std::int64_t now = environment_.clock.monotonic_ms();
    if (!archive_->keys().apart() || now - looked_at_opener_ms_ < kLookEvery) return {};
    looked_at_opener_ms_ = now;
    const bool open = archive_->is_open();
    if (open && !opener_was_open_) next_to_index_ = std::min(next_to_index_, TRY(first_to_index()));
    opener_was_open_ = open;
    archive_->settle_openings();
    return archive_->resume_erasures();
}

// An open vault also brings what was deferred: records below the index's end that no shard accounts for.
Result<EntryIndex> House::first_to_index() {
    const EntryIndex end = indexer_->position();
    if (!archive_->is_open()) return end;
    const std::uint64_t size = archive_->head().size.value;
    std::uint64_t above = 0;  // not yet asked for
    for (EntryIndex at = end; at.value < size;) {
        const auto entries = TRY(archive_->entries(at, 512));
        if (entries.empty()) break;
        for (const audit::Entry& entry : entries)
            above += entry.header.kind == audit::Kind::record && !archive_->is_erased(entry.header) ? 1 : 0;
        at.value += entries.size();
    }
    above += indexer_->uncommitted();  // taken, and in no shard that is whole
    if (!archive_->keys().apart()) return TRY(searcher_->coverage(*census_)).deferred > above ? EntryIndex(0) : end;
    auto known = archive_->keys().accounted();
    if (!known.ok()) return end;
    known->add(*TRY(archive_->erased_records()));
    return known->count() + above < archive_->count(audit::Kind::record) ? EntryIndex(0) : end;
}

Status House::close_index() {
    const std::lock_guard lock(index_mutex_);
    return indexer_ && indexer_->has_open_shard() ? or_begin_anew(indexer_->close_shard(*feed_)) : ok_status();
}

// What went wrong on the way to the disk is final for an indexer: the next step opens a new one.
Status House::or_begin_anew(Status done) {
    if (!done.ok()) indexer_.reset();
    return done;
}

Status House::commit_index() {
    const std::lock_guard lock(index_mutex_);
    if (!indexer_) return ok_status();
    TRY(or_begin_anew(indexer_->commit(*feed_)));
    indexer_->forget_words();
    return ok_status();
}

Result<std::uint64_t> House::index_all(bool show_progress) {
    std::uint64_t done = 0;
    Progress progress(environment_.clock, "index", "records", show_progress ? archive_->count(audit::Kind::record) : 0);
    while (TRY(index_step())) {
        done = next_to_index_.value;
        if (show_progress) progress.advance_to(done);
        if (interrupt_requested()) break;
    }
    TRY(close_index());
    return done;
}

}  // namespace kustos::app
