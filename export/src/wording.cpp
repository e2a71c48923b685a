#include "export/src/wording.h"

#include <glib.h>

#include <array>
#include <cstdio>

#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

struct Phrase {
    std::string_view word;
    const char* de;
    const char* en;
};

constexpr Phrase kNotes[] = {
    {"time-zone-unknown", "Die Quelle nennt keine Zeitzone; UTC angenommen",
     "The source names no time zone; UTC assumed"},
    {"sent-time-missing", "Die Quelle nennt keine Sendezeit", "The source names no sent time"},
    {"defect:charset", "Zeichensatz falsch angegeben; Text ist eine Deutung",
     "Character set mislabelled; the text is an interpretation"},
    {"defect:date", "Das Datum ist nicht nach der Norm geschrieben", "The date does not follow the standard"},
    {"defect:header", "Der Kopf der Nachricht ist fehlerhaft", "The message header is defective"},
    {"defect:mime", "Der Aufbau der Nachricht (MIME) ist fehlerhaft", "The message structure (MIME) is defective"},
    {"encrypted", "Inhalt verschlüsselt; das Archiv kann ihn nicht lesen",
     "Content is encrypted; the archive cannot read it"},
    {"signed", "Die Nachricht trägt eine Signatur der Absenderseite (hier nicht geprüft)",
     "The message carries a sender's signature (not checked here)"},
};

constexpr Phrase kActions[] = {
    {"archive_created", "Archiv angelegt", "Archive created"},
    {"evidence_key", "Beweisschlüssel eingetragen", "Evidence key entered"},
    {"generation_opened", "Schlüsselgeneration eröffnet", "Key generation opened"},
    {"source_added", "Quelle eingerichtet", "Source added"},
    {"source_changed", "Quelle geändert", "Source changed"},
    {"tree_opened", "Schlüsselbaum eröffnet", "Key tree opened"},
    {"shard_opened", "Suchindex eröffnet", "Search shard opened"},
    {"checkpoint_published", "Prüfpunkt veröffentlicht", "Checkpoint published"},
    {"anchor_stored", "Zeitstempel hinterlegt", "Time stamp stored"},
    {"matter_opened", "Fall angelegt", "Matter opened"},
    {"matter_closed", "Fall geschlossen", "Matter closed"},
    {"vault_unlocked", "Archiv entsperrt", "Vault unlocked"},
    {"vault_locked", "Archiv gesperrt", "Vault locked"},
    {"finding", "Feststellung", "Finding"},
    {"account_added", "Konto angelegt", "Account added"},
    {"class_defined", "Aufbewahrungsklasse festgelegt", "Retention class defined"},
    {"sealed", "Versiegelt", "Sealed"},
    {"search", "Gesucht", "Searched"},
    {"open", "Geöffnet", "Opened"},
    {"export", "Exportiert", "Exported"},
    {"approved", "Freigegeben", "Approved"},
    {"erasure", "Gelöscht (Schlüssel vernichtet)", "Erased (key destroyed)"},
};

template <std::size_t N>
std::string phrase(const Phrase (&phrases)[N], std::string_view word, bool german) {
    for (const Phrase& p : phrases) {
        if (p.word == word) return german ? p.de : p.en;
    }
    return std::string(word);
}

constexpr std::array<const char*, 7> kDaysDe{"Montag",  "Dienstag", "Mittwoch", "Donnerstag",
                                             "Freitag", "Samstag",  "Sonntag"};
constexpr std::array<const char*, 7> kDaysEn{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                             "Friday", "Saturday", "Sunday"};
constexpr std::array<const char*, 12> kMonthsDe{"Januar", "Februar", "März",      "April",   "Mai",      "Juni",
                                                "Juli",   "August",  "September", "Oktober", "November", "Dezember"};
constexpr std::array<const char*, 12> kMonthsEn{"January", "February", "March",     "April",   "May",      "June",
                                                "July",    "August",   "September", "October", "November", "December"};

std::string two(int v) {
    char text[16];
    std::snprintf(text, sizeof text, "%02d", v);
    return text;
}

}  // namespace

std::string Wording::number(std::uint64_t value) const {
    std::string digits = std::to_string(value);
    const char* separator = german_ ? "." : ",";
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, separator);
    return digits;
}

std::string Wording::bytes(std::uint64_t count) const {
    if (count < 1000) return std::to_string(count) + (count == 1 ? " Byte" : german_ ? " Byte" : " bytes");
    const char* const units[] = {" kB", " MB", " GB", " TB", " PB"};
    std::uint64_t tenths = (count + 50) / 100;
    std::size_t unit = 0;
    while (tenths >= 10'000 && unit + 1 < std::size(units)) {
        tenths = (tenths + 500) / 1000;
        ++unit;
    }
    std::string out = number(tenths / 10);
    if (tenths < 1000) out += (german_ ? "," : ".") + std::to_string(tenths % 10);
    return out + units[unit];
}

std::string Wording::count(std::uint64_t n, const char* de_one, const char* de_many, const char* en_one,
                           const char* en_many) const {
    return number(n) + " " + (german_ ? (n == 1 ? de_one : de_many) : (n == 1 ? en_one : en_many));
}

std::string Wording::kind(vault::MessageKind kind) const {
    using vault::MessageKind;
    const Wording& w = *this;
    switch (kind) {
        case MessageKind::mail:
            return w("E-Mail", "Mail");
        case MessageKind::chat:
            return w("Nachricht", "Message");
        case MessageKind::file:
            return w("Datei", "File");
        case MessageKind::call:
            return w("Anruf", "Call");
        case MessageKind::voice:
            return w("Sprachnachricht", "Voice message");
        case MessageKind::status:
            return w("Status", "Status");
        case MessageKind::edit:
            return w("Bearbeitung", "Edit");
        case MessageKind::deletion:
            return w("Löschung", "Deletion");
        case MessageKind::reaction:
            return w("Reaktion", "Reaction");
        case MessageKind::join:
            return w("Beitritt", "Joined");
        case MessageKind::leave:
            return w("Austritt", "Left");
        case MessageKind::unreadable:
            return w("Nicht lesbar", "Unreadable");
        case MessageKind::notice:
            return w("Vermerk des Archivs", "Archive notice");
        case MessageKind::envelope:
            return w("Journalbericht", "Journal report");
        case MessageKind::person:
            return w("Adressbucheintrag", "Address-book entry");
    }
    return w("Nachricht", "Message");
}

std::string Wording::note(std::string_view machine_word) const {
    if (machine_word.substr(0, 11) == "quarantine:")
        return std::string((*this)("Als unlesbar versiegelt, Grund: ", "Sealed as unreadable, reason: ")) +
               std::string(machine_word.substr(11));
    return phrase(kNotes, machine_word, german_);
}
std::string Wording::action(std::string_view machine_word) const {
    return phrase(kActions, machine_word, german_);
}

Zone::Zone(const std::string& name, Language language) : name_(name), german_(language == Language::de) {
    GTimeZone* zone = g_time_zone_new_identifier(name.c_str());
    known_ = zone != nullptr;
    if (!zone) {
        zone = g_time_zone_new_utc();
        name_ = "UTC";
    }
    zone_ = zone;
}

Zone::~Zone() {
    g_time_zone_unref(static_cast<GTimeZone*>(zone_));
}

LocalTime Zone::local(UtcTime time) const {
    const std::int64_t seconds = time.ms >= 0 ? time.ms / 1000 : -((-time.ms + 999) / 1000);
    GDateTime* utc = g_date_time_new_from_unix_utc(seconds);
    GDateTime* local = utc ? g_date_time_to_timezone(utc, static_cast<GTimeZone*>(zone_)) : nullptr;
    LocalTime out;
    if (!local) {  // outside the years 1 to 9999
        out.date = out.long_date = "?";
        out.time = format_rfc3339(time);
        if (utc) g_date_time_unref(utc);
        return out;
    }
    const int year = g_date_time_get_year(local), month = g_date_time_get_month(local);
    const int day = g_date_time_get_day_of_month(local);
    const auto weekday = static_cast<std::size_t>(g_date_time_get_day_of_week(local) - 1);
    const auto month_at = static_cast<std::size_t>(month - 1);
    char text[64];
    std::snprintf(text, sizeof text, german_ ? "%02d.%02d.%04d" : "%3$04d-%2$02d-%1$02d", day, month, year);
    out.date = text;
    out.long_date = german_ ? std::string(kDaysDe[weekday]) + ", " + std::to_string(day) + ". " + kMonthsDe[month_at] +
                                  " " + std::to_string(year)
                            : std::string(kDaysEn[weekday]) + ", " + std::to_string(day) + " " + kMonthsEn[month_at] +
                                  " " + std::to_string(year);
    out.time = two(g_date_time_get_hour(local)) + ":" + two(g_date_time_get_minute(local)) + ":" +
               two(g_date_time_get_second(local));
    const std::int64_t offset = g_date_time_get_utc_offset(local) / G_TIME_SPAN_MINUTE;
    const std::int64_t size = offset < 0 ? -offset : offset;
    out.offset = (offset < 0 ? "-" : "+") + two(static_cast<int>(size / 60)) + ":" + two(static_cast<int>(size % 60));
    g_date_time_unref(local);
    g_date_time_unref(utc);
    return out;
}

std::string grouped(std::string_view text, std::size_t n, std::size_t per_line) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += n) {
        if (at > 0) out += per_line && (at / n) % per_line == 0 ? '\n' : ' ';
        out += text.substr(at, n);
    }
    return out;
}

std::string fingerprint_text(std::string_view fingerprint, std::size_t per_line) {
    const bool digits = fingerprint.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    return digits && fingerprint.size() > 8 && fingerprint.size() <= 128 ? grouped(fingerprint, 8, per_line)
                                                                         : frame_text(fingerprint, 256);
}

}  // namespace kustos::exporting
