// What a hit report shows of its figures, and in which words.
#include "app/hit_report.h"

#include <algorithm>
#include <filesystem>

#include "app/src/present.h"
#include "web/service.h"

namespace kustos::app {

namespace {

constexpr std::size_t kMostMonths = 600;

std::string next_month(const std::string& month) {
    int year = std::stoi(month.substr(0, 4)), number = std::stoi(month.substr(5, 2));
    if (++number > 12) {
        number = 1;
        ++year;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02d", year, number);
    return text;
}

}  // namespace

Status check_hit_files(const std::vector<Path>& files) {
    for (const Path& file : files) {
        const std::string kind = file.extension();
        if (kind != ".csv" && kind != ".xlsx" && kind != ".pdf")
            return Error(Code::usage, "--out takes FILE.csv, FILE.xlsx or FILE.pdf");
        std::error_code ignored;
        const Path folder = file.has_parent_path() ? file.parent_path() : Path(".");
        if (!std::filesystem::is_directory(folder, ignored))
            return Error(Code::usage, "the folder of --out is not there").with_hint("make it first");
    }
    return {};
}

std::vector<std::uint32_t> most_frequent(const HitReport& report) {
    std::vector<std::uint32_t> out;
    const auto& counts = report.total.persons;
    for (const auto& [person, count] : counts)
        if (person != search::RecordFacts::kNobody) out.push_back(person);
    std::sort(out.begin(), out.end(), [&](std::uint32_t a, std::uint32_t b) {
        const std::uint64_t of_a = counts.at(a), of_b = counts.at(b);
        return of_a != of_b ? of_a > of_b : report.persons[a] < report.persons[b];
    });
    if (out.size() > kMostHitPersons) out.resize(kMostHitPersons);
    return out;
}

PersonCounts person_counts(const HitReport& report, const search::HitFigures& figures) {
    PersonCounts out;
    out.others = figures.hits;
    for (const std::uint32_t person : report.shown) {
        const auto found = figures.persons.find(person);
        out.shown.push_back(found == figures.persons.end() ? 0 : found->second);
        out.others -= out.shown.back();
    }
    if (const auto nobody = figures.persons.find(search::RecordFacts::kNobody); nobody != figures.persons.end())
        out.without = nobody->second;
    out.others -= out.without;
    return out;
}

std::vector<std::string> months_shown(const HitReport& report) {
    std::vector<std::string> hit;
    for (const auto& [month, count] : report.total.months) hit.push_back(report.months[month]);
    std::vector<std::string> all;
    if (hit.empty()) return all;
    for (std::string month = hit.front(); month <= hit.back(); month = next_month(month)) {
        if (all.size() == kMostMonths) return hit;
        all.push_back(month);
    }
    return all;
}

std::string unsearched_words(const HitTerm& term, bool german) {
    if (term.unsearched.total() == 0) return "";
    return unsearched_words(term.unsearched, german);
}

std::vector<std::string> hit_definitions(const HitReport& report, bool german) {
    const std::string zone = report.time_zone;
    if (german)
        return {
            "Treffer: Aufzeichnungen, die der Begriff findet. Eine Aufzeichnung ist eine Nachricht mit allen ihren "
            "Anlagen; steht der Begriff nur in einer Anlage, so zählt die Nachricht.",
            "Mit Familie: die Treffer und, was zu ihnen gehört: zu einer Nachricht ihre Bearbeitungen und ihre "
            "Löschung an der Quelle, und umgekehrt. Jede Familie zählt einmal, und nur, was der Umfang des Falles "
            "erlaubt. Antworten und der übrige Verlauf gehören nicht dazu.",
            "Dateien: die Anlagen der Aufzeichnungen mit Familie, soweit geliefert; gleiche Bytes in einer "
            "Aufzeichnung zählen einmal. Mit Familie und Dateien zusammen sind die Zahl der Dokumente, wie sie "
            "Programme zählen, für die jede Anlage ein eigenes Dokument ist.",
            "Nur hier: Aufzeichnungen, die kein anderer Begriff der Liste findet. Zwei gleiche Begriffe haben keine.",
            "Alle zusammen: was wenigstens ein Begriff findet, jedes einmal; nicht die Summe der Zeilen.",
            "Nicht durchsuchbar: Aufzeichnungen, die der Begriff vielleicht auch fände, die aber nicht oder nur zum "
            "Teil durchsucht werden konnten, und warum.",
            "Monate: nach der Sendezeit, wo die Quelle keine nannte nach dem Eingang; Zeitzone " + zone +
                ". Die Bedingung datum: einer Suche rechnet mit UTC.",
            "Personen: der Absender, wie ihn die Quelle nennt; genannt sind die häufigsten 500.",
            "Eingeschränkt (Art. 18 DSGVO): unter den Treffern mitgezählt, nie geöffnet. Gelöschtes ist nirgends "
            "dabei."};
    return {
        "Hits: records that the term finds. A record is a message with all its attachments; if the term stands in an "
        "attachment alone, the message counts.",
        "With family: the hits and what belongs to them: to a message its edits and its deletion at the source, and "
        "the "
        "other way round. Each family counts once, and only what the matter's scope allows. Replies and the rest of a "
        "thread do not belong to it.",
        "Files: the attachments of the records with family, as far as they were delivered; the same bytes within one "
        "record count once. With family and files together are the number of documents as programs count for which "
        "every attachment is a document of its own.",
        "Only here: records that no other term of the list finds. Two equal terms have none.",
        "All together: what at least one term finds, each once; not the sum of the rows.",
        "Not searchable: records that the term might find, too, but that could not be searched, or only in part, and "
        "why.",
        "Months: by the time of sending, or of arrival where the source named none; time zone " + zone +
            ". The condition date: of a search counts in UTC.",
        "Persons: the sender as the source names it; the 500 most frequent are named.",
        "Restricted (GDPR Art. 18): counted among the hits, never opened. What is erased is nowhere among them."};
}

}  // namespace kustos::app
