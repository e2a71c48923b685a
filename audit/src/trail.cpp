#include "audit/trail.h"

#include <algorithm>

#include "audit/entry_names.h"

namespace kustos::audit {

namespace {

constexpr std::uint64_t kStep = 256;

// Cheaper than decoding: most entries are records.
bool may_fit(const TrailFilter& filter, Kind kind) {
    return filter.kind ? kind == *filter.kind : kind != Kind::record && kind != Kind::blob;
}

// The source that the entry is about: its own, or the one that its body names.
std::uint64_t about(const Entry& entry, const BodyReader& body, EntryIndex index) {
    if (entry.header.source.value != 0 || entry.header.kind != Kind::control) return entry.header.source.value;
    switch (*control_action(entry)) {
        case ControlAction::source_added:
            return index.value;
        case ControlAction::source_changed:
        case ControlAction::source_heartbeat:
        case ControlAction::source_counted:
        case ControlAction::finding:
        case ControlAction::finding_resolved:
        case ControlAction::promise_made:
        case ControlAction::source_cleared:
            return body.find_u64(Tag::entry).value_or(0);
        default:
            return 0;
    }
}

}  // namespace

Result<Trail> Trail::open(Fs& fs, const Path& ledger_dir) {
    return Trail(TRY(LedgerReader::open(fs, ledger_dir)));
}

// Empty where the entry introduces no source, or can't be read: a list shows the rest all the same.
std::string Trail::name_of(std::uint64_t source) {
    if (source == 0) return "";
    if (const auto known = names_.find(source); known != names_.end()) return known->second;
    const auto entry = reader_->entry(EntryIndex(source));
    const auto body = entry.ok() ? BodyReader::parse(entry->body) : Result<BodyReader>(entry.error());
    if (!body.ok() || control_action(*entry) != ControlAction::source_added) return "";
    return names_[source] = body->find_text(Tag::name).value_or("");
}

Result<std::optional<TrailRow>> Trail::look(const TrailFilter& filter, EntryIndex index, ByteView bytes) {
    if (bytes.size() < kHeaderSize)
        return Error(Code::corrupt, "entry " + std::to_string(index.value) + " is too short");
    if (!may_fit(filter, static_cast<Kind>(bytes[2]))) return std::optional<TrailRow>();
    const Entry entry = TRY_IN("entry " + std::to_string(index.value), decode_entry(bytes));
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    TrailRow row;
    row.action = action_name(entry);
    if (!filter.action.empty() && row.action != filter.action) return std::optional<TrailRow>();
    row.time = body.find_time(Tag::time);
    if (row.time && ((filter.since && *row.time < *filter.since) || (filter.until && *row.time >= *filter.until)))
        return std::optional<TrailRow>();
    row.source = name_of(about(entry, body, index));
    if (filter.source && row.source != *filter.source) return std::optional<TrailRow>();
    row.index = index;
    row.kind = entry.header.kind;
    row.sequence = entry.header.sequence;
    row.retention_class = entry.header.retention_class;
    row.sealed = entry.header.suite != Suite::none;
    row.rows = describe_body(entry);
    return std::optional<TrailRow>(std::move(row));
}

Status Trail::each(const TrailFilter& filter, const std::function<Status(const TrailRow&)>& row,
                   const std::function<void(EntryIndex)>& progress) {
    const EntryIndex end(std::min(filter.end.value_or(EntryIndex(size().value)).value, size().value));
    if (filter.from >= end) return {};
    return reader_->for_each(filter.from, end, [&](EntryIndex index, ByteView bytes) -> Status {
        if (progress && index.value % kStep == 0) progress(index);
        if (const auto found = TRY(look(filter, index, bytes))) TRY(row(*found));
        return {};
    });
}

Result<std::vector<TrailRow>> Trail::newest(const TrailFilter& filter, std::size_t limit) {
    std::vector<TrailRow> found;
    std::uint64_t end = std::min(filter.end.value_or(EntryIndex(size().value)).value, size().value);
    while (end > filter.from.value && found.size() < limit) {
        const std::uint64_t begin = std::max((end - 1) / kStep * kStep, filter.from.value);
        const auto entries = TRY(reader_->entries(EntryIndex(begin), end - begin));
        for (std::uint64_t i = entries.size(); i-- > 0 && found.size() < limit;) {
            if (auto row = TRY(look(filter, EntryIndex(begin + i), entries[i]))) found.push_back(std::move(*row));
        }
        end = begin;
    }
    std::reverse(found.begin(), found.end());
    return found;
}

}  // namespace kustos::audit
