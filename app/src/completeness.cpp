#include "app/completeness.h"

#include <algorithm>
#include <array>

#include "vault/retention_dates.h"

namespace kustos::app {

namespace {

constexpr std::int64_t kHour = 3600 * 1000;  // ms

struct Words {
    std::string_view code;
    const char *de, *en;
};
constexpr std::array<Words, 26> kCounts{{
    {"kind:mail", "E-Mails", "mails"},
    {"kind:envelope", "Zustellberichte", "journal reports"},
    {"kind:chat", "Chatnachrichten", "chat messages"},
    {"kind:file", "Dateien", "files"},
    {"kind:call", "Anrufe", "calls"},
    {"kind:voice", "Sprachnachrichten", "voice messages"},
    {"kind:status", "Statusmeldungen", "status messages"},
    {"kind:edit", "Bearbeitungen", "edits"},
    {"kind:delete", "Löschungen", "deletions"},
    {"kind:reaction", "Reaktionen", "reactions"},
    {"kind:join", "Beitritte", "joins"},
    {"kind:leave", "Austritte", "leaves"},
    {"kind:unreadable", "in Quarantäne", "quarantined"},
    {"kind:person", "Adressbucheinträge", "address-book entries"},
    {"kind:notice", "Vermerke", "notices"},
    {"duplicate", "schon vorhanden", "already there"},
    {"attachment", "Anhänge", "attachments"},
    {"attachment-missing", "Anhänge nicht geliefert", "attachments not delivered"},
    {"dropped:kind", "der Art nach nicht erfasst", "of a kind that is left out"},
    {"dropped:room", "aus nicht erfassten Räumen", "of rooms that are left out"},
    {"dropped:person", "von nicht erfassten Personen", "of persons who are left out"},
    {"dropped:read-receipt", "Lesebestätigungen", "read receipts"},
    {"dropped:presence", "Anwesenheit", "presence"},
    {"dropped:typing", "Tippanzeigen", "typing notices"},
    {"dropped:location", "Standorte", "locations"},
    {"quarantined", "in Quarantäne", "quarantined"},
}};

std::string listed(const std::map<std::string, std::uint64_t>& counts, std::string_view prefix, bool de) {
    std::string out;
    for (const auto& [code, n] : counts) {
        if (code.rfind(prefix, 0) != 0 || code == "kind:unreadable") continue;
        out += (out.empty() ? "" : ", ") + count_words(code, de) + ": " + std::to_string(n);
    }
    return out;
}

std::string duration(std::int64_t ms, bool de) {
    const std::int64_t minutes = ms / 60'000, hours = minutes / 60, days = hours / 24;
    if (days >= 2) return std::to_string(days) + (de ? " Tage" : " days");
    if (hours >= 2) return std::to_string(hours) + (de ? " Stunden" : " hours");
    return std::to_string(minutes) + (de ? " Minuten" : " minutes");
}

std::string people_date(CivilDate d, bool de) {
    if (!de) return vault::format_date(d);
    char text[32];
    std::snprintf(text, sizeof text, "%02u.%02u.%04d", d.day, d.month, d.year);
    return text;
}

}  // namespace

// Midnight there is one or two hours before midnight in UTC.
UtcTime first_moment(CivilDate day) {
    const auto utc = utc_midnight(day);
    CHECK(utc.ok());
    const UtcTime summer{utc->ms - 2 * kHour};
    return vault::german_date(summer) == day ? summer : UtcTime{utc->ms - kHour};
}

Result<Period> parse_period(const std::string& from, const std::string& to, UtcTime now) {
    Period out;
    out.from = TRY_IN("--from", vault::parse_date(from));
    out.to = TRY_IN("--to", vault::parse_date(to));
    if (out.to < out.from) return Error(Code::usage, "the period ends before it begins");
    out.begin = first_moment(out.from);
    out.end = first_moment(vault::next_day(out.to));
    if (out.begin >= now) return Error(Code::usage, "the period has not begun yet");
    return out;
}

std::string count_words(std::string_view code, bool de) {
    for (const Words& w : kCounts)
        if (w.code == code) return de ? w.de : w.en;
    return std::string(code);
}

std::string verdict_words(std::string_view verdict, bool de) {
    if (verdict == "complete") return de ? "Vollständig wie versprochen" : "Complete as promised";
    if (verdict == "gaps") return de ? "Lücken bekannt" : "Gaps known";
    return de ? "Die Quelle verspricht nichts: Vollständigkeit lässt sich nicht zeigen"
              : "The source promises nothing: completeness can't be shown";
}

std::string verdict_meaning(const audit::Completeness& c, bool de) {
    if (c.verdict == "complete")
        return de ? "Alles, was die Quelle nach eigenen Angaben gegeben hat, ist versiegelt, schon vorhanden oder nach "
                    "dem "
                    "Erfassungsprofil gezählt; kein Befund ist offen."
                  : "Everything that the source says it has given is sealed, was there already, or is counted as the "
                    "capture profile wants; no finding is open.";
    if (c.verdict == "no_promise")
        return de ? "Die Quelle hat in diesem Zeitraum nicht gesagt, wie viel sie gegeben hat. Gezählt ist, was "
                    "angekommen "
                    "ist; ob etwas fehlt, kann niemand sagen."
                  : "In this period the source has not said how much it has given. What has arrived is counted; "
                    "whether "
                    "anything is missing nobody can say.";
    std::string out;
    const auto add = [&](std::uint64_t n, const char* german, const char* english) {
        if (n != 0) out += (out.empty() ? "" : "; ") + std::string(de ? german : english) + std::to_string(n);
    };
    add(c.missing, "Nach Angabe der Quelle fehlende Nachrichten: ", "Messages that are missing by the source's word: ");
    add(c.count("attachment-missing"), "nicht gelieferte Anhänge: ", "attachments that were not delivered: ");
    add(c.open, "offene Befunde: ", "open findings: ");
    return out + ".";
}

Facts completeness_facts(const audit::Completeness& c, bool de) {
    Facts out;
    const auto add = [&](const char* german, const char* english, std::string value) {
        if (!value.empty()) out.emplace_back(de ? german : english, std::move(value));
    };
    const auto number = [](std::uint64_t n) { return n == 0 ? std::string() : std::to_string(n); };
    const CivilDate to = vault::german_date(UtcTime{c.end.ms - 1});
    add("Quelle", "Source", c.name + " (" + c.kind + ")");
    add("Zeitraum", "Period",
        people_date(vault::german_date(c.begin), de) + (de ? " bis " : " to ") + people_date(to, de));
    std::string kinds = listed(c.counts, "kind:", de);
    std::uint64_t told_apart = 0;
    for (const auto& [code, n] : c.counts) told_apart += code.rfind("kind:", 0) == 0 ? n : 0;
    if (told_apart < c.records)
        kinds += (kinds.empty() ? "" : ", ") +
                 std::string(de ? "ohne Art gezählt (Stromausfall, ältere Fassung): "
                                : "counted without their kind (power cut, older version): ") +
                 std::to_string(c.records - told_apart);
    add("Versiegelt", "Sealed",
        std::to_string(c.records) + (de ? " Aufzeichnungen" : " records") + (kinds.empty() ? "" : "; " + kinds));
    add("In Quarantäne", "Quarantined",
        c.count("kind:unreadable") == 0
            ? ""
            : std::to_string(c.count("kind:unreadable")) + (de ? " nicht lesbar und so versiegelt, wie sie kamen"
                                                               : " could not be read and are sealed as they came"));
    add("Schon vorhanden", "Already there", number(c.count("duplicate")));
    add("Nicht erfasst", "Left out", listed(c.counts, "dropped:", de));
    if (c.count("attachment") != 0)
        add("Anhänge", "Attachments",
            std::to_string(c.count("attachment")) +
                (de ? " genannt, davon nicht geliefert " : " named, of these not delivered ") +
                std::to_string(c.count("attachment-missing")));
    if (c.parts != 0)
        add("Versprochen", "Promised",
            (de ? "nach Angabe der Quelle " : "by the source's word ") + std::to_string(c.promised) +
                (de ? " Nachrichten (Teile: " : " messages (parts: ") + std::to_string(c.parts) +
                (de ? "), davon hier " : "), of these here ") + std::to_string(c.promise_sealed) +
                (de ? ", fehlend " : ", missing ") + std::to_string(c.missing));
    add("Lebenszeichen", "Heartbeats",
        std::to_string(c.heartbeats) + (de ? "; längste Stille " : "; longest silence ") + duration(c.silence_ms, de));
    add("Befunde", "Findings",
        std::to_string(c.opened) + (de ? " im Zeitraum, geklärt " : " in the period, settled ") +
            std::to_string(c.resolved) + (de ? ", offen " : ", open ") + std::to_string(c.open));
    add("Erfassungsprofil", "Capture profile",
        c.profile_version == 0
            ? (de ? "keines festgelegt: alles außer Lesebestätigungen, Anwesenheit, Tippanzeigen und Standorten"
                  : "none was set: everything but read receipts, presence, typing notices and locations")
            : (de ? "Fassung " : "version ") + std::to_string(c.profile_version) +
                  (c.profile_changes == 0 ? ""
                   : de                   ? ", in diesem Zeitraum geändert"
                                          : ", changed in this period"));
    return out;
}

}  // namespace kustos::app
