// What the archive says of itself: heartbeats and counts of its sources, changed settings, and who may read the sealed
// part of such entries.
#include "app/house.h"
#include "vault/retention.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

constexpr std::int64_t kHeartbeatEvery = 3600 * 1000;  // ms; a checkpoint and a time stamp follow each entry
constexpr std::uint64_t kMaxConfig = 64 * 1024;

Result<Bytes> read_if_there(Fs& fs, const Path& file) {
    auto bytes = read_file(fs, file, kMaxConfig);
    if (!bytes.ok() && bytes.error().code() == Code::not_found) return Bytes();
    return bytes;
}

std::string shown(const vault::Payload& payload, const vault::FieldRow& row) {
    const ByteView value = payload.field(row);
    if (row.path != vault::PathCode::entry_list) return std::string(as_text(value));
    std::string out;
    for (std::size_t i = 0; i + 8 <= value.size(); i += 8)
        out += (out.empty() ? "" : " ") + std::to_string(load_u64(value.data() + i));
    return out;
}

std::string_view name_of(const vault::FieldRow& row) {
    switch (row.path) {
        case vault::PathCode::actor:
            return row.ordinal == 0   ? "actor"
                   : row.ordinal == 1 ? "approver"
                   : row.ordinal == 2 ? "second_approver"
                                      : "further_approver";
        case vault::PathCode::query:
            return "query";
        case vault::PathCode::entry_list:
            return "entries";
        case vault::PathCode::reference:
            return "reference";
        case vault::PathCode::legal_ground:
            return "ground";
        case vault::PathCode::file_reference:
            return "file_reference";
        case vault::PathCode::file_plan:
            return "file_plan";
        case vault::PathCode::question:
            return row.ordinal == 1   ? "question_1"
                   : row.ordinal == 2 ? "question_2"
                   : row.ordinal == 3 ? "question_3"
                                      : "question_4";
        case vault::PathCode::scope:
            return "scope";
        case vault::PathCode::label:
            return "name";
        case vault::PathCode::configuration:
            return row.ordinal == 0 ? "configuration_before" : "configuration_after";
        default:
            return "";
    }
}

}  // namespace

// Something is missing if the source has sent more messages than there are records of it. An entry tells it, and a
// finding, when that changes; otherwise an entry an hour is enough to show that the source is alive.
Result<web::HeartbeatAnswer> House::heartbeat(const std::string& name, std::uint64_t sent) {
    const auto source_id = archive_->find_source(name);
    if (!source_id) return Error(Code::denied, "unknown source or wrong token");
    const std::lock_guard lock(push_lane(source_id->id));  // no push of it is under way
    const auto source = archive_->find_source(name);
    web::HeartbeatAnswer answer;
    // What the capture profile leaves out has arrived, too.
    answer.received = source->records;
    for (const auto& [code, count] : TRY(tallies_->of(source->id)))
        if (code.rfind("dropped:", 0) == 0) answer.received += count;
    answer.missing = sent > answer.received ? sent - answer.received : 0;
    const bool changed = answer.missing != source->missing();
    const bool due = !source->heard || archive_->clock().now().ms - source->heard->ms >= kHeartbeatEvery;
    if (!changed && !due) return answer;
    TRY(archive_->record_control(ControlAction::source_heartbeat, [&](Body& body) {
        body.put_u64(Tag::entry, source->id.value).put_u64(Tag::count, sent).put_u64(Tag::total, answer.received);
    }));
    if (changed && answer.missing != 0) {
        TRY(archive_->record_control(ControlAction::finding, [&](Body& body) {
            body.put_u64(Tag::entry, source->id.value)
                .put_text(Tag::code, "source:missing")
                .put_u64(Tag::count, answer.missing);
        }));
    } else if (changed) {
        TRY(archive_->record_control(ControlAction::finding_resolved, [&](Body& body) {
            body.put_u64(Tag::entry, source->id.value).put_text(Tag::code, "source:missing").put_u64(Tag::count, 0);
        }));
    }
    return answer;
}

Status House::count_source(const vault::SourceInfo& source) {
    const Bytes tally = vault::encode_tally(TRY(tallies_->of(source.id)));
    TRY(tallies_->save());
    TRY(archive_->record_control(ControlAction::source_counted, [&](Body& body) {
        if (!tally.empty()) body.put_bytes(Tag::tally, tally);
        body.put_u64(Tag::entry, source.id.value)
            .put_u64(Tag::count, source.records - source.counted_records)
            .put_u64(Tag::total, source.records);
    }));
    return {};
}

Status House::count_sources() {
    for (const vault::SourceInfo& source : archive_->sources()) {
        if (!source.paused || source.records != source.counted_records) TRY(count_source(source));
    }
    return {};
}

// Settings take effect only if the ledger says which. The text of before is the copy that was made then: it lies with
// the signer, and counts only if it is what the last such entry names.
Status House::note_configuration(const Bytes& now) {
    Fs& fs = environment_.fs;
    const Hash digest = sha256(now), named = archive_->configuration();
    if (digest == named) return {};
    const Path copy = options_.state / "config.applied";
    Bytes before = TRY_IN("config.applied", read_if_there(fs, copy));
    const bool known = !named.is_zero() && sha256(before) == named;
    if (!known) before.clear();
    TRY(archive_->record_control(
        ControlAction::configuration_changed,
        [&](Body& body) {
            body.put_hash(Tag::related_hash, digest);
            if (!named.is_zero()) body.put_hash(Tag::list_root, named);
        },
        vault::kConfigurationClass, vault::compose_configuration(options_.actor, before, now)));
    return replace_file(fs, copy, now);
}

Result<std::vector<std::pair<std::string, std::string>>> House::read_trail(const std::string& actor,
                                                                           const std::string& ground,
                                                                           EntryIndex entry) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::audit_read;
    purpose.actor = actor;
    purpose.query = ground;
    const vault::OpenedPayload opened = TRY(opener_->read_trail(purpose, entry));
    std::vector<std::pair<std::string, std::string>> fields;
    for (const vault::FieldRow& row : opened.payload.rows) {
        if (const std::string_view name = name_of(row); !name.empty())
            fields.emplace_back(name, shown(opened.payload, row));
    }
    return fields;
}

}  // namespace kustos::app
