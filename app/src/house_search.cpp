// Searches of a matter, and showing one record: the query as it is run, the access entry, then what it lists.
#include <algorithm>

#include "app/house.h"
#include "app/person_desk.h"
#include "app/result_desk.h"
#include "app/src/attachment_facts.h"
#include "app/src/house_ports.h"
#include "app/src/room.h"
#include "audit/anchors.h"
#include "ingest/value_words.h"
#include "search/exact.h"
#include "search/resolve.h"
#include "search/snippet.h"
#include "search/within.h"
#include "vault/entry_set_code.h"

namespace kustos::app {

namespace {

// Texts of attachments as the indexer kept them; where there is none (a cache may be gone), the rest still shows.
search::SnippetOptions with_texts(const vault::OpenSession& session, const vault::OpenedRecord& record) {
    constexpr std::size_t kMost = 32;
    search::SnippetOptions options;
    for (std::size_t i = 0; i < std::min(record.message.attachments.size(), kMost); ++i) {
        auto text = session.derived(record.index, attachment_text(i));
        options.attachment_texts.push_back(text.ok() ? std::string(as_text(*text)) : std::string());
    }
    return options;
}

// Form feeds end pages in a PDF's text; in other texts they mean what their writer meant.
bool has_pages(const vault::OpenSession& session, EntryIndex record, std::size_t number) {
    const auto kept = session.derived(record, attachment_facts_of(number));
    const auto facts = kept.ok() ? parse_facts(as_text(*kept)) : Result<web::AttachmentFacts>(kept.error());
    return facts.ok() && facts->kind == "pdf";
}

// Months by UTC: hits of one month stand together, whichever zone shows them.
void add_facets(const search::Answer& answer, web::SearchReport& report) {
    std::map<std::string, std::uint64_t> months;
    for (const UtcTime sent : answer.sent_at) ++months[format_rfc3339(sent).substr(0, 7)];
    web::Facet by_month{"month", {months.begin(), months.end()}, months.size(), 0};
    report.facets.push_back(std::move(by_month));
    for (const auto& [by, counted] : answer.facets.by) {
        web::Facet facet{std::string(search::facet_name(by)), {}, counted.distinct, counted.without};
        for (const search::FacetValue& value : counted.values) facet.values.emplace_back(value.value, value.count);
        report.facets.push_back(std::move(facet));
    }
    for (const search::Pair& pair : answer.facets.pairs)
        report.pairs.push_back({pair.sender, pair.recipient, pair.count});
}

web::Hit make_hit(const vault::OpenSession& session, const vault::OpenedRecord& record, const search::Query& query) {
    web::Hit hit;
    const vault::Message& m = record.message;
    hit.entry = record.index;
    hit.record = record.entry.header.record;
    hit.kind = vault::kind_name(m.kind);
    hit.sent_at = m.sent_at;
    hit.sender = person_text(m.sender);
    hit.subject = m.subject;
    hit.conversation = m.conversation.title.empty() ? m.conversation.id : m.conversation.title;
    hit.attachments = static_cast<std::uint32_t>(m.attachments.size());
    search::Snippet snippet = search::make_snippet(m, query, with_texts(session, record));
    hit.snippet = std::move(snippet.text);
    constexpr std::string_view kIn = "attachment:";
    if (snippet.where.starts_with(kIn)) {
        const std::size_t number = std::stoul(snippet.where.substr(kIn.size()));
        if (number < m.attachments.size()) hit.found_in = m.attachments[number].name;
        if (snippet.page != 0 && has_pages(session, record.index, number)) hit.page = snippet.page;
    }
    for (const search::TextRange& r : snippet.highlights) hit.marks.emplace_back(r.begin, r.end);
    return hit;
}

}  // namespace

namespace {

// What an opener apart does not know can't be said to it in a query's text.
Error not_apart() {
    return Error(Code::not_in_version, "with an opener apart this condition can't be searched for yet");
}

}  // namespace

// Nobody's question holds up the others for longer; the index is searched by one at a time. An opener apart gives as
// much (search_worker.cpp).
Result<search::Answer> House::ask(const search::Query& query, search::SearchOptions options) {
    constexpr std::int64_t kPatience = 120'000;  // ms
    const Clock& clock = environment_.clock;
    const std::int64_t until = clock.monotonic_ms() + kPatience;
    options.stop = [&clock, until] { return interrupt_requested() || clock.monotonic_ms() > until; };
    auto answer = searcher_->run(query, options, *census_);
    if (answer.ok() || answer.error().code() != Code::interrupted || interrupt_requested()) return answer;
    return Error(Code::limit, "the search took longer than two minutes")
        .with_hint("ask for less at once: whole words in place of * and ?, a sender, a period");
}

Result<search::Query> House::decide_exact(vault::Purpose purpose, const search::Query& query, EntrySet& undecided) {
    const search::Answer open = TRY(ask(search::undecided(query)));
    if (open.total > search::kMaxUndecided)
        return Error(Code::limit, "an exact word would have more than 20000 records opened")
            .with_hint("say more: other words, a sender, a period");
    const std::vector<const search::Node*> leaves = search::exact_leaves(query.root);
    std::vector<EntrySet> sets(leaves.size());
    std::vector<EntryIndex> readable;
    const auto book = archive_->retention();
    for (const EntryIndex id : open.entries) {
        if (book->restriction_for(id, purpose.matter)) {
            undecided.add(id);
        } else {
            readable.push_back(id);
        }
    }
    if (readable.empty()) return search::with_exact(query, std::move(sets));
    std::sort(readable.begin(), readable.end());
    purpose.total = readable.size();
    purpose.result_set = search::result_set_hash(readable);
    auto session = TRY(opener_->begin(purpose, readable));
    for (const EntryIndex id : readable) {
        const vault::OpenedRecord record = TRY(session->open(id));
        const auto texts = with_texts(*session, record).attachment_texts;
        for (std::size_t n = 0; n < leaves.size(); ++n)
            if (search::stands_exactly(*leaves[n], record.message, texts)) sets[n].add(id);
    }
    return search::with_exact(query, std::move(sets));
}

// Its own query stands beside what was typed, as one tree: nothing that is typed can lead out of it.
Result<House::MatterQuery> House::matter_query(const std::string& actor, EntryIndex matter, const std::string& text,
                                               search::Language language, std::vector<web::PersonTaken>* persons) {
    MatterQuery query;
    const search::Query typed = TRY(search::parse_query(text, language));
    query.scope = TRY(matters_->scope(matter));
    query.typed = TRY(with_persons(*this, actor, matter, typed, persons));
    query.text = query.typed.text;  // as typed, but for persons: what was run in their place
    query.canonical = search::query_text(query.typed.root);
    if (archive_->keys().apart()) {
        const search::Query named = TRY(with_named_sums(query.typed, matter));
        if (search::needs_sets(named.root)) return not_apart();
        if (search::needs_sets(query.typed.root)) query.text = search::query_text(named.root);
        if (!query.scope.empty() && search::needs_sets(TRY(search::parse_query(query.scope)).root)) return not_apart();
        return query;
    }
    query.typed = TRY(resolved(query.typed, matter, actor));
    query.run = query.typed;
    if (query.scope.empty()) return query;
    const search::Query scope = TRY_IN("the matter's scope", search::parse_query(query.scope));
    query.run = search::both(TRY(resolved(scope, matter, actor)), query.typed);
    return query;
}

Status House::expect_in_scope(const std::string& scope, std::span<const EntryIndex> ids) {
    if (!archive_->is_open()) return vault_is_closed();
    EntrySet wanted;
    for (const EntryIndex id : ids) wanted.add(id);
    const search::Query bounds = TRY_IN("the matter's scope", search::parse_query(scope));
    const search::Query query = search::both(TRY(resolved(bounds, EntryIndex(), "")), search::these_entries(wanted));
    if (TRY(ask(query)).total == wanted.count()) return {};
    return Error(Code::denied, "a record is outside the scope of this matter, or not in the index yet")
        .with_hint("kustos matter scope shows and changes it");
}

Result<web::SearchReport> House::search(const std::string& actor, const std::string& matter, const std::string& query,
                                        const std::string& sort, std::uint64_t offset, std::uint64_t limit,
                                        bool figures) {
    SearchOrder order;
    order.actor = actor;
    order.matter = matter;
    order.query = query;
    order.sort = sort;
    order.offset = offset;
    order.limit = limit;
    order.facets = figures;
    return TRY(search(order)).report;
}

Result<SearchOutcome> House::search(const SearchOrder& order) {
    const EntryIndex matter = TRY(need_matter(order.matter));
    const search::Language language = order.language == Language::german ? search::Language::de : search::Language::en;
    TRY(search::parse_query(order.query, language));
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::search;
    purpose.matter = matter;
    purpose.actor = order.actor;
    TRY(matters_->allow(purpose, {}));
    SearchOutcome out;
    const TreeSize seen = archive_->head().size;
    out.report.ledger_size = seen.value;
    MatterQuery query = TRY(matter_query(order.actor, matter, order.query, language, &out.report.persons));
    purpose.query = query.text;
    std::optional<EntrySet> within;
    if (order.within) {
        within = TRY(ResultDesk(*archive_).of_matter(*order.within, matter)).records;
        purpose.within = access::result_id(*order.within);
    }
    EntrySet all;
    if (archive_->keys().apart()) {
        all = TRY(search_apart(purpose, query, std::move(within), order, out));
    } else {
        if (within) query.run = search::both(search::these_entries(std::move(*within)), query.run);
        all = TRY(search_here(purpose, query, order, out));
    }
    if (!order.freeze) {
        if (order.whole) out.all = std::move(all);
        return out;
    }
    FreezeOrder freeze;
    freeze.matter = matter;
    freeze.actor = order.actor;
    freeze.name = order.name;
    freeze.query = query.canonical;
    if (order.within) freeze.query += " [" + purpose.within + "]";
    freeze.scope = query.scope;
    freeze.records = std::move(all);
    freeze.size = seen;
    freeze.index_end = EntryIndex(out.report.index_end);
    freeze.coverage = to_counts(out.report.coverage);
    freeze.unsearched = out.report.unsearched;
    out.frozen = TRY(ResultDesk(*archive_).freeze(freeze));
    return out;
}

// All that was found; what the page lists is in the outcome.
Result<EntrySet> House::search_here(vault::Purpose purpose, const MatterQuery& query, const SearchOrder& order,
                                    SearchOutcome& out) {
    if (!archive_->is_open()) return vault_is_closed();
    search::SearchOptions options;
    options.sort = order.sort == "relevance" ? search::Sort::relevance : search::Sort::date;
    if (order.facets) {
        options.facets.by.assign(std::begin(search::kAllFacets), std::end(search::kAllFacets));
        options.facets.pairs = true;
    }
    purpose.scope = query.scope;
    purpose.scope_decided = true;
    search::Query run = query.run;
    if (search::asks_exactly(run.root)) run = TRY(decide_exact(purpose, run, options.undecided));
    const search::Answer answer = TRY(ask(run, std::move(options)));
    if (order.freeze) TRY(ResultDesk::expect_not_too_many(answer.total));
    web::SearchReport& report = out.report;
    // Restricted hits are counted, not opened.
    const auto book = archive_->retention();
    std::vector<EntryIndex> page;
    std::uint64_t allowed = 0;
    for (const EntryIndex hit : answer.entries) {
        if (book->restriction_for(hit, purpose.matter)) {
            ++report.restricted;
        } else if (allowed++ >= order.offset && page.size() < order.limit) {
            page.push_back(hit);
        }
    }
    report.total = answer.total;
    report.coverage = to_web(answer.coverage);
    report.offset = order.offset;
    report.index_end = answer.end.value;
    report.unsearched = answer.unsearched;
    if (order.facets) add_facets(answer, report);
    purpose.total = answer.total;
    purpose.result_set = answer.result_set;
    purpose.coverage = to_counts(report.coverage);
    purpose.unsearched = report.unsearched;
    auto session = TRY(opener_->begin(purpose, page));
    for (const EntryIndex id : page) report.hits.push_back(make_hit(*session, TRY(session->open(id)), query.typed));
    if (!order.freeze && !order.whole) return EntrySet();
    std::vector<EntryIndex> all = answer.entries;
    std::sort(all.begin(), all.end());
    return EntrySet(all);
}

// The query runs beside the opener, and its answer comes behind its entry. The opener puts the matter's scope beside it
// by itself.
Result<EntrySet> House::search_apart(const vault::Purpose& purpose, const MatterQuery& query,
                                     std::optional<EntrySet> within, const SearchOrder& order, SearchOutcome& out) {
    vault::SearchAsk ask;
    ask.purpose = purpose;
    ask.by_relevance = order.sort == "relevance";
    ask.german = order.language == Language::german;
    ask.offset = order.offset;
    ask.limit = order.limit;
    ask.within = std::move(within);
    ask.whole = order.freeze || order.whole;
    vault::Opener::Searched found = TRY(opener_->search(ask));
    out.report.total = found.reply.total;
    out.report.coverage = to_web(found.reply.coverage);
    out.report.unsearched = std::move(found.reply.unsearched);
    out.report.index_end = found.reply.index_end.value;
    out.report.offset = order.offset;
    for (const EntryIndex id : found.reply.listed)
        out.report.hits.push_back(make_hit(*found.session, TRY(found.session->open(id)), query.typed));
    return std::move(found.reply.all);
}

Result<web::RecordReport> House::record(const std::string& actor, const std::string& matter, EntryIndex entry,
                                        web::Language language) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::open;
    purpose.matter = TRY(need_matter(matter));
    purpose.actor = actor;
    purpose.total = 1;
    TRY(matters_->allow(purpose, {}));
    TRY(expect_not_erased({entry}));
    auto session = TRY(opener_->begin(purpose, {entry}));
    vault::OpenedRecord opened = TRY(session->open(entry));
    web::RecordReport report;
    report.entry = entry;
    report.record = opened.entry.header.record;
    report.leaf = audit::leaf_hash(audit::encode(opened.entry));
    if (const auto source = archive_->find_source(opened.entry.header.source)) report.source = source->name;
    report.sequence = opened.entry.header.sequence;
    report.message = std::move(opened.message);
    const bool de = language == web::Language::german;
    for (std::size_t i = 0; i < report.message.attachments.size(); ++i) {
        const auto kept = session->derived(entry, attachment_facts_of(i));
        auto facts = kept.ok() ? parse_facts(as_text(*kept)) : Result<web::AttachmentFacts>(kept.error());
        report.attachments.push_back(facts.ok() ? std::move(*facts) : web::AttachmentFacts());
        report.attachments.back().words = facts_words(report.attachments.back(), de);
    }
    report.evidential_value = ingest::value_words(report.message.format, de);
    report.completeness =
        TRY(completeness_words(opened.entry.header.source, de ? Language::german : Language::english));
    if (const auto published = archive_->newest_published(); published && published->size.value > entry.value) {
        report.checkpoint_size = published->size.value;
    }
    const audit::AnchorStore anchors(environment_.fs, options_.archive / "ledger");
    const auto spans = TRY(anchors.list());
    const auto newest = audit::newest_anchor(spans);
    report.anchored = newest && newest->size.value > entry.value;
    Status reviewed = reviews_->look(purpose.matter, [&report, entry](const ReviewState& state) {
        report.labels = state.labels_of(entry);
        report.codes = state.codes_of(entry);
    });
    if (!reviewed.ok() && reviewed.error().code() != Code::closed) return std::move(reviewed).error();
    report.persons = TRY(name_persons(*this, actor, purpose.matter, report.message));
    return report;
}

}  // namespace kustos::app
