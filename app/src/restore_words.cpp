// What a restoration says of itself.
#include <nlohmann/json.hpp>

#include "app/restore.h"
#include "audit/report_text.h"

namespace kustos::app {

using nlohmann::json;

std::string RestoreReport::to_json() const {
    json list = json::array();
    for (const RestoredSource& s : sources)
        list.push_back({{"name", s.name}, {"kind", s.kind}, {"records", s.records}});
    return json{{"ok", ok()},
                {"backed_up", format_rfc3339(backed_up)},
                {"entries", entries},
                {"records", records},
                {"erased", erased},
                {"erased_again", erased_again},
                {"ledger_generation", ledger_generation},
                {"key_generation", key_generation},
                {"open", vault_open},
                {"opened", opened},
                {"not_opened", not_opened},
                {"continued", continued},
                {"waiting", waiting},
                {"origin", origin},
                {"fingerprint", fingerprint},
                {"remembered", remembered},
                {"missing", remembered > entries ? remembered - entries : 0},
                {"sources", list},
                {"verification", json::parse(verification.to_json())}}
        .dump();
}

std::string RestoreReport::to_text(Language language) const {
    const bool de = language == Language::german;
    std::string out;
    const auto line = [&out, de](const std::string& german, const std::string& english) {
        out += (de ? german : english) + "\n";
    };
    const std::string when = format_rfc3339(backed_up), n = std::to_string(entries);
    line("Wiederhergestellt: Sicherung von " + when + ", " + n + " Einträge.",
         "restored: backup of " + when + ", " + n + " entries.");
    out += verification.headline(de ? "de" : "en") + "\n";
    for (const audit::Problem& p : verification.problems) out += "  " + p.where + ": " + p.text + "\n";
    if (key_generation == 0) {
        line(
            "Ohne Schlüsselhinterlegung: Der Inhalt bleibt verschlossen, und das Archiv nimmt nichts an. Prüfen geht. "
            "Sobald das Medium da ist: mit --escrow noch einmal, in ein leeres Verzeichnis.",
            "Without the escrow: the content stays closed, and the archive takes nothing. It can be verified. When "
            "the medium is there: once more with --escrow, into an empty folder.");
    } else if (key_generation > ledger_generation) {
        const std::string again = std::to_string(erased_again);
        line("Die Schlüssel sind neuer als die Sicherung. Das ist gut so: " + again +
                 " Aufzeichnungen und Anlagen, die danach gelöscht wurden, bleiben unlesbar und gelten wieder als "
                 "gelöscht.",
             "The keys are newer than the backup, as they should be: " + again +
                 " records and blobs that were erased after it stay unreadable, and count as erased again.");
    }
    if (vault_open) {
        line("Stichprobe: " + std::to_string(opened) + " Aufzeichnungen geöffnet, " + std::to_string(not_opened) +
                 " nicht.",
             "sample: " + std::to_string(opened) + " records opened, " + std::to_string(not_opened) + " not.");
    } else if (key_generation != 0 && !waiting) {
        line("Der Tresor ist zu: Mit --passphrase-file wird auch eine Stichprobe geöffnet.",
             "The vault is closed: with --passphrase-file a sample is opened, too.");
    }
    if (remembered > entries) {
        const std::string lost = std::to_string(remembered - entries);
        line("Verloren: mindestens " + lost + " Einträge, die nach der Sicherung kamen.",
             "lost: at least " + lost + " entries that came after the backup.");
    }
    if (waiting)
        line("Der Unterzeichner erinnert sich an einen neueren Stand. Gibt es ihn noch? Sonst: kustos continue --yes.",
             "The signer remembers a newer state. Does it still exist? If not: kustos continue --yes.");
    if (continued)
        line("Das Archiv geht unter neuem Namen weiter; diesen Fingerabdruck veröffentlichen: " + fingerprint,
             "The archive goes on under a new name; publish this fingerprint: " + fingerprint);
    if (sources.empty()) return out;
    line("Diese Quellen um erneutes Senden bitten, von vor dem " + when + " an (was da ist, wird erkannt):",
         "Ask these sources to send again, from before " + when + " on (what is there is recognised):");
    for (const RestoredSource& s : sources)
        out += "  " + s.name + " (" + s.kind + ", " + std::to_string(s.records) + ")\n";
    return out;
}

}  // namespace kustos::app
