#include "vault/retention_words.h"

#include <array>

namespace kustos::vault {

namespace {

template <class Enum, std::size_t N>
std::optional<Enum> parsed(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {
    "kept", "due", "to_offer", "offered", "held", "restricted", "waiting_for_event", "undefined_class", "released"};
constexpr std::array<std::string_view, 3> kStarts = {"created", "process_end", "relation_end"};
constexpr std::array<std::string_view, 2> kCounted = {"day", "year_end"};
constexpr std::array<std::string_view, 2> kAtEnd = {"erase", "offer"};
constexpr std::array<std::string_view, 5> kAnswers = {"none", "offered", "taken", "declined", "unanswered"};

struct Pair {
    const char *english, *german;
    const char* in(Words words) const { return words == Words::german ? german : english; }
};

constexpr std::array<Pair, kOutcomes> kOutcomeTexts = {{
    {"kept", "aufzubewahren"},
    {"due", "fällig"},
    {"due, to be offered to the public archive", "fällig, dem öffentlichen Archiv anzubieten"},
    {"offered to the public archive, no answer yet", "dem öffentlichen Archiv angeboten, Antwort steht aus"},
    {"held", "gesperrt durch Löschsperre"},
    {"restricted", "Verarbeitung eingeschränkt"},
    {"waits for its start event", "Frist hat noch nicht begonnen"},
    {"class not defined", "Klasse nicht festgelegt"},
    {"released", "freigegeben und gelöscht"},
}};
constexpr std::array<Pair, 3> kStartTexts = {{
    {"creation", "Entstehung"},
    {"the end of the process", "Abschluss des Vorgangs"},
    {"the end of the relation to the person", "Ende der Beziehung zur betroffenen Person"},
}};
constexpr std::array<Pair, 5> kAnswerTexts = {{
    {"no answer", "keine Antwort"},
    {"offered", "angeboten"},
    {"taken over", "übernommen"},
    {"declined", "abgelehnt"},
    {"not answered in the time that the law gives", "in der gesetzlichen Frist nicht beantwortet"},
}};

std::string number(std::optional<EntryIndex> entry) {
    return entry ? std::to_string(entry->value) : "?";
}

// What a class is called, and which law it stands on, in the version that counts.
std::string class_text(const ClassBook& classes, ClassCode code, std::uint32_t version) {
    const auto found = classes.all().find(code);
    if (found == classes.all().end()) return std::to_string(code.value);
    for (const ClassDefinition& d : found->second) {
        if (d.version == version) return std::to_string(code.value) + " \"" + d.name + "\" (" + d.legal_basis + ")";
    }
    return std::to_string(code.value) + " \"" + found->second.back().name + "\"";
}

std::string class_name(const ClassBook& classes, ClassCode code) {
    const ClassDefinition* d = classes.newest(code);
    return std::to_string(code.value) + (d == nullptr ? std::string() : " \"" + d->name + "\"");
}

std::string german_reason(const PlanStep& r, const ClassBook& classes) {
    using What = PlanStep::What;
    const std::string day = format_date(r.day), entry = number(r.entry);
    switch (r.what) {
        case What::class_at_sealing:
            return "beim Versiegeln der Klasse " + class_name(classes, r.code) + " zugeordnet";
        case What::reclassified:
            return "umklassifiziert nach " + class_name(classes, r.code) + " (Eintrag " + entry + ")";
        case What::record_relevant:
            return "als aktenrelevant gekennzeichnet, Klasse " + class_name(classes, r.code) + " (Eintrag " + entry +
                   ")";
        case What::built_in:
            return "es gilt die eingebaute Klasse " + class_text(classes, r.code, 0);
        case What::defined_by:
            return "es gilt Klasse " + class_text(classes, r.code, r.version) + ", Fassung " +
                   std::to_string(r.version) + " (Eintrag " + entry + ")";
        case What::no_definition:
            return "für Klasse " + class_name(classes, r.code) + " gibt es keine Festlegung: wird nie fällig";
        case What::started:
            return "Fristbeginn: " + std::string(kStartTexts[static_cast<std::size_t>(r.start)].german) + " am " + day +
                   (r.entry ? " (Eintrag " + entry + ")" : " (Tag der Versiegelung)");
        case What::days_of:
            return "nach den Tagen der Aufzeichnung " + entry + ", deren Nachfolgerin sie ist";
        case What::no_event:
            return "Fristbeginn: " + std::string(kStartTexts[static_cast<std::size_t>(r.start)].german) +
                   "; dieses Ereignis ist nicht eingetragen";
        case What::ends:
            return "Frist: " + period_text(r.months, Words::german) +
                   (r.counted == Counted::year_end ? " ab Ende des Kalenderjahres" : " ab diesem Tag") +
                   ", letzter Tag " + day;
        case What::newer_version:
            return "die neueste Fassung ist maßgeblich: sie endet nicht früher als die beim Versiegeln";
        case What::older_version:
            return "Fassung " + std::to_string(r.version) +
                   " ist maßgeblich: eine neue Fassung kürzt die Frist schon versiegelter Aufzeichnungen nicht";
        case What::not_over:
            return "aufzubewahren bis einschließlich " + day;
        case What::over:
            return "fällig seit " + day;
        case What::hold:
            return "Löschsperre " + entry + " steht entgegen";
        case What::restriction:
            return "Einschränkung der Verarbeitung (Art. 18 DSGVO), Eintrag " + entry + ", steht entgegen";
        case What::listed:
            return "steht auf Aussonderungsliste " + entry;
        case What::must_be_offered:
            return "vor dem Löschen dem öffentlichen Archiv anzubieten";
        case What::offered:
            return "dem öffentlichen Archiv angeboten am " + day + "; Antwort steht aus";
        case What::answered:
            return "öffentliches Archiv: " + std::string(kAnswerTexts[static_cast<std::size_t>(r.answer)].german) +
                   " am " + day;
        case What::released:
            return "freigegeben; der Schlüssel ist vernichtet";
    }
    return {};
}

std::string english_reason(const PlanStep& r, const ClassBook& classes) {
    using What = PlanStep::What;
    const std::string day = format_date(r.day), entry = number(r.entry);
    switch (r.what) {
        case What::class_at_sealing:
            return "sealed in class " + class_name(classes, r.code);
        case What::reclassified:
            return "reclassified to " + class_name(classes, r.code) + " (entry " + entry + ")";
        case What::record_relevant:
            return "marked as record-relevant, class " + class_name(classes, r.code) + " (entry " + entry + ")";
        case What::built_in:
            return "the built-in class " + class_text(classes, r.code, 0) + " counts";
        case What::defined_by:
            return "class " + class_text(classes, r.code, r.version) + ", version " + std::to_string(r.version) +
                   ", counts (entry " + entry + ")";
        case What::no_definition:
            return "class " + class_name(classes, r.code) + " is not defined: never due";
        case What::started:
            return "start: " + std::string(kStartTexts[static_cast<std::size_t>(r.start)].english) + " on " + day +
                   (r.entry ? " (entry " + entry + ")" : " (day of sealing)");
        case What::days_of:
            return "by the days of record " + entry + ", which it succeeds";
        case What::no_event:
            return "start: " + std::string(kStartTexts[static_cast<std::size_t>(r.start)].english) +
                   "; nobody has entered this event";
        case What::ends:
            return "period: " + period_text(r.months, Words::english) +
                   (r.counted == Counted::year_end ? " from the end of the calendar year" : " from that day") +
                   ", last day " + day;
        case What::newer_version:
            return "the newest version counts: it does not end earlier than the one at sealing";
        case What::older_version:
            return "version " + std::to_string(r.version) +
                   " counts: a new version never shortens the period of what is sealed";
        case What::not_over:
            return "to be kept up to and including " + day;
        case What::over:
            return "due since " + day;
        case What::hold:
            return "hold " + entry + " stops it";
        case What::restriction:
            return "restriction of processing (GDPR Art. 18), entry " + entry + ", stops it";
        case What::listed:
            return "on disposition list " + entry;
        case What::must_be_offered:
            return "to be offered to the public archive first";
        case What::offered:
            return "offered to the public archive on " + day + "; no answer yet";
        case What::answered:
            return "public archive: " + std::string(kAnswerTexts[static_cast<std::size_t>(r.answer)].english) + " on " +
                   day;
        case What::released:
            return "released; its key is destroyed";
    }
    return {};
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
    return kOutcomeNames[static_cast<std::size_t>(outcome)];
}
std::string_view start_name(Start start) {
    return kStarts[static_cast<std::size_t>(start)];
}
std::string_view counted_name(Counted counted) {
    return kCounted[static_cast<std::size_t>(counted)];
}
std::string_view at_end_name(AtEnd at_end) {
    return kAtEnd[static_cast<std::size_t>(at_end)];
}
std::string_view answer_name(Listed::Answer answer) {
    return kAnswers[static_cast<std::size_t>(answer)];
}
std::optional<Start> parse_start(std::string_view name) {
    return parsed<Start>(kStarts, name);
}
std::optional<Counted> parse_counted(std::string_view name) {
    return parsed<Counted>(kCounted, name);
}
std::optional<AtEnd> parse_at_end(std::string_view name) {
    return parsed<AtEnd>(kAtEnd, name);
}
std::optional<Listed::Answer> parse_answer(std::string_view name) {
    return parsed<Listed::Answer>(kAnswers, name);
}

std::string outcome_text(Outcome outcome, Words words) {
    return kOutcomeTexts[static_cast<std::size_t>(outcome)].in(words);
}

std::string period_text(std::uint32_t months, Words words) {
    const bool years = months % 12 == 0;
    const std::uint32_t n = years ? months / 12 : months;
    const Pair unit = years ? Pair{n == 1 ? " year" : " years", n == 1 ? " Jahr" : " Jahre"}
                            : Pair{n == 1 ? " month" : " months", n == 1 ? " Monat" : " Monate"};
    return std::to_string(n) + unit.in(words);
}

Result<std::uint32_t> parse_period(std::string_view text) {
    const Error wrong(Code::usage, "a period looks like 10y, 18m or 0; at most 100 years");
    if (text == "0") return 0u;
    if (text.size() < 2 || text.size() > 5) return wrong;
    const char unit = text.back();
    std::uint32_t n = 0;
    for (const char c : text.substr(0, text.size() - 1)) {
        if (c < '0' || c > '9') return wrong;
        n = n * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (unit != 'y' && unit != 'm') return wrong;
    if (unit == 'y') n *= 12;
    return n <= kMaxPeriodMonths ? Result<std::uint32_t>(n) : wrong;
}

std::string reason_text(const PlanStep& reason, const ClassBook& classes, Words words) {
    return words == Words::german ? german_reason(reason, classes) : english_reason(reason, classes);
}

std::vector<std::string> explain(const Decision& decision, const ClassBook& classes, Words words) {
    std::vector<std::string> out;
    for (const PlanStep& r : decision.chain) out.push_back(reason_text(r, classes, words));
    return out;
}

}  // namespace kustos::vault
