// Hit reports: for a list of terms how many records each finds, with their families, alone, by month and by sender; as
// lawyers agree on search terms. Counted from the index under the matter's scope; no record is opened, but for exact
// words. docs/format/hit-report.md says what each figure means.
//
// Threads: values; House::report_hits as House.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/call.h"
#include "export/hit_report_pdf.h"
#include "export/tables.h"
#include "search/hit_tally.h"
#include "search/searcher.h"
#include "search/term_list.h"
#include "vault/purpose.h"

namespace kustos::app {

inline constexpr std::size_t kMostHitPersons = 500;  // that are named; the others are counted together
inline constexpr const char* kHitFormat = "kustos-hits-1";

struct HitOrder {
    std::string actor, matter;
    std::vector<search::Term> terms;
    std::string name;                  // of the list: 1 to 200 bytes of UTF-8
    std::optional<EntryIndex> within;  // a frozen result set of this matter
    std::vector<Path> files;           // .csv, .xlsx, .pdf; none: only the entries
    Language language = Language::english;
};

struct HitTerm {
    search::Term term;
    std::string canonical;  // what was run: in English, persons replaced by their addresses
    search::HitFigures figures;
    std::uint64_t restricted = 0;   // of the hits: counted, never opened (GDPR Art. 18)
    search::Unsearched unsearched;  // records that the term may find and that can't be searched wholly
};

struct HitReport {
    EntryIndex matter;
    std::string name, scope;
    std::optional<EntryIndex> within;
    TreeSize size;                     // of the ledger before the first term ran
    EntryIndex index_end;              // the index accounts for entries below it, but for deferred ones
    vault::CoverageCounts coverage{};  // of the whole archive
    std::uint64_t records = 0;         // that the index holds in the scope (and within the result set)
    search::Unsearched in_scope;       // of these, what can't be searched wholly; deferred: of the whole archive
    std::string time_zone;             // of the months
    std::vector<std::string> months;   // "2026-03", ascending, of all records in the scope, by number
    std::vector<std::string> persons;  // likewise
    std::vector<std::uint32_t> shown;  // numbers of persons: most hits first, then by name; at most kMostHitPersons
    std::vector<HitTerm> terms;
    search::HitFigures total;
    std::uint64_t restricted = 0;  // of the total
    Hash result_set;               // over the total, as in access entries

    exporting::ReportPages frame;  // who made it, when; `json` is the report
    EntryIndex access, entry;      // the access entry; hits_reported
    std::vector<std::string> files;
};

// A figure of persons: those that are shown one by one, then the others, then those without a sender.
struct PersonCounts {
    std::vector<std::uint64_t> shown;
    std::uint64_t others = 0, without = 0;
};
PersonCounts person_counts(const HitReport& report, const search::HitFigures& figures);
std::vector<std::uint32_t> most_frequent(const HitReport& report);  // for `shown`
// Months from the first with a hit to the last, none left out (but where they would be more than 600: only those with
// hits).
std::vector<std::string> months_shown(const HitReport& report);

std::string hit_json(const HitReport& report, bool german);                      // one line and a line end
std::vector<exporting::Table> hit_tables(const HitReport& report, bool german);  // overview, terms, months, persons
exporting::HitPages hit_pages(const HitReport& report, const std::string& fingerprint, bool german);
std::vector<std::string> hit_definitions(const HitReport& report, bool german);
std::string unsearched_words(const HitTerm& term, bool german);  // empty: nothing

Status check_hit_files(const std::vector<Path>& files);  // Code::usage: of another kind, or their folder is not there

}  // namespace kustos::app
