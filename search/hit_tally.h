// The arithmetic of a hit report: from the hits of each term and what is known of the records, the figures.
//
//   hits       records that the term finds
//   family     these and the records that belong to them: a message, its edits and its deletion are one family
//   files      attached files of the family's records: a record holds a mail with its attachments
//   unique     records that no other term of the list finds; two equal terms have none
//
// Pure; all counts are of records of the given list, anything else among the hits is passed over. Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.h"
#include "search/record_facts.h"

namespace kustos::search {

struct HitFigures {
    std::uint64_t hits = 0, family = 0, files = 0;
    std::uint64_t unique = 0;                        // of a term
    std::map<std::uint32_t, std::uint64_t> months;   // hits by the number of their month
    std::map<std::uint32_t, std::uint64_t> persons;  // hits by their sender; RecordFacts::kNobody: none is named
    bool operator==(const HitFigures&) const = default;
};

class HitTally {
public:
    // entries: ascending, each once; month: a number for each; facts: of these entries. All outlive it.
    HitTally(const std::vector<EntryIndex>& entries, const std::vector<std::uint32_t>& month, const RecordFacts& facts);
    void add(const std::vector<EntryIndex>& hits);  // of one more term; each once, any order
    // By term, in the order in which they came.
    const std::vector<HitFigures>& terms() const { return terms_; }
    HitFigures total() const;               // of all terms together; unique: records that exactly one of them finds
    std::vector<EntryIndex> found() const;  // by any term, ascending

private:
    static constexpr std::uint32_t kNone = UINT32_MAX, kMany = UINT32_MAX - 1;
    HitFigures figures(const std::vector<std::uint32_t>& places) const;

    const std::vector<EntryIndex>& entries_;
    const std::vector<std::uint32_t>& month_;
    const RecordFacts& facts_;
    std::vector<std::uint64_t> family_records_, family_files_;  // by the family's number
    std::vector<std::uint32_t> term_of_;                        // the only term that finds a record; kNone, kMany
    std::vector<HitFigures> terms_;
};

}  // namespace kustos::search
