#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>

#include "base/clock.h"

namespace kustos {

namespace {
std::atomic<LogLevel> g_least{LogLevel::info};
}

void set_log_level(LogLevel least) {
    g_least = least;
}

void log(LogLevel level, const char* event, std::initializer_list<LogField> fields) {
    if (level < g_least.load()) return;
    static const char* const kNames[] = {"debug", "info", "warning", "error"};
    std::string line = format_rfc3339(SystemClock().now()) + " " + kNames[static_cast<int>(level)] + " " + event;
    for (const LogField& f : fields) line += std::string(" ") + f.key + "=" + f.value.text();
    line += "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);  // one call, so that lines of threads don't mix
}

}  // namespace kustos
