#include "app/tallies.h"

#include "vault/source_book.h"

namespace kustos::app {

namespace {
constexpr std::string_view kName = "tally";
}

// What was saved here, else (a new machine, a restored backup) what the ledger last said.
Result<Tallies::Row*> Tallies::row(SourceId source) {
    const auto found = rows_.find(source);
    if (found != rows_.end()) return &found->second;
    Row row;
    if (const auto saved = TRY(memory_.recall(archive_.stream_key(source).view(), source, kName))) {
        row.counts = TRY(vault::decode_tally(as_bytes(*saved)));
    } else if (const auto& tallies = archive_.source_book()->of(source).tallies; !tallies.empty()) {
        row.counts = tallies.back().counts;
    }
    return &rows_.emplace(source, std::move(row)).first->second;
}

Status Tallies::add(SourceId source, const Counts& counts, bool left_out) {
    const std::lock_guard lock(mutex_);
    Row& now = *TRY(row(source));
    for (const auto& [code, count] : counts) now.counts[code] += count;
    now.changed = true;
    return left_out ? save(source, now) : ok_status();
}

Result<Tallies::Counts> Tallies::of(SourceId source) {
    const std::lock_guard lock(mutex_);
    return TRY(row(source))->counts;
}

Status Tallies::save() {
    const std::lock_guard lock(mutex_);
    for (auto& [source, row] : rows_)
        if (row.changed) TRY(save(source, row));
    return {};
}

Status Tallies::save(SourceId source, Row& row) {
    const Bytes encoded = vault::encode_tally(row.counts);
    TRY(memory_.remember(archive_.stream_key(source).view(), source, kName, as_text(encoded)));
    row.changed = false;
    return {};
}

}  // namespace kustos::app
