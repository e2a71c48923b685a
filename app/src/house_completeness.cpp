// The signed certificate of completeness (docs/format/certificate.md): what of a source is here, what is known to be
// missing, and why. It is made of entries alone, and brings them.
#include <nlohmann/json.hpp>

#include "app/house.h"
#include "app/source_desk.h"
#include "base/progress.h"
#include "export/certificate_pdf.h"
#include "vault/retention_dates.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::size_t kMostEntries = 20'000;  // a proof each
constexpr std::size_t kMostShown = 100;       // findings on the pages; the JSON has all

// Everything that the ledger says of the source, from its beginning.
Result<audit::CompletenessBook> read_book(const vault::Archive& archive, const Clock& clock, SourceId source,
                                          const Period& period) {
    audit::CompletenessBook book(source, period.begin, period.end);
    const std::uint64_t size = archive.head().size.value;
    Progress progress(clock, "completeness", "entries", size - source.value);
    for (EntryIndex at(source.value); at.value < size;) {
        const auto entries = TRY(archive.entries(at, 512));
        if (entries.empty()) break;
        for (const audit::Entry& entry : entries) {
            TRY_IN("entry " + std::to_string(at.value), book.take(at, entry));
            at.value += 1;
        }
        progress.advance_to(at.value - source.value);
        if (interrupt_requested()) return Error(Code::interrupted, "interrupted; nothing was certified");
    }
    return book;
}

exporting::CertificateSection findings_section(const audit::Completeness& found, const exporting::ReportPages& frame,
                                               bool de) {
    exporting::CertificateSection out;
    out.title = de ? "Befunde" : "Findings";
    for (const audit::PeriodFinding& f : found.findings) {
        if (out.facts.size() == kMostShown) {
            out.facts.emplace_back("…", de ? "alle stehen in der angehängten Datei" : "all are in the attached file");
            break;
        }
        std::string value = finding_words(f.code, de) + " (" + f.code + "): " + std::to_string(f.count) + ". " +
                            (de ? "Festgestellt " : "Found ") + exporting::local_stamp(frame, f.found) + "; ";
        value += f.resolved ? (de ? "geklärt " : "settled ") + exporting::local_stamp(frame, *f.resolved)
                            : std::string(de ? "offen" : "open");
        out.facts.emplace_back((de ? "Eintrag " : "Entry ") + std::to_string(f.entry.value), std::move(value));
    }
    return out;
}

exporting::CertificateSection times_section(const audit::Completeness& found, const exporting::ReportPages& frame,
                                            bool de) {
    exporting::CertificateSection out;
    out.title = de ? "Worauf die Zahlen beruhen" : "What the numbers rest on";
    const auto at = [&](UtcTime time) { return exporting::local_stamp(frame, time); };
    const auto add = [&](const char* german, const char* english, std::string value) {
        out.facts.emplace_back(de ? german : english, std::move(value));
    };
    add("Gezählt", "Counted", at(found.counted_from) + (de ? " bis " : " to ") + at(found.counted_until));
    if (found.last_promise) add("Letztes Versprechen", "Last promise", at(*found.last_promise));
    if (found.first_heartbeat)
        add("Lebenszeichen", "Heartbeats",
            at(*found.first_heartbeat) + (de ? " bis " : " to ") + at(*found.last_heartbeat));
    add("Stille ab", "Silent from", at(found.silent_from));
    add("Einträge der Kette", "Entries of the ledger",
        std::to_string(found.entries.size()) + (de ? ", angehängt" : ", attached"));
    return out;
}

void fill_pages(exporting::CertificatePages& pages, const audit::Completeness& found, bool de) {
    pages.title = de ? "Vollständigkeitsbescheinigung" : "Certificate of completeness";
    pages.fulfilled = found.verdict == "complete";
    pages.sign = found.verdict == "complete" ? "✔" : found.verdict == "gaps" ? "✘" : "?";
    pages.verdict = verdict_words(found.verdict, de);
    pages.strength = verdict_meaning(found, de);
    pages.facts = completeness_facts(found, de);
    pages.sections = {findings_section(found, pages.frame, de), times_section(found, pages.frame, de)};
    pages.what_is_checked = de ? "Diese Datei, mit dem Programm, offline: ob sie unverändert ist, ob das Archiv sie "
                                 "unterschrieben hat, und ob "
                                 "die mitgebrachten Einträge seiner Kette diese Zahlen ergeben."
                               : "This file, with the program, offline: whether it is unchanged, whether the archive "
                                 "signed it, and whether "
                                 "the entries of its ledger that it brings give these numbers.";
    pages.proven = {
        de ? "Dass das Archiv diese Zahlen zu diesen Zeiten in seiner Kette vermerkt hat und daran nichts mehr ändern "
             "kann."
           : "That the archive noted these numbers in its ledger at these times, and can't change them any more.",
        de ? "Was die Quelle versprochen hat, wie viel davon hier ist, und welche Befunde es gab."
           : "What the source promised, how much of that is here, and which findings there were."};
    pages.not_proven = {
        de ? "Dass die Quelle alles gegeben hat, was es bei ihr gab: Darüber weiß das Archiv nur, was sie selbst sagt."
           : "That the source gave everything that it had: of that the archive knows only what the source says itself.",
        de ? "Dass keine weiteren Befunde in der Kette stehen als die hier genannten: Wer das wissen will, zählt sie "
             "in der "
             "Kette selbst (kustos audit list)."
           : "That no other findings stand in the ledger than those named here: whoever needs to know counts them in "
             "the "
             "ledger itself (kustos audit list).",
        de ? "Zählungen, die nicht der Zahl der Aufzeichnungen gelten, können Letztes vor einem Stromausfall nicht "
             "enthalten."
           : "Counts other than that of records may lack what came last before a power cut."};
}

}  // namespace

Result<CompletenessReport> House::certify_completeness(const CompletenessRequest& what, const ReportRequest& request) {
    TRY(check_report_files(request.files));
    const bool de = request.language == Language::german;
    const auto source = archive_->find_source(what.source);
    if (!source) return Error(Code::usage, "there is no source of that name").with_hint("kustos source list");
    const Period period = TRY(parse_period(what.from, what.to, environment_.clock.now()));
    if (period.end <= source->added)
        return Error(Code::usage, "the source did not exist then: it was added on " + format_rfc3339(source->added));
    TRY(count_source(*source));  // so that the end of the period is counted
    CompletenessReport report;
    report.found = TRY(TRY(read_book(*archive_, environment_.clock, source->id, period)).judge());
    if (request.files.empty()) return report;
    if (report.found.entries.size() > kMostEntries)
        return Error(Code::limit, "this certificate would rest on more than 20,000 entries")
            .with_hint("a shorter period");

    exporting::CertificatePages pages;
    pages.frame = report_frame(request);
    pages.fingerprint = archive_->fingerprint();
    fill_pages(pages, report.found, de);
    json whole = json::parse(report.found.to_json());
    whole["format"] = "kustos-certificate-1";
    whole["kind"] = "completeness";
    whole["source_entry"] = source->id.value;
    whole["from"] = vault::format_date(period.from);
    whole["to"] = vault::format_date(period.to);
    whole["entries"] = json::parse(TRY(proven_entries(report.found.entries)));
    whole["archive"] = pages.frame.archive_name;
    whole["authority"] = pages.frame.authority;
    whole["ledger"] = pages.frame.origin;
    whole["fingerprint"] = pages.fingerprint;
    whole["made_at"] = format_rfc3339(pages.frame.made_at);
    whole["made_by"] = pages.frame.made_by;
    whole["tool"] = pages.frame.tool;
    whole["language"] = de ? "de" : "en";
    pages.frame.json = whole.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    SignedReport made =
        TRY(sign_certificate(pages, request, audit::ControlAction::completeness_certified, [&](audit::Body& body) {
            body.put_u64(audit::Tag::entry, source->id.value)
                .put_u32(audit::Tag::day, vault::date_number(period.from))
                .put_time(audit::Tag::until, period.end);
        }));
    report.entry = made.entry;
    report.files = std::move(made.files);
    return report;
}

}  // namespace kustos::app
