// A report in plain words, German or English: what was checked, what that proves, what it does not prove, and what to
// do about findings. Everything that shows a report to people (text, HTML, PDF) says these sentences.
//
// Foreign text in them (names of files, of authorities) is well-formed UTF-8 of bounded length without control or bidi
// characters; it still has to be escaped for where it goes. language: "de", anything else is English. Threads: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/report.h"

namespace kustos::audit {

struct ReportFinding {  // all problems of one code that stand together
    std::string code;
    std::string explanation;
    std::vector<std::string> details;  // "where: text"
    std::string next_step;
};

struct ReportText {
    std::string verdict;  // the headline
    std::vector<std::string> checked, proven, not_proven;
    std::vector<ReportFinding> findings;
    std::string advice;                 // beside the findings' own next steps; empty without findings
    std::vector<std::string> erasures;  // what was destroyed on purpose; empty if nothing was
    std::vector<std::string> time;      // what time stamps say
};
ReportText describe(const Report& report, std::string_view language);

// What to do about a finding of this code.
std::string_view next_step(std::string_view code, std::string_view language);
std::string problem_text(const Problem& problem, std::string_view language);
std::string problem_place(const Problem& problem, std::string_view language);
std::string remark_text(const Remark& remark, std::string_view language);
std::string_view remark_name(RemarkCode code);  // "not_decrypted"
std::vector<RemarkCode> all_remark_codes();
std::vector<std::string_view> all_problem_codes();  // that have an explanation

std::string level_name(TimeLevel level, std::string_view language);           // "independent", "unabhängig"
std::string written_number(std::uint64_t number, std::string_view language);  // 12,345 or 12.345
std::string written_time(UtcTime time, std::string_view language);            // to the second, UTC

// How far time stamps reach, by the best level that covers an entry. For archives; sums up to size.
struct StampShares {
    std::uint64_t size = 0, qualified = 0, independent = 0, self = 0, none = 0;
};
StampShares stamp_shares(const Report& report);

// At most max_bytes of it, then "…".
std::string harmless(std::string_view foreign, std::size_t max_bytes = 300);

}  // namespace kustos::audit
