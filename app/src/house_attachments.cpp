// Attachments: the sandbox that reads them, what status says of it, and texts that are had later.
#include <unistd.h>

#include "app/house.h"
#include "app/src/house_ports.h"
#include "base/log.h"

namespace kustos::app {

namespace {

// Reasons that end when something is installed, allowed, or has time, and what they then wait for.
enum class Cure { sandbox, ocr, reader };
struct Curable {
    const char* reason;
    Cure cure;
};
constexpr Curable kCurable[] = {{"no-sandbox", Cure::sandbox},
                                {"no-ocr", Cure::ocr},
                                {"ocr-off", Cure::ocr},
                                {"ocr-later", Cure::ocr},
                                {"no-reader", Cure::reader}};

std::string query_of(const std::vector<std::string>& reasons) {
    std::string out;
    for (const std::string& reason : reasons) out += (out.empty() ? "coverage:" : " OR coverage:") + reason;
    return out;
}

}  // namespace

Result<ingest::Extractor*> House::extractor() {
    if (!extractor_) {
        extractor_ = TRY(ingest::Extractor::create(TRY(extractor_options())));
    }
    return extractor_.get();
}

Result<ingest::ExtractorOptions> House::extractor_options() const {
    ingest::ExtractorOptions options;
    options.program = ingest::default_extractor_program();
    const std::string ocr = config_.text("attachments.ocr", "true");
    if (ocr != "true" && ocr != "false") return Error(Code::usage, "config.yaml, attachments.ocr: true or false");
    options.helpers.ocr = ocr == "true";
    const std::string languages = config_.text("attachments.ocr_languages", "deu+eng");
    options.helpers.languages.clear();
    for (std::size_t at = 0; at <= languages.size();) {
        const std::size_t end = std::min(languages.find('+', at), languages.size());
        const std::string one = languages.substr(at, end - at);
        if (one.empty() || one.size() > 16 || one.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos)
            return Error(Code::usage,
                         "config.yaml, attachments.ocr_languages: languages of tesseract, such as deu+eng");
        options.helpers.languages.push_back(one);
        at = end + 1;
    }
    return options;
}

Status House::read_attachment_settings() {
    TRY(extractor_options());
    if (const std::string clamd = config_.text("attachments.clamav", ""); !clamd.empty())
        clamd_ = TRY_IN("config.yaml, attachments.clamav", ingest::Clamd::at(clamd));
    return {};
}

// Once a day: what waited for something that is there now. The next steps of the index read it.
Status House::retry_what_is_cured() {
    const auto there = [](const Path& program) { return ::access(program.c_str(), X_OK) == 0; };
    const ingest::ExtractorOptions options = TRY(extractor_options());
    const bool ocr = options.helpers.ocr && there(options.helpers.tesseract), reader = there(options.helpers.catdoc);
    const auto reasons = TRY(search::summarise(environment_.fs, options_.archive / "index")).reasons;
    RetryRequest request;
    for (const Curable& one : kCurable) {
        const bool cured = one.cure == Cure::sandbox || (one.cure == Cure::ocr ? ocr : reader);
        if (cured && reasons.count(one.reason) != 0) request.reasons.emplace_back(one.reason);
    }
    if (request.reasons.empty()) return {};
    const auto done = retry_texts(request);
    return done.ok() || done.error().code() == Code::environment ? ok_status() : Status(done.error());
}

void House::add_sandbox(web::StatusReport& s, const std::map<std::string, std::uint64_t>& reasons, bool de) {
    // A worker of its own, for a moment: the indexer's is its thread's.
    const auto options = extractor_options();
    const auto probe = options.ok() ? ingest::Extractor::create(*options)
                                    : Result<std::unique_ptr<ingest::Extractor>>(options.error());
    sandbox_seen_ = probe.ok() && (*probe)->layers().ok() ? Sandbox::works : Sandbox::missing;
    s.sandbox = sandbox_seen_ == Sandbox::works ? ingest::SandboxLayers{true, true, true, true}.describe() : "none";
    s.reasons = reasons;
    const auto waiting = [&](Cure cure) {
        std::uint64_t n = 0;
        for (const Curable& one : kCurable)
            if (const auto at = reasons.find(one.reason); one.cure == cure && at != reasons.end()) n += at->second;
        return n;
    };
    const auto step = [&](const std::string& german, const std::string& english) {
        s.next_steps.push_back(de ? german : english);
    };
    if (const auto found = reasons.find("virus-found"); found != reasons.end())
        step("ClamAV hat in Anhängen von " + std::to_string(found->second) +
                 " Aufzeichnungen etwas erkannt (suchen: abdeckung:virus-found). Sie bleiben versiegelt; beim Öffnen "
                 "vorsichtig sein.",
             "ClamAV found something in attachments of " + std::to_string(found->second) +
                 " records (search: coverage:virus-found). They stay sealed; take care when you open them.");
    if (reasons.count("virus-unchecked") != 0)
        step("ClamAV hat nicht alle Anhänge geprüft; wenn es läuft: kustos index retry --reason virus-unchecked.",
             "ClamAV did not check all attachments; when it runs: kustos index retry --reason virus-unchecked.");
    const std::string unread = std::to_string(waiting(Cure::sandbox));
    if (sandbox_seen_ == Sandbox::missing)
        step(
            "Anhänge werden nicht gelesen: bubblewrap arbeitet hier nicht, und ohne Sandkasten wird nichts Fremdes "
            "geöffnet. Paket bubblewrap installieren, Benutzer-Namensräume erlauben (docs/operations.md, Sandbox), "
            "dann: "
            "kustos index retry.",
            "Attachments are not read: bubblewrap does not work here, and nothing foreign is opened without a sandbox. "
            "Install the package bubblewrap and allow user namespaces (docs/operations.md, Sandbox), then: kustos "
            "index "
            "retry.");
    else if (waiting(Cure::sandbox) != 0)
        step("Von " + unread +
                 " Aufzeichnungen wurden Anhänge nicht gelesen, weil der Sandkasten fehlte: kustos index retry.",
             "Attachments of " + unread + " records were not read while there was no sandbox: kustos index retry.");
    if (const std::uint64_t n = waiting(Cure::ocr) + waiting(Cure::reader); n != 0)
        step("Von " + std::to_string(n) +
                 " Aufzeichnungen sind Bilder oder alte Office-Dateien noch ungelesen (Zahlen: kustos --json status, "
                 "reasons). Wenn "
                 "die Programme da sind (docs/operations.md, Sandbox): kustos index retry.",
             "Pictures or old Office files of " + std::to_string(n) +
                 " records are unread so far (figures: kustos --json status, reasons). When the programs are there "
                 "(docs/operations.md, Sandbox): kustos index retry.");
}

// What is found is taken out of the index, and comes in again with the next steps.
Result<RetryReport> House::retry_texts(const RetryRequest& request) {
    RetryReport report;
    {
        const std::lock_guard lock(index_mutex_);
        TRY_IN("attachments can't be read", TRY(extractor())->layers());
    }
    report.reasons = request.reasons;
    if (report.reasons.empty())
        for (const Curable& one : kCurable) report.reasons.emplace_back(one.reason);
    TRY(close_index());
    const std::string query = query_of(report.reasons);
    EntrySet found;
    if (archive_->keys().apart()) {
        vault::SearchAsk ask;
        ask.purpose.action = audit::AccessAction::search;
        ask.purpose.matter = TRY(need_matter(request.matter));
        ask.purpose.actor = request.actor;
        ask.purpose.query = query;
        ask.limit = ~std::uint64_t{0};
        TRY(matters_->allow(ask.purpose, {}));
        for (const EntryIndex id : TRY(opener_->search(ask)).reply.listed) found.add(id);
    } else {
        found = TRY(record_search()->hits(query));
    }
    report.records = found.count();
    if (!found.empty()) TRY(forget_terms(found, false));
    return report;
}

}  // namespace kustos::app
