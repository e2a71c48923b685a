#include <algorithm>

#include "export/src/blocks.h"
#include "export/src/pages.h"
#include "export/src/pdf_file.h"
#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

class ProofPages {
public:
    ProofPages(Canvas& canvas, const Parts& parts)
        : canvas_(canvas), parts_(parts), say_(parts.say), in_(parts.input) {}

    void draw() {
        proven();
        time();
        not_proven();
        how_to_check();
        numbers();
    }

private:
    void proven() {
        heading(canvas_, say_("Was bewiesen ist", "What is proven"));
        const std::string n =
            say_.count(parts_.transcript.records.size(), "Aufzeichnung", "Aufzeichnungen", "record", "records");
        bullet(canvas_,
               say_.german()
                   ? "Unverändert seit der Versiegelung: Für jede der " + n +
                         " enthält der Beweiscontainer das Original und eine Rechnung, die zeigt, dass genau dieser "
                         "Inhalt an der am Rand gedruckten Nummer in der Kette des Archivs steht."
                   : "Unchanged since sealing: for each of the " + n +
                         " the evidence container holds the original and a calculation which shows that exactly this "
                         "content stands in the archive's chain at the number printed in the margin.");
        if (const std::uint64_t without = parts_.transcript.without_original; without > 0)
            bullet(canvas_,
                   say_.german()
                       ? "Ausnahme: Von " + say_.number(without) +
                             " davon ist das Original nicht enthalten, weil Teile offengelegt sind und andere nicht. "
                             "Bewiesen sind dort die offengelegten Teile."
                       : "Exception: of " + say_.number(without) +
                             " of them the original is not contained, because parts are disclosed and others are not. "
                             "There, the disclosed parts are proven.",
                   "!");
        const std::string size = say_.number(in_.proof.checkpoint_size.value);
        bullet(canvas_,
               say_.german()
                   ? "Eine Kette, in der nichts ausgetauscht werden kann: Der unterschriebene Prüfpunkt über " + size +
                         " Einträge legt jeden einzelnen fest. Wer später einen Eintrag ändert, entfernt oder "
                         "einschiebt, erhält einen anderen Prüfpunkt."
                   : "A chain in which nothing can be exchanged: the signed checkpoint over " + size +
                         " entries fixes every single one. Whoever changes, removes or inserts an entry later gets a "
                         "different checkpoint.");
        bullet(canvas_,
               say_("Dieses Paket ist vollständig und unverändert: Die ganze Datei, auch jede gedruckte Seite, steht "
                    "unter einer elektronischen Signatur des Archivs. Ein geändertes Zeichen fällt auf.",
                    "This bundle is complete and unchanged: the whole file, every page included, is covered by an "
                    "electronic signature of the archive. One changed character is noticed."));
    }

    void time() {
        heading(canvas_, say_("Seit wann die Aufzeichnungen bestehen", "Since when the records have existed"));
        if (in_.proof.anchors.empty()) {
            bullet(canvas_,
                   say_("Kein Zeitstempel bestätigt diesen Prüfpunkt. Die Zeiten der Versiegelung sind die Uhr des "
                        "Archivs.",
                        "No time stamp confirms this checkpoint. The times of sealing are the archive's own clock."));
            return;
        }
        std::uint64_t covered = 0;
        for (const AnchorFacts& anchor : in_.proof.anchors) {
            anchor_line(anchor);
            covered = std::max(covered, anchor.covers.value);
        }
        if (covered < in_.proof.checkpoint_size.value && covered <= parts_.transcript.last_entry.value && covered > 0)
            bullet(canvas_,
                   say_.german()
                       ? "Einträge ab Nr. " + say_.number(covered) + " deckt noch kein Zeitstempel."
                       : "Entries from no. " + say_.number(covered) + " on are not covered by a time stamp yet.",
                   "!");
    }

    void anchor_line(const AnchorFacts& anchor) {
        const std::string when = parts_.zone.local(anchor.gen_time).stamp();
        const std::string who = isolated(anchor.authority, 160);
        const std::string size = say_.number(anchor.covers.value);
        if (anchor.builtin) {
            bullet(canvas_,
                   say_.german() ? "Bisher nur durch den archiveigenen Dienst " + who + ", " + when + ", für " + size +
                                       " Einträge. Er ist nicht unabhängig, sondern nur das Wort des Archivs selbst."
                                 : "Only by the archive's own service " + who + " so far, " + when + ", for " + size +
                                       " entries. It is not independent; it is the archive's own word only.",
                   "!");
        } else {
            bullet(
                canvas_,
                say_.german()
                    ? "Bestehen bewiesen am " + when + ", durch " + who + ", für " + size +
                          " Einträge, wenn Sie diesem Dienst vertrauen. Ob er ein qualifizierter ist, sagt die "
                          "Vertrauensliste der EU, nicht dieses Paket."
                    : "Existence proven at " + when + ", by " + who + ", for " + size +
                          " entries, if you trust that service. Whether it is a qualified one is said by the trusted "
                          "list of the EU, not by this bundle.");
        }
    }

    void not_proven() {
        heading(canvas_, say_("Was nicht bewiesen ist", "What is not proven"));
        bullet(
            canvas_,
            say_(
                "Wessen Archiv das ist. Auch ein Fälscher kann ein eigenes Archiv anlegen und dessen Paket ist in sich "
                "stimmig. Ohne weitere Angabe meldet das Prüfprogramm deshalb „Herkunft nicht festgestellt“. Erst der "
                "Vergleich des Fingerabdrucks mit dem veröffentlichten verbindet das Paket mit der Behörde.",
                "Whose archive this is. A forger, too, can set up an archive, and its bundle is consistent in itself. "
                "So without further information the verifier reports \"origin not established\". Only comparing the "
                "fingerprint with the published one ties the bundle to the authority."),
            "–");
        const bool independent = std::any_of(in_.proof.anchors.begin(), in_.proof.anchors.end(),
                                             [](const AnchorFacts& a) { return !a.builtin; });
        if (!independent)
            bullet(canvas_,
                   say_("Die Zeit. Kein unabhängiger Dienst bestätigt sie.",
                        "The time. No independent service confirms it."),
                   "–");
        bullet(canvas_,
               say_("Dass stimmt, was jemand schrieb, und dass er es selbst war. Absender und Sendezeit sind Angaben "
                    "der Quelle; "
                    "bewiesen ist, dass das Archiv sie so empfangen hat.",
                    "That what somebody wrote is true, or that it was them. Sender and sent time are the source's "
                    "statements; "
                    "proven is that the archive received them so."),
               "–");
        bullet(canvas_,
               say_("Was nie im Archiv ankam, und was die Suchanfrage nicht traf.",
                    "What never reached the archive, and what the query did not match."),
               "–");
        if (!in_.query.empty()) unsearched();
        bullet(canvas_,
               say_("Die gedruckte Darstellung ist eine Lesehilfe. Gestalt, Zeitzone und Reihenfolge hat das Archiv "
                    "gewählt; "
                    "maßgeblich sind die Originale im Beweiscontainer.",
                    "The printed pages are a reading aid. Layout, time zone and order are the archive's choice; what "
                    "counts "
                    "are the originals in the evidence container."),
               "–");
        for (const std::string& sentence : in_.proof.not_proven) bullet(canvas_, frame_text(sentence, 600), "–");
    }

    // Of the query's own scope where that is known, else of the archive.
    void unsearched() {
        const Coverage& c = in_.coverage;
        const bool known = in_.unsearched.has_value();
        const std::uint64_t n = known ? *in_.unsearched : c.partial + c.opaque + c.deferred + c.failed;
        if (n == 0) return;
        const std::string count = say_.count(n, "Aufzeichnung", "Aufzeichnungen", "record", "records");
        std::string words;
        if (known) {
            words = say_("Nicht oder nicht ganz durchsuchbar, obwohl die Suchanfrage zutreffen kann: ",
                         "Not searchable, or not completely, although the query may match: ") +
                    count;
        } else {
            words = say_("Nicht oder nicht ganz durchsuchbar im ganzen Archiv: ",
                         "Not searchable, or not completely, in the whole archive: ") +
                    count;
        }
        bullet(canvas_,
               words + say_(" (Abdeckung auf Seite 1). Dort kann es weitere Treffer geben.",
                            " (coverage on page 1). There may be further hits among them."),
               "–");
    }

    void how_to_check() {
        heading(canvas_, say_("So prüfen Sie", "How to check"));
        bullet(canvas_,
               say_("Mit dem Programm, offline, ohne Zugang zum Archiv:",
                    "With the program, offline, without access to the archive:"),
               "1");
        command("kustos-verify " + std::string(say_("paket.pdf", "bundle.pdf")));
        bullet(canvas_,
               say_("Mit der Herkunft: dieselbe Prüfung mit der Vertrauensdatei, die Sie von der Behörde auf einem "
                    "anderen Weg "
                    "erhalten haben. Eine Vertrauensdatei aus dem Paket selbst zählt nicht.",
                    "With the origin: the same check with the trust file that you received from the authority by "
                    "another way. A "
                    "trust file from the bundle itself does not count."),
               "2");
        command("kustos-verify " +
                std::string(say_("paket.pdf --trust behoerde.trust", "bundle.pdf --trust authority.trust")));
        bullet(
            canvas_,
            say_("Von Hand: Die Signatur zeigt jedes gute PDF-Programm. Der Beweiscontainer ist der Anhang "
                 "evidence.zip; darin "
                 "stehen die Originale, manifest.json nennt ihre SHA-256-Summen, und das Format ist offen beschrieben "
                 "(docs/format/bundle.md). Jeder Sachverständige kann ein eigenes Prüfprogramm schreiben.",
                 "By hand: every good PDF program shows the signature. The evidence container is the attachment "
                 "evidence.zip; it "
                 "holds the originals, manifest.json names their SHA-256 sums, and the format is openly described "
                 "(docs/format/bundle.md). Any expert can write a verifier of their own."),
            "3", 34);
        command(say_("pdfsig paket.pdf;  pdfdetach -saveall paket.pdf;  unzip evidence.zip;  sha256sum originals/*",
                     "pdfsig bundle.pdf;  pdfdetach -saveall bundle.pdf;  unzip evidence.zip;  sha256sum originals/*"));
    }

    void command(const std::string& line) {
        const Text text = canvas_.text(line, {8.5, false, false, true, kInk}, {page::kTextWidth - 34});
        canvas_.need(text.height() + 6);
        const Bar bar{page::kLeft + 18, 2, kPale};
        canvas_.flow(text, page::kLeft + 28, bar);
        canvas_.gap(6);
    }

    void numbers() {
        heading(canvas_, say_("Zum Vergleichen", "To compare"));
        const Style mono{8.5, false, false, true, kInk};
        const ProofFacts& p = in_.proof;
        name_value(canvas_, say_("Fingerabdruck", "Fingerprint"), fingerprint_text(p.fingerprint, 4),
                   {8.5, true, false, true, kInk}, 4);
        name_value(canvas_, say_("Name der Kette", "Name of the chain"), frame_text(p.origin, 300), mono, 3);
        if (!p.verifier_key.empty())
            name_value(canvas_, say_("Prüfschlüssel", "Verifier key"), frame_text(p.verifier_key, 400), mono, 4);
        name_value(canvas_, say_("Prüfpunkt", "Checkpoint"),
                   say_.count(p.checkpoint_size.value, "Eintrag", "Einträge", "entry", "entries"), {8.5}, 1);
        name_value(canvas_, say_("Wurzel", "Root"), grouped(p.checkpoint_root.hex(), 8, 4), mono, 4);
        name_value(canvas_, say_("Erstellt mit", "Made with"), frame_text(in_.tool, 120), {8.5}, 1);
    }

    Canvas& canvas_;
    const Parts& parts_;
    const Wording& say_;
    const BundleInput& in_;
};

}  // namespace

void proof_pages(Canvas& canvas, const Parts& parts) {
    canvas.set_continuation({});
    const char* title = parts.say("Was bewiesen ist", "What is proven");
    chapter(canvas,
            parts.say("Was bewiesen ist, was nicht,\nund wie man es prüft",
                      "What is proven, what is not,\nand how to check it"),
            title, "");
    parts.found.proof = canvas.page();
    canvas.bookmark(0, title);
    ProofPages(canvas, parts).draw();
}

}  // namespace kustos::exporting
