// kustos quarantine list, fetch, reparse
#include <nlohmann/json.hpp>

#include "app/src/source_call.h"
#include "base/staged_file.h"

namespace kustos::app {

using nlohmann::json;

namespace {

Result<int> list(const SourceCall& c) {
    const auto rows = TRY(c.house.quarantined(c.actor, c.call.matter, c.call.limit));
    json all = json::array();
    for (const QuarantineRow& r : rows) {
        if (c.call.json) {
            all.push_back({{"entry", r.entry.value},
                           {"source", r.source},
                           {"format", r.format},
                           {"reason", r.reason},
                           {"size", r.size},
                           {"received", format_rfc3339(r.received)},
                           {"read_again", r.read_again}});
            continue;
        }
        c.out << r.entry.value << "\t" << r.source << "\t" << r.format << "\t" << r.reason << "\t" << r.size
              << " byte\t" << format_rfc3339(r.received);
        if (r.read_again != 0) c.out << c.say("\tgelesen: ", "\tread since: ") << r.read_again;
        c.out << "\n";
    }
    if (c.call.json)
        c.out << all.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    else if (rows.empty())
        c.out << c.say("nichts ist in Quarantäne\n", "nothing is quarantined\n");
    return 0;
}

Result<int> fetch(const SourceCall& c) {
    const EntryIndex entry = TRY(c.entry(c.call.record));
    StagedFile file = TRY(StagedFile::create(c.house.environment().fs, c.call.out, StagedFile::Existing::refuse));
    TRY(c.house.write_original(c.actor, c.call.matter, entry, [&file](ByteView piece) { return file.write(piece); }));
    const std::uint64_t size = file.size();
    TRY(file.commit());
    if (c.call.json)
        c.out << json{{"entry", entry.value}, {"file", c.call.out}, {"size", size}}.dump() << "\n";
    else
        c.out << c.call.out << ": " << size
              << c.say(" Byte. Sie waren nicht lesbar: vorsichtig damit umgehen.\n",
                       " bytes. They could not be read: handle them with care.\n");
    return 0;
}

Result<int> reparse(const SourceCall& c) {
    ReparseRequest request{c.actor, c.call.matter, c.call.source, std::nullopt, c.call.format};
    if (!c.call.record.empty()) request.entry = TRY(c.entry(c.call.record));
    const ReparseReport r = TRY(c.house.reparse(request));
    if (r.messages != 0) {  // findable and provable at once, as behind an import
        TRY(c.house.index_all(false));
        TRY(c.house.publish_and_anchor());
    }
    if (c.call.json) {
        json entries = json::array();
        for (const EntryIndex e : r.entries) entries.push_back(e.value);
        c.out << json{{"looked_at", r.looked_at},
                      {"readable", r.readable},
                      {"messages", r.messages},
                      {"duplicates", r.duplicates},
                      {"entries", std::move(entries)}}
                     .dump()
              << "\n";
        return 0;
    }
    c.out << r.looked_at << c.say(" angesehen, ", " looked at, ") << r.readable
          << c.say(" jetzt lesbar: ", " can be read now: ") << r.messages
          << c.say(" Nachrichten versiegelt, ", " messages sealed, ") << r.duplicates
          << c.say(" schon vorhanden. Die Originale bleiben.\n", " already there. The originals stay.\n");
    return 0;
}

}  // namespace

Result<int> quarantine_command(House& house, const Call& call, const std::string& actor, Streams streams) {
    const SourceCall c{house, call, actor, streams.out};
    if (call.command == "quarantine list") return list(c);
    if (call.command == "quarantine fetch") return fetch(c);
    if (call.command == "quarantine reparse") return reparse(c);
    return Error(Code::not_in_version, "`kustos " + call.command + "` is not in this version");
}

}  // namespace kustos::app
