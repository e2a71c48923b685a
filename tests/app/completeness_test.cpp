#include "app/completeness.h"

#include <doctest/doctest.h>

#include "app/source_desk.h"
#include "vault/retention_dates.h"

using namespace kustos;
using namespace kustos::app;

namespace {
UtcTime time(std::string_view text) {
    return parse_rfc3339(text).value();
}

vault::RuleMac plain_mac() {
    return [](ByteView identity) { return sha256(identity); };
}
}  // namespace

TEST_CASE("a period is made of German days, summer time and its changes included") {
    const UtcTime now = time("2027-01-01T00:00:00Z");
    const Period winter = parse_period("2026-03-01", "2026-03-01", now).value();
    CHECK(winter.begin == time("2026-02-28T23:00:00Z"));
    CHECK(winter.end == time("2026-03-01T23:00:00Z"));
    const Period change = parse_period("2026-03-29", "2026-03-29", now).value();
    CHECK(change.begin == time("2026-03-28T23:00:00Z"));
    CHECK(change.end == time("2026-03-29T22:00:00Z"));  // 23 hours
    const Period back = parse_period("2026-10-25", "2026-10-25", now).value();
    CHECK(back.end.ms - back.begin.ms == 25 * 3600 * 1000);
}

TEST_CASE("every day begins where the one before ends") {
    CivilDate day{2025, 12, 30};
    for (int i = 0; i < 800; ++i) {
        const CivilDate next = vault::next_day(day);
        const UtcTime begin = first_moment(day), end = first_moment(next);
        CHECK(vault::german_date(begin) == day);
        CHECK(vault::german_date(UtcTime{begin.ms - 1}) < day);
        CHECK(vault::german_date(UtcTime{end.ms - 1}) == day);
        day = next;
    }
}

TEST_CASE("what is no period is refused") {
    const UtcTime now = time("2026-03-10T12:00:00Z");
    CHECK(parse_period("2026-03-10", "2026-03-31", now).ok());  // it has begun
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"2026-03-11", "2026-03-12"},
                                                                                   {"2026-03-05", "2026-03-04"},
                                                                                   {"2026-02-30", "2026-03-04"},
                                                                                   {"", ""},
                                                                                   {"1", "2"}})
        CHECK(parse_period(from, to, now).error().code() == Code::usage);
}

TEST_CASE("a profile that people wrote becomes one, and what is not understood is refused with its line") {
    const auto p = parse_profile(
        "kinds_out: [reaction, join]\npresence: yes\nrooms_out: [\"!a:example.org\", \"Kantine\"]\n", plain_mac());
    REQUIRE(p.ok());
    CHECK(p->kinds_out == ((1u << 9) | (1u << 10)));
    CHECK(p->presence);
    CHECK_FALSE(p->typing);
    CHECK(p->rooms_out.size() == 2);
    CHECK(vault::decode_profile(vault::encode(*p)).ok());  // in order
    CHECK(parse_profile(profile_template(), plain_mac()).value() == vault::CaptureProfile{});
    CHECK(parse_profile("", plain_mac()).value() == vault::CaptureProfile{});
    const auto unknown = parse_profile("presence: no\nrooms: [a]\n", plain_mac());
    REQUIRE_FALSE(unknown.ok());
    CHECK(unknown.error().message().find("line 2: unknown key rooms") != std::string::npos);
    for (const char* wrong : {"kinds_out: [tweet]", "kinds_out: [unreadable]", "kinds_out: [notice]",
                              "presence: perhaps", "presence: [yes, no]", "rooms_in: [\"\"]", "- presence"})
        CHECK(parse_profile(wrong, plain_mac()).error().code() == Code::usage);
}

TEST_CASE("a staff council reads what is captured and what is not") {
    const auto p =
        parse_profile("kinds_out: [reaction]\nread_receipts: yes\npersons_out: [a, b]\n", plain_mac()).value();
    const auto words = profile_words(p, false);
    CHECK(words[0].find("read receipts") != std::string::npos);
    CHECK(words[1] == "Not captured: reactions, presence, typing notices, locations.");
    CHECK(words[2] == "Rooms and conversations: all.");
    CHECK(words[3] == "Persons: all except 2 that are named.");
    CHECK(profile_words(p, true)[1] == "Nicht erfasst werden: Reaktionen, Anwesenheit, Tippanzeigen, Standorte.");
}
