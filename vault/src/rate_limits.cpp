#include "vault/rate_limits.h"

#include <algorithm>

#include "base/crypto.h"

namespace kustos::vault {

namespace {
constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute;
constexpr std::uint64_t kAllTogether = 4;
constexpr std::size_t kManyWindows = 4'096;
}  // namespace

std::uint64_t RateLimits::limit_of(What what) const {
    switch (what) {
        case What::records:
            return rules_.records_per_hour;
        case What::openings:
            return rules_.openings_per_minute;
        case What::searches:
            return rules_.searches_per_minute;
    }
    return 0;
}

void RateLimits::expire(Window& window, std::int64_t span_ms) const {
    const std::int64_t from = clock_.monotonic_ms() - span_ms;
    while (!window.events.empty() && window.events.front().first <= from) {
        window.sum -= window.events.front().second;
        window.events.pop_front();
    }
}

// Who varies names must not fill the memory.
void RateLimits::forget_idle() {
    if (windows_.size() < kManyWindows) return;
    for (auto at = windows_.begin(); at != windows_.end();) {
        expire(at->second, at->first.first == What::records ? kHour : kMinute);
        at = at->second.events.empty() ? windows_.erase(at) : std::next(at);
    }
}

Status RateLimits::take(const std::string& actor, EntryIndex matter, std::initializer_list<Claim> claims) {
    forget_idle();
    const std::string who = "a" + sha256(as_bytes(actor)).hex(), which = "m" + std::to_string(matter.value);
    const std::int64_t now = clock_.monotonic_ms();
    for (const Claim& claim : claims) {
        const std::int64_t span = claim.what == What::records ? kHour : kMinute;
        for (const std::string& name : {who, which, std::string()}) {
            Window& window = windows_[{claim.what, name}];
            expire(window, span);
            const std::uint64_t limit = limit_of(claim.what) * (name.empty() ? kAllTogether : 1);
            if (window.sum + claim.amount <= limit) continue;
            ++refused_;
            const std::int64_t wait = window.events.empty() ? span : window.events.front().first + span - now;
            return Error(Code::overloaded,
                         std::string("more than is opened in one ") + (span == kHour ? "hour" : "minute") + " here")
                .with_hint("try again in " + std::to_string(std::max<std::int64_t>(1, (wait + 999) / 1000)) + " s");
        }
    }
    for (const Claim& claim : claims) {
        for (const std::string& name : {who, which, std::string()}) {
            Window& window = windows_[{claim.what, name}];
            // Events of one second are one: a window holds at most 3,600 of them.
            if (!window.events.empty() && window.events.back().first / 1000 == now / 1000) {
                window.events.back().second += claim.amount;
            } else {
                window.events.emplace_back(now, claim.amount);
            }
            window.sum += claim.amount;
        }
    }
    return {};
}

Status RateLimits::search(const std::string& actor, EntryIndex matter) {
    return take(actor, matter, {{What::searches, 1}});
}

Status RateLimits::open(const std::string& actor, EntryIndex matter, std::uint64_t records) {
    return take(actor, matter, {{What::openings, 1}, {What::records, records}});
}

std::uint64_t RateLimits::records_last_hour() {
    Window& all = windows_[{What::records, std::string()}];
    expire(all, kHour);
    return all.sum;
}

}  // namespace kustos::vault
