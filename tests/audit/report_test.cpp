#include "audit/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kustos;
using namespace kustos::audit;

TEST_CASE("the JSON form has every key, also when there is nothing to say") {
    const auto j = nlohmann::json::parse(Report().to_json());
    CHECK(j["ok"] == true);
    CHECK(j["origin"] == "unknown");
    CHECK(j["time"] == "none");
    for (const char* list : {"not_checked", "problems", "anchors"}) CHECK((j[list].is_array() && j[list].empty()));
    CHECK(j["checked"].is_object());
    CHECK(j["fingerprint"] == "");
    CHECK(!j.contains("proven_since"));
    CHECK(Report().to_json().find('\n') == std::string::npos);
}

TEST_CASE("problems make a report not ok; beyond the limit they are counted") {
    Report r;
    for (int i = 0; i < 250; ++i) r.problem("ledger.tile", "tile " + std::to_string(i), "text");
    CHECK(!r.ok);
    CHECK(r.problems.size() == Report::kMaxProblems);
    CHECK(r.checked["problems_left_out"] == 50);
    const auto j = nlohmann::json::parse(r.to_json());
    CHECK(j["problems"][0]["code"] == "ledger.tile");
    CHECK(j["problems"][0]["where"] == "tile 0");
    CHECK(r.to_text("de").find("Nicht in Ordnung") == 0);
    CHECK(r.to_text("en").find("Not intact") == 0);
    CHECK(r.to_text("en").find("ledger.tile  tile 0: text") != std::string::npos);
}

TEST_CASE("foreign bytes in names don't break the JSON form") {
    Report r;
    r.problem("bundle.manifest", "a\xFF\"\n", "x");
    CHECK(nlohmann::json::parse(r.to_json())["problems"].size() == 1);
}

TEST_CASE("the headline never claims an origin that was not established") {
    Report r;
    r.fingerprint = "abcd";
    CHECK(r.headline("en").find("Origin not established") != std::string::npos);
    CHECK(r.headline("de").find("Herkunft nicht festgestellt") != std::string::npos);
    r.origin = Origin::pinned;
    CHECK(r.headline("en").find("trust file") != std::string::npos);
    r.time = TimeLevel::self;
    CHECK(r.to_text("en").find("proves no time to others") != std::string::npos);
    r.time = TimeLevel::qualified;
    r.proven_since = UtcTime{1'772'445'600'000};
    CHECK(r.to_text("en").find("2026-03-02T10:00:00") != std::string::npos);
}

TEST_CASE("a fingerprint is the hash of the key's text in groups of four") {
    CHECK(key_fingerprint("").substr(0, 14) == "e3b0 c442 98fc");
    CHECK(key_fingerprint("").size() == 79);
}
