// Hit reports: every term runs as a search of the matter does, under its scope. What all find together is named by one
// access entry, the report by hits_reported; both are durable before a file exists.
#include <algorithm>

#include "app/hit_report.h"
#include "app/house.h"
#include "app/result_desk.h"
#include "app/src/house_ports.h"
#include "export/local_month.h"
#include "search/exact.h"
#include "search/within.h"
#include "vault/retention.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

struct House::HitGround {
    std::vector<EntryIndex> entries;  // ascending
    std::vector<std::uint32_t> month;
    std::vector<std::string> months;
    std::vector<bool> restricted;
    search::RecordFacts facts;
    search::Query everything;  // in the scope and within the result set
    EntrySet within;
    bool is_within = false;
    vault::CoverageCounts coverage{};
    search::Unsearched unsearched;
    EntrySet undecided;    // restricted, and an exact word of the scope hangs on their text
    EntryIndex index_end;  // of the first look

    std::uint64_t restricted_of(const std::vector<EntryIndex>& hits) const {
        std::uint64_t count = 0;
        for (const EntryIndex hit : hits) {
            const auto found = std::lower_bound(entries.begin(), entries.end(), hit);
            if (found != entries.end() && *found == hit)
                count += restricted[static_cast<std::size_t>(found - entries.begin())] ? 1 : 0;
        }
        return count;
    }
};

namespace {

constexpr int kTries = 3;

// Finds nothing, and might find whatever can't be searched wholly.
search::Query nothing_certain() {
    search::Query query;
    query.root.kind = search::Node::Kind::exact;
    query.root.text = "x";
    query.root.set = std::make_shared<const EntrySet>();
    return query;
}

Error changed() {
    return Error(Code::overloaded, "the index changed while the terms ran").with_hint("run it again");
}

// Lines of the list as they count, for the sealed part of the entry.
std::string lines_of(const std::vector<HitTerm>& terms) {
    std::string out;
    for (const HitTerm& t : terms) out += (t.term.name.empty() ? "" : t.term.name + "\t") + t.term.text + "\n";
    return out;
}

std::vector<EntryIndex> ascending(std::vector<EntryIndex> entries) {
    std::sort(entries.begin(), entries.end());
    return entries;
}

// The months of all records by number, ascending, and the number for each record.
void number_months(const search::Answer& answer, const std::vector<EntryIndex>& entries,
                   const exporting::LocalMonths& zone, std::vector<std::string>& months,
                   std::vector<std::uint32_t>& month) {
    std::map<std::string, std::uint32_t> numbers;
    for (const UtcTime sent : answer.sent_at) numbers.try_emplace(zone.of(sent), 0);
    for (auto& known : numbers) {
        known.second = static_cast<std::uint32_t>(months.size());
        months.push_back(known.first);
    }
    month.resize(entries.size());
    for (std::size_t i = 0; i < answer.entries.size(); ++i) {
        const auto place = std::lower_bound(entries.begin(), entries.end(), answer.entries[i]) - entries.begin();
        month[static_cast<std::size_t>(place)] = numbers.at(zone.of(answer.sent_at[i]));
    }
}

}  // namespace

Result<House::HitGround> House::hit_ground(const HitOrder& order, EntryIndex matter) {
    HitGround ground;
    ground.everything = TRY(matter_query(order.actor, matter, "*", search::Language::en, nullptr)).run;
    if (order.within) {
        ground.is_within = true;
        ground.within = TRY(ResultDesk(*archive_).of_matter(*order.within, matter)).records;
        ground.everything = search::both(search::these_entries(ground.within), ground.everything);
    }
    if (search::asks_exactly(ground.everything.root)) {
        vault::Purpose purpose;
        purpose.action = audit::AccessAction::search;
        purpose.matter = matter;
        purpose.actor = order.actor;
        purpose.query = "*";
        purpose.scope_decided = true;
        ground.everything = TRY(decide_exact(purpose, ground.everything, ground.undecided));
    }
    const search::Answer all = TRY(ask(ground.everything));
    ground.entries = ascending(all.entries);
    ground.index_end = all.end;
    const exporting::LocalMonths zone(config_.text("time_zone", "Europe/Berlin"));
    number_months(all, ground.entries, zone, ground.months, ground.month);
    const auto book = archive_->retention();
    for (const EntryIndex entry : ground.entries)
        ground.restricted.push_back(book->restriction_for(entry, matter).has_value());
    ground.facts = TRY(searcher_->facts(ground.entries));
    search::SearchOptions apart;
    apart.undecided = ground.undecided;
    const search::Answer none = TRY(ask(search::both(ground.everything, nothing_certain()), std::move(apart)));
    ground.unsearched = none.unsearched;
    ground.coverage = to_counts(to_web(none.coverage));
    return ground;
}

Result<HitTerm> House::run_term(const HitOrder& order, vault::Purpose purpose, const search::Term& term,
                                const EntrySet* within, std::string& asked, std::vector<EntryIndex>& hits) {
    const auto language = order.language == Language::german ? search::Language::de : search::Language::en;
    HitTerm out;
    out.term = term;
    const std::string where = (order.language == Language::german ? "Zeile " : "line ") + std::to_string(term.line);
    MatterQuery query = TRY_IN(where, matter_query(order.actor, purpose.matter, term.text, language, nullptr));
    out.canonical = query.canonical;
    asked = query.text;
    if (within != nullptr) query.run = search::both(search::these_entries(*within), query.run);
    purpose.query = query.text;
    search::SearchOptions options;
    if (search::asks_exactly(query.run.root))
        query.run = TRY_IN(where, decide_exact(purpose, query.run, options.undecided));
    search::Answer answer = TRY_IN(where, ask(query.run, std::move(options)));
    out.unsearched = std::move(answer.unsearched);
    hits = std::move(answer.entries);
    return out;
}

// The records in the scope are taken first; what comes later is in no figure, and what goes meanwhile ends it.
Result<HitReport> House::count_hits(const HitOrder& order, vault::Purpose& purpose) {
    HitReport report;
    report.matter = purpose.matter;
    report.within = order.within;
    report.name = order.name;
    report.scope = purpose.scope;
    report.size = archive_->head().size;
    HitGround ground = TRY(hit_ground(order, purpose.matter));
    report.index_end = ground.index_end;
    search::HitTally tally(ground.entries, ground.month, ground.facts);
    purpose.query.clear();
    for (const search::Term& term : order.terms) {
        std::string asked;
        std::vector<EntryIndex> hits;
        HitTerm done = TRY(run_term(order, purpose, term, ground.is_within ? &ground.within : nullptr, asked, hits));
        tally.add(hits);
        done.restricted = ground.restricted_of(hits);
        purpose.query += asked + "\n";
        report.terms.push_back(std::move(done));
    }
    const search::Answer after = TRY(ask(ground.everything));
    const std::vector<EntryIndex> now = ascending(after.entries);
    if (!std::includes(now.begin(), now.end(), ground.entries.begin(), ground.entries.end())) return changed();
    for (std::size_t i = 0; i < report.terms.size(); ++i) report.terms[i].figures = tally.terms()[i];
    report.total = tally.total();
    const std::vector<EntryIndex> found = tally.found();
    report.restricted = ground.restricted_of(found);
    report.result_set = search::result_set_hash(found);
    report.coverage = ground.coverage;
    report.records = ground.entries.size();
    report.in_scope = std::move(ground.unsearched);
    report.time_zone = exporting::LocalMonths(config_.text("time_zone", "Europe/Berlin")).zone();
    report.months = std::move(ground.months);
    report.persons = std::move(ground.facts.persons);
    report.shown = most_frequent(report);
    return report;
}

Result<HitReport> House::report_hits(const HitOrder& order) {
    TRY(check_hit_files(order.files));
    TRY(check_label(order.name, true));
    const EntryIndex matter = TRY(need_matter(order.matter));
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::search;
    purpose.matter = matter;
    purpose.actor = order.actor;
    TRY(matters_->allow(purpose, {}));
    if (archive_->keys().apart())
        return Error(Code::not_in_version, "with an opener apart there are no hit reports yet")
            .with_hint("kustos search runs each term");
    if (!archive_->is_open()) return vault_is_closed();
    purpose.scope = TRY(matters_->scope(matter));
    purpose.scope_decided = true;
    if (order.within) purpose.within = access::result_id(*order.within);
    Result<HitReport> counted = changed();
    for (int number = 0; number < kTries && !counted.ok() && counted.error().code() == Code::overloaded; ++number)
        counted = count_hits(order, purpose);
    HitReport report = TRY(std::move(counted));
    purpose.total = report.total.hits;
    purpose.result_set = report.result_set;
    purpose.coverage = report.coverage;
    purpose.unsearched = report.in_scope;
    report.access = TRY(opener_->begin(purpose, {}))->access_entry().index;
    ReportRequest request;
    request.actor = order.actor;
    request.language = order.language;
    report.frame = report_frame(request);
    const bool german = order.language == Language::german;
    report.frame.json = hit_json(report, german);

    vault::MatterText text;
    text.actor = order.actor;
    text.label = order.name;
    text.query = lines_of(report.terms);
    text.scope = report.scope;
    for (const std::uint64_t n : report.coverage) put_u64(text.coverage, n);
    put_u64(text.coverage, report.index_end.value);
    text.unsearched = audit::encode(report.in_scope);
    const vault::Receipt receipt = TRY(archive_->record_control(
        ControlAction::hits_reported,
        [&](Body& body) {
            body.put_u64(Tag::matter, matter.value)
                .put_u64(Tag::count, report.terms.size())
                .put_u64(Tag::total, report.total.hits)
                .put_hash(Tag::related_hash, sha256(as_bytes(report.frame.json)));
        },
        vault::kAccessClass, vault::compose_matter_text(text)));
    report.entry = report.frame.entry = receipt.index;
    TRY(write_hits(report, order));
    return report;
}

Status House::write_hits(HitReport& report, const HitOrder& order) {
    const bool german = order.language == Language::german;
    const std::vector<exporting::Table> tables = hit_tables(report, german);
    std::vector<Path> pages;
    const auto write = [&](const Path& file, ByteView bytes) -> Status {
        TRY(replace_file(environment_.fs, file, bytes));
        report.files.push_back(file.string());
        return {};
    };
    for (const Path& file : order.files) {
        if (file.extension() == ".pdf") {
            pages.push_back(file);
        } else if (file.extension() == ".xlsx") {
            TRY(write(file, TRY(exporting::xlsx_file(tables, report.name, report.frame.made_at))));
        } else {
            const char* const parts[] = {german ? "-uebersicht" : "-overview", "", german ? "-monate" : "-months",
                                         german ? "-personen" : "-persons"};
            for (std::size_t i = 0; i < tables.size(); ++i) {
                Path part = file;
                part.replace_filename(file.stem().string() + parts[i] + ".csv");
                TRY(write(part, as_bytes(exporting::csv_text(tables[i], german ? ';' : ','))));
            }
        }
    }
    if (pages.empty()) return {};
    report.frame.proof = TRY(report_proof(report.entry));
    const exporting::HitPages drawn = hit_pages(report, archive_->fingerprint(), german);
    for (std::string& file : TRY(sign_pages(pages, report.entry, report.frame.json, [&]() -> Result<Bytes> {
             return std::move(TRY(exporting::draw_hit_report(drawn)).pdf);
         })))
        report.files.push_back(std::move(file));
    return {};
}

}  // namespace kustos::app
