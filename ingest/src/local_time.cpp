#include "ingest/src/local_time.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <glib.h>
#pragma GCC diagnostic pop

#include <memory>
#include <string>

namespace kustos::ingest {

std::optional<UtcTime> local_to_utc(UtcTime local, const std::string& zone) {
    // Each thread keeps the rules that it asked for last: reading them again for every message costs more than the
    // rest.
    thread_local std::string known;
    thread_local std::unique_ptr<GTimeZone, decltype(&g_time_zone_unref)> rules(nullptr, &g_time_zone_unref);
    if (!rules || known != zone) {
        rules.reset(g_time_zone_new_identifier(zone.c_str()));
        known = zone;
    }
    if (!rules) return std::nullopt;
    gint64 seconds = local.ms >= 0 ? local.ms / 1000 : (local.ms - 999) / 1000;
    const std::int64_t rest_ms = local.ms - seconds * 1000;
    // Daylight saving is the first of the two readings.
    const gint interval = g_time_zone_adjust_time(rules.get(), G_TIME_TYPE_DAYLIGHT, &seconds);
    return UtcTime{(seconds - g_time_zone_get_offset(rules.get(), interval)) * 1000 + rest_ms};
}

}  // namespace kustos::ingest
