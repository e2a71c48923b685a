// Pages of Microsoft Graph's chatMessage (docs/format/teams.md).
#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/json_feed.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/single_formats.h"
#include "ingest/src/teams_message.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kName = "teams";

Certainty looks(const Sample& sample) {
    if (sample.is_folder() || sample.is_zip() || sample.binary()) return Certainty::no;
    const std::string_view text = sample.text();
    if (text.empty() || (text.front() != '{' && text.front() != '[')) return Certainty::no;
    const auto has = [text](std::string_view word) { return text.find(word) != std::string_view::npos; };
    const bool graph = has("\"messageType\"") && has("\"createdDateTime\"") && has("\"chatId\"");
    const bool net = has("\"MessageType\"") && has("\"CreatedDateTime\"") && has("\"ChatId\"");
    return graph || net ? Certainty::sure : Certainty::no;
}

Status read_path(const Input& input) {
    const auto source = TRY(file_source(input.path));
    return read_teams(*source, input.context, input.sink);
}

}  // namespace

Status read_teams(ByteSource& source, const ReadContext& context, ItemSink& sink) {
    JsonParser parser;
    std::uint64_t records = 0, page_records = 0;
    const auto give = [&](Bytes json) -> Status {
        ++records;
        std::string_view reason = parser.parse(json);
        const JsonValue root = parser.root();
        if (reason.empty() && !root.is_object()) reason = "not-an-object";
        if (reason.empty() && !graph_value(root, "body").there() && !graph_value(root, "eventDetail").there() &&
            !graph_value(root, "id").is_text())
            reason = "no-message";
        if (!reason.empty()) return quarantine(std::move(json), kName, reason, context.limits, sink);
        return TeamsMessage(as_text(json), root, context.limits, sink).read();
    };
    // The page's own count, and whether it says that there are more.
    const auto look = [&](std::string_view frame) {
        JsonParser page;
        const std::string_view count = json_member(frame, "@odata.count");
        if (!count.empty() && page.parse(as_bytes(count)).empty()) {
            const auto said = page.root().integer();
            const std::uint64_t here = records - page_records;
            if (said && *said > 0 && static_cast<std::uint64_t>(*said) > here)
                sink.finding("teams:count-missing", static_cast<std::uint64_t>(*said) - here);
        }
        const std::string_view next = json_member(frame, "@odata.nextLink");
        if (!next.empty() && next.front() == '"') sink.finding("teams:page-continues");
        page_records = records;
    };
    return read_json_feed(source, {"value"}, kName, context, sink, give, look);
}

const Format kTeamsFormat = {{kName,
                              "Microsoft Teams (Graph chatMessage)",
                              {.level = EvidentialLevel::medium,
                               .ids = Carries::yes,
                               .edits = Carries::partly,      // that and when, not the text before
                               .deletions = Carries::partly,  // the text only where it was retained
                               .time_zone = Carries::yes,
                               .membership = Carries::yes,
                               .attachments = Carries::no}},  // links only
                             looks,
                             read_path};

}  // namespace kustos::ingest
