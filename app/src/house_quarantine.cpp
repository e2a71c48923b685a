// What was sealed as it came: listed, and read again. The access entry comes first, as for any other record.
#include <algorithm>
#include <map>

#include "app/house.h"
#include "app/src/house_ports.h"
#include "base/progress.h"
#include "ingest/read_bytes.h"

namespace kustos::app {

namespace {

constexpr const char* kUnreadable = "kind:unreadable";
constexpr std::string_view kReason = "quarantine:";
constexpr std::size_t kMostBytes = 256u << 20;  // of one that is read again
constexpr std::size_t kMostIntervals = 3'000;   // in the entry that links them

// How many records were made of each since, by the entries that say so.
Result<std::map<EntryIndex, std::uint64_t>> read_again(const vault::Archive& archive, EntryIndex from) {
    std::map<EntryIndex, std::uint64_t> out;
    for (EntryIndex at = from; at < EntryIndex(archive.head().size.value);) {
        const auto entries = TRY(archive.entries(at, 512));
        if (entries.empty()) break;
        at.value += entries.size();
        for (const audit::Entry& entry : entries) {
            if (audit::control_action(entry) != audit::ControlAction::quarantine_reparsed) continue;
            const auto body = TRY(audit::BodyReader::parse(entry.body));
            if (const auto record = body.find_u64(audit::Tag::entry))
                out[EntryIndex(*record)] = body.find_u64(audit::Tag::count).value_or(0);
        }
    }
    return out;
}

// What a format makes of the bytes; what it can't read either is in the original already.
class Readable final : public ingest::ItemSink {
public:
    explicit Readable(EntryIndex original) : note_("from-quarantine:" + std::to_string(original.value)) {}
    Status item(ingest::ParsedItem item) override {
        if (interrupt_requested()) return Error(Code::interrupted, "interrupted; run it again to go on");
        if (item.message.kind == vault::MessageKind::unreadable) return {};
        item.message.notes.push_back(note_);
        ingest::PortItem entry;
        entry.dedupe_identity = ingest::dedupe_identity(item.message, item.update_type);
        entry.message = std::move(item.message);
        items.push_back(std::move(entry));
        return {};
    }
    void finding(std::string_view, std::uint64_t) override {}
    std::vector<ingest::PortItem> items;

private:
    std::string note_;
};

std::string reason_of(const vault::Message& message) {
    for (const std::string& note : message.notes)
        if (note.rfind(kReason, 0) == 0) return note.substr(kReason.size());
    return "";
}

vault::Purpose purpose_of(const std::string& actor, EntryIndex matter) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::open;
    purpose.matter = matter;
    purpose.actor = actor;
    return purpose;
}

}  // namespace

// The newest `most` of them that this matter may open; nothing erased is among them.
Result<std::pair<std::unique_ptr<vault::OpenSession>, std::vector<EntryIndex>>> House::open_quarantined(
    const std::string& actor, EntryIndex matter, const std::function<bool(EntryIndex)>& wanted, std::size_t most) {
    vault::Purpose purpose = purpose_of(actor, matter);
    TRY(matters_->allow(purpose, {}));
    std::vector<EntryIndex> ids;
    if (archive_->keys().apart()) {
        vault::SearchAsk ask;
        ask.purpose = purpose;
        ask.purpose.action = audit::AccessAction::search;
        ask.purpose.query = kUnreadable;
        ask.limit = ~std::uint64_t{0};
        ids = TRY(opener_->search(ask)).reply.listed;
    } else {
        const MatterQuery query = TRY(matter_query(actor, matter, kUnreadable, search::Language::en, nullptr));
        ids = TRY(ask(query.run)).entries;
        purpose.scope = query.scope;
        purpose.scope_decided = true;
    }
    const auto book = archive_->retention();
    std::erase_if(ids, [&](EntryIndex id) { return !wanted(id) || book->restriction_for(id, matter).has_value(); });
    std::sort(ids.begin(), ids.end());
    if (ids.size() > most) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(most));
    std::unique_ptr<vault::OpenSession> session;
    purpose.total = ids.size();
    if (!ids.empty()) session = TRY(opener_->begin(purpose, ids));
    return std::pair(std::move(session), std::move(ids));
}

Result<std::vector<QuarantineRow>> House::quarantined(const std::string& actor, const std::string& matter,
                                                      std::size_t most) {
    const auto [session, ids] = TRY(open_quarantined(
        actor, TRY(need_matter(matter)), [](EntryIndex) { return true; }, most));
    std::vector<QuarantineRow> out;
    if (ids.empty()) return out;
    const auto again = TRY(read_again(*archive_, ids.front()));
    for (const EntryIndex id : ids) {
        const vault::OpenedRecord opened = TRY(session->open(id));
        QuarantineRow row;
        row.entry = id;
        if (const auto source = archive_->find_source(opened.entry.header.source)) row.source = source->name;
        row.format = opened.message.format;
        row.reason = reason_of(opened.message);
        row.size = opened.message.raw_size;
        row.received = opened.message.received_at;
        if (const auto found = again.find(id); found != again.end()) row.read_again = found->second;
        out.push_back(std::move(row));
    }
    return out;
}

Result<ReparseReport> House::reparse(const ReparseRequest& request) {
    const EntryIndex matter = TRY(need_matter(request.matter));
    const ingest::FormatInfo* format = TRY(ingest::parse_format_name(request.format));
    std::optional<SourceId> source;
    if (!request.source.empty()) {
        const auto found = archive_->find_source(request.source);
        if (!found) return Error(Code::usage, "there is no source of that name").with_hint("kustos source list");
        source = found->id;
    }
    if (request.entry) TRY(expect_not_erased({*request.entry}));
    const auto wanted = [&](EntryIndex id) {
        if (request.entry && id != *request.entry) return false;
        const auto entry = archive_->entry(id);
        return entry.ok() && (!source || entry->header.source == *source);
    };
    const auto [session, ids] = TRY(open_quarantined(request.actor, matter, wanted, ~std::size_t{0}));
    if (request.entry && ids.empty())
        return Error(Code::usage, "nothing of that number is in quarantine").with_hint("kustos quarantine list");
    ReparseReport report;
    if (ids.empty()) return report;
    const auto again = TRY(read_again(*archive_, ids.front()));
    ingest::ExtractorOptions sandbox;
    sandbox.program = ingest::default_extractor_program();
    const auto unpacker = TRY(ingest::Extractor::create(sandbox));
    ingest::ReadContext context;
    context.extractor = unpacker.get();
    context.spool_folder = options_.archive / "staging";
    Progress progress(environment_.clock, "quarantine", "records", ids.size());
    for (const EntryIndex id : ids) {
        const SourceId of = TRY(archive_->entry(id)).header.source;
        const bool linked = again.count(id) != 0;
        TRY(reparse_one(*session, id, of, linked, format, context, report));
        progress.advance_to(++report.looked_at);
    }
    return report;
}

Status House::reparse_one(vault::OpenSession& session, EntryIndex id, SourceId source, bool linked,
                          const ingest::FormatInfo* format, const ingest::ReadContext& context, ReparseReport& report) {
    Bytes raw;
    if (TRY(session.open(id)).message.raw_size > kMostBytes) return {};
    TRY(session.write_original(id, [&raw](ByteView piece) {
        put(raw, piece);
        return ok_status();
    }));
    Readable readable(id);
    const Status read = ingest::read_bytes(raw, format, context, readable);
    wipe(raw);
    TRY(read);
    if (readable.items.empty()) return {};
    ++report.readable;
    const auto answers = TRY(door_of(source).seal(std::move(readable.items)));
    EntrySet made;
    for (const DoorAnswer& answer : answers) {
        if (answer.left_out) continue;
        ++(answer.receipt.duplicate ? report.duplicates : report.messages);
        made.add(answer.receipt.index);
    }
    if (linked || made.empty()) return {};
    std::vector<EntrySet::Interval> ranges = made.intervals();
    if (ranges.size() > kMostIntervals) ranges.resize(kMostIntervals);
    const vault::Receipt receipt =
        TRY(archive_->record_control(audit::ControlAction::quarantine_reparsed, [&](audit::Body& body) {
            body.put_u64(audit::Tag::entry, id.value).put_u64(audit::Tag::count, made.count()).put_entry_ranges(ranges);
        }));
    report.entries.push_back(receipt.index);
    return {};
}

}  // namespace kustos::app
