// kustos index check|rebuild|update|merge|retry
#include <nlohmann/json.hpp>

#include "app/house.h"
#include "app/index_commands.h"

namespace kustos::app {

namespace {

// Text without control characters of its own: machine words only.
bool is_word(const std::string& text) {
    return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

}  // namespace

Result<int> index_check(House& house, const Call& call, Streams streams) {
    const auto repair = call.given.find("repair");
    const IndexReport r = TRY(house.check_index(repair != call.given.end() && !repair->second.empty(), !call.json));
    const bool whole = r.missing == 0 && (r.repaired || r.damaged + r.doubtful == 0);
    if (call.json) {
        streams.out << nlohmann::json{{"shards", r.shards},     {"records", r.records}, {"damaged", r.damaged},
                                      {"doubtful", r.doubtful}, {"missing", r.missing}, {"repaired", r.repaired},
                                      {"whole", whole}}
                           .dump()
                    << "\n";
        return whole ? 0 : 1;
    }
    const bool de = call.language == Language::german;
    streams.out << r.records << (de ? " Aufzeichnungen in " : " records in ") << r.shards
                << (de ? " Teilen des Verzeichnisses\n" : " shards of the index\n");
    if (r.damaged != 0) streams.out << r.damaged << (de ? " Teile beschädigt\n" : " shards damaged\n");
    if (r.doubtful != 0)
        streams.out << r.doubtful
                    << (de ? " Teile mit Fremdem oder Doppeltem\n" : " shards with what is foreign or twice\n");
    if (r.repaired) streams.out << (de ? "neu aufgenommen, was fehlte\n" : "what was missing was indexed again\n");
    if (r.missing != 0) {
        streams.out << r.missing
                    << (de ? " Aufzeichnungen fehlen im Verzeichnis\n" : " records are missing in the index\n");
        if (!r.repaired)
            streams.out << (de ? "  kustos index check --repair nimmt sie auf\n"
                               : "  kustos index check --repair takes them in\n");
    }
    if (whole) streams.out << (de ? "Verzeichnis und Ledger stimmen überein.\n" : "index and ledger agree\n");
    return whole ? 0 : 1;
}

Result<int> index_rebuild(House& house, const Call& call, Streams streams) {
    const std::uint64_t records = TRY(house.rebuild_index(!call.json));
    if (call.json)
        streams.out << nlohmann::json{{"records", records}}.dump() << "\n";
    else
        streams.out << records
                    << (call.language == Language::german ? " Aufzeichnungen neu ins Verzeichnis genommen\n"
                                                          : " records indexed anew\n");
    return 0;
}

Result<int> index_update(House& house, const Call& call, Streams streams) {
    TRY(house.index_all(!call.json));
    const web::StatusReport status = TRY(house.status(web::Language::english));
    const std::uint64_t deferred = status.coverage.deferred;
    if (call.json) {
        streams.out << nlohmann::json{{"searchable", status.coverage.searchable}, {"deferred", deferred}}.dump()
                    << "\n";
        return 0;
    }
    const bool de = call.language == Language::german;
    if (!status.coverage_known || deferred != 0) {
        streams.out << (de ? "Was fehlt, nimmt ein geöffneter Tresor auf: kustos unlock\n"
                           : "what is missing comes in from an open vault: kustos unlock\n");
        return 0;
    }
    streams.out << (de ? "Das Verzeichnis ist auf dem Stand des Ledgers.\n" : "the index has what the ledger has\n");
    return 0;
}

Result<int> index_merge(House& house, const Call& call, Streams streams) {
    const search::RewriteReport r = TRY(house.forget_terms());
    if (call.json) {
        streams.out << nlohmann::json{{"looked_at", r.looked_at}, {"joined", r.joined}, {"written", r.written}}.dump()
                    << "\n";
        return 0;
    }
    const bool de = call.language == Language::german;
    streams.out << r.looked_at << (de ? " Teile angesehen, " : " shards looked at, ") << r.joined
                << (de ? " zusammengefasst zu " : " joined into ") << r.written << "\n";
    return 0;
}

Result<int> index_retry(House& house, const Call& call, const std::string& actor, Streams streams) {
    RetryRequest request;
    request.actor = actor;
    request.matter = call.matter;
    if (const auto given = call.given.find("reason"); given != call.given.end()) request.reasons = given->second;
    for (const std::string& reason : request.reasons)
        if (!is_word(reason))
            return Error(Code::usage, "a reason is a word of the coverage, such as no-sandbox or time-out")
                .with_hint("kustos --json status lists them under reasons");
    const RetryReport report = TRY(house.retry_texts(request));
    if (report.records != 0) TRY(house.index_all(!call.json));
    const bool german = call.language == Language::german;
    if (call.json)
        streams.out << nlohmann::json{{"records", report.records}, {"reasons", report.reasons}}.dump() << "\n";
    else
        streams.out << report.records
                    << (german ? " Aufzeichnungen neu ins Verzeichnis genommen; was nun fehlt, sagt kustos status\n"
                               : " records indexed again; what is missing now, kustos status says\n");
    return 0;
}

}  // namespace kustos::app
