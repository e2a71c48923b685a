#include "search/hit_tally.h"

#include <algorithm>

#include "base/result.h"

namespace kustos::search {

HitTally::HitTally(const std::vector<EntryIndex>& entries, const std::vector<std::uint32_t>& month,
                   const RecordFacts& facts)
    : entries_(entries),
      month_(month),
      facts_(facts),
      family_records_(facts.families + 1),
      family_files_(facts.families + 1),
      term_of_(entries.size(), kNone) {
    CHECK(month.size() == entries.size() && facts.family.size() == entries.size());
    for (std::size_t place = 0; place < entries.size(); ++place) {
        ++family_records_[facts.family[place]];
        family_files_[facts.family[place]] += facts.files[place];
    }
}

HitFigures HitTally::figures(const std::vector<std::uint32_t>& places) const {
    HitFigures out;
    out.hits = places.size();
    std::vector<bool> counted(family_records_.size());
    for (const std::uint32_t place : places) {
        ++out.months[month_[place]];
        ++out.persons[facts_.sender[place]];
        const std::uint32_t family = facts_.family[place];
        if (family == 0) {
            ++out.family;
            out.files += facts_.files[place];
        } else if (!counted[family]) {
            counted[family] = true;
            out.family += family_records_[family];
            out.files += family_files_[family];
        }
    }
    return out;
}

void HitTally::add(const std::vector<EntryIndex>& hits) {
    const auto number = static_cast<std::uint32_t>(terms_.size());
    std::vector<std::uint32_t> places;
    places.reserve(hits.size());
    for (const EntryIndex hit : hits) {
        const auto found = std::lower_bound(entries_.begin(), entries_.end(), hit);
        if (found == entries_.end() || *found != hit) continue;
        places.push_back(static_cast<std::uint32_t>(found - entries_.begin()));
    }
    terms_.push_back(figures(places));
    for (const std::uint32_t place : places) {
        std::uint32_t& only = term_of_[place];
        if (only == kNone) {
            only = number;
            ++terms_[number].unique;
        } else if (only != kMany) {
            --terms_[only].unique;
            only = kMany;
        }
    }
}

HitFigures HitTally::total() const {
    std::vector<std::uint32_t> places;
    for (std::uint32_t place = 0; place < term_of_.size(); ++place)
        if (term_of_[place] != kNone) places.push_back(place);
    HitFigures out = figures(places);
    for (const HitFigures& term : terms_) out.unique += term.unique;
    return out;
}

std::vector<EntryIndex> HitTally::found() const {
    std::vector<EntryIndex> out;
    for (std::size_t place = 0; place < term_of_.size(); ++place)
        if (term_of_[place] != kNone) out.push_back(entries_[place]);
    return out;
}

}  // namespace kustos::search
