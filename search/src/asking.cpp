#include "search/src/asking.h"

#include <algorithm>

#include "search/analysis.h"
#include "search/src/relax.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

void make_unique(std::vector<std::string>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

bool asks_for(const Node& node, Node::Kind kind) {
    return node.kind == kind || std::any_of(node.children.begin(), node.children.end(),
                                            [kind](const Node& child) { return asks_for(child, kind); });
}

Result<std::vector<std::string>> words_of(ShardReader& shard, const Node& node) {
    if (node.kind == Node::Kind::prefix)
        return shard.expand(plain_form(node.text), form_of_prefix(node.text), kMaxExpansions);
    return shard.matching(
        node.kind == Node::Kind::fuzzy ? WordPattern::fuzzy(node.text, node.number) : WordPattern::glob(node.text),
        kMaxExpansions);
}

Result<std::vector<std::string>> gather(const ShardReaders& readers, Space space) {
    std::vector<std::string> out;
    for (const auto& [id, shard] : readers) {
        const std::vector<std::string>& here = *TRY(shard->texts(space));
        out.insert(out.end(), here.begin(), here.end());
    }
    make_unique(out);
    return out;
}

Status each_match(ShardReader& shard, const Xapian::Query& query, bool ranked, const Asking::Call& call) {
    if (query.empty()) return ok_status();
    Xapian::Enquire enquire(shard.database());
    enquire.set_query(query);
    if (!ranked) enquire.set_weighting_scheme(Xapian::BoolWeight());
    enquire.set_docid_order(Xapian::Enquire::DONT_CARE);
    const Xapian::doccount all = shard.database().get_doccount();
    const Xapian::MSet found = enquire.get_mset(0, all, all);
    for (Xapian::MSetIterator hit = found.begin(); hit != found.end(); ++hit) TRY(call(*hit, hit.get_weight()));
    return ok_status();
}

// Each document once: under its kind where that says enough, else under the first of its reasons.
void count_reasons(const ShardReader& shard, std::vector<Xapian::docid>& left,
                   std::map<std::string, std::uint64_t>& reasons) {
    std::sort(left.begin(), left.end());
    const auto take = [&](Space space, const std::string& word) {
        if (left.empty()) return;
        const std::string term = shard.terms().term(space, word);
        auto at = shard.database().postlist_begin(term);
        const auto none = shard.database().postlist_end(term);
        const std::size_t before = left.size();
        std::erase_if(left, [&](Xapian::docid id) {
            if (at != none && *at < id) at.skip_to(id);
            return at != none && *at == id;
        });
        if (before > left.size()) reasons[word] += before - left.size();
    };
    for (const char* kind : {"voice", "call"}) take(Space::kind, kind);
    take(Space::reason, "encrypted");
    for (const auto& [reason, count] : shard.state().reasons) take(Space::reason, reason);
    if (!left.empty()) reasons["other"] += left.size();
}

}  // namespace

Result<Asking> Asking::prepare(const Query& query, const SearchOptions& options, const Stemmer& stemmer,
                               const ShardReaders& readers) {
    Asking out(query, options, stemmer);
    TRY(out.expand(readers));
    TRY(out.link(readers));
    return out;
}

Status Asking::expand(const ShardReaders& readers) {
    std::vector<const Node*> open;
    collect_open_words(query_->root, open);
    std::size_t all = 0;
    for (const Node* node : open) {
        std::vector<std::string> words;
        for (const auto& [id, shard] : readers) {
            if (options_->stop && options_->stop()) return Error(Code::interrupted, "the search was stopped");
            std::vector<std::string> here = TRY(words_of(*shard, *node));
            words.insert(words.end(), here.begin(), here.end());
            make_unique(words);
            expansions_[id][node] = std::move(here);
            if (words.size() + all > kMaxExpansions)
                return Error(Code::limit, "words with *, ? or ~ stand for more than 1000 words of the archive")
                    .with_hint("type more letters, or search for whole words");
        }
        all += words.size();
    }
    return ok_status();
}

Status Asking::link(const ShardReaders& readers) {
    if (asks_for(query_->root, Node::Kind::edited)) linked_.edited = TRY(gather(readers, Space::edits));
    if (asks_for(query_->root, Node::Kind::deleted)) linked_.deleted = TRY(gather(readers, Space::deletes));
    return ok_status();
}

Status Asking::hits(ShardReader& shard, const Call& call) const {
    if (options_->stop && options_->stop()) return Error(Code::interrupted, "the search was stopped");
    return guarded("searching a shard", [&]() -> Status {
        static const Expansions kNone;
        const auto own = expansions_.find(shard.id().value);
        QueryBuilder builder(shard, *stemmer_, *options_, own == expansions_.end() ? kNone : own->second, linked_);
        const Xapian::Query query = TRY(builder.build(query_->root));
        return each_match(shard, query, options_->sort == Sort::relevance, call);
    });
}

Status Asking::unsearched(ShardReader& shard, const CensusNow& census, const std::vector<Xapian::docid>& hits,
                          Unsearched& out) const {
    const StateCounts& counts = shard.state().counts;
    if (counts.partial + counts.opaque + counts.failed == 0) return ok_status();
    return guarded("searching a shard", [&]() -> Status {
        std::vector<std::string> reasons;
        for (const auto& [reason, count] : shard.state().reasons)
            reasons.push_back(shard.terms().term(Space::reason, reason));
        const Xapian::Query some(Xapian::Query::OP_OR, reasons.begin(), reasons.end());
        std::vector<Xapian::docid> found;
        for (const auto& [state, total] :
             {std::pair(RecordState::partial, &out.partial), std::pair(RecordState::opaque, &out.opaque),
              std::pair(RecordState::failed, &out.failed)}) {
            const Node root = relaxed(query_->root, state);
            Expansions expansions;  // of a tree of its own; what is left of them stands in fields
            std::vector<const Node*> open;
            collect_open_words(root, open);
            for (const Node* node : open) expansions[node] = TRY(words_of(shard, *node));
            QueryBuilder builder(shard, *stemmer_, *options_, expansions, linked_);
            const Xapian::Query query = some & TRY(builder.build(root));
            TRY(each_match(shard, query, false, [&, wanted = state, count = total](Xapian::docid id, double) -> Status {
                const DocData data = TRY(shard.row(id));
                const bool erased = census.erased != nullptr && census.erased->contains(data.entry);
                if (data.state != wanted || erased || options_->undecided.contains(data.entry) ||
                    std::binary_search(hits.begin(), hits.end(), id))
                    return ok_status();
                ++*count;
                found.push_back(id);
                return ok_status();
            }));
        }
        count_reasons(shard, found, out.reasons);
        return ok_status();
    });
}

}  // namespace kustos::search
