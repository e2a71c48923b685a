// The month that a moment lies in, where people live.
//
// Threads: a value of one thread.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"

namespace kustos::exporting {

class LocalMonths {
public:
    // As in `time_zone` of config.yaml; a name that the machine does not know is UTC.
    explicit LocalMonths(const std::string& zone);
    ~LocalMonths();
    const std::string& zone() const;     // the name that counts: "Europe/Berlin", "UTC"
    std::string of(UtcTime time) const;  // "2026-03"

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::exporting
