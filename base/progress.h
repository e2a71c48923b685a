// Progress of long work on a terminal: rate and remaining time, after one second, on standard error, one line.
// Silent where standard error is not a terminal. Threads: one.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace kustos {

class Progress {
public:
    // total 0: unknown. unit: "messages", "entries".
    Progress(const Clock& clock, std::string label, std::string unit, std::uint64_t total);
    ~Progress();
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

// SIGINT and SIGTERM set a flag that long loops ask for; the second SIGINT ends at once.
void install_interrupt_handler();
bool interrupt_requested();
void request_interrupt();  // for tests and for the server's own shutdown

}  // namespace kustos
