#include <nlohmann/json.hpp>

#include "audit/completeness.h"

namespace kustos::audit {

using nlohmann::json;

namespace {

json when(const std::optional<UtcTime>& time) {
    return time ? json(format_rfc3339(*time)) : json();
}

// The counts whose word begins so, by the rest of it.
json starting(const std::map<std::string, std::uint64_t>& counts, std::string_view prefix) {
    json out = json::object();
    for (const auto& [code, n] : counts)
        if (code.rfind(prefix, 0) == 0 && code != "kind:unreadable") out[code.substr(prefix.size())] = n;
    return out;
}

}  // namespace

std::string Completeness::to_json() const {
    json list = json::array();
    for (const PeriodFinding& f : findings)
        list.push_back({{"entry", f.entry.value},
                        {"code", f.code},
                        {"count", f.count},
                        {"found", format_rfc3339(f.found)},
                        {"resolved", when(f.resolved)}});
    return json{{"source", name},
                {"source_kind", kind},
                {"begin", format_rfc3339(begin)},
                {"end", format_rfc3339(end)},
                {"counted", {{"from", format_rfc3339(counted_from)}, {"until", format_rfc3339(counted_until)}}},
                {"verdict", verdict},
                {"records", records},
                {"sealed", starting(counts, "kind:")},
                {"quarantined", count("kind:unreadable")},
                {"duplicates", count("duplicate")},
                {"left_out", starting(counts, "dropped:")},
                {"attachments", {{"named", count("attachment")}, {"missing", count("attachment-missing")}}},
                {"promises",
                 {{"parts", parts},
                  {"parts_short", parts_short},
                  {"promised", promised},
                  {"sealed", promise_sealed},
                  {"missing", missing},
                  {"last", when(last_promise)}}},
                {"heartbeats",
                 {{"count", heartbeats},
                  {"first", when(first_heartbeat)},
                  {"last", when(last_heartbeat)},
                  {"longest_silence_seconds", silence_ms / 1000},
                  {"silent_from", format_rfc3339(silent_from)}}},
                {"findings", {{"opened", opened}, {"resolved", resolved}, {"open", open}, {"list", std::move(list)}}},
                {"profile", {{"version", profile_version}, {"changes", profile_changes}}}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace kustos::audit
