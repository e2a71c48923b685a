#include "search/src/matches.h"

#include <bit>
#include <cstdint>
#include <string>

namespace kustos::search {
namespace {

// Takes every match as it is found. A match set of all would have room for every document of the shard made, and wiped
// again, whatever is found.
class Spy final : public Xapian::MatchSpy {
public:
    void operator()(const Xapian::Document& document, double) override { found.push_back(document.get_docid()); }
    std::vector<Xapian::docid> found;
};

// false: the query is more than "one of these terms".
bool is_any_of(const Xapian::Query& query, std::vector<std::string>& terms) {
    if (query.empty()) return true;
    const auto type = query.get_type();
    if (type == Xapian::Query::LEAF_TERM) {
        terms.push_back(*query.get_terms_begin());
        return true;
    }
    if (type != Xapian::Query::OP_OR && type != Xapian::Query::OP_MAX && type != Xapian::Query::OP_SCALE_WEIGHT)
        return false;
    for (std::size_t i = 0; i < query.get_num_subqueries(); ++i)
        if (!is_any_of(query.get_subquery(i), terms)) return false;
    return true;
}

// A word, in any place and spelling, is the question with the most hits. Its lists are read one after another, and each
// document is a bit.
std::vector<Xapian::docid> any_of(const Xapian::Database& shard, const std::vector<std::string>& terms) {
    std::vector<Xapian::docid> out;
    if (terms.size() == 1) {
        out.reserve(shard.get_termfreq(terms[0]));
        const auto end = shard.postlist_end(terms[0]);
        for (auto at = shard.postlist_begin(terms[0]); at != end; ++at) out.push_back(*at);
        return out;
    }
    std::vector<std::uint64_t> bits(shard.get_lastdocid() / 64 + 1);
    for (const std::string& term : terms) {
        const auto end = shard.postlist_end(term);
        for (auto at = shard.postlist_begin(term); at != end; ++at) bits[*at / 64] |= std::uint64_t{1} << (*at % 64);
    }
    std::size_t count = 0;
    for (const std::uint64_t word : bits) count += static_cast<std::size_t>(std::popcount(word));
    out.reserve(count);
    for (std::size_t i = 0; i < bits.size(); ++i)
        for (std::uint64_t left = bits[i]; left != 0; left &= left - 1)
            out.push_back(static_cast<Xapian::docid>(i * 64 + static_cast<unsigned>(std::countr_zero(left))));
    return out;
}

}  // namespace

Matches all_matches(const Xapian::Database& shard, const Xapian::Query& query, bool with_weights) {
    Matches out;
    if (query.empty()) return out;
    std::vector<std::string> terms;
    if (!with_weights && is_any_of(query, terms)) {
        out.ids = any_of(shard, terms);
        return out;
    }
    Xapian::Enquire enquire(shard);
    enquire.set_query(query);
    enquire.set_docid_order(Xapian::Enquire::DONT_CARE);
    const Xapian::doccount all = shard.get_doccount();
    if (with_weights) {
        const Xapian::MSet found = enquire.get_mset(0, all, all);
        out.ids.reserve(found.size());
        out.weights.reserve(found.size());
        for (Xapian::MSetIterator hit = found.begin(); hit != found.end(); ++hit) {
            out.ids.push_back(*hit);
            out.weights.push_back(hit.get_weight());
        }
        return out;
    }
    Spy spy;
    enquire.add_matchspy(&spy);
    enquire.set_weighting_scheme(Xapian::BoolWeight());
    enquire.get_mset(0, 1, all);
    out.ids = std::move(spy.found);
    return out;
}

}  // namespace kustos::search
