#include "search/src/positions.h"

#include <algorithm>
#include <limits>

#include "search/src/matches.h"

namespace kustos::search {
namespace {

constexpr unsigned kStopEvery = 1'024;  // documents

class DocumentsSource final : public Xapian::PostingSource {
public:
    explicit DocumentsSource(std::vector<Xapian::docid> documents) : documents_(std::move(documents)) {}
    Xapian::doccount get_termfreq_min() const override { return count(); }
    Xapian::doccount get_termfreq_est() const override { return count(); }
    Xapian::doccount get_termfreq_max() const override { return count(); }
    void init(const Xapian::Database&) override { next_ = 0, at_ = documents_.size(); }
    void next(double) override {
        at_ = next_;
        next_ = at_ + 1;
    }
    void skip_to(Xapian::docid id, double) override {
        const auto from = documents_.begin() + static_cast<std::ptrdiff_t>(started() ? at_ : 0);
        at_ = static_cast<std::size_t>(std::lower_bound(from, documents_.end(), id) - documents_.begin());
        next_ = at_ + 1;
    }
    bool at_end() const override { return at_ >= documents_.size(); }
    Xapian::docid get_docid() const override { return documents_[at_]; }

private:
    bool started() const { return next_ > 0; }
    Xapian::doccount count() const { return static_cast<Xapian::doccount>(documents_.size()); }
    std::vector<Xapian::docid> documents_;
    std::size_t at_ = 0, next_ = 0;
};

class NearSearch {
public:
    NearSearch(const ShardReader& shard, Space space, std::optional<Band> band, const NearAsk& ask)
        : shard_(shard), ask_(ask) {
        for (const Operand& operand : ask.operands) {
            std::vector<std::vector<std::string>> rows;
            for (const auto& row : operand) {
                std::vector<std::string> terms;
                for (const std::string& form : row) terms.push_back(shard.terms().term(space, form));
                if (std::all_of(terms.begin(), terms.end(), [&](const std::string& t) {
                        return shard_.may_have(t) && shard_.database().term_exists(t);
                    }))
                    rows.push_back(std::move(terms));
            }
            operands_.push_back(std::move(rows));
        }
        if (!band) return;
        from_ = static_cast<std::uint32_t>(*band) << kBandBits;
        end_ = from_ + (1u << kBandBits);
    }

    Result<std::vector<Xapian::docid>> run(const std::optional<Xapian::Query>& among,
                                           const std::function<bool()>& stop) const {
        std::vector<Xapian::docid> out;
        const auto candidates = candidates_of(among);
        if (!candidates) return out;
        unsigned looked = 0;
        for (const Xapian::docid id : all_matches(shard_.database(), *candidates, false).ids) {
            if (stop && ++looked % kStopEvery == 0 && stop()) return Error(Code::interrupted, "the search was stopped");
            if (holds(id)) out.push_back(id);
        }
        return out;
    }

private:
    // Documents that have a row of every operand, wherever; nullopt: none.
    std::optional<Xapian::Query> candidates_of(const std::optional<Xapian::Query>& among) const {
        std::vector<Xapian::Query> all;
        if (among) all.push_back(*among);
        for (const auto& rows : operands_) {
            std::vector<Xapian::Query> any;
            for (const auto& row : rows) any.emplace_back(Xapian::Query::OP_AND, row.begin(), row.end());
            if (any.empty()) return std::nullopt;
            all.emplace_back(Xapian::Query::OP_OR, any.begin(), any.end());
        }
        return Xapian::Query(Xapian::Query::OP_AND, all.begin(), all.end());
    }

    bool holds(Xapian::docid id) const {
        std::vector<std::vector<Place>> places;
        for (const auto& rows : operands_) {
            std::vector<Place> here;
            for (const auto& row : rows) add_places(id, row, here);
            if (here.empty()) return false;
            std::sort(here.begin(), here.end(), [](const Place& a, const Place& b) { return a.first < b.first; });
            places.push_back(std::move(here));
        }
        return stand_near(places, ask_.distance, ask_.ordered);
    }

    void add_places(Xapian::docid id, const std::vector<std::string>& row, std::vector<Place>& out) const {
        const Xapian::Database& database = shard_.database();
        std::vector<std::uint32_t> begins;
        for (std::size_t step = 0; step < row.size(); ++step) {
            auto at = database.positionlist_begin(id, row[step]);
            const auto none = database.positionlist_end(id, row[step]);
            if (step == 0) {
                if (from_ > 0 && at != none) at.skip_to(from_);
                for (; at != none && *at < end_; ++at) begins.push_back(*at);
                continue;
            }
            std::vector<std::uint32_t> still;
            for (const std::uint32_t begin : begins) {
                const std::uint32_t wanted = begin + static_cast<std::uint32_t>(step);
                if (at != none && *at < wanted) at.skip_to(wanted);
                if (at == none) break;
                if (*at == wanted) still.push_back(begin);
            }
            begins = std::move(still);
            if (begins.empty()) return;
        }
        for (const std::uint32_t begin : begins)
            out.push_back({begin, begin + static_cast<std::uint32_t>(row.size()) - 1});
    }

    const ShardReader& shard_;
    const NearAsk& ask_;
    std::vector<std::vector<std::vector<std::string>>> operands_;  // keyed terms
    std::uint32_t from_ = 0, end_ = std::numeric_limits<std::uint32_t>::max();
};

// Places of `next` that one of `before` reaches.
std::vector<Place> reached(const std::vector<Place>& before, const std::vector<Place>& next, std::uint32_t distance,
                           bool ordered) {
    std::vector<Place> out;
    std::vector<std::uint32_t> firsts, lasts;
    for (const Place& place : before) firsts.push_back(place.first), lasts.push_back(place.last);
    std::sort(lasts.begin(), lasts.end());  // firsts are ascending
    // Whether one of `sorted` is in [from, to].
    const auto any_in = [](const std::vector<std::uint32_t>& sorted, std::int64_t from, std::int64_t to) {
        const auto at = std::lower_bound(sorted.begin(), sorted.end(), from);
        return at != sorted.end() && *at <= to;
    };
    for (const Place& place : next) {
        const std::int64_t first = place.first, last = place.last, d = distance;
        const bool behind = any_in(lasts, std::max<std::int64_t>(first - d, 0), first - 1);
        const bool ahead = !ordered && any_in(firsts, last + 1, last + d);
        if (behind || ahead) out.push_back(place);
    }
    return out;
}

}  // namespace

bool stand_near(const std::vector<std::vector<Place>>& operands, std::uint32_t distance, bool ordered) {
    if (operands.empty()) return false;
    std::vector<Place> here = operands.front();
    for (std::size_t i = 1; i < operands.size() && !here.empty(); ++i)
        here = reached(here, operands[i], distance, ordered);
    return !here.empty();
}

std::unique_ptr<Xapian::PostingSource> documents_source(std::vector<Xapian::docid> documents) {
    return std::make_unique<DocumentsSource>(std::move(documents));
}

Result<std::vector<Xapian::docid>> documents_near(const ShardReader& shard, Space space, std::optional<Band> band,
                                                  const NearAsk& ask, const std::optional<Xapian::Query>& among,
                                                  const std::function<bool()>& stop) {
    return NearSearch(shard, space, band, ask).run(among, stop);
}

}  // namespace kustos::search
