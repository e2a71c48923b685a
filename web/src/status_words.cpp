#include "web/service.h"

namespace kustos::web {

std::string existence_words(const StatusReport& s, Language language) {
    const bool de = language == Language::german;
    const auto left = [&] { return s.entries > s.anchored_size.value ? s.entries - s.anchored_size.value : 0; };
    if (!s.anchored_time)
        return de ? "bisher nur durch die Uhr des Archivs, noch kein Zeitstempel"
                  : "only by the archive's own clock so far, no time stamp yet";
    const std::string when = format_rfc3339(*s.anchored_time);
    const std::string size = std::to_string(s.anchored_size.value);
    std::string text;
    if (s.anchored_by_others) {
        text = de ? "bewiesen am " + when + ", durch " + s.anchored_by + ": die ersten " + size + " Einträge"
                  : "proven at " + when + ", by " + s.anchored_by + ": the first " + size + " entries";
    } else {
        text = de ? "bisher nur nach eigenem Wort des Archivs, " + when + ", " + s.anchored_by + ": die ersten " +
                        size + " Einträge"
                  : "only on the archive's own word so far, " + when + ", " + s.anchored_by + ": the first " + size +
                        " entries";
    }
    if (left() != 0)
        text += de ? "; die letzten " + std::to_string(left()) + " bisher nur durch die Kette"
                   : "; the last " + std::to_string(left()) + " only by the chain so far";
    return text;
}

std::string as_of_words(const SearchReport& report, Language language) {
    const bool de = language == Language::german;
    const std::string size = std::to_string(report.ledger_size), end = std::to_string(report.index_end);
    std::string out = de ? "Stand: Ledger mit " + size + " Einträgen" : "as of: a ledger of " + size + " entries";
    if (report.index_end != 0)
        out += de ? ", Verzeichnis bis vor Eintrag " + end : ", index up to entry " + end + " (not included)";
    return out;
}

std::string unsearched_words(const Unsearched& u, Language language) {
    const bool de = language == Language::german;
    if (u.total() == 0)
        return de ? "Alles, was in Frage kommt, wurde durchsucht." : "Everything that may match was searched.";
    struct Word {
        const char *reason, *german, *english;
    };
    constexpr Word kWords[] = {
        {"voice", "Sprachnachrichten", "voice messages"},
        {"call", "Anrufe", "calls"},
        {"encrypted", "verschlüsselt", "encrypted"},
        {"unreadable", "unlesbar", "unreadable"},
        {"attachment-missing", "ohne ihren Anhang", "without their attachment"},
        {"attachment-too-large", "mit zu großem Anhang", "with too large an attachment"},
        {"text-too-long", "mit zu langem Text", "with too long a text"},
        {"no-sandbox", "Anhang nicht gelesen (keine Sandbox)", "attachment not read (no sandbox)"},
        {"no-reader", "in einem Format ohne Leser", "in a format without a reader"},
        {"no-ocr", "Bilder ohne Texterkennung", "pictures without text recognition"},
        {"ocr-empty", "Bilder ohne erkannten Text", "pictures in which no text was recognised"},
        {"ocr-later", "Texterkennung steht aus", "text recognition to come"},
        {"not-opened", "nicht zu öffnen", "not to be opened"},
        {"other", "aus anderen Gründen", "for other reasons"},
    };
    std::string out = std::to_string(u.total());
    if (de) {
        out += u.total() == 1 ? " Nachricht, die in Frage kommt, konnte nicht ganz durchsucht werden: "
                              : " Nachrichten, die in Frage kommen, konnten nicht ganz durchsucht werden: ";
    } else {
        out += u.total() == 1 ? " item that may match could not be searched wholly: "
                              : " items that may match could not be searched wholly: ";
    }
    bool first = true;
    const auto add = [&](std::uint64_t count, const std::string& words) {
        if (count == 0) return;
        out += (first ? "" : ", ") + std::to_string(count) + " " + words;
        first = false;
    };
    for (const auto& [reason, count] : u.reasons) {
        std::string words = reason;
        for (const Word& word : kWords)
            if (reason == word.reason) words = de ? word.german : word.english;
        add(count, words);
    }
    add(u.deferred, de ? "noch nicht im Verzeichnis" : "not yet indexed");
    add(u.restricted, de ? "eingeschränkt (Art. 18 DSGVO)" : "restricted (GDPR Art. 18)");
    return out + ".";
}

}  // namespace kustos::web
