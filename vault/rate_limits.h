// How often and how much somebody may open: counted over a sliding window for each actor, each matter, and all together
// (four times as much). Names are remembered as hashes, for an hour. Code::overloaded: too much, and when to try again;
// nothing is counted then. Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::vault {

struct RateRules {
    std::uint64_t records_per_hour = 20'000;
    std::uint64_t openings_per_minute = 120;
    std::uint64_t searches_per_minute = 60;
};

class RateLimits {
public:
    RateLimits(const Clock& clock, RateRules rules) : clock_(clock), rules_(rules) {}
    Status search(const std::string& actor, EntryIndex matter);
    Status open(const std::string& actor, EntryIndex matter, std::uint64_t records);
    std::uint64_t refused() const { return refused_; }  // since the start
    std::uint64_t records_last_hour();                  // all together
    const RateRules& rules() const { return rules_; }

private:
    enum class What : std::uint8_t { records, openings, searches };
    struct Window {
        std::deque<std::pair<std::int64_t, std::uint64_t>> events;  // monotonic ms, how many
        std::uint64_t sum = 0;
    };
    using Key = std::pair<What, std::string>;
    struct Claim {
        What what;
        std::uint64_t amount;
    };
    void expire(Window& window, std::int64_t span_ms) const;
    void forget_idle();
    Status take(const std::string& actor, EntryIndex matter, std::initializer_list<Claim> claims);
    std::uint64_t limit_of(What what) const;

    const Clock& clock_;
    RateRules rules_;
    std::map<Key, Window> windows_;
    std::uint64_t refused_ = 0;
};

}  // namespace kustos::vault
