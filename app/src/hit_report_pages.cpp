// The report as pages.
#include "access/matters.h"
#include "app/hit_report.h"
#include "app/src/present.h"
#include "export/certificate_pdf.h"

namespace kustos::app {

namespace {

constexpr std::size_t kMostOnPaper = 40;  // persons; the tables name more

std::vector<std::uint64_t> counts_of(const search::HitFigures& f) {
    return {f.hits, f.family, f.files, f.unique};
}

// 12.345 or 12,345
std::string number(std::uint64_t value, bool german) {
    std::string out = std::to_string(value);
    for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, german ? "." : ",");
    return out;
}

}  // namespace

exporting::HitPages hit_pages(const HitReport& r, const std::string& fingerprint, bool german) {
    const auto say = [german](const char* de, const char* en) { return german ? de : en; };
    exporting::HitPages out;
    out.frame = r.frame;
    out.fingerprint = fingerprint;
    const auto count = [german](std::uint64_t n) { return number(n, german); };
    const std::string terms = count(r.terms.size()), hits = count(r.total.hits);
    const std::string family = count(r.total.family), files = count(r.total.files);
    out.verdict =
        german ? terms + (r.terms.size() == 1 ? " Begriff, " : " Begriffe, ") + hits + " Treffer"
               : terms + (r.terms.size() == 1 ? " term, " : " terms, ") + hits + (r.total.hits == 1 ? " hit" : " hits");
    out.below = german ? "Mit Familie " + family + " Aufzeichnungen und " + files + " Dateien."
                       : "With family " + family + " records and " + files + " files.";
    if (const std::uint64_t left = r.in_scope.total(); left > 0)
        out.below +=
            german ? " Im Umfang konnten " + count(left) + " Aufzeichnungen nicht oder nur zum Teil durchsucht werden."
                   : " In the scope " + count(left) + " records could not be searched, or only in part.";
    const auto fact = [&](const char* de, const char* en, std::string value) {
        out.facts.emplace_back(say(de, en), std::move(value));
    };
    fact("Liste", "List", r.name);
    fact("Fall", "Matter", access::matter_id(r.matter));
    fact("Umfang", "Scope", r.scope.empty() ? std::string(say("das ganze Archiv", "the whole archive")) : r.scope);
    if (r.within) fact("Innerhalb von", "Within", access::result_id(*r.within));
    fact("Aufzeichnungen", "Records", count(r.records) + say(" im Umfang", " in the scope"));
    fact("Abdeckung", "Coverage", coverage_words(r.coverage, german));
    if (r.restricted > 0)
        fact("Eingeschränkt", "Restricted", count(r.restricted) + say(" der Treffer", " of the hits"));
    fact("Stand", "State",
         count(r.size.value) + say(" Einträge, Verzeichnis bis ", " entries, index up to ") + count(r.index_end.value));
    fact("Erstellt", "Made",
         exporting::local_stamp(r.frame, r.frame.made_at) + say(" durch ", " by ") + r.frame.made_by);
    fact("Mit", "With", r.frame.tool);
    fact("Vermerkt in", "Noted in",
         german ? "Eintrag " + count(r.frame.entry.value) + " der Kette, vor der Unterschrift"
                : "entry " + count(r.frame.entry.value) + " of the ledger, before the signature");
    out.columns = {say("Treffer", "Hits"), say("mit Familie", "With family"), say("Dateien", "Files"),
                   say("nur hier", "Only here")};
    for (const HitTerm& t : r.terms)
        out.terms.push_back({t.term.name, t.term.text, counts_of(t.figures), unsearched_words(t, german)});
    out.total = {say("alle zusammen", "all together"), "", counts_of(r.total), ""};
    out.months_title = german ? "Treffer je Monat (alle Begriffe zusammen)" : "Hits by month (all terms together)";
    for (const std::string& month : months_shown(r)) {
        std::uint64_t here = 0;
        for (const auto& [place, hits_of] : r.total.months)
            if (r.months[place] == month) here = hits_of;
        out.months.emplace_back(month, here);
    }
    out.persons_title = german ? "Treffer je Absender (alle Begriffe zusammen)" : "Hits by sender (all terms together)";
    const PersonCounts counts = person_counts(r, r.total);
    std::uint64_t others = counts.others;
    for (std::size_t i = 0; i < counts.shown.size(); ++i) {
        if (i < kMostOnPaper)
            out.persons.emplace_back(r.persons[r.shown[i]], counts.shown[i]);
        else
            others += counts.shown[i];
    }
    if (others > 0)
        out.persons_note =
            count(others) + say(" Treffer sind von anderen Absendern; bis zu 500 nennen CSV, XLSX und der Anhang. ",
                                " hits are of other senders; CSV, XLSX and the attachment name up to 500. ");
    if (counts.without > 0)
        out.persons_note += count(counts.without) + say(" Treffer nennen keinen Absender.", " hits name no sender.");
    out.definitions = hit_definitions(r, german);
    out.not_proven = {
        say("Dass die Zahlen richtig sind: Ihn unterschreibt das Archiv, um das es geht. Er ist mit derselben Liste "
            "wiederholbar, solange nichts dazukommt und nichts gelöscht wird.",
            "That the figures are right: it is signed by the archive that it is about. With the same list it can be "
            "repeated, as long as nothing comes and nothing is erased."),
        say("Dass es außerhalb des Umfangs oder des Archivs keine Treffer gibt.",
            "That there are no hits outside the scope or the archive.")};
    return out;
}

}  // namespace kustos::app
