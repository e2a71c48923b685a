// Messages of Rocket.Chat: pages of its REST interface, lines or lists out of its database (docs/format/rocketchat.md).
#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/json_feed.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/rocketchat_message.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kName = "rocketchat";

Certainty looks(const Sample& sample) {
    if (sample.is_folder() || sample.is_zip() || sample.binary()) return Certainty::no;
    const std::string_view text = sample.text();
    if (text.empty() || (text.front() != '{' && text.front() != '[')) return Certainty::no;
    for (const std::string_view word : {"\"_id\"", "\"rid\"", "\"msg\"", "\"ts\"", "\"u\"", "\"username\""})
        if (text.find(word) == std::string_view::npos) return Certainty::no;
    return Certainty::sure;
}

Status read_path(const Input& input) {
    const auto source = TRY(file_source(input.path));
    return read_rocketchat(*source, input.context, input.sink);
}

}  // namespace

Status read_rocketchat(ByteSource& source, const ReadContext& context, ItemSink& sink) {
    const ExportFiles files;
    ChatOut out(kName, files, context, sink);
    RocketchatReader reader(out);
    std::uint64_t records = 0;
    // A page says how many there are in all.
    const auto look = [&](std::string_view frame) {
        JsonParser parser;
        std::uint64_t total = 0;
        for (const std::string_view key : {"total", "offset"})
            if (const std::string_view value = json_member(frame, key);
                !value.empty() && parser.parse(as_bytes(value)).empty())
                if (const auto said = parser.root().integer(); said && *said > 0)
                    total = key == "total" ? static_cast<std::uint64_t>(*said)
                                           : total - std::min<std::uint64_t>(total, *said);
        if (total > records) out.finding("page-continues", total - records);
        records = 0;
    };
    return read_json_feed(
        source, {"messages"}, kName, context, sink,
        [&](Bytes json) {
            ++records;
            return reader.read(as_text(json));
        },
        look);
}

const Format kRocketchatFormat = {{kName,
                                   "Rocket.Chat messages (JSON)",
                                   {.level = EvidentialLevel::medium,
                                    .ids = Carries::yes,
                                    .edits = Carries::partly,      // that and when, not the text before
                                    .deletions = Carries::partly,  // that and when, where the server keeps them
                                    .time_zone = Carries::yes,
                                    .membership = Carries::yes,
                                    .attachments = Carries::no}},  // links
                                  looks,
                                  read_path};

}  // namespace kustos::ingest
