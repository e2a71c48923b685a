// Remarks and the details of problems in two languages. The English forms are what verifiers write; the German ones are
// found by them, so that a verifier writes each sentence once.
#include <algorithm>
#include <array>

#include "audit/report_text.h"
#include "audit/src/report_words.h"

namespace kustos::audit {

namespace {

struct RemarkWords {
    RemarkCode code;
    const char* name;
    std::string_view english, german;
    std::string_view english_one = {}, german_one = {};  // where the last value is 1
};

constexpr std::array kRemarks = {
    RemarkWords{RemarkCode::not_decrypted, "not_decrypted",
                "that plaintext matches the commitments: nothing was decrypted",
                "ob der Klartext zu den Festlegungen passt: Es wurde nichts entschlüsselt"},
    RemarkWords{RemarkCode::pages, "pages",
                "that the pages show what the records say: where it matters, compare with originals/ and records/ of "
                "the evidence container",
                "ob die Seiten zeigen, was in den Aufzeichnungen steht: wo es darauf ankommt, mit originals/ und "
                "records/ im Beweismaterial vergleichen"},
    RemarkWords{RemarkCode::coverage, "coverage",
                "that these are all records the query finds: coverage and total are the archive's own statement",
                "ob das alle Aufzeichnungen sind, die zur Suche passen: Abdeckung und Gesamtzahl sind die eigene "
                "Aussage des Archivs"},
    RemarkWords{RemarkCode::untied_attachment, "untied_attachment",
                "whether an attachment belongs to its record: no disclosed field names its hash",
                "ob ein Anhang zu seiner Aufzeichnung gehört: Kein offengelegtes Feld nennt seine Prüfsumme"},
    RemarkWords{RemarkCode::authority_unknown, "authority_unknown",
                "whether the time-stamping authority is independent: no `tsa` line of a trust file names it",
                "ob die Zeitstempelstelle unabhängig ist: Keine `tsa`-Zeile einer Vertrauensdatei nennt sie"},
    RemarkWords{RemarkCode::trust_unsigned, "trust_unsigned", "who signed the trust file: no --trust-key was given",
                "wer die Vertrauensdatei unterschrieben hat: Es war kein --trust-key angegeben"},
    RemarkWords{RemarkCode::keys_absent, "keys_absent", "sealed keys: keys/ is not here",
                "versiegelte Schlüssel: keys/ liegt nicht vor"},
    RemarkWords{RemarkCode::newer_files, "newer_files",
                "files newer than the checkpoint: a program wrote while the archive was checked",
                "Dateien, die neuer sind als der Prüfpunkt: Während der Prüfung schrieb ein Programm"},
    RemarkWords{RemarkCode::entry_to_come, "entry_to_come", "{}: the entry that names it is still to come",
                "{}: Der Eintrag, der das nennt, kommt noch"},
    RemarkWords{RemarkCode::leftover, "leftover", "{}: left behind by an interrupted write",
                "{}: Rest eines unterbrochenen Schreibvorgangs"},
    RemarkWords{RemarkCode::interrupted_store, "interrupted_store", "{}: an interrupted store, without note or token",
                "{}: ein unterbrochenes Ablegen, ohne Prüfpunkt oder Stempel"},
    RemarkWords{
        RemarkCode::entries_lost, "entries_lost",
        "what the ledger before held beyond entry {}: {} entries or more are lost, and the archive says so",
        "was die Kette davor ab Eintrag {} enthielt: {} Einträge oder mehr sind verloren, und das Archiv sagt es",
        "what the ledger before held beyond entry {}: {} entry or more is lost, and the archive says so",
        "was die Kette davor ab Eintrag {} enthielt: {} Eintrag oder mehr ist verloren, und das Archiv sagt es"},
    RemarkWords{RemarkCode::continued, "continued",
                "what the ledger before held beyond entry {}: it was continued there under a new name",
                "was die Kette davor ab Eintrag {} enthielt: Sie wurde dort unter neuem Namen fortgesetzt"},
    RemarkWords{RemarkCode::unwitnessed, "unwitnessed", "whether witnesses have seen the last {} entries",
                "ob Zeugen die letzten {} Einträge gesehen haben", "whether witnesses have seen the last {} entry",
                "ob Zeugen den letzten Eintrag ({}) gesehen haben"},
    RemarkWords{
        RemarkCode::verified_before, "verified_before",
        "the first {} entries, their ciphertexts and time stamps: they were verified before, and only their root "
        "was compared now",
        "die ersten {} Einträge, ihre Geheimtexte und Zeitstempel: Sie wurden früher geprüft, und jetzt wurde nur "
        "ihre Wurzel verglichen"},
    RemarkWords{RemarkCode::state_set_aside, "state_set_aside",
                "only what is new: the verification before was with another trust file, so everything was looked at",
                "nur das Neue: Die frühere Prüfung geschah mit anderer Vertrauensdatei; deshalb wurde alles geprüft"},
    RemarkWords{RemarkCode::older_span, "older_span", "{}: a time stamp over entries that were verified before",
                "{}: ein Zeitstempel über Einträge, die früher geprüft wurden"},
    RemarkWords{RemarkCode::later_token, "later_token",
                "a time stamp over the first {} entries, which came after they were verified",
                "ein Zeitstempel über die ersten {} Einträge, der erst nach ihrer Prüfung kam"},
    RemarkWords{RemarkCode::interrupted, "interrupted", "what comes after the first {} entries: it was interrupted",
                "was nach den ersten {} Einträgen kommt: Die Prüfung wurde unterbrochen"},
    RemarkWords{
        RemarkCode::announced_only, "announced_only",
        "the key that entry {} announces: the ledger goes on under the one before, so the rotation was interrupted, "
        "or somebody with the old key has taken it away",
        "der Schlüssel, den Eintrag {} ankündigt: Die Kette geht unter dem vorigen weiter; der Wechsel wurde "
        "unterbrochen, oder jemand mit dem alten Schlüssel hat ihn beseitigt"},
    RemarkWords{RemarkCode::only_drawn, "only_drawn",
                "everything but the drawn entries: no tile, time stamp, sequence or file was looked at beyond them",
                "alles außer den gezogenen Einträgen: Darüber hinaus wurden keine Kachel, kein Zeitstempel, keine "
                "Nummerierung und keine Datei geprüft"},
    RemarkWords{RemarkCode::nothing_drawn, "nothing_drawn",
                "content: none of the drawn entries has any that can be opened",
                "Inhalte: Keiner der gezogenen Einträge hat einen, der sich öffnen lässt"},
    RemarkWords{RemarkCode::erasure_begun, "erasure_begun",
                "whether what the erasure that begins at entry {} destroys is gone: it is not finished, and will be at "
                "the archive's next start",
                "ob vernichtet ist, was die Löschung ab Eintrag {} vernichtet: Sie ist nicht abgeschlossen; der "
                "nächste Start des Archivs schließt sie ab"},
    RemarkWords{RemarkCode::report_content, "report_content",
                "that what the report says is right: whoever needs to know verifies the archive itself",
                "dass stimmt, was der Bericht sagt: Wer das wissen muss, prüft das Archiv selbst"},
};

const RemarkWords* words_of(RemarkCode code) {
    const auto found =
        std::find_if(kRemarks.begin(), kRemarks.end(), [code](const RemarkWords& w) { return w.code == code; });
    return found == kRemarks.end() ? nullptr : &*found;
}

// Details of problems: English as the verifiers write them, German. The first that fits serves.
struct Detail {
    std::string_view english, german;
};
constexpr std::array kDetails = {
    // archives
    Detail{"the file is missing", "die Datei fehlt"},
    Detail{"entry 0 does not introduce an archive", "Eintrag 0 stellt kein Archiv vor"},
    Detail{"origin, key and vault id do not belong together",
           "Herkunftsname, Schlüssel und Kennung gehören nicht zusammen"},
    Detail{"the ledger does not announce these keys", "die Kette kündigt diese Schlüssel nicht an"},
    Detail{"claims more entries than the ledger has", "behauptet mehr Einträge, als die Kette hat"},
    Detail{"states another size than its name", "nennt eine andere Größe als der Dateiname"},
    Detail{"is not the published checkpoint", "ist nicht der veröffentlichte Prüfpunkt"},
    Detail{"is no anchor's folder", "ist kein Ordner eines Zeitstempels"},
    Detail{"stamps more entries than the ledger has", "stempelt mehr Einträge, als die Kette hat"},
    Detail{"nothing refers to it", "nichts verweist darauf"},
    Detail{"is another one than an earlier verification saw", "ist eine andere, als eine frühere Prüfung sah"},
    Detail{"the first {} entries are not those that an earlier verification saw",
           "die ersten {} Einträge sind nicht die, die eine frühere Prüfung gesehen hat"},
    Detail{"does not stand in the tree that the checkpoint states", "steht nicht in dem Baum, den der Prüfpunkt nennt"},
    Detail{"is not well-formed", "ist nicht wohlgeformt"},
    Detail{"overlaps too many others", "überschneidet sich mit zu vielen anderen"},
    Detail{"ends in the middle of an entry", "endet mitten in einem Eintrag"},
    Detail{"has bytes after its last entry", "enthält Bytes nach dem letzten Eintrag"},
    Detail{"names a source that no earlier entry introduced", "nennt eine Quelle, die kein früherer Eintrag vorstellt"},
    Detail{"has number {} of its source, {} is due", "hat die Nummer {} seiner Quelle, an der Reihe ist {}"},
    Detail{"states a root that the entries do not lead to", "nennt eine Wurzel, zu der die Einträge nicht führen"},
    Detail{"does not hold the hashes of its entries", "enthält nicht die Prüfsummen ihrer Einträge"},
    Detail{"there is no segment that holds its frame", "kein Segment enthält den zugehörigen Inhalt"},
    Detail{"ends before the frame", "endet vor dem Inhalt"},
    Detail{"the frame has another length than its entry says",
           "der Inhalt hat eine andere Länge, als der Eintrag nennt"},
    Detail{"ends in the middle of the ciphertext", "endet mitten im Geheimtext"},
    Detail{"the ciphertext is not the one that was sealed", "der Geheimtext ist nicht der versiegelte"},
    Detail{"the ciphertext is gone and no entry allows it", "der Geheimtext fehlt, und kein Eintrag erlaubt das"},
    Detail{"an entry says that this ciphertext was removed, but it is there",
           "ein Eintrag sagt, dieser Geheimtext sei entfernt, aber er ist da"},
    Detail{"the key of an older generation is still here", "der Schlüssel einer früheren Generation ist noch da"},
    Detail{"uses a key that an earlier entry says was destroyed",
           "benutzt einen Schlüssel, der nach einem früheren Eintrag vernichtet ist"},
    Detail{"does not say what it destroys", "sagt nicht, was vernichtet wird"},
    Detail{"begins an erasure that is done", "beginnt eine Löschung, die abgeschlossen ist"},
    Detail{"is a part of an erasure that is missing, doubled or out of order",
           "ist ein Teil einer Löschung, der fehlt, doppelt ist oder nicht an der Reihe"},
    Detail{"names leaves that its entries do not have", "nennt Blätter, die seine Einträge nicht haben"},
    Detail{"ends an erasure that never began", "beendet eine Löschung, die nie begann"},
    Detail{"ends an erasure twice", "beendet eine Löschung zum zweiten Mal"},
    Detail{"ends an erasure of which a part is missing", "beendet eine Löschung, von der ein Teil fehlt"},
    Detail{"does not say what was done", "sagt nicht, was getan wurde"},
    Detail{"names a generation of keys that was not opened",
           "nennt eine Generation von Schlüsseln, die nicht eröffnet wurde"},
    Detail{"counts other records than its leaves have", "zählt andere Aufzeichnungen, als seine Blätter haben"},
    Detail{"counts more than was destroyed", "zählt mehr, als vernichtet wurde"},
    Detail{"speaks of more entries than there were", "spricht von mehr Einträgen, als es gab"},
    Detail{"has bytes after its last frame", "enthält Bytes nach dem letzten Inhalt"},
    Detail{
        "has bytes after its last frame; an interrupted write leaves such, and the next start of the archive removes "
        "them",
        "enthält Bytes nach dem letzten Inhalt; ein unterbrochener Schreibvorgang hinterlässt solche, und der nächste "
        "Start des Archivs entfernt sie"},
    Detail{"no entry has its frame there", "kein Eintrag hat seinen Inhalt dort"},
    Detail{"names a published checkpoint that is missing or another one",
           "nennt einen veröffentlichten Prüfpunkt, der fehlt oder ein anderer ist"},
    Detail{"names no token", "nennt keinen Stempel"},
    Detail{"names the anchor of a published checkpoint that is missing or another one",
           "nennt den Zeitstempel eines veröffentlichten Prüfpunkts, der fehlt oder ein anderer ist"},
    Detail{"names no renewal", "nennt keine Erneuerung"},
    Detail{"names no key", "nennt keinen Schlüssel"},
    Detail{"continues the ledger under a key that is not known",
           "setzt die Kette unter einem Schlüssel fort, der nicht bekannt ist"},
    Detail{"goes on from another ledger than the entries before",
           "setzt eine andere Kette fort als die der Einträge davor"},
    Detail{"names no sealed box", "nennt keinen versiegelten Schlüssel"},
    Detail{"is missing or not the one that its entry names", "fehlt oder ist nicht, was der Eintrag nennt"},
    Detail{"is missing or not the one that {} names", "fehlt oder ist nicht der, den {} nennt"},
    Detail{"a token that an entry names is not there", "ein Stempel, den ein Eintrag nennt, ist nicht da"},
    Detail{"no entry names it", "kein Eintrag nennt ihn"},
    Detail{"is not the authority, or not the span, that its entry names",
           "ist nicht die Stelle oder nicht die Spanne, die der Eintrag nennt"},
    Detail{"is not the token that its entry names", "ist nicht der Stempel, den der Eintrag nennt"},
    Detail{"is not the one that its entry names", "ist nicht die, die der Eintrag nennt"},
    Detail{"has other tokens than its entries name", "hat andere Stempel, als die Einträge nennen"},
    Detail{"an entry names it, but it is missing", "ein Eintrag nennt sie, aber sie fehlt"},
    Detail{"no checkpoint has the cosignatures that the trust file asks for",
           "kein Prüfpunkt hat die Unterschriften von Zeugen, die die Vertrauensdatei verlangt"},
    Detail{"the trust file names another ledger than this one",
           "die Vertrauensdatei nennt eine andere Kette als diese"},
    Detail{"belongs to no ledger of this size", "gehört zu keiner Kette dieser Größe"},
    Detail{"does not say what the ledger says", "sagt nicht, was die Kette sagt"},
    // bundles
    Detail{"is missing in the evidence container", "fehlt im Beweismaterial"},
    Detail{"the entry that introduces the archive is missing or another one",
           "der Eintrag, der das Archiv vorstellt, fehlt oder ist ein anderer"},
    Detail{"the signer's certificate is not one that the ledger names",
           "das Zertifikat des Unterzeichners ist keines, das die Kette nennt"},
    Detail{"is listed twice", "ist doppelt aufgeführt"},
    Detail{"belongs to no record", "gehört zu keiner Aufzeichnung"},
    Detail{"is no evidence record", "ist kein Evidence Record"},
    Detail{"does not prove the entry: {}", "beweist den Eintrag nicht: {}"},
    Detail{"is missing, listed twice, or not the file that the manifest lists",
           "fehlt, ist doppelt aufgeführt oder nicht die Datei, die das Inhaltsverzeichnis nennt"},
    Detail{"is not in the manifest", "steht nicht im Inhaltsverzeichnis"},
    Detail{"vault id, origin and key do not belong together",
           "Kennung, Herkunftsname und Schlüssel gehören nicht zusammen"},
    Detail{"the counts do not add up", "die Zahlen ergeben nicht ihre Summe"},
    Detail{"has another name than its index asks for", "heißt anders, als seine Nummer verlangt"},
    Detail{"the entry is not proven to stand in the ledger", "dass der Eintrag in der Kette steht, ist nicht bewiesen"},
    Detail{"the checkpoint does not lead to what the time stamp imprints",
           "der Prüfpunkt führt nicht zu dem, was der Zeitstempel stempelt"},
    Detail{"accounts for {} of {} fields", "weist {} von {} Feldern nach"},
    Detail{"the commitments are not the ones that were sealed", "die Festlegungen sind nicht die versiegelten"},
    Detail{"field {} is not what was sealed", "Feld {} ist nicht das versiegelte"},
    Detail{"a value points to bytes that are not there, or not in order",
           "ein Wert verweist auf Bytes, die fehlen oder nicht der Reihe nach stehen"},
    Detail{"is no record", "ist keine Aufzeichnung"},
    Detail{"type and time of receipt must be disclosed", "Art und Empfangszeit müssen offengelegt sein"},
    Detail{"the source is withheld though nothing is redacted", "das Original fehlt, obwohl nichts geschwärzt ist"},
    Detail{"has redacted fields, but the original shows everything",
           "hat geschwärzte Felder, aber das Original zeigt alles"},
    Detail{"the original is missing, or another record's",
           "das Original fehlt oder gehört zu einer anderen Aufzeichnung"},
    Detail{"is not the source that was sealed", "ist nicht das versiegelte Original"},
    Detail{"is no blob", "ist kein großer Anhang"},
    Detail{"holds bytes that no field proves", "enthält Bytes, die kein Feld beweist"},
    Detail{"has no place in this format", "hat in diesem Format keinen Platz"},
    Detail{"the trust file names another ledger than this bundle's",
           "die Vertrauensdatei nennt eine andere Kette als die dieses Beweispakets"},
    Detail{"the entry does not name this report", "der Eintrag nennt diesen Bericht nicht"},
    Detail{"the ledger's entries do not say what this certificate says",
           "die Einträge der Kette sagen nicht, was diese Bescheinigung sagt"},
    Detail{"the trust file names another ledger than this report's",
           "die Vertrauensdatei nennt eine andere Kette als die dieses Berichts"},
    Detail{"is of another format", "hat ein anderes Format"},
    Detail{"is too large", "ist zu groß"},
    Detail{"lacks the cosignatures that the trust file asks for",
           "es fehlen die Unterschriften von Zeugen, die die Vertrauensdatei verlangt"},
    // what both read: files, signatures, tokens
    Detail{"not a PDF file", "keine PDF-Datei"},
    Detail{"too many objects", "zu viele Objekte"},
    Detail{"something that is neither object nor cross-reference table",
           "etwas, das weder Objekt noch Querverweistabelle ist"},
    Detail{"the file has no trailer", "die Datei hat kein Ende"},
    Detail{"the file is encrypted", "die Datei ist verschlüsselt"},
    Detail{"there are two evidence containers", "es gibt zweimal Beweismaterial"},
    Detail{"the evidence container is of another version", "das Beweismaterial hat eine andere Version"},
    Detail{"the evidence container is compressed", "das Beweismaterial ist komprimiert"},
    Detail{"there is no evidence container in this file", "in dieser Datei ist kein Beweismaterial"},
    Detail{"the evidence container is replaced by another object",
           "das Beweismaterial ist durch ein anderes Objekt ersetzt"},
    Detail{"the evidence container is not listed as an attached file",
           "das Beweismaterial ist nicht als Anhang aufgeführt"},
    Detail{"the file is not signed, or not as bundles are",
           "die Datei ist nicht unterschrieben, oder nicht so wie Beweispakete"},
    Detail{"the signature's range can't be read", "der Bereich der Unterschrift ist nicht lesbar"},
    Detail{"the signature does not cover the whole file", "die Unterschrift deckt nicht die ganze Datei"},
    Detail{"the place of the signature holds something else than the signature",
           "an der Stelle der Unterschrift steht etwas anderes als die Unterschrift"},
    Detail{"the signature is not over these bytes, or not in the one form that bundles have",
           "die Unterschrift gilt nicht für diese Bytes, oder sie hat nicht die Form, die Beweispakete haben"},
    Detail{"the signer's certificate can't be read", "das Zertifikat des Unterzeichners ist nicht lesbar"},
    Detail{"the signature does not fit the signer's certificate",
           "die Unterschrift passt nicht zum Zertifikat des Unterzeichners"},
    Detail{"a member's name is not a safe path", "der Name einer Datei ist kein sicherer Pfad"},
    Detail{"two members of one name", "zwei Dateien gleichen Namens"},
    Detail{"is not JSON", "ist kein JSON"},
    Detail{"not a CMS structure", "keine CMS-Struktur"},
    Detail{"not signed data", "keine unterschriebenen Daten"},
    Detail{"a cosignature has another length", "die Unterschrift eines Zeugen hat eine andere Länge"},
    Detail{"the cosignature of a known witness does not hold", "die Unterschrift eines bekannten Zeugen gilt nicht"},
    Detail{"the entry announces no key", "der Eintrag kündigt keinen Schlüssel an"},
    Detail{"the announced key does not fit the ledger", "der angekündigte Schlüssel passt nicht zur Kette"},
    Detail{"rotations are out of order", "Schlüsselwechsel stehen nicht in ihrer Reihenfolge"},
    Detail{"the entry continues no ledger", "der Eintrag setzt keine Kette fort"},
    Detail{"the continuation does not fit the ledger before", "die Fortsetzung passt nicht zur Kette davor"},
    Detail{"no key of this ledger signs checkpoints of this size",
           "kein Schlüssel dieser Kette unterschreibt Prüfpunkte dieser Größe"},
    Detail{"the token's content was changed: its signed digest differs",
           "der Inhalt des Stempels wurde verändert: seine unterschriebene Prüfsumme ist eine andere"},
    Detail{"the token's signature does not fit: the token was changed, or another key made it",
           "die Unterschrift des Stempels passt nicht: Er wurde verändert, oder ein anderer Schlüssel hat ihn gemacht"},
    Detail{"the token stamps a digest of another algorithm",
           "der Stempel gilt für eine Prüfsumme eines anderen Verfahrens"},
    Detail{"the token stamps something else: message imprint mismatch", "der Stempel gilt für etwas anderes"},
    Detail{"the signer's certificate is neither in the token nor given",
           "das Zertifikat des Unterzeichners liegt weder im Stempel noch sonst vor"},
    Detail{"the token names another signing certificate under its signature than the one that fits it",
           "der Stempel nennt unter seiner Unterschrift ein anderes Zertifikat als das passende"},
};

// What stands before the sentence is a place ("ledger/checkpoint: ...").
std::string german_detail(const std::string& text) {
    std::vector<std::string> values;
    for (const Detail& d : kDetails) {
        if (reads_as(text, d.english, values)) return fill(d.german, values);
    }
    const std::size_t colon = text.find(": ");
    if (colon != text.npos && colon + 2 < text.size()) {
        const std::string rest = text.substr(colon + 2);
        for (const Detail& d : kDetails) {
            if (reads_as(rest, d.english, values)) return text.substr(0, colon + 2) + fill(d.german, values);
        }
    }
    return "technische Angabe: „" + text + "“";
}

std::string german_place(std::string where) {
    const auto replace = [&](std::string_view from, std::string_view to) {
        for (std::size_t at = where.find(from); at != where.npos; at = where.find(from, at + to.size()))
            where.replace(at, from.size(), to);
    };
    if (where == "file") return "Datei";
    if (where == "archive") return "Archiv";
    if (where == "ledger") return "Kette";
    if (where.rfind("entry ", 0) == 0) where.replace(0, 6, "Eintrag ");
    replace("(entry ", "(Eintrag ");
    replace("(size ", "(Größe ");
    return where;
}

}  // namespace

bool reads_as(std::string_view text, std::string_view sentence, std::vector<std::string>& values) {
    values.clear();
    while (true) {
        const std::size_t gap = sentence.find("{}");
        if (gap == sentence.npos) return text == sentence;
        if (text.substr(0, gap) != sentence.substr(0, gap)) return false;
        text.remove_prefix(gap);
        sentence.remove_prefix(gap + 2);
        const std::string_view next = sentence.substr(0, sentence.find("{}"));
        // the last gap takes all but the sentence's end; others as little as possible
        const std::size_t end = next.size() == sentence.size()
                                    ? (text.size() >= next.size() ? text.size() - next.size() : text.npos)
                                    : text.find(next);
        if (end == text.npos) return false;
        values.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::string_view remark_name(RemarkCode code) {
    const RemarkWords* words = words_of(code);
    return words == nullptr ? "other" : words->name;
}

std::vector<RemarkCode> all_remark_codes() {
    std::vector<RemarkCode> codes;
    for (const RemarkWords& w : kRemarks) codes.push_back(w.code);
    return codes;
}

std::string remark_text(const Remark& remark, std::string_view language) {
    const bool de = language == "de";
    const RemarkWords* words = words_of(remark.code);
    if (words == nullptr) {
        const std::string text = remark.values.empty() ? std::string() : remark.values.front();
        return de ? "technische Angabe: „" + text + "“" : text;
    }
    const bool one = !words->english_one.empty() && !remark.values.empty() && remark.values.back() == "1";
    return fill(one ? (de ? words->german_one : words->english_one) : (de ? words->german : words->english),
                remark.values);
}

std::string problem_text(const Problem& problem, std::string_view language) {
    return language == "de" ? german_detail(problem.text) : problem.text;
}

std::string problem_place(const Problem& problem, std::string_view language) {
    return language == "de" ? german_place(problem.where) : problem.where;
}

void Report::remark(std::string_view sentence) {
    std::vector<std::string> values;
    for (const RemarkWords& w : kRemarks) {
        if (reads_as(sentence, w.english, values) ||
            (!w.english_one.empty() && reads_as(sentence, w.english_one, values))) {
            remark(w.code, std::move(values));
            return;
        }
    }
    remark(RemarkCode::other, {std::string(sentence)});
}

}  // namespace kustos::audit
