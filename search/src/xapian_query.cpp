#include "search/src/xapian_query.h"

#include "search/analysis.h"
#include "search/src/date_terms.h"
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
        case Field::cc:
        case Field::bcc:
            return {Space::to};
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

// Documents whose own time lies in a span: for days of which only a part is meant.
class TimeSource final : public Xapian::PostingSource {
public:
    TimeSource(ShardReader& shard, UtcTime from, UtcTime until) : shard_(shard), from_(from), until_(until) {}
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
        return row->time >= from_ && row->time < until_;
    }
    void find(Xapian::docid id) {
        for (at_ = id; !at_end() && !matches(at_);) ++at_;
    }
    ShardReader& shard_;
    UtcTime from_, until_;
    Xapian::docid at_ = 0;
};

}  // namespace

void collect_prefixes(const Node& node, std::vector<const Node*>& out) {
    if (node.kind == Node::Kind::prefix) out.push_back(&node);
    for (const Node& child : node.children) collect_prefixes(child, out);
}

Result<TimeSpan> span_of(const DateRange& range, const SearchOptions& options) {
    const auto midnight = [&](CivilDate date) {
        return options.midnight ? options.midnight(date) : utc_midnight(date);
    };
    TimeSpan span;
    if (range.first) span.from = TRY(midnight(*range.first));
    if (range.last) {
        const CivilDate next = civil_date(UtcTime{TRY(utc_midnight(*range.last)).ms + kDayMs});
        const auto until = midnight(next);
        if (until.ok()) span.until = *until;  // not: the day after 9999-12-31 is an open end
    }
    return span;
}

Xapian::Query QueryBuilder::one(Space space, const std::string& text) const {
    return Xapian::Query(shard_.terms().term(space, text));
}

Xapian::Query QueryBuilder::any_of(const std::vector<Xapian::Query>& queries) const {
    // spellings of one word must not add up their weights
    const auto op = options_.sort == Sort::relevance ? Xapian::Query::OP_MAX : Xapian::Query::OP_OR;
    return Xapian::Query(op, queries.begin(), queries.end());
}

void QueryBuilder::add_form(Field field, const std::string& form, const std::vector<std::string>& stems,
                            std::vector<Xapian::Query>& out) const {
    for (const Space space : spaces_of(field)) out.push_back(one(space, form));
    if (field != Field::any && field != Field::subject) return;
    const Space words = field == Field::any ? Space::text : Space::subject;
    const Space stem_space = field == Field::any ? Space::stem : Space::subject_stem;
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
        out.emplace_back(Xapian::Query::OP_PHRASE, terms.begin(), terms.end(),
                         static_cast<Xapian::termcount>(terms.size()));
    }
    return any_of(out);
}

// The form itself and its stems, all of which a record may hold as stems.
std::vector<std::string> QueryBuilder::stems_of(const std::string& form, const std::string& plain) const {
    std::vector<std::string> stems = stemmer_.stems(form, plain);
    stems.push_back(form);
    return stems;
}

Xapian::Query QueryBuilder::word(const Node& node) const {
    const QueryWord parts = query_word(node.text);
    const bool exact = node.kind == Node::Kind::phrase;
    std::vector<Xapian::Query> out;
    if (parts.parts.size() == 1) {
        const std::string& form = parts.parts[0];
        add_form(node.field, form, exact ? std::vector<std::string>() : stems_of(form, parts.plain[0]), out);
    } else if (!parts.parts.empty()) {
        out.push_back(phrase(node.field, parts.parts));
    }
    if (!exact) {
        for (const std::string& whole : parts.whole) add_form(node.field, whole, stems_of(whole, whole), out);
    }
    if (node.field == Field::conversation) out.push_back(one(Space::conversation_id, node.text));
    return any_of(out);
}

Xapian::Query QueryBuilder::prefix(const Node& node) const {
    std::vector<Xapian::Query> out;
    if (const auto found = expansions_.find(&node); found != expansions_.end()) {
        for (const std::string& form : found->second) add_form(node.field, form, {}, out);
    }
    return any_of(out);
}

Result<Xapian::Query> QueryBuilder::date(const Node& node) {
    const TimeSpan span = TRY(span_of(node.range, options_));
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
        sources_.push_back(std::make_unique<TimeSource>(shard_, from, until));
        query |= Xapian::Query(Xapian::Query::OP_OR, edges.begin(), edges.end()) & Xapian::Query(sources_.back().get());
    }
    return query;
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
    const auto condition = [](const Xapian::Query& query) {
        return Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, query, 0);
    };
    switch (node.kind) {
        case Node::Kind::word:
        case Node::Kind::phrase:
            return word(node);
        case Node::Kind::prefix:
            return prefix(node);
        case Node::Kind::all_of:
            return all_of(node.children);
        case Node::Kind::none_of:
            return Xapian::Query(Xapian::Query::OP_AND_NOT, everything(), TRY(build(node.children.at(0))));
        case Node::Kind::any_of: {
            std::vector<Xapian::Query> out;
            for (const Node& child : node.children) out.push_back(TRY(build(child)));
            return Xapian::Query(Xapian::Query::OP_OR, out.begin(), out.end());
        }
        case Node::Kind::date:
            return condition(TRY(date(node)));
        case Node::Kind::source:
            return condition(one(Space::source, form_of_name(node.text)));
        case Node::Kind::message_kind:
            return condition(one(Space::kind, node.text));
        case Node::Kind::has_attachment:
            return condition(one(Space::has, "attachment"));
        case Node::Kind::content:
            return condition(one(Space::content, node.text));
        case Node::Kind::coverage:
            return condition(one(Space::reason, node.text));
        case Node::Kind::everything:
            return everything();
        default:
            return Error(Code::not_in_version, "this condition can't be searched for yet");
        case Node::Kind::person:
            return Error(Code::not_in_version, "persons are not known here: name the addresses")
                .with_hint("kustos person show PERSON lists them: from:... OR to:...");
    }
    return Xapian::Query();
}

}  // namespace kustos::search
