#include "search/src/facts_reader.h"

#include <algorithm>
#include <numeric>

namespace kustos::search {

FactsReader::FactsReader(const std::vector<EntryIndex>& of) : of_(of), parent_(of.size()) {
    out_.sender.assign(of.size(), RecordFacts::kNobody);
    out_.files.assign(of.size(), 0);
    out_.family.assign(of.size(), 0);
    std::iota(parent_.begin(), parent_.end(), 0);
}

std::uint32_t FactsReader::place_of(EntryIndex entry) const {
    const auto found = std::lower_bound(of_.begin(), of_.end(), entry);
    return found == of_.end() || *found != entry ? kAbsent : static_cast<std::uint32_t>(found - of_.begin());
}

std::uint32_t FactsReader::root(std::uint32_t place) {
    while (parent_[place] != place) place = parent_[place] = parent_[parent_[place]];
    return place;
}

void FactsReader::join(std::uint32_t a, std::uint32_t b) {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
}

std::uint32_t FactsReader::number_of(const std::string& person) {
    return persons_.try_emplace(person, static_cast<std::uint32_t>(persons_.size())).first->second;
}

Status FactsReader::see_changes(ShardReader& shard) {
    for (const Space space : {Space::edits, Space::deletes})
        for (const std::string& id : *TRY(shard.texts(space))) changed_.try_emplace(id, kAbsent);
    return ok_status();
}

Status FactsReader::add(ShardReader& shard) {
    const Xapian::Database& database = shard.database();
    std::vector<std::uint32_t> places(database.get_lastdocid() + 1, kAbsent);
    bool any = false;
    for (Xapian::docid id = 1; id < places.size(); ++id) {
        places[id] = place_of(TRY(shard.row(id)).entry);
        any = any || places[id] != kAbsent;
    }
    if (!any) return ok_status();
    const auto each = [&](Space space, const std::string& text, const auto& call) {
        const std::string term = shard.terms().term(space, text);
        if (!shard.may_have(term)) return;
        for (auto at = database.postlist_begin(term); at != database.postlist_end(term); ++at)
            if (places.at(*at) != kAbsent) call(places[*at]);
    };
    for (const std::string& person : *TRY(shard.texts(Space::sender)))
        each(Space::sender, person, [&](std::uint32_t place) { out_.sender[place] = number_of(person); });
    for (const std::string& sum : *TRY(shard.texts(Space::content)))
        each(Space::content, sum, [&](std::uint32_t place) { ++out_.files[place]; });
    for (auto& changed : changed_) {
        std::uint32_t& one = changed.second;
        for (const Space space : {Space::message_id, Space::edits, Space::deletes})
            each(space, changed.first, [&](std::uint32_t place) {
                if (one == kAbsent) one = place;
                join(one, place);
            });
    }
    return ok_status();
}

RecordFacts FactsReader::result() {
    // persons ascending
    std::vector<std::uint32_t> renamed(persons_.size());
    for (const auto& known : persons_) {
        renamed[known.second] = static_cast<std::uint32_t>(out_.persons.size());
        out_.persons.push_back(known.first);
    }
    for (std::uint32_t& sender : out_.sender)
        if (sender != RecordFacts::kNobody) sender = renamed[sender];
    std::vector<std::uint32_t> members(of_.size(), 0);
    for (std::uint32_t place = 0; place < of_.size(); ++place) ++members[root(place)];
    std::vector<std::uint32_t> number(of_.size(), 0);
    for (std::uint32_t place = 0; place < of_.size(); ++place) {
        const std::uint32_t head = root(place);
        if (members[head] < 2) continue;
        if (number[head] == 0) number[head] = ++out_.families;
        out_.family[place] = number[head];
    }
    return std::move(out_);
}

}  // namespace kustos::search
