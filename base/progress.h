// Progress of long work on a terminal: rate and remaining time, after one second, on standard error, one line.
// Silent where standard error is not a terminal, and nobody else watches (ScopedWork). Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace kustos {

// For whom this thread works: a server that carries out a caller's command shows the progress to him, and stops when he
// has gone. Both may be empty.
struct Work {
    std::function<void(std::string_view)> show;  // a line that replaces the last one; empty: remove it
    std::function<bool()> gone;
};
class ScopedWork {
public:
    explicit ScopedWork(const Work& work);  // must outlive this
    ~ScopedWork();
    ScopedWork(const ScopedWork&) = delete;
    ScopedWork& operator=(const ScopedWork&) = delete;

private:
    const Work* before_;
};

class Progress {
public:
    // total 0: unknown. unit: "messages", "entries".
    Progress(const Clock& clock, std::string label, std::string unit, std::uint64_t total);
    ~Progress();
    void expect(std::uint64_t total) { total_ = total; }  // where it is known only later
    void advance_to(std::uint64_t done);
    void finish();

private:
    void draw();
    const Clock& clock_;
    std::string label_, unit_;
    std::uint64_t total_, done_ = 0;
    std::int64_t started_ms_, drawn_ms_ = 0;
    bool terminal_, shown_ = false;
};

// SIGINT and SIGTERM set a flag that long loops ask for; the second SIGINT ends at once. True also where the one for
// whom this thread works has gone.
void install_interrupt_handler();
bool interrupt_requested();
void request_interrupt();  // for tests and for the server's own shutdown

}  // namespace kustos
