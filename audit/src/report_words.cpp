#include "audit/src/report_words.h"

#include <algorithm>
#include <array>
#include <map>

#include "audit/report.h"
#include "audit/report_text.h"

namespace kustos::audit {

namespace {

struct Words {
    const char* german;
    const char* english;
    const char* in(bool de) const { return de ? german : english; }
};

// What a problem code means.
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
    {"ledger.rewritten",
     {"Die Kette ist nicht mehr die, die früher geprüft wurde: Der Anfang ist ein anderer, oder das Ende fehlt.",
      "The ledger is no longer the one that was verified earlier: its beginning is another one, or its end is gone."}},
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
    {"erasure.entry",
     {"Ein Eintrag über eine Löschung passt nicht zu dem, was die Kette sonst sagt. Er erlaubt nicht, dass etwas "
      "fehlt.",
      "An entry about an erasure does not fit what the ledger says otherwise. It allows nothing to be missing."}},
    {"erasure.ciphertext",
     {"Verschlüsselter Inhalt ist noch da, obwohl die Kette sagt, dass er entfernt wurde.",
      "Encrypted content is still there although the ledger says that it was removed."}},
    {"erasure.key",
     {"Ein Schlüssel ist noch da, obwohl die Kette sagt, dass er vernichtet wurde. Was damit gelöscht sein soll, ist "
      "vielleicht noch lesbar.",
      "A key is still there although the ledger says that it was destroyed. What was erased with it may still be "
      "readable."}},
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
    {"report.signature",
     {"Die elektronische Unterschrift passt nicht zu diesem Prüfbericht: Er wurde nach dem Unterschreiben verändert, "
      "oder "
      "ihn hat jemand anderes unterschrieben.",
      "The electronic signature does not fit this verification report: it was changed after signing, or somebody else "
      "has signed it."}},
    {"report.proof",
     {"Dass die Kette des Archivs diesen Prüfbericht nennt, ist nicht bewiesen.",
      "It is not proven that the archive's ledger names this verification report."}},
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

// What to do about it. The longest beginning of the code that stands here serves.
const std::map<std::string_view, Words> kNextSteps = {
    {"bundle",
     {"Nicht als Beweis verwenden. Die Datei aufheben, wie sie ist, und beim Archiv ein neues Beweispaket anfordern.",
      "Do not use it as evidence. Keep the file as it is, and ask the archive for a new bundle."}},
    {"report",
     {"Nicht verwenden. Beim Archiv einen neuen Prüfbericht anfordern, oder das Archiv selbst prüfen.",
      "Do not use it. Ask the archive for a new report, or verify the archive itself."}},
    {"checkpoint",
     {"Nichts mehr schreiben lassen. Den Ordner ledger/ mit der jüngsten Sicherung vergleichen und Zeugen fragen, "
      "welchen "
      "Prüfpunkt sie gesehen haben: Es kann eine zweite, andere Kette geben.",
      "Let nothing write any more. Compare the folder ledger/ with the newest backup, and ask witnesses which "
      "checkpoint "
      "they have seen: there may be a second, different ledger."}},
    {"ledger",
     {"Nichts mehr schreiben lassen und nichts von Hand ändern. Die genannte Datei mit der jüngsten Sicherung "
      "vergleichen: Passt jene, kann sie zurückgelegt werden, und eine neue Prüfung zeigt, ob das genügt.",
      "Let nothing write any more, and change nothing by hand. Compare the file that is named with the newest backup: "
      "if "
      "that one fits it can be put back, and a new verification shows whether that is enough."}},
    {"ledger.tile",
     {"Die genannte Datei aus der jüngsten Sicherung zurücklegen und noch einmal prüfen. Sie lässt sich aus den "
      "Einträgen berechnen; verloren ist nichts.",
      "Put the file that is named back from the newest backup, and verify again. It can be computed from the entries; "
      "nothing is lost."}},
    {"vault",
     {"Die genannte Datei in der jüngsten Sicherung suchen und daneben legen, nicht darüber. Ob sie die versiegelte "
      "ist, "
      "zeigt eine Prüfung der Kopie. Den Datenträger untersuchen.",
      "Look for the file that is named in the newest backup, and put it beside, not over, the present one. Verifying a "
      "copy shows whether it is the one that was sealed. Examine the disk."}},
    {"key",
     {"Nichts mehr schreiben lassen. Den Ordner ledger/rotations mit der Sicherung vergleichen und klären, wer zuletzt "
      "Zugang zum Unterzeichner hatte.",
      "Let nothing write any more. Compare the folder ledger/rotations with the backup, and find out who had access to "
      "the signer."}},
    {"anchor",
     {"Die Einträge sind davon nicht betroffen. Den Zeitstempel aus der Sicherung zurücklegen; gibt es keinen, einen "
      "neuen holen: Er belegt das Bestehen dann erst ab heute.",
      "The entries are not affected. Put the time stamp back from the backup; if there is none, get a new one: it "
      "proves "
      "existence only from today on."}},
    {"renewal",
     {"Die Erneuerung aus der Sicherung zurücklegen; gibt es keine, mit kustos renew neu erneuern, solange die alten "
      "Zeitstempel noch gelten.",
      "Put the renewal back from the backup; if there is none, renew again with kustos renew while the old time stamps "
      "are still valid."}},
    {"keys",
     {"Den versiegelten Schlüssel sofort aus der Sicherung zurücklegen: Ohne ihn bleibt der Inhalt, den er schützt, "
      "nach "
      "dem nächsten Start verschlossen.",
      "Put the sealed key back from the backup at once: without it the content that it protects stays closed after the "
      "next start."}},
    {"erasure",
     {"Klären, wer das geschrieben oder zurückgelegt hat: Das Archiv selbst schreibt es nicht so. Eine zurückgespielte "
      "Sicherung kann Gelöschtes wiederbringen; dann die Löschung noch einmal ausführen.",
      "Find out who wrote this, or put it back: the archive itself does not write it so. A backup that was put back "
      "may "
      "bring back what was erased; in that case, erase again."}},
    {"erasure.ciphertext",
     {"Das Archiv noch einmal verdichten (kustos compact) und wieder prüfen. Ohne Schlüssel ist der Inhalt nicht "
      "lesbar.",
      "Compact the archive once more (kustos compact), and verify again. Without its key the content can't be read."}},
    {"witness",
     {"Beim Betreiber des Zeugen erfragen, welchen Prüfpunkt er unterschrieben hat, und beide vergleichen. "
      "Widersprechen sie sich, gibt es zwei Ketten unter einem Namen.",
      "Ask whoever runs the witness which checkpoint it has signed, and compare. If they contradict each other there "
      "are "
      "two ledgers under one name."}},
    {"origin",
     {"Auf einem anderen Weg bei der Behörde nach dem Fingerabdruck ihres Archivs fragen. Bis dahin gilt nichts davon "
      "als "
      "das ihre.",
      "Ask the authority for its archive's fingerprint by another way. Until then nothing of it counts as theirs."}},
    {"file",
     {"Klären, woher die Datei kommt, bevor sie jemand entfernt. Sie gehört nicht zum Archiv; was es beweist, berührt "
      "sie "
      "nicht.",
      "Find out where the file comes from before anybody removes it. It does not belong to the archive, and does not "
      "touch what the archive proves."}},
    {"archive",
     {"Rechte, Pfad und Datenträger prüfen, dann noch einmal.",
      "Check permissions, path and disk, then verify again."}},
    {"catalog",
     {"catalog.db als Beweis beiseitelegen und klären, wer sie geändert hat. Maßgeblich ist die Kette; beim nächsten "
      "Start "
      "entsteht das Verzeichnis aus ihr neu.",
      "Put catalog.db aside as evidence and find out who changed it. What counts is the ledger; at the next start the "
      "table is made anew from it."}},
    {"content",
     {"Die Aufzeichnung unter ihrer Nummer in einer Sicherung öffnen. Gelingt das dort, ist hier der Datenträger "
      "schuld; "
      "sonst war sie schon so, als sie versiegelt wurde.",
      "Open the record by its number in a backup. If that works there, the disk is to blame here; if not, it was so "
      "when "
      "it was sealed."}},
};

// What was checked, one sentence for each count, in the order in which people want to know it.
struct Count {
    std::string_view key;
    Words one, more;  // {}: the number
};
constexpr std::array kCounts = {
    Count{"signatures",
          {"Die elektronische Unterschrift über die ganze Datei wurde geprüft.",
           "The electronic signature over the whole file was checked."},
          {"{} elektronische Unterschriften wurden geprüft.", "{} electronic signatures were checked."}},
    Count{"entries",
          {"1 Eintrag der Kette wurde gelesen und seine Stelle im Hashbaum neu berechnet.",
           "1 entry of the ledger was read, and its place in the hash tree computed anew."},
          {"{} Einträge der Kette wurden gelesen und ihre Stelle im Hashbaum neu berechnet.",
           "{} entries of the ledger were read, and their place in the hash tree computed anew."}},
    Count{"entries_verified_before",
          {"1 Eintrag davor wurde früher geprüft; dass er noch da ist, zeigt die Wurzel.",
           "1 entry before them was verified earlier; that it is still there is shown by the root."},
          {"{} Einträge davor wurden früher geprüft; dass sie noch da sind, zeigt die Wurzel.",
           "{} entries before them were verified earlier; that they are still there is shown by the root."}},
    Count{"records",
          {"1 Aufzeichnung wurde Feld für Feld mit dem verglichen, was versiegelt wurde.",
           "1 record was compared, field by field, with what was sealed."},
          {"{} Aufzeichnungen wurden Feld für Feld mit dem verglichen, was versiegelt wurde.",
           "{} records were compared, field by field, with what was sealed."}},
    Count{"fields",
          {"1 Feld ist offengelegt und wurde nachgerechnet.", "1 field is disclosed and was recomputed."},
          {"{} Felder sind offengelegt und wurden nachgerechnet.", "{} fields are disclosed and were recomputed."}},
    Count{"redacted",
          {"1 Feld ist geschwärzt; dass es zur Aufzeichnung gehört, wurde nachgerechnet.",
           "1 field is redacted; that it belongs to its record was recomputed."},
          {"{} Felder sind geschwärzt; dass sie zu ihren Aufzeichnungen gehören, wurde nachgerechnet.",
           "{} fields are redacted; that they belong to their records was recomputed."}},
    Count{"originals",
          {"1 Original wurde Byte für Byte mit dem versiegelten verglichen.",
           "1 original was compared, byte by byte, with the one that was sealed."},
          {"{} Originale wurden Byte für Byte mit den versiegelten verglichen.",
           "{} originals were compared, byte by byte, with the ones that were sealed."}},
    Count{"files",
          {"1 Datei des Beweismaterials wurde mit dem Inhaltsverzeichnis verglichen.",
           "1 file of the evidence was compared with its table of contents."},
          {"{} Dateien des Beweismaterials wurden mit dem Inhaltsverzeichnis verglichen.",
           "{} files of the evidence were compared with its table of contents."}},
    Count{"proofs",
          {"1 Rechnung wurde nachvollzogen, die einen Eintrag mit dem Prüfpunkt verbindet.",
           "1 calculation that ties an entry to the checkpoint was followed."},
          {"{} Rechnungen wurden nachvollzogen, die Einträge mit dem Prüfpunkt verbinden.",
           "{} calculations that tie entries to the checkpoint were followed."}},
    Count{"checkpoints",
          {"1 Prüfpunkt wurde geprüft: seine Unterschrift, und ob er zu den Einträgen passt.",
           "1 checkpoint was checked: its signature, and whether it fits the entries."},
          {"{} Prüfpunkte wurden geprüft: ihre Unterschriften, und ob sie zu den Einträgen passen.",
           "{} checkpoints were checked: their signatures, and whether they fit the entries."}},
    Count{"frames",
          {"1 verschlüsselter Inhalt wurde gelesen und seine Prüfsumme mit der versiegelten verglichen.",
           "1 encrypted content was read, and its hash compared with the sealed one."},
          {"{} verschlüsselte Inhalte wurden gelesen und ihre Prüfsummen mit den versiegelten verglichen.",
           "{} encrypted contents were read, and their hashes compared with the sealed ones."}},
    Count{
        "blobs",
        {"1 davon ist ein großer Anhang mit eigener Datei.", "1 of them is a large attachment with a file of its own."},
        {"{} davon sind große Anhänge mit eigenen Dateien.",
         "{} of them are large attachments with files of their own."}},
    Count{"bytes",
          {"Zusammen war das 1 Byte.", "Together that was 1 byte."},
          {"Zusammen waren das {} Byte.", "Together these were {} bytes."}},
    Count{"erasures",
          {"1 Löschung wurde nachvollzogen: was sie vernichtet hat und wie weit sie ist.",
           "1 erasure was followed: what it destroyed, and how far it has come."},
          {"{} Löschungen wurden nachvollzogen: was sie vernichtet haben und wie weit sie sind.",
           "{} erasures were followed: what they destroyed, and how far they have come."}},
    Count{"ciphertexts_removed",
          {"1 verschlüsselter Inhalt ist entfernt; die Kette erlaubt es.",
           "1 encrypted content was removed; the ledger allows it."},
          {"{} verschlüsselte Inhalte sind entfernt; die Kette erlaubt es.",
           "{} encrypted contents were removed; the ledger allows it."}},
    Count{"opened",
          {"1 Inhalt wurde geöffnet und mit dem verglichen, was versiegelt wurde.",
           "1 content was opened and compared with what was sealed."},
          {"{} Inhalte wurden geöffnet und mit dem verglichen, was versiegelt wurde.",
           "{} contents were opened and compared with what was sealed."}},
    Count{"tiles",
          {"1 gespeicherte Datei des Hashbaums wurde mit der Berechnung verglichen.",
           "1 stored file of the hash tree was compared with the computation."},
          {"{} gespeicherte Dateien des Hashbaums wurden mit der Berechnung verglichen.",
           "{} stored files of the hash tree were compared with the computation."}},
    Count{"anchors",
          {"1 Zeitstempel hielt der Prüfung stand: seine Unterschrift, und was er stempelt.",
           "1 time stamp held: its signature, and what it stamps."},
          {"{} Zeitstempel hielten der Prüfung stand: ihre Unterschriften, und was sie stempeln.",
           "{} time stamps held: their signatures, and what they stamp."}},
    Count{"renewals",
          {"1 Erneuerung von Zeitstempeln wurde neu berechnet.", "1 renewal of time stamps was computed anew."},
          {"{} Erneuerungen von Zeitstempeln wurden neu berechnet.", "{} renewals of time stamps were computed anew."}},
    Count{"evidence_records",
          {"1 Evidence Record (RFC 4998) wurde geprüft.", "1 evidence record (RFC 4998) was checked."},
          {"{} Evidence Records (RFC 4998) wurden geprüft.", "{} evidence records (RFC 4998) were checked."}},
    Count{"cosignatures",
          {"1 Unterschrift eines Zeugen wurde geprüft.", "1 witness's signature was checked."},
          {"{} Unterschriften von Zeugen wurden geprüft.", "{} witnesses' signatures were checked."}},
    Count{"rotations",
          {"1 Wechsel des Prüfpunktschlüssels wurde nachvollzogen.", "1 rotation of the checkpoint key was followed."},
          {"{} Wechsel des Prüfpunktschlüssels wurden nachvollzogen.",
           "{} rotations of the checkpoint key were followed."}},
    Count{"continuations",
          {"1 Fortsetzung der Kette unter neuem Namen wurde nachvollzogen.",
           "1 continuation of the ledger under a new name was followed."},
          {"{} Fortsetzungen der Kette unter neuem Namen wurden nachvollzogen.",
           "{} continuations of the ledger under new names were followed."}},
    Count{"boxes",
          {"1 versiegelter Schlüssel wurde mit dem verglichen, den die Kette nennt.",
           "1 sealed key was compared with the one that the ledger names."},
          {"{} versiegelte Schlüssel wurden mit denen verglichen, die die Kette nennt.",
           "{} sealed keys were compared with the ones that the ledger names."}},
    Count{"catalogs",
          {"Das Verzeichnis catalog.db wurde mit der Kette verglichen.",
           "The table catalog.db was compared with the ledger."},
          {"{} Verzeichnisse wurden mit der Kette verglichen.", "{} tables were compared with the ledger."}},
    Count{"problems_left_out",
          {"1 weiterer Befund ist nicht einzeln aufgeführt.", "1 further finding is not listed."},
          {"{} weitere Befunde sind nicht einzeln aufgeführt.", "{} further findings are not listed."}},
};

std::string_view area(std::string_view code) {  // before the dot
    return code.substr(0, code.find('.'));
}

}  // namespace

std::string_view explain(std::string_view code, std::string_view language) {
    const auto found = kCodes.find(code);
    if (found != kCodes.end()) return found->second.in(language == "de");
    return language == "de" ? "Hier stimmt etwas nicht." : "Something is not right here.";
}

std::string_view next_step(std::string_view code, std::string_view language) {
    auto found = kNextSteps.find(code);
    if (found == kNextSteps.end()) found = kNextSteps.find(area(code));
    if (found != kNextSteps.end()) return found->second.in(language == "de");
    return language == "de" ? "Nichts löschen, nichts reparieren, und die Fachstelle für das Archiv verständigen."
                            : "Delete nothing, repair nothing, and inform those who run the archive.";
}

std::vector<std::string_view> all_problem_codes() {
    std::vector<std::string_view> codes;
    for (const auto& [code, words] : kCodes) codes.push_back(code);
    return codes;
}

std::string fill(std::string_view sentence, const std::vector<std::string>& values) {
    std::string out;
    std::size_t used = 0;
    for (std::size_t at = 0; at < sentence.size();) {
        if (sentence.substr(at, 2) == "{}" && used < values.size()) {
            out += values[used++];
            at += 2;
        } else {
            out += sentence[at++];
        }
    }
    return out;
}

std::vector<std::string> counted(const std::map<std::string, std::uint64_t>& counts, std::string_view language) {
    const bool de = language == "de";
    std::vector<std::string> out;
    std::size_t known = 0;
    for (const Count& c : kCounts) {
        const auto found = counts.find(std::string(c.key));
        if (found == counts.end()) continue;
        ++known;
        if (found->second == 0) continue;
        out.push_back(fill((found->second == 1 ? c.one : c.more).in(de), {written_number(found->second, language)}));
    }
    if (known == counts.size()) return out;
    for (const auto& [key, count] : counts) {  // of a version to come
        if (std::none_of(kCounts.begin(), kCounts.end(), [&, name = key](const Count& c) { return c.key == name; }))
            out.push_back(harmless(key, 60) + ": " + written_number(count, language) + ".");
    }
    return out;
}

std::vector<std::string_view> all_count_keys() {
    std::vector<std::string_view> keys;
    for (const Count& c : kCounts) keys.push_back(c.key);
    return keys;
}

}  // namespace kustos::audit
