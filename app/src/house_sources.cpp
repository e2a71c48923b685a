// How the house's sources stand: counts, findings, streams.
#include <algorithm>

#include "app/house.h"

namespace kustos::app {

namespace {

std::string state_name(ingest::StreamStatus::State state) {
    switch (state) {
        case ingest::StreamStatus::State::stopped:
            return "stopped";
        case ingest::StreamStatus::State::running:
            return "running";
        case ingest::StreamStatus::State::waiting:
            return "waiting";
        case ingest::StreamStatus::State::failing:
            return "failing";
    }
    return "";
}

std::uint64_t promised_and_missing(const vault::SourceRecord& record) {
    std::uint64_t missing = 0;
    for (const auto& [part, p] : record.promises) missing += p.promised > p.sealed ? p.promised - p.sealed : 0;
    return missing;
}

std::uint64_t open_findings(const vault::SourceRecord& record) {
    return static_cast<std::uint64_t>(std::count_if(record.findings.begin(), record.findings.end(),
                                                    [](const vault::FindingInfo& f) { return !f.resolved; }));
}

}  // namespace

void House::tell_of_streams(std::function<std::map<SourceId, ingest::StreamStatus>()> ask) {
    const std::lock_guard lock(streams_mutex_);
    ask_streams_ = std::move(ask);
}

Result<std::vector<web::SourceReport>> House::source_reports() {
    std::map<SourceId, ingest::StreamStatus> streams;
    {
        const std::lock_guard lock(streams_mutex_);
        if (ask_streams_) streams = ask_streams_();
    }
    const auto book = archive_->source_book();
    std::vector<web::SourceReport> out;
    for (const vault::SourceInfo& source : archive_->sources()) {
        const vault::SourceRecord& record = book->of(source.id);
        web::SourceReport r;
        r.id = source.id.value;
        r.name = source.name;
        r.kind = source.kind;
        r.paused = source.paused;
        r.entries = source.next_sequence;
        r.added = source.added;
        r.heard = source.heard;
        r.missing = source.missing() + promised_and_missing(record);
        r.records = source.records;
        r.counts = TRY(tallies_->of(source.id));
        r.open_findings = open_findings(record);
        if (const auto stream = streams.find(source.id); stream != streams.end()) {
            r.state = state_name(stream->second.state);
            r.problem = stream->second.problem;
            r.port = stream->second.port;
            r.last = stream->second.last;
        }
        out.push_back(std::move(r));
    }
    return out;
}

Result<std::string> House::completeness_words(SourceId id, Language language) {
    const bool de = language == Language::german;
    const auto source = archive_->find_source(id);
    if (!source) return std::string();
    const auto book = archive_->source_book();
    const vault::SourceRecord& record = book->of(id);
    const auto counts = TRY(tallies_->of(id));
    const auto count = [&](const char* code) {
        const auto found = counts.find(code);
        return found == counts.end() ? 0 : found->second;
    };
    std::uint64_t left_out = 0;
    for (const auto& [code, n] : counts) left_out += code.rfind("dropped:", 0) == 0 ? n : 0;
    const std::uint64_t open = open_findings(record), missing = source->missing() + promised_and_missing(record);
    std::string out = std::to_string(source->records) + (de ? " versiegelt" : " sealed");
    const auto add = [&](std::uint64_t n, const char* german, const char* english) {
        if (n != 0) out += ", " + std::string(de ? german : english) + ": " + std::to_string(n);
    };
    add(count("kind:unreadable"), "in Quarantäne", "quarantined");
    add(left_out, "nach Profil nicht erfasst", "left out by the profile");
    add(count("attachment-missing"), "nicht gelieferte Anhänge", "attachments not delivered");
    add(missing, "nach Angabe der Quelle fehlend", "missing by the source's word");
    const bool promises = !record.promises.empty() || (source->kind == "http" && source->heard);
    if (open != 0)
        out += (de ? "; offene Befunde: " : "; open findings: ") + std::to_string(open);
    else
        out += de ? "; kein Befund offen" : "; no finding open";
    if (!promises && missing == 0)
        out += de ? "; die Quelle verspricht nichts, Vollständigkeit lässt sich nicht zeigen"
                  : "; the source promises nothing, completeness can't be shown";
    return out + ".";
}

}  // namespace kustos::app
