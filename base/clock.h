// Time comes in through the constructor, so that tests set it.
#pragma once

#include <atomic>

#include "base/time.h"

namespace kustos {

class Clock {
public:
    virtual ~Clock() = default;
    virtual UtcTime now() const = 0;                // wall clock, may jump
    virtual std::int64_t monotonic_ms() const = 0;  // never goes back; for waiting and rates
};

class SystemClock final : public Clock {
public:
    UtcTime now() const override;
    std::int64_t monotonic_ms() const override;
};

class FixedClock final : public Clock {  // for tests; both clocks move only by hand
public:
    explicit FixedClock(UtcTime start) : ms_(start.ms) {}
    UtcTime now() const override { return {ms_.load()}; }
    std::int64_t monotonic_ms() const override { return ms_.load(); }
    void advance_ms(std::int64_t by) { ms_ += by; }

private:
    std::atomic<std::int64_t> ms_;
};

}  // namespace kustos
