#include "search/src/asking.h"

#include <algorithm>

#include "search/analysis.h"
#include "search/src/relax.h"

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
                               const ShardReaders& readers, Crew& crew) {
    Asking out(query, options);
    out.sought_ = TRY(sought_of(query.root, options, stemmer));
    TRY(out.relax(stemmer, readers));
    TRY(out.expand(readers, crew));
    TRY(out.link(readers));
    return out;
}

// For states that some record is in.
Status Asking::relax(const Stemmer& stemmer, const ShardReaders& readers) {
    StateCounts all;
    for (const auto& [id, reader] : readers) all += reader->state().counts;
    for (const RecordState state : {RecordState::partial, RecordState::opaque, RecordState::failed}) {
        if (all.of(state) == 0) continue;
        Relaxed& one = relaxed_.emplace_back();
        one.state = state;
        one.root = relaxed(query_->root, state);
        one.sought = TRY(sought_of(one.root, *options_, stemmer));
    }
    return ok_status();
}

Status Asking::expand(const ShardReaders& readers, Crew& crew) {
    std::vector<const Node*> open;
    collect_open_words(query_->root, open);
    std::size_t all = 0;
    for (const Node* node : open) {
        std::vector<std::vector<std::string>> found(readers.size());
        TRY(crew.each(readers, [&](ShardReader& shard, std::size_t number) -> Status {
            if (stopped()) return Error(Code::interrupted, "the search was stopped");
            found[number] = TRY(words_of(shard, *node));
            return ok_status();
        }));
        std::vector<std::string> words;
        auto here = found.begin();
        for (const auto& [id, shard] : readers) {
            words.insert(words.end(), here->begin(), here->end());
            make_unique(words);
            expansions_[id][node] = std::move(*here++);
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

Result<Matches> Asking::matches(ShardReader& shard) const {
    if (stopped()) return Error(Code::interrupted, "the search was stopped");
    static const Expansions kNone;
    const auto own = expansions_.find(shard.id().value);
    QueryBuilder builder(shard, *options_, sought_, own == expansions_.end() ? kNone : own->second, linked_);
    return all_matches(shard.database(), TRY(builder.build(query_->root)), options_->sort == Sort::relevance);
}

Status Asking::unsearched(ShardReader& shard, const CensusNow& census, const std::vector<Xapian::docid>& hits,
                          Unsearched& out) const {
    StateCounts counts = shard.state().counts;
    if (counts.partial + counts.opaque + counts.failed == 0) return ok_status();
    std::vector<std::string> reasons;
    for (const auto& [reason, count] : shard.state().reasons)
        reasons.push_back(shard.terms().term(Space::reason, reason));
    const Xapian::Query some(Xapian::Query::OP_OR, reasons.begin(), reasons.end());
    std::vector<Xapian::docid> found;
    for (const Relaxed& one : relaxed_) {
        if (counts.of(one.state) == 0) continue;
        std::uint64_t& total = one.state == RecordState::partial  ? out.partial
                               : one.state == RecordState::opaque ? out.opaque
                                                                  : out.failed;
        Expansions expansions;  // of a tree of its own; what is left of them stands in fields
        std::vector<const Node*> open;
        collect_open_words(one.root, open);
        for (const Node* node : open) expansions[node] = TRY(words_of(shard, *node));
        QueryBuilder builder(shard, *options_, one.sought, expansions, linked_);
        const Xapian::Query query = some & TRY(builder.build(one.root));
        const std::vector<Xapian::docid> ids = all_matches(shard.database(), query, false).ids;
        TRY(shard.read_rows(ids));
        for (const Xapian::docid id : ids) {
            const DocData& data = shard.known_row(id);
            const bool erased = census.erased != nullptr && census.erased->contains(data.entry);
            if (data.state != one.state || erased || options_->undecided.contains(data.entry) ||
                std::binary_search(hits.begin(), hits.end(), id))
                continue;
            ++total;
            found.push_back(id);
        }
    }
    count_reasons(shard, found, out.reasons);
    return ok_status();
}

}  // namespace kustos::search
