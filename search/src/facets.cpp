#include "search/facets.h"

#include <algorithm>

#include "search/src/facet_counter.h"

namespace kustos::search {
namespace {

Space space_of(FacetBy by) {
    switch (by) {
        case FacetBy::source:
            return Space::source;
        case FacetBy::kind:
            return Space::kind;
        case FacetBy::sender:
            return Space::sender;
        case FacetBy::recipient:
            return Space::recipient;
        case FacetBy::filetype:
            return Space::filetype;
        case FacetBy::language:
            return Space::language;
    }
    return Space::kind;
}

// Documents of a value that are hits, ascending.
template <class Call>
void each_hit(const ShardReader& shard, Space space, const std::string& text, const std::vector<bool>& wanted,
              const Call& call) {
    const std::string term = shard.terms().term(space, text);
    const Xapian::Database& database = shard.database();
    for (auto at = database.postlist_begin(term); at != database.postlist_end(term); ++at)
        if (wanted[*at]) call(*at);
}

template <class Row>
void most_frequent_first(std::vector<Row>& rows, std::size_t most) {
    const auto before = [](const Row& a, const Row& b) {
        if (a.count != b.count) return a.count > b.count;
        if constexpr (std::is_same_v<Row, Pair>) {
            return std::tie(a.sender, a.recipient) < std::tie(b.sender, b.recipient);
        } else {
            return a.value < b.value;
        }
    };
    std::sort(rows.begin(), rows.end(), before);
    if (rows.size() > most) rows.resize(most);
}

}  // namespace

std::string_view facet_name(FacetBy by) {
    switch (by) {
        case FacetBy::source:
            return "source";
        case FacetBy::kind:
            return "kind";
        case FacetBy::sender:
            return "sender";
        case FacetBy::recipient:
            return "recipient";
        case FacetBy::filetype:
            return "filetype";
        case FacetBy::language:
            return "language";
    }
    return "";
}

Status FacetCounter::add(ShardReader& shard, const std::vector<Xapian::docid>& hits) {
    hits_ += hits.size();
    if (hits.empty()) return ok_status();
    std::vector<bool> wanted(shard.database().get_lastdocid() + 1);
    for (const Xapian::docid id : hits) wanted.at(id) = true;
    for (const FacetBy by : ask_.by) TRY(count(shard, by, wanted));
    if (ask_.pairs) TRY(count_pairs(shard, wanted, hits.size()));
    return ok_status();
}

Status FacetCounter::count(ShardReader& shard, FacetBy by, const std::vector<bool>& wanted) {
    std::vector<bool> seen(wanted.size());
    Counts& counts = counts_[by];
    for (const std::string& text : *TRY(shard.texts(space_of(by)))) {
        std::uint64_t here = 0;
        each_hit(shard, space_of(by), text, wanted, [&](Xapian::docid id) {
            ++here;
            if (seen[id]) return;
            seen[id] = true;
            ++with_[by];
        });
        if (here > 0) counts[text] += here;
    }
    return ok_status();
}

Status FacetCounter::count_pairs(ShardReader& shard, const std::vector<bool>& wanted, std::size_t hits) {
    const std::vector<std::string>& senders = *TRY(shard.texts(Space::sender));
    std::unordered_map<Xapian::docid, std::uint32_t> from;
    from.reserve(hits);
    for (std::uint32_t n = 0; n < senders.size(); ++n)
        each_hit(shard, Space::sender, senders[n], wanted, [&](Xapian::docid id) { from[id] = n; });
    for (const std::string& recipient : *TRY(shard.texts(Space::recipient))) {
        std::unordered_map<std::uint32_t, std::uint64_t> counts;
        each_hit(shard, Space::recipient, recipient, wanted, [&](Xapian::docid id) {
            if (const auto sender = from.find(id); sender != from.end()) ++counts[sender->second];
        });
        for (const auto& [sender, count] : counts) pairs_[{senders[sender], recipient}] += count;
    }
    return ok_status();
}

Facets FacetCounter::result() const {
    Facets out;
    for (const FacetBy by : ask_.by) {
        Facet& facet = out.by[by];
        if (const auto counts = counts_.find(by); counts != counts_.end()) {
            facet.distinct = counts->second.size();
            for (const auto& [value, count] : counts->second) facet.values.push_back({value, count});
        }
        most_frequent_first(facet.values, ask_.most);
        const auto with = with_.find(by);
        facet.without = hits_ - (with == with_.end() ? 0 : with->second);
    }
    out.distinct_pairs = pairs_.size();
    for (const auto& [both, count] : pairs_) out.pairs.push_back({both.first, both.second, count});
    most_frequent_first(out.pairs, ask_.most_pairs);
    return out;
}

}  // namespace kustos::search
