// The report as tables for CSV and XLSX.
#include "access/matters.h"
#include "app/hit_report.h"
#include "app/src/present.h"

namespace kustos::app {

using exporting::Cell;
using exporting::Table;

namespace {

std::string label_of(const HitTerm& t) {
    return t.term.name.empty() ? t.term.text : t.term.name;
}

std::uint64_t count_of(const std::map<std::uint32_t, std::uint64_t>& counts, std::uint32_t key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
}

class Tables {
public:
    Tables(const HitReport& report, bool german) : r_(report), german_(german) {}

    std::vector<Table> all() const { return {overview(), terms(), months(), persons()}; }

private:
    const char* say(const char* de, const char* en) const { return german_ ? de : en; }

    Table overview() const {
        Table t{say("Übersicht", "Overview"), {}, {}, {30, 90}};
        const auto add = [&](const char* de, const char* en, Cell value) {
            t.rows.push_back({std::string(say(de, en)), std::move(value)});
        };
        add("Trefferbericht", "Hit report", r_.name);
        add("Fall", "Matter", access::matter_id(r_.matter));
        add("Umfang", "Scope", r_.scope.empty() ? std::string(say("das ganze Archiv", "the whole archive")) : r_.scope);
        if (r_.within) add("Innerhalb von", "Within", access::result_id(*r_.within));
        add("Archiv", "Archive", r_.frame.archive_name);
        add("Erstellt", "Made", exporting_time());
        add("Von", "By", r_.frame.made_by);
        add("Mit", "With", r_.frame.tool);
        add("Stand der Kette (Einträge)", "State of the ledger (entries)", r_.size.value);
        add("Verzeichnis bis Eintrag", "Index up to entry", r_.index_end.value);
        add("Vermerkt in Eintrag", "Noted in entry", r_.entry.value);
        add("SHA-256 der Trefferliste", "SHA-256 of the hits", r_.result_set.hex());
        add("Aufzeichnungen im Umfang", "Records in the scope", r_.records);
        add("davon nicht ganz durchsuchbar", "of these not wholly searchable",
            r_.in_scope.total() - r_.in_scope.deferred);
        add("noch nicht im Verzeichnis (Archiv)", "not in the index yet (archive)", r_.in_scope.deferred);
        add("Abdeckung (Archiv)", "Coverage (archive)", coverage_words(r_.coverage, german_));
        add("Begriffe", "Terms", std::uint64_t{r_.terms.size()});
        add("Treffer", "Hits", r_.total.hits);
        add("mit Familie", "with family", r_.total.family);
        add("Dateien", "files", r_.total.files);
        add("davon eingeschränkt", "of the hits restricted", r_.restricted);
        add("Zeitzone der Monate", "Time zone of the months", r_.time_zone);
        for (const std::string& sentence : hit_definitions(r_, german_)) {
            const std::size_t colon = sentence.find(": ");
            t.rows.push_back({sentence.substr(0, colon), sentence.substr(colon + 2)});
        }
        return t;
    }

    std::string exporting_time() const { return format_rfc3339(r_.frame.made_at); }

    Table terms() const {
        Table t{say("Begriffe", "Terms"), {}, {}, {6, 24, 60, 10, 12, 10, 10, 14, 16, 40}};
        t.head = {say("Nr.", "No."),
                  say("Name", "Name"),
                  say("Begriff", "Term"),
                  say("Treffer", "Hits"),
                  say("mit Familie", "With family"),
                  say("Dateien", "Files"),
                  say("nur hier", "Only here"),
                  say("eingeschränkt", "Restricted"),
                  say("nicht durchsuchbar", "Not searchable"),
                  say("warum", "Why")};
        std::uint64_t number = 0;
        for (const HitTerm& term : r_.terms) {
            const search::HitFigures& f = term.figures;
            t.rows.push_back({++number, term.term.name, term.term.text, f.hits, f.family, f.files, f.unique,
                              term.restricted, term.unsearched.total(), unsearched_words(term, german_)});
        }
        const search::HitFigures& f = r_.total;
        t.rows.push_back({std::string(), std::string(say("alle zusammen", "all together")), std::string(), f.hits,
                          f.family, f.files, f.unique, r_.restricted});
        return t;
    }

    // A row for each month or person, a column for each term.
    Table matrix(const char* name, const char* first) const {
        Table t{name, {first, say("alle zusammen", "all together")}, {}, {28, 14, 16}};
        std::uint64_t number = 0;
        for (const HitTerm& term : r_.terms) t.head.push_back(std::to_string(++number) + " " + label_of(term));
        return t;
    }

    Table months() const {
        Table t = matrix(say("Monate", "Months"), say("Monat", "Month"));
        for (const std::string& month : months_shown(r_)) {
            const auto found = std::lower_bound(r_.months.begin(), r_.months.end(), month);
            const bool there = found != r_.months.end() && *found == month;
            const auto number = static_cast<std::uint32_t>(found - r_.months.begin());
            const auto count = [&](const search::HitFigures& f) { return there ? count_of(f.months, number) : 0; };
            std::vector<Cell> row = {month, count(r_.total)};
            for (const HitTerm& term : r_.terms) row.emplace_back(count(term.figures));
            t.rows.push_back(std::move(row));
        }
        return t;
    }

    Table persons() const {
        Table t = matrix(say("Personen", "Persons"), say("Absender", "Sender"));
        std::vector<PersonCounts> counts = {person_counts(r_, r_.total)};
        for (const HitTerm& term : r_.terms) counts.push_back(person_counts(r_, term.figures));
        for (std::size_t i = 0; i < r_.shown.size(); ++i) {
            std::vector<Cell> row = {r_.persons[r_.shown[i]]};
            for (const PersonCounts& c : counts) row.emplace_back(c.shown[i]);
            t.rows.push_back(std::move(row));
        }
        const auto rest = [&](const char* name, std::uint64_t PersonCounts::*which) {
            std::vector<Cell> row = {std::string(name)};
            for (const PersonCounts& c : counts) row.emplace_back(c.*which);
            t.rows.push_back(std::move(row));
        };
        if (counts.front().others > 0) rest(say("(andere)", "(others)"), &PersonCounts::others);
        if (counts.front().without > 0) rest(say("(ohne Absender)", "(no sender)"), &PersonCounts::without);
        return t;
    }

    const HitReport& r_;
    bool german_;
};

}  // namespace

std::vector<Table> hit_tables(const HitReport& report, bool german) {
    return Tables(report, german).all();
}

}  // namespace kustos::app
