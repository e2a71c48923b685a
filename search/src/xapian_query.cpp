#include "search/src/xapian_query.h"

#include <algorithm>
#include <functional>

#include "search/analysis.h"
#include "search/src/date_terms.h"
#include "search/src/file_types.h"
#include "search/src/record_draft.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

// Not Xapian::Query::MatchAll: its reference count is shared by all threads, and not atomic.
Xapian::Query everything() {
    return Xapian::Query(std::string());
}

std::vector<Space> spaces_of(Field field) {
    switch (field) {
        case Field::any:
            return {Space::text, Space::from, Space::to, Space::conversation};
        case Field::from:
            return {Space::from};
        case Field::to:
            return {Space::to};
        case Field::cc:
            return {Space::cc};
        case Field::bcc:
            return {Space::bcc};
        case Field::participant:
            return {Space::from, Space::to};
        case Field::body:
        case Field::attachment:
            return {Space::text};
        case Field::subject:
            return {Space::subject};
        case Field::file:
            return {Space::file};
        case Field::conversation:
            return {Space::conversation};
    }
    return {};
}

// Documents whose own data fit: for days of which only a part is meant, sizes, entries.
class RowSource final : public Xapian::PostingSource {
public:
    using Fits = std::function<bool(const DocData&)>;
    RowSource(ShardReader& shard, Fits fits) : shard_(shard), fits_(std::move(fits)) {}
    Xapian::doccount get_termfreq_min() const override { return 0; }
    Xapian::doccount get_termfreq_est() const override { return last(); }
    Xapian::doccount get_termfreq_max() const override { return last(); }
    void init(const Xapian::Database&) override { at_ = 0; }
    void next(double) override { find(at_ + 1); }
    void skip_to(Xapian::docid id, double) override {
        if (id > at_) find(id);
    }
    bool check(Xapian::docid id, double) override {
        if (id <= at_) return true;
        at_ = id;
        return at_end() || matches(id);
    }
    bool at_end() const override { return at_ > last(); }
    Xapian::docid get_docid() const override { return at_; }

private:
    Xapian::docid last() const { return shard_.database().get_lastdocid(); }
    bool matches(Xapian::docid id) {
        const auto row = shard_.row(id);
        if (!row.ok()) throw Xapian::DatabaseCorruptError("document data");
        return fits_(*row);
    }
    void find(Xapian::docid id) {
        for (at_ = id; !at_end() && !matches(at_);) ++at_;
    }
    ShardReader& shard_;
    Fits fits_;
    Xapian::docid at_ = 0;
};

unsigned class_number(std::uint64_t bytes) {
    unsigned bits = 0;
    while (bytes > 1) bytes >>= 1, ++bits;
    return bits;
}

Xapian::Query without_weight(const Xapian::Query& query) {
    return Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, query, 0);
}

Xapian::Query or_of(const std::vector<Xapian::Query>& queries) {
    return Xapian::Query(Xapian::Query::OP_OR, queries.begin(), queries.end());
}

}  // namespace

void collect_open_words(const Node& node, std::vector<const Node*>& out) {
    if (node.kind == Node::Kind::prefix || node.kind == Node::Kind::pattern || node.kind == Node::Kind::fuzzy)
        out.push_back(&node);
    for (const Node& child : node.children) collect_open_words(child, out);
}

Xapian::Query QueryBuilder::one(Space space, const std::string& text) const {
    const std::string term = shard_.terms().term(space, text);
    return shard_.may_have(term) ? Xapian::Query(term) : Xapian::Query();
}

Xapian::Query QueryBuilder::any_of(const std::vector<Xapian::Query>& queries) const {
    // spellings of one word must not add up their weights
    const auto op = options_.sort == Sort::relevance ? Xapian::Query::OP_MAX : Xapian::Query::OP_OR;
    return Xapian::Query(op, queries.begin(), queries.end());
}

void QueryBuilder::add_form(Field field, const std::string& form, const std::vector<std::string>& stems,
                            std::vector<Xapian::Query>& out) const {
    for (const Space space : spaces_of(field)) out.push_back(one(space, form));
    const bool text = field == Field::any || field == Field::body || field == Field::attachment;
    if (!text && field != Field::subject) return;
    const Space words = text ? Space::text : Space::subject;
    const Space stem_space = text ? Space::stem : Space::subject_stem;
    for (const std::string& stem : stems) {
        // a record has the term of a stem only where the stem is not the word itself, or is inside a compound
        if (stem != form) out.push_back(one(words, stem));
        out.push_back(one(stem_space, stem));
    }
}

Xapian::Query QueryBuilder::phrase(Field field, const std::vector<std::string>& forms) const {
    std::vector<Xapian::Query> out;
    for (const Space space : spaces_of(field)) {
        std::vector<std::string> terms;
        for (const std::string& form : forms) terms.push_back(shard_.terms().term(space, form));
        const bool all = std::all_of(terms.begin(), terms.end(), [this](const auto& t) { return shard_.may_have(t); });
        if (all)
            out.emplace_back(Xapian::Query::OP_PHRASE, terms.begin(), terms.end(),
                             static_cast<Xapian::termcount>(terms.size()));
    }
    return any_of(out);
}

// Of a node that is no word and no phrase: nothing.
const SoughtWord& QueryBuilder::sought(const Node& node) const {
    static const SoughtWord kNothing;
    const auto found = sought_.words.find(&node);
    return found == sought_.words.end() ? kNothing : found->second;
}

Xapian::Query QueryBuilder::word(const Node& node) const {
    const SoughtWord& sought = this->sought(node);
    const QueryWord& parts = sought.word;
    std::vector<Xapian::Query> out;
    if (parts.parts.size() == 1) {
        add_form(node.field, parts.parts[0], sought.stems, out);
    } else if (!parts.parts.empty()) {
        out.push_back(phrase(node.field, parts.parts));
    }
    if (node.kind == Node::Kind::phrase) {
        for (const std::string& same : parts.same) add_form(node.field, same, {}, out);
    } else {
        for (std::size_t n = 0; n < parts.whole.size(); ++n) add_form(node.field, parts.whole[n], sought.whole[n], out);
    }
    if (node.field == Field::conversation) out.push_back(one(Space::conversation_id, node.text));
    return any_of(out);
}

// Wildcards and fuzzy words.
Xapian::Query QueryBuilder::forms(const Node& node) const {
    std::vector<Xapian::Query> out;
    if (const auto found = expansions_.find(&node); found != expansions_.end()) {
        for (const std::string& form : found->second) add_form(node.field, form, {}, out);
    }
    return any_of(out);
}

Xapian::Query QueryBuilder::from(std::unique_ptr<Xapian::PostingSource> source) {
    sources_.push_back(std::move(source));
    return without_weight(Xapian::Query(sources_.back().get()));
}

// Where the words of a node stand: stems have no positions, so the forms of a stem come from the word list.
Result<Operand> QueryBuilder::operand(const Node& node) const {
    Operand out;
    if (node.kind == Node::Kind::any_of) {
        for (const Node& child : node.children) {
            Operand more = TRY(operand(child));
            out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
        }
        return out;
    }
    if (const auto found = expansions_.find(&node); found != expansions_.end()) {
        for (const std::string& form : found->second) out.push_back({form});
        return out;
    }
    const SoughtWord& sought = this->sought(node);
    const QueryWord& parts = sought.word;
    if (parts.parts.empty()) return out;
    if (node.kind != Node::Kind::word || parts.parts.size() > 1) out.push_back(parts.parts);
    if (node.kind != Node::Kind::word) {
        for (const std::string& same : parts.same) out.push_back({same});
        return out;
    }
    const auto inflected = [&](const std::vector<std::string>& stems) -> Status {
        for (std::string& other : TRY(shard_.inflected(stems))) out.push_back({other});
        return ok_status();
    };
    if (parts.parts.size() == 1) TRY(inflected(sought.stems));
    for (const std::vector<std::string>& stems : sought.whole) TRY(inflected(stems));
    return out;
}

Result<Xapian::Query> QueryBuilder::placed(Band band, const Operand& operand, const Xapian::Query& among) {
    NearAsk ask;
    ask.operands = {operand};
    return from(documents_source(TRY(documents_near(shard_, Space::text, band, ask, among, options_.stop))));
}

// A record with nothing but a body needs no look at positions.
Result<Xapian::Query> QueryBuilder::words(const Node& node) {
    const bool open = expansions_.count(&node) != 0 || node.kind == Node::Kind::prefix ||
                      node.kind == Node::Kind::pattern || node.kind == Node::Kind::fuzzy;
    const Xapian::Query anywhere = open ? forms(node) : word(node);
    if (node.field != Field::body && node.field != Field::attachment) return anywhere;
    const Xapian::Query attached = one(Space::has, "attachment");
    if (node.field == Field::attachment) return placed(Band::attachment, TRY(operand(node)), attached);
    const Xapian::Query more = or_of({one(Space::has, "subject"), attached});
    return or_of(
        {Xapian::Query(Xapian::Query::OP_AND_NOT, anywhere, more), TRY(placed(Band::body, TRY(operand(node)), more))});
}

Result<Xapian::Query> QueryBuilder::near(const Node& node) {
    NearAsk ask;
    ask.distance = node.number;
    ask.ordered = node.ordered;
    for (const Node& child : node.children) ask.operands.push_back(TRY(operand(child)));
    std::optional<Band> band;
    if (node.field == Field::body) band = Band::body;
    if (node.field == Field::attachment) band = Band::attachment;
    std::vector<Xapian::Query> out;
    for (const Space space : spaces_of(node.field)) {
        auto found = TRY(documents_near(shard_, space, band, ask, std::nullopt, options_.stop));
        if (!found.empty()) out.push_back(from(documents_source(std::move(found))));
    }
    return or_of(out);
}

Result<Xapian::Query> QueryBuilder::date(const Node& node) {
    const TimeSpan& span = sought_.spans.at(&node);
    // whole days around what the shard has, so that open ends need few terms
    const UtcTime first_day{day_number(shard_.earliest()) * kDayMs};
    const UtcTime after_last_day{(day_number(shard_.latest()) + 1) * kDayMs};
    const UtcTime from = std::max(span.from.value_or(first_day), first_day);
    const UtcTime until = std::min(span.until.value_or(after_last_day), after_last_day);
    if (from <= first_day && until >= after_last_day) return everything();
    const DatePlan plan = plan_dates(from, until);
    std::vector<Xapian::Query> whole, edges;
    for (const DateTerm& term : plan.whole) whole.push_back(one(term.space, term.name));
    for (const DateTerm& term : plan.edges) edges.push_back(one(term.space, term.name));
    Xapian::Query query(Xapian::Query::OP_OR, whole.begin(), whole.end());
    if (!edges.empty()) {
        const auto inside = [from, until](const DocData& data) { return data.time >= from && data.time < until; };
        query |= or_of(edges) & this->from(std::make_unique<RowSource>(shard_, inside));
    }
    return query;
}

// Whole classes by their terms; of the two at the ends each document is looked at.
Xapian::Query QueryBuilder::size(const Node& node) {
    const std::uint64_t least = node.sizes.least.value_or(0), most = node.sizes.most.value_or(kMaxDocSize);
    const unsigned first = class_number(least), last = class_number(std::min(most, kMaxDocSize));
    if (first > last) return Xapian::Query();
    std::vector<Xapian::Query> whole, edges;
    for (unsigned n = first; n <= last; ++n)
        (n == first || n == last ? edges : whole).push_back(one(Space::size_class, std::to_string(n)));
    const auto inside = [least, most](const DocData& data) { return data.size >= least && data.size <= most; };
    whole.push_back(or_of(edges) & from(std::make_unique<RowSource>(shard_, inside)));
    return or_of(whole);
}

Result<Xapian::Query> QueryBuilder::entries(const Node& node) {
    if (!node.set) return Error(Code::internal, "a set of entries that nobody has filled in");
    const EntrySet& set = *node.set;
    const ShardState& shard = shard_.state();
    const std::uint64_t here = set.count_below(shard.end) - set.count_below(shard.first);
    if (here == 0) return Xapian::Query();
    if (here == shard.end.value - shard.first.value) return everything();
    return from(std::make_unique<RowSource>(
        shard_, [kept = node.set](const DocData& data) { return kept->contains(data.entry); }));
}

Result<Xapian::Query> QueryBuilder::sums(const Node& node) const {
    if (!node.sums) return Error(Code::internal, "a list of sums that nobody has filled in");
    std::vector<std::string> there;
    const std::vector<std::string>& known = *TRY(shard_.texts(Space::content));
    std::set_intersection(known.begin(), known.end(), node.sums->begin(), node.sums->end(), std::back_inserter(there));
    std::vector<Xapian::Query> out;
    for (const std::string& sum : there) out.push_back(one(Space::content, sum));
    return or_of(out);
}

// An id means something at its source alone; which sources there are, the shard knows.
Result<Xapian::Query> QueryBuilder::thread(const Node& node) const {
    std::vector<Xapian::Query> out;
    for (const std::string& source : *TRY(shard_.texts(Space::source)))
        out.push_back(one(Space::thread, id_text(source, node.text)));
    out.push_back(one(Space::thread, id_text("", node.text)));
    return or_of(out);
}

Xapian::Query QueryBuilder::ids(const std::vector<std::string>& ids) const {
    std::vector<Xapian::Query> out;
    for (const std::string& id : ids) {
        const std::string term = shard_.terms().term(Space::message_id, id);
        if (shard_.may_have(term) && shard_.database().term_exists(term)) out.emplace_back(term);
    }
    return or_of(out);
}

Result<Xapian::Query> QueryBuilder::all_of(const std::vector<Node>& children) {
    std::vector<Xapian::Query> wanted, unwanted;
    for (const Node& child : children) {
        if (child.kind == Node::Kind::none_of) {
            unwanted.push_back(TRY(build(child.children.at(0))));
        } else {
            wanted.push_back(TRY(build(child)));
        }
    }
    Xapian::Query query =
        wanted.empty() ? everything() : Xapian::Query(Xapian::Query::OP_AND, wanted.begin(), wanted.end());
    if (unwanted.empty()) return query;
    return Xapian::Query(Xapian::Query::OP_AND_NOT, query,
                         Xapian::Query(Xapian::Query::OP_OR, unwanted.begin(), unwanted.end()));
}

Result<Xapian::Query> QueryBuilder::build(const Node& node) {
    switch (node.kind) {
        case Node::Kind::word:
        case Node::Kind::phrase:
        case Node::Kind::prefix:
        case Node::Kind::pattern:
        case Node::Kind::fuzzy:
            return words(node);
        case Node::Kind::near:
            return near(node);
        case Node::Kind::all_of:
            return all_of(node.children);
        case Node::Kind::none_of:
            return Xapian::Query(Xapian::Query::OP_AND_NOT, everything(), TRY(build(node.children.at(0))));
        case Node::Kind::any_of: {
            std::vector<Xapian::Query> out;
            for (const Node& child : node.children) out.push_back(TRY(build(child)));
            return or_of(out);
        }
        case Node::Kind::date:
            return without_weight(TRY(date(node)));
        case Node::Kind::size:
            return without_weight(size(node));
        case Node::Kind::source:
            return without_weight(one(Space::source, form_of_name(node.text)));
        case Node::Kind::message_kind:
            return without_weight(one(Space::kind, node.text));
        case Node::Kind::has_attachment:
            return without_weight(one(Space::has, "attachment"));
        case Node::Kind::content:
            return without_weight(one(Space::content, node.text));
        case Node::Kind::content_list:
            return without_weight(TRY(sums(node)));
        case Node::Kind::filetype: {
            std::vector<Xapian::Query> out;
            for (const std::string& type : file_types_of(node.text)) out.push_back(one(Space::filetype, type));
            return without_weight(or_of(out));
        }
        case Node::Kind::language:
            return without_weight(one(Space::language, node.text));
        case Node::Kind::coverage:
            return without_weight(one(Space::reason, node.text));
        case Node::Kind::edited:
            return without_weight(ids(linked_.edited));
        case Node::Kind::deleted:
            return without_weight(ids(linked_.deleted));
        case Node::Kind::thread:
            return without_weight(TRY(thread(node)));
        case Node::Kind::entries:
            return TRY(entries(node));
        case Node::Kind::everything:
            return everything();
        case Node::Kind::person:
            return Error(Code::not_in_version, "persons are not known here: name the addresses")
                .with_hint("kustos person show PERSON lists them: from:... OR to:...");
        case Node::Kind::exact:
            if (node.set) return TRY(entries(node));
            return Error(Code::not_in_version, "exact words are not known here")
                .with_hint("leave out the =, or search where records can be opened");
        case Node::Kind::sealed:
        case Node::Kind::retention_class:
        case Node::Kind::tag:
        case Node::Kind::code:
            return Error(Code::not_in_version, "a condition of this query is not known here")
                .with_hint("sealed:, class:, tag: and code: are answered by the archive's own search alone");
    }
    return Xapian::Query();
}

}  // namespace kustos::search
