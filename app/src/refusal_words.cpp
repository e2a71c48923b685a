#include "app/src/refusal_words.h"

#include <regex>
#include <utility>

namespace kustos::app {

namespace {

// What an administrator reads at night. The same words stand in docs/operations.md.
constexpr const char* kRolledBackGerman =
    "  Dieses Archiv ist älter als das, was andere sich gemerkt haben: Jemand hat vermutlich eine ältere Kopie\n"
    "  zurückgespielt (Sicherung, Schnappschuss, Austausch der Platte). Es wurde nichts verändert, und solange das so "
    "ist,\n"
    "  wird nichts angenommen, damit keine zwei verschiedenen Geschichten entstehen.\n"
    "  Was zu tun ist:\n"
    "   1. Gibt es den neueren Stand noch (alte Platte, neuere Sicherung)? Diesen zurückspielen und neu starten. "
    "Fertig.\n"
    "   2. Gibt es ihn nicht mehr: die Datenschutzbeauftragte hinzuziehen, dann `kustos continue` "
    "(docs/operations.md).\n"
    "      Das Archiv geht mit neuem Namen weiter, und was verloren ist, steht für immer darin.\n";
constexpr const char* kRolledBackEnglish =
    "  This archive is older than what others remember: somebody has probably put an older copy back (backup, "
    "snapshot,\n"
    "  exchange of a disk). Nothing was changed, and while this lasts nothing is taken, so that no two different "
    "histories\n"
    "  come to be.\n"
    "  What to do:\n"
    "   1. Does the newer state still exist (old disk, newer backup)? Put it back and start again. That is all.\n"
    "   2. It does not: call the data protection officer, then `kustos continue` (docs/operations.md). The archive "
    "goes on\n"
    "      under a new name, and what was lost stands in it for ever.\n";

constexpr const char* kSignerOlderGerman =
    "  Der Unterzeichner (--state) und das Archiv passen nicht zusammen: Vermutlich wurde sein Verzeichnis aus einer\n"
    "  Sicherung zurückgespielt, oder beide gehören zu verschiedenen Kopien. Es wurde nichts verändert, und solange "
    "das\n"
    "  so ist, wird nichts angenommen.\n"
    "  Was zu tun ist:\n"
    "   1. Gibt es den neueren Stand des Unterzeichners noch? Diesen zurückspielen und neu starten. Fertig.\n"
    "   2. Gibt es ihn nicht mehr: die Datenschutzbeauftragte hinzuziehen, dann `kustos continue` "
    "(docs/operations.md).\n"
    "      Das Archiv geht mit neuem Namen weiter; alle Einträge, die es hat, bleiben.\n";
constexpr const char* kSignerOlderEnglish =
    "  The signer (--state) and the archive do not fit: its folder was probably restored from a backup, or the two "
    "belong to\n"
    "  different copies. Nothing was changed, and while this lasts nothing is taken.\n"
    "  What to do:\n"
    "   1. Does the newer state of the signer still exist? Put it back and start again. That is all.\n"
    "   2. It does not: call the data protection officer, then `kustos continue` (docs/operations.md). The archive "
    "goes on\n"
    "      under a new name; every entry that it has stays.\n";

// The first line of a refusal that somebody must act on at night.
std::string rolled_back_in_german(const std::string& message) {
    static const std::pair<const char*, const char*> whole[] = {
        {"the archive is older than its signer remembers: it was rolled back or restored from a copy",
         "das Archiv ist älter als das, was sein Unterzeichner sich gemerkt hat"},
        {"the signer's store is older than the archive: it was rolled back or belongs to another copy",
         "der Unterzeichner ist älter als das Archiv, oder er gehört zu einer anderen Kopie"},
        {"the archive and its signer have different roots for the same size",
         "Archiv und Unterzeichner erinnern sich bei gleicher Länge an verschiedene Inhalte"},
    };
    for (const auto& [english, german] : whole) {
        if (message == english) return german;
    }
    std::smatch part;
    if (std::regex_match(message, part,
                         std::regex("the archive has (\\d+) entries, but the witness (\\S+) has seen (\\d+)")))
        return "das Archiv hat " + part.str(1) + " Einträge, der Zeuge " + part.str(2) + " aber hat schon " +
               part.str(3) + " gesehen";
    if (std::regex_match(message, part, std::regex("the archive has (\\d+) entries, but a time stamp covers (\\d+)")))
        return "das Archiv hat " + part.str(1) + " Einträge, ein Zeitstempel aber gilt schon für " + part.str(2);
    if (std::regex_match(message, part,
                         std::regex("the witness (\\S+) has seen another history of this archive than the one on this "
                                    "disk")))
        return "der Zeuge " + part.str(1) +
               " hat eine andere Geschichte dieses Archivs gesehen als die auf diesem "
               "Datenträger";
    return message;
}

}  // namespace

std::string refusal_text(const Error& error, Language language) {
    const bool german = language == Language::german;
    const bool older = error.code() == Code::rolled_back;
    const bool signer_older =
        error.code() == Code::conflict && error.hint().find("\"Rolled back\"") != std::string::npos;
    const bool translated = german && (older || signer_older);
    std::string text = "kustos: " + (translated ? rolled_back_in_german(error.message()) : error.message()) + "\n";
    if (!error.hint().empty() && !translated) text += "  " + error.hint() + "\n";
    if (older) text += german ? kRolledBackGerman : kRolledBackEnglish;
    if (signer_older) text += german ? kSignerOlderGerman : kSignerOlderEnglish;
    return text;
}

}  // namespace kustos::app
