// A certificate of completeness: the period that is asked for, and its words for people. What the ledger's entries say
// of a period is computed by audit/completeness.h, which a verifier has, too.
//
// Days are days of German legal time (vault/retention_dates.h). Pure. Errors: usage. Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/completeness.h"
#include "base/ids.h"
#include "base/time.h"

namespace kustos::app {

struct CompletenessRequest {
    std::string source;    // its name
    std::string from, to;  // days, both included: 2026-03-01
};
struct CompletenessReport {
    audit::Completeness found;
    EntryIndex entry;  // completeness_certified
    std::vector<std::string> files;
};

struct Period {
    CivilDate from, to;
    UtcTime begin, end;  // from the first moment of `from` to the first behind `to`
};
// Code::usage: not days, not in order, not begun yet.
Result<Period> parse_period(const std::string& from, const std::string& to, UtcTime now);
UtcTime first_moment(CivilDate day);  // in German legal time

// One sentence, without its full stop.
std::string verdict_words(std::string_view verdict, bool german);
std::string verdict_meaning(const audit::Completeness& found, bool german);
// Name and value, in people's words.
using Facts = std::vector<std::pair<std::string, std::string>>;
Facts completeness_facts(const audit::Completeness& found, bool german);
// "dropped:room" -> "messages of rooms that the profile leaves out"
std::string count_words(std::string_view code, bool german);

}  // namespace kustos::app
