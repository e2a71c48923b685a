// Files of Matrix events: an application service's transactions, lists and lines of events, Synapse's export-data
// (docs/format/matrix.md, docs/format/synapse-export.md).
#include <map>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/json_feed.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/json_value.h"
#include "ingest/src/matrix_feed.h"
#include "ingest/src/single_formats.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kMatrix = "matrix", kSynapse = "synapse-export";
constexpr std::size_t kMaxIds = 1'000'000;  // that are remembered to see one id used twice

}  // namespace

Status MatrixFeed::give(Bytes json) {
    // A list of transactions: each has events in it.
    if (json_member(as_text(json), "type").empty()) {
        const std::string_view events = json_member(as_text(json), "events");
        if (!events.empty() && events.front() == '[' && depth_ < 2) {
            ++depth_;
            const auto inner = memory_source(json);
            const Status read = this->read(*inner);
            --depth_;
            return read;
        }
    }
    Findings findings;
    std::vector<MatrixMedia> media;
    ParsedItem item = parse_matrix_event(json, matrix_, context_.limits, &findings, &media);
    for (const auto& [code, count] : findings) sink_.finding(code, count);
    note_conflict(item);
    if (attach_)
        for (const MatrixMedia& one : media) attach_(item.message.attachments[one.attachment]);
    for (const auto& file : item.message.attachments) {
        item.source_bytes += file.content_size();
        if (file.missing) sink_.finding("matrix:media-missing");
    }
    if (ready_) TRY(ready_());
    return sink_.item(std::move(item));
}

void MatrixFeed::note_conflict(const ParsedItem& item) {
    const std::string& id = item.message.native_id;
    if (id.empty() || seen_.size() >= kMaxIds) return;
    const auto [at, fresh] = seen_.emplace(id, item.update_type);
    if (!fresh && at->second != item.update_type) sink_.finding("matrix:id-conflict");
}

Status MatrixFeed::read(ByteSource& source) {
    return read_json_feed(
        source, {"events", "ephemeral", "de.sorunome.msc2409.ephemeral", "to_device", "chunk", "state", "messages"},
        matrix_.format, context_, sink_, [this](Bytes json) { return give(std::move(json)); });
}

Status read_matrix(ByteSource& source, const ReadContext& context, ItemSink& sink) {
    return MatrixFeed(context, sink, kMatrix).read(source);
}

namespace {

Certainty matrix_looks(const Sample& sample) {
    if (sample.is_folder() || sample.is_zip() || sample.binary()) return Certainty::no;
    const std::string_view text = sample.text();
    if (text.empty() || (text.front() != '{' && text.front() != '[')) return Certainty::no;
    const auto has = [text](std::string_view word) { return text.find(word) != std::string_view::npos; };
    if (!has("\"origin_server_ts\"") || !has("\"type\"") || !has("\"sender\"")) return Certainty::no;
    if (has("\"exported_by\"") && has("\"room_creator\"")) return Certainty::no;  // Element's
    return has("\"event_id\"") || has("\"auth_events\"") ? Certainty::sure : Certainty::likely;
}

Status read_matrix_path(const Input& input) {
    const auto source = TRY(file_source(input.path));
    return read_matrix(*source, input.context, input.sink);
}

// rooms/<room id>/events, rooms/<room id>/state/<event id>, also invite_state and knock_state.
struct SynapsePath {
    std::string room;
    bool events = false;
};
std::optional<SynapsePath> synapse_path(std::string_view path) {
    constexpr std::string_view kRooms = "rooms/";
    if (path.substr(0, kRooms.size()) != kRooms) return std::nullopt;
    path.remove_prefix(kRooms.size());
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view rest = path.substr(slash + 1);
    SynapsePath out;
    out.room = std::string(path.substr(0, slash));
    out.events = rest == "events" || rest.substr(0, 6) == "state/" || rest == "invite_state" || rest == "knock_state";
    return out;
}

Certainty synapse_looks(const Sample& sample) {
    if (!sample.is_folder() && !sample.is_zip()) return Certainty::no;
    if (sample.is_folder()) {
        if (!sample.has("rooms")) return Certainty::no;
        return sample.has("user_data") ? Certainty::sure : Certainty::no;
    }
    if (!sample.container()) return Certainty::no;
    bool rooms = false, user = false;
    for (const auto& [path, member] : sample.container()->members()) {
        const auto known = synapse_path(path);
        rooms |= known && known->events;
        user |= path.substr(0, 10) == "user_data/";
    }
    return rooms && user ? Certainty::sure : rooms ? Certainty::likely : Certainty::no;
}

// A folder's files are read as they come; a zip's members are held.
Status read_synapse_member(ContainerReader& reader, const Input& input, const std::string& path, MatrixFeed& feed) {
    const Path file = input.path / path;
    if (kind_of(input.path) == FileKind::folder && kind_of(file) == FileKind::file) {
        TRY(feed.read(*TRY(file_source(file))));
        reader.mark_taken(path);
        return ok_status();
    }
    const auto json = reader.take(path, input.context.limits.csv);
    if (!json) return ok_status();
    return feed.read(*memory_source(*json));
}

Status read_synapse(const Input& input) {
    return read_container(input, kSynapse, [&](ContainerReader& reader) -> Result<bool> {
        bool any = false;
        MatrixFeed feed(input.context, input.sink, kSynapse);
        // State first: it says what rooms and persons are called. "state/" sorts behind "events".
        for (const bool events : {false, true}) {
            for (const auto& [path, member] : reader.container().members()) {
                const auto known = synapse_path(path);
                const bool main = path.size() > 7 && path.substr(path.size() - 7) == "/events";
                if (!known || !known->events || main != events) continue;
                any = true;
                feed.set_room(known->room);
                TRY(read_synapse_member(reader, input, path, feed));
            }
        }
        return any;
    });
}

}  // namespace

const Format kMatrixFormat = {{kMatrix,
                               "Matrix events",
                               {.level = EvidentialLevel::high,
                                .ids = Carries::yes,
                                .edits = Carries::yes,
                                .deletions = Carries::yes,
                                .time_zone = Carries::yes,
                                .membership = Carries::yes,
                                .attachments = Carries::no}},  // links only
                              matrix_looks,
                              read_matrix_path};

const Format kSynapseFormat = {{kSynapse,
                                "Synapse export-data",
                                {.level = EvidentialLevel::medium,
                                 .ids = Carries::partly,  // not of rooms of version 3 and later
                                 .edits = Carries::yes,
                                 .deletions = Carries::partly,  // what was redacted before has no text any more
                                 .time_zone = Carries::yes,
                                 .membership = Carries::yes,
                                 .attachments = Carries::no}},
                               synapse_looks,
                               read_synapse,
                               true};

}  // namespace kustos::ingest
