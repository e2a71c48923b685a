// kustos index retry
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
