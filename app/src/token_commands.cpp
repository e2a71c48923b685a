// kustos source token NAME: the tokens of a source that pushes; a new one, and the end of an old one.
#include <charconv>
#include <nlohmann/json.hpp>

#include "app/src/source_call.h"
#include "base/time.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::int64_t kHour = 3600 * 1000;  // ms
constexpr std::uint32_t kMostHours = 24 * 90;

Result<std::uint32_t> number(const std::string& text, const char* what) {
    std::uint32_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size())
        return Error(Code::usage, std::string(what) + " takes a number");
    return n;
}

bool ended(const access::PushTokens::Token& token, std::int64_t now) {
    return token.ends_ms && *token.ends_ms <= now;
}

json facts(const access::PushTokens::Token& token, std::int64_t now) {
    json j = {{"number", token.number}, {"ended", ended(token, now)}};
    if (token.issued_ms != 0) j["issued"] = format_rfc3339(UtcTime{token.issued_ms});
    if (token.ends_ms) j["ends"] = format_rfc3339(UtcTime{*token.ends_ms});
    if (token.used_ms) j["last_used"] = format_rfc3339(UtcTime{*token.used_ms});
    return j;
}

void list(const SourceCall& c, const std::vector<access::PushTokens::Token>& tokens, std::int64_t now) {
    for (const access::PushTokens::Token& token : tokens) {
        c.out << c.say("Token ", "token ") << token.number;
        if (token.issued_ms != 0)
            c.out << c.say("  ausgestellt ", "  issued ") << format_rfc3339(UtcTime{token.issued_ms});
        if (token.ends_ms)
            c.out << (ended(token, now) ? c.say("  beendet ", "  ended ") : c.say("  endet ", "  ends "))
                  << format_rfc3339(UtcTime{*token.ends_ms});
        c.out << c.say("  zuletzt benutzt ", "  last used ")
              << (token.used_ms ? format_rfc3339(UtcTime{*token.used_ms}) : c.say("nie", "never")) << "\n";
    }
}

Result<int> issue(const SourceCall& c, SourceId source) {
    const std::string given = c.one("keep-old");
    const std::uint32_t hours = given.empty() ? 0 : TRY(number(given, "--keep-old"));
    if (hours > kMostHours) return Error(Code::usage, "--keep-old is at most 2160 hours (90 days)");
    const std::string token = TRY(c.house.issue_token(source, c.actor, hours * kHour));
    if (c.call.json) {
        c.out << json{{"token", token}, {"old_end_in_hours", hours}}.dump() << "\n";
        return 0;
    }
    c.out << c.say("Token (wird nur jetzt gezeigt): ", "token (shown only now): ") << token << "\n";
    c.out << c.say("Die alten enden ", "the old ones end ")
          << (hours == 0 ? c.say("sofort", "at once")
                         : c.say("in ", "in ") + std::to_string(hours) + c.say(" Stunden", " hours"))
          << "\n";
    return 0;
}

}  // namespace

Result<int> token_command(const SourceCall& c) {
    const vault::SourceInfo source = TRY(c.desk().find(c.call.name));
    if (source.kind != "http")
        return Error(Code::usage, "only sources of kind http have tokens").with_hint("kustos source list");
    const bool fresh = !c.one("new").empty();
    const std::string ending = c.one("end");
    if (fresh && !ending.empty()) return Error(Code::usage, "either --new or --end");
    if (!fresh && !c.one("keep-old").empty()) return Error(Code::usage, "--keep-old goes with --new");
    if (fresh) return issue(c, source.id);
    if (!ending.empty()) TRY(c.house.end_token(source.id, TRY(number(ending, "--end")), c.actor));
    const auto tokens = TRY(c.house.push_tokens(source.id));
    const std::int64_t now = c.house.environment().clock.now().ms;
    if (!c.call.json) {
        list(c, tokens, now);
        return 0;
    }
    json all = json::array();
    for (const access::PushTokens::Token& token : tokens) all.push_back(facts(token, now));
    c.out << all.dump() << "\n";
    return 0;
}

}  // namespace kustos::app
