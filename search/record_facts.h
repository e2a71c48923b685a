// What the index knows of records beyond what a query asks for: who sent each, how many files are attached, and which
// belong together because one changes the other. From keyed terms; no record is opened.
//
// Filled by Searcher::facts (searcher.h), whose errors and threads it has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kustos::search {

// Of a list of records; each vector is as long as that list and in its order.
struct RecordFacts {
    static constexpr std::uint32_t kNobody = UINT32_MAX;

    std::vector<std::string> persons;   // senders, folded, ascending: an address in small letters, else an id or a name
    std::vector<std::uint32_t> sender;  // number in `persons`; kNobody: the record names none
    // Attached files that were delivered; the same bytes within one record count once.
    std::vector<std::uint32_t> files;
    // A message, its edits and its deletion have the same number, from 1; 0: the record is alone. An edit whose message
    // is not among the records stands with the other edits of it. A family of one has 0, too.
    std::vector<std::uint32_t> family;
    std::uint32_t families = 0;  // the largest number
};

}  // namespace kustos::search
