#include "audit/src/report_words.h"

#include <map>

#include "audit/report.h"

namespace kustos::audit {

namespace {

struct Words {
    const char* german;
    const char* english;
};

// By problem code; what stands before the dot serves for codes that are not here.
const std::map<std::string_view, Words> kCodes = {
    {"bundle.signature",
     {"Die elektronische Unterschrift passt nicht zu dieser Datei: Die Datei wurde nach dem Unterschreiben verändert, "
      "oder sie ist kein Beweispaket dieses Archivs.",
      "The electronic signature does not fit this file: the file was changed after signing, or it is no bundle of this "
      "archive."}},
    {"bundle.gap",
     {"An der Stelle der elektronischen Unterschrift steht etwas anderes.",
      "The place of the electronic signature holds something else."}},
    {"bundle.container",
     {"Das Beweismaterial in der Datei fehlt oder ist nicht so abgelegt, wie es sein muss.",
      "The evidence inside the file is missing or not stored as it must be."}},
    {"bundle.manifest",
     {"Das Inhaltsverzeichnis des Beweismaterials stimmt nicht mit dem Inhalt überein.",
      "The table of contents of the evidence does not match what is inside."}},
    {"bundle.entry",
     {"Ein Eintrag der Kette ist nicht das, wofür er ausgegeben wird.",
      "An entry of the ledger is not what it is presented as."}},
    {"bundle.proof",
     {"Für einen Eintrag ist nicht bewiesen, dass er in der Kette des Archivs steht.",
      "An entry is not proven to stand in the archive's ledger."}},
    {"bundle.field",
     {"Eine Angabe ist nicht die versiegelte, oder die Angaben sind nicht vollständig.",
      "A field is not what was sealed, or the fields are not complete."}},
    {"bundle.original",
     {"Eine beigefügte Originaldatei ist nicht die versiegelte.",
      "An original that is enclosed is not the one that was sealed."}},
    {"bundle.blob",
     {"Ein beigefügter Anhang ist nicht der versiegelte.",
      "An attachment that is enclosed is not the one that was sealed."}},
    {"bundle.evidence",
     {"Ein Evidence Record (RFC 4998) ist verändert oder gehört nicht zu seinem Eintrag.",
      "An evidence record (RFC 4998) was changed or does not belong to its entry."}},
    {"renewal",
     {"Eine Erneuerung von Zeitstempeln ist verändert, fehlt oder passt nicht zu dem, was sie erneuert.",
      "A renewal of time stamps was changed, is missing or does not fit what it renews."}},
    {"checkpoint",
     {"Der unterschriebene Prüfpunkt der Kette ist verändert oder passt nicht zu ihr.",
      "The ledger's signed checkpoint was changed or does not fit the ledger."}},
    {"checkpoint.published",
     {"Ein veröffentlichter Prüfpunkt ist verändert, fehlt oder passt nicht zur Kette.",
      "A published checkpoint was changed, is missing or does not fit the ledger."}},
    {"ledger.tile",
     {"Eine Datei mit Prüfsummen der Kette ist verändert oder fehlt. Die Einträge selbst sind davon nicht betroffen, "
      "wenn sonst nichts genannt ist.",
      "A file with hashes of the ledger was changed or is missing. The entries themselves are not affected if nothing "
      "else is named."}},
    {"ledger.entries",
     {"Ein Eintrag der Kette ist verändert oder fehlt.", "An entry of the ledger was changed or is missing."}},
    {"ledger.chain",
     {"Ein Eintrag, der auf andere Dateien verweist, ist unbrauchbar.",
      "An entry that names other files is unusable."}},
    {"ledger.sequence",
     {"In der Zählung einer Quelle fehlt etwas oder steht etwas doppelt.",
      "In a source's numbering something is missing or stands twice."}},
    {"vault.segment", {"Verschlüsselter Inhalt ist verändert.", "Encrypted content was changed."}},
    {"vault.blob",
     {"Der verschlüsselte Inhalt eines großen Anhangs ist verändert.",
      "The encrypted content of a large attachment was changed."}},
    {"vault.missing",
     {"Verschlüsselter Inhalt fehlt, und kein Eintrag erlaubt das.",
      "Encrypted content is missing, and no entry allows it."}},
    {"ledger.continuation",
     {"Die Fortsetzung unter neuem Namen ist verändert oder passt nicht zur Kette davor.",
      "The continuation under a new name was changed, or does not fit the ledger before."}},
    {"key.rotation",
     {"Ein Wechsel des Prüfpunktschlüssels ist verändert oder nicht unter dem alten Schlüssel angekündigt.",
      "A rotation of the checkpoint key was changed, or is not announced under the key before."}},
    {"anchor.token", {"Ein Zeitstempel ist verändert oder ungültig.", "A time stamp was changed or is not valid."}},
    {"anchor.imprint",
     {"Ein Zeitstempel gehört nicht zu dieser Kette.", "A time stamp does not belong to this ledger."}},
    {"anchor.missing",
     {"Ein Zeitstempel, den die Kette nennt, fehlt.", "A time stamp that the ledger names is missing."}},
    {"keys.box", {"Ein versiegelter Schlüssel ist verändert oder fehlt.", "A sealed key was changed or is missing."}},
    {"witness.note",
     {"Ein von Zeugen bestätigter Prüfpunkt ist nicht der veröffentlichte.",
      "A checkpoint that witnesses have signed is not the one that was published."}},
    {"witness.cosignature",
     {"Die Bestätigung eines Zeugen passt nicht zum Prüfpunkt.",
      "A witness's cosignature does not fit the checkpoint."}},
    {"witness.quorum",
     {"Die Bestätigungen der Zeugen, die die Vertrauensdatei verlangt, fehlen.",
      "The witnesses' cosignatures that the trust file asks for are missing."}},
    {"origin.mismatch",
     {"Das stammt nicht von dem Archiv, das die Vertrauensdatei nennt. Es kann eine Fälschung mit fremdem Schlüssel "
      "sein.",
      "This does not come from the archive that the trust file names. It may be a forgery under somebody else's key."}},
    {"file.unreferenced", {"Eine Datei gehört nicht zum Archiv.", "A file does not belong to the archive."}},
    {"archive.unreadable", {"Das Archiv kann nicht gelesen werden.", "The archive can't be read."}},
    {"catalog",
     {"Das Verzeichnis catalog.db sagt etwas anderes als die Kette.",
      "The table catalog.db says something else than the ledger."}},
    {"content",
     {"Ein Inhalt lässt sich nicht öffnen oder ist nicht der versiegelte.",
      "A content can't be opened or is not what was sealed."}},
};

struct Count {
    Words one, more;
};
const std::map<std::string_view, Count> kCounts = {
    {"entries", {{"Eintrag", "entry"}, {"Einträge", "entries"}}},
    {"tiles", {{"Kachel der Kette", "ledger tile"}, {"Kacheln der Kette", "ledger tiles"}}},
    {"checkpoints", {{"Prüfpunkt", "checkpoint"}, {"Prüfpunkte", "checkpoints"}}},
    {"anchors", {{"Zeitstempel", "time stamp"}, {"Zeitstempel", "time stamps"}}},
    {"frames", {{"Geheimtext", "ciphertext"}, {"Geheimtexte", "ciphertexts"}}},
    {"records", {{"Aufzeichnung", "record"}, {"Aufzeichnungen", "records"}}},
    {"fields", {{"Feld", "field"}, {"Felder", "fields"}}},
    {"redacted", {{"geschwärztes Feld", "redacted field"}, {"geschwärzte Felder", "redacted fields"}}},
    {"originals", {{"Original", "original"}, {"Originale", "originals"}}},
    {"files", {{"Datei", "file"}, {"Dateien", "files"}}},
    {"evidence_records", {{"Evidence Record", "evidence record"}, {"Evidence Records", "evidence records"}}},
    {"renewals", {{"Erneuerung", "renewal"}, {"Erneuerungen", "renewals"}}},
    {"cosignatures", {{"Zeugenbestätigung", "cosignature"}, {"Zeugenbestätigungen", "cosignatures"}}},
    {"catalogs", {{"Verzeichnis", "catalog"}, {"Verzeichnisse", "catalogs"}}},
    {"boxes", {{"versiegelter Schlüssel", "sealed key"}, {"versiegelte Schlüssel", "sealed keys"}}},
    {"blobs", {{"großer Anhang", "large attachment"}, {"große Anhänge", "large attachments"}}},
    {"proofs", {{"Beweis", "proof"}, {"Beweise", "proofs"}}},
    {"bytes", {{"Byte", "byte"}, {"Byte", "bytes"}}},
    {"continuations", {{"Fortsetzung", "continuation"}, {"Fortsetzungen", "continuations"}}},
    {"rotations", {{"Schlüsselwechsel", "key rotation"}, {"Schlüsselwechsel", "key rotations"}}},
    {"signatures", {{"Unterschrift", "signature"}, {"Unterschriften", "signatures"}}},
    {"opened", {{"geöffneter Inhalt", "opened content"}, {"geöffnete Inhalte", "opened contents"}}},
    {"problems_left_out", {{"weiterer Befund", "further finding"}, {"weitere Befunde", "further findings"}}},
};

const std::map<std::string_view, const char*> kRemarks = {
    {"that plaintext matches the commitments: nothing was decrypted",
     "ob der Klartext zu den Festlegungen passt: es wurde nichts entschlüsselt"},
    {"that the pages show what the records say: where it matters, compare with originals/ and records/ of the evidence "
     "container",
     "ob die Seiten zeigen, was in den Aufzeichnungen steht: wo es darauf ankommt, mit originals/ und records/ im "
     "Beweismaterial vergleichen"},
    {"that these are all records the query finds: coverage and total are the archive's own statement",
     "ob das alle Aufzeichnungen sind, die zur Suche passen: Abdeckung und Gesamtzahl sind die eigene Aussage des "
     "Archivs"},
    {"whether the time-stamping authority is independent: no `tsa` line of a trust file names it",
     "ob die Zeitstempelstelle unabhängig ist: keine `tsa`-Zeile einer Vertrauensdatei nennt sie"},
    {"who signed the trust file: no --trust-key was given",
     "wer die Vertrauensdatei unterschrieben hat: kein --trust-key war angegeben"},
    {"sealed keys: keys/ is not here", "versiegelte Schlüssel: keys/ liegt nicht vor"},
    {"whether an attachment belongs to its record: no disclosed field names its hash",
     "ob ein Anhang zu seiner Aufzeichnung gehört: kein offengelegtes Feld nennt seine Prüfsumme"},
    {"files newer than the checkpoint: a program wrote while the archive was checked",
     "Dateien, die neuer sind als der Prüfpunkt: während der Prüfung schrieb ein Programm"},
};

// Remarks that begin with a file's name.
constexpr std::pair<std::string_view, std::string_view> kRemarkEnds[] = {
    {": the entry that names it is still to come", ": der Eintrag, der ihn nennt, kommt noch"},
    {": left behind by an interrupted write", ": Rest eines unterbrochenen Schreibvorgangs"},
    {": an interrupted store, without note or token", ": ein unterbrochenes Ablegen, ohne Prüfpunkt oder Stempel"},
};

}  // namespace

std::string_view explain(std::string_view code, std::string_view language) {
    auto found = kCodes.find(code);
    if (found == kCodes.end()) {
        return language == "de" ? "Hier stimmt etwas nicht." : "Something is not right here.";
    }
    return language == "de" ? found->second.german : found->second.english;
}

std::string counted(std::uint64_t count, const std::string& key, bool german) {
    const auto found = kCounts.find(key);
    if (found == kCounts.end()) return std::to_string(count) + " " + key;
    const Words& words = count == 1 ? found->second.one : found->second.more;
    return std::to_string(count) + " " + (german ? words.german : words.english);
}

std::string german_remark(const std::string& english) {
    const auto found = kRemarks.find(english);
    if (found != kRemarks.end()) return found->second;
    for (const auto& [end, german] : kRemarkEnds) {
        if (english.size() > end.size() && std::string_view(english).substr(english.size() - end.size()) == end)
            return english.substr(0, english.size() - end.size()) + std::string(german);
    }
    const std::string_view stamped = "existence in time of the last ";
    if (english.rfind(stamped, 0) == 0) {
        const std::size_t end = english.find(' ', stamped.size());
        return "seit wann es die letzten " + english.substr(stamped.size(), end - stamped.size()) +
               " Einträge gibt: noch kein Zeitstempel";
    }
    return english;
}

std::string german_place(const std::string& where) {
    std::string out = where;
    const auto replace = [&](std::string_view from, std::string_view to) {
        for (std::size_t at = out.find(from); at != out.npos; at = out.find(from, at + to.size()))
            out.replace(at, from.size(), to);
    };
    if (out == "file") return "Datei";
    if (out == "archive") return "Archiv";
    if (out == "ledger") return "Kette";
    if (out.rfind("entry ", 0) == 0) out.replace(0, 6, "Eintrag ");
    replace("(entry ", "(Eintrag ");
    return out;
}

}  // namespace kustos::audit
