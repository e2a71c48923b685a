#include <cstdlib>

#include "audit/tsa_authority.h"

namespace kustos::audit {

namespace {

constexpr std::int64_t kClockTolerance_ms = 2'000;

Result<StampedToken> stamp_once(const Imprint& imprint, const AuthorityChoice& choice, Random& random) {
    TimestampRequest request = TimestampRequest::make(imprint, random);
    if (choice.trust.policy) request.policy = *choice.trust.policy;
    return verify_response(TRY(choice.authority->ask(request.encode())), request, choice.trust);
}

}  // namespace

bool is_authority_name(std::string_view name) {
    if (name.empty() || name.size() > 64 || name.front() == '.' || name.front() == '-') return false;
    for (const char c : name) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-')) return false;
    }
    return true;
}

std::vector<StampOutcome> stamp(const Imprint& imprint, const std::vector<AuthorityChoice>& authorities,
                                const Clock& clock, Random& random) {
    std::vector<StampOutcome> outcomes;
    for (const AuthorityChoice& choice : authorities) {
        const std::int64_t asked_ms = clock.monotonic_ms();
        auto result = stamp_once(imprint, choice, random);
        const std::int64_t round_trip_ms = clock.monotonic_ms() - asked_ms;
        StampOutcome outcome{choice.authority->name(), std::move(result), round_trip_ms, 0, false};
        if (outcome.result.ok()) {
            const TokenFacts& facts = outcome.result->facts;
            outcome.clock_offset_ms = facts.gen_time.ms - (clock.now().ms - round_trip_ms / 2);
            const std::int64_t allowed_ms = facts.accuracy_ms.value_or(0) + round_trip_ms + kClockTolerance_ms;
            outcome.clock_suspicious = std::llabs(outcome.clock_offset_ms) > allowed_ms;
        }
        outcomes.push_back(std::move(outcome));
    }
    return outcomes;
}

}  // namespace kustos::audit
