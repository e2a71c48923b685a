// The report's sections: sentences chosen by what was verified, how, and what came out.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "audit/report_text.h"
#include "audit/src/report_words.h"

namespace kustos::audit {

namespace {

constexpr std::string_view kErasure = "erasure:";            // what a certificate says: its state
constexpr std::string_view kCompleteness = "completeness:";  // likewise: its verdict
constexpr std::string_view kHits = "hits";                   // of a hit report

bool only_origin(const Report& r) {
    return !r.ok && std::all_of(r.problems.begin(), r.problems.end(),
                                [](const Problem& p) { return p.code == "origin.mismatch"; });
}

std::uint64_t count_of(const Report& r, const char* key) {
    const auto found = r.checked.find(key);
    return found == r.checked.end() ? 0 : found->second;
}

// How likely a sample of n would have met a damage of one in a hundred: "86.7".
std::string percent_found(std::uint64_t n, bool de) {
    const double missed = std::pow(0.99, static_cast<double>(std::min<std::uint64_t>(n, 100'000)));
    char text[16];
    std::snprintf(text, sizeof text, "%.1f", std::floor((1 - missed) * 1000) / 10);  // never rounded up to certainty
    std::string out = text;
    if (de) std::replace(out.begin(), out.end(), '.', ',');
    return out;
}

// "1 entry", "7 entries"; dative: "von 7 Einträgen".
std::string entries_of(std::uint64_t n, bool de, bool dative = false) {
    const std::string number = written_number(n, de ? "de" : "en");
    if (!de) return number + (n == 1 ? " entry" : " entries");
    return number + (n == 1 ? " Eintrag" : dative ? " Einträgen" : " Einträge");
}

class Sections {
public:
    Sections(const Report& report, std::string_view language)
        : r_(report), language_(language == "de" ? "de" : "en"), de_(language == "de") {}

    ReportText run() {
        text_.verdict = r_.headline(language_);
        checked();
        proven();
        not_proven();
        findings();
        if (!r_.ok) text_.advice = advice();
        erasures();
        time();
        return std::move(text_);
    }

private:
    const char* say(const char* de, const char* en) const { return de_ ? de : en; }
    std::string number(std::uint64_t n) const { return written_number(n, language_); }
    std::string entries(std::uint64_t n, bool dative = false) const { return entries_of(n, de_, dative); }
    bool bundle() const { return r_.subject == "bundle"; }
    bool signed_report() const { return r_.subject == "report"; }
    static void add(std::vector<std::string>& to, std::string sentence) { to.push_back(std::move(sentence)); }

    void checked() {
        auto& to = text_.checked;
        if (r_.mode == "sampled")
            add(to, fill(say("Eine Stichprobe von {} wurde gezogen, mit der Zufallsangabe {}.",
                             "A sample of {} was drawn, from the nonce {}."),
                         {entries(r_.sampled, true), harmless(r_.nonce, 130)}));
        if (r_.mode == "sampled" && r_.passed_over != 0)
            add(to, fill(say("{} davor gezogen und übergangen: Ihr Inhalt ist gelöscht, und die Kette verzeichnet es.",
                             "{} drawn before that and passed over: the content is erased, and the ledger says so."),
                         {entries(r_.passed_over)}));
        if (r_.mode == "since")
            add(to,
                fill(say("Geprüft wurde, was seit dem schon früher geprüften Prüfpunkt über {} dazugekommen ist, und "
                         "dass dieser ein Anfang des heutigen ist.",
                         "What came since the checkpoint over {}, which was verified earlier, was checked, and that "
                         "it is a beginning of today's."),
                     {entries(r_.since_size)}));
        for (std::string& s : counted(r_.checked, language_)) add(to, std::move(s));
        if (to.empty()) add(to, say("Nichts.", "Nothing."));
    }

    void proven() {
        auto& to = text_.proven;
        if (!r_.ok) return proven_in_part(to);
        if (bundle()) {
            proven_by_bundle(to);
        } else if (signed_report() && r_.reported.starts_with(kErasure)) {
            add(to,
                say("Die Löschbescheinigung ist so, wie das Archiv sie unterschrieben hat, jede Seite eingeschlossen; "
                    "die Einträge der Kette, die sie mitbringt, ergeben diesen Zustand und diesen Umfang.",
                    "The certificate of erasure is as the archive signed it, every page included; the ledger's "
                    "entries that it brings give this state and this extent."));
        } else if (signed_report() && r_.reported.starts_with(kCompleteness)) {
            add(to,
                say("Die Vollständigkeitsbescheinigung ist so, wie das Archiv sie unterschrieben hat, jede Seite "
                    "eingeschlossen; die Einträge der Kette, die sie mitbringt, ergeben ihre Zahlen.",
                    "The certificate of completeness is as the archive signed it, every page included; the ledger's "
                    "entries that it brings give its numbers."));
        } else if (signed_report() && r_.reported == kHits) {
            add(to,
                say("Der Trefferbericht ist so, wie das Archiv ihn unterschrieben hat, jede Seite eingeschlossen; "
                    "seine "
                    "Kette nennt ihn, die Zahl seiner Begriffe und wie viele Aufzeichnungen sie zusammen finden.",
                    "The hit report is as the archive signed it, every page included; its ledger names it, the number "
                    "of its terms and how many records they find together."));
        } else if (signed_report()) {
            add(to,
                say("Der Prüfbericht ist so, wie das Archiv ihn unterschrieben hat, jede Seite eingeschlossen, und "
                    "seine "
                    "Kette nennt ihn: Er lässt sich weder austauschen noch zurücknehmen.",
                    "The verification report is as the archive signed it, every page included, and its ledger names "
                    "it: it can be neither exchanged nor withdrawn."));
        } else {
            proven_by_archive(to);
        }
        proven_origin(to);
        if (r_.time >= TimeLevel::independent) add(to, since_when());
    }

    void proven_in_part(std::vector<std::string>& to) {
        if (only_origin(r_))
            return add(to,
                       say("Nur, dass ein Archiv das so unterschrieben hat. Es ist nicht das Archiv, das die "
                           "Vertrauensdatei nennt.",
                           "Only that some archive has signed this. It is not the archive that the trust file names."));
        if (bundle() || count_of(r_, "entries") == 0)
            return add(to, say("Nichts, solange die Befunde nicht geklärt sind.",
                               "Nothing, as long as the findings are not explained."));
        add(to,
            say("Was geprüft wurde und in keinem Befund genannt ist, ist so, wie es versiegelt wurde. Für das Genannte "
                "ist nichts bewiesen.",
                "What was checked and is named in no finding is as it was sealed. For what is named, nothing is "
                "proven."));
    }

    void proven_by_bundle(std::vector<std::string>& to) {
        add(to,
            say("Die Datei ist vollständig und unverändert, jede Seite eingeschlossen: Ein einziges geändertes Byte "
                "wäre aufgefallen.",
                "The file is complete and unchanged, every page included: one changed byte would have been "
                "noticed."));
        const std::uint64_t n = count_of(r_, "records");
        add(to,
            n == 1
                ? say("Die Aufzeichnung darin ist die, die das Archiv versiegelt hat, und steht an ihrer Nummer in "
                      "dessen Kette.",
                      "The record in it is the one that the archive sealed, and stands in its ledger at its number.")
                : say("Die Aufzeichnungen darin sind die, die das Archiv versiegelt hat, und stehen an ihren Nummern "
                      "in dessen Kette.",
                      "The records in it are the ones that the archive sealed, and stand in its ledger at their "
                      "numbers."));
    }

    void proven_by_archive(std::vector<std::string>& to) {
        if (r_.mode == "sampled") {
            add(to, say("Die gezogenen Einträge sind die versiegelten und stehen an ihrer Stelle.",
                        "The entries that were drawn are the ones that were sealed, and stand in their places."));
            add(to,
                fill(say("Wäre einer von hundert Einträgen beschädigt, hätte diese Stichprobe das mit einer "
                         "Wahrscheinlichkeit von {} Prozent gezeigt.",
                         "If one entry in a hundred were damaged, this sample would have shown it with a probability "
                         "of {} percent."),
                     {percent_found(r_.sampled, de_)}));
            return;
        }
        if (r_.mode == "since") {
            add(to,
                fill(
                    say("Seit dem Prüfpunkt über {} wurde nichts Versiegeltes verändert, entfernt oder umgestellt; was "
                        "davor war, steht noch unter demselben Prüfpunkt.",
                        "Since the checkpoint over {} nothing that was sealed has been altered, removed or reordered; "
                        "what was before still stands under the same checkpoint."),
                    {entries(r_.since_size)}));
            return;
        }
        add(to,
            say("Nichts, was versiegelt wurde, ist verändert, entfernt, eingeschoben oder umgestellt worden: Der "
                "unterschriebene Prüfpunkt legt jeden Eintrag an seiner Stelle fest.",
                "Nothing that was sealed has been altered, removed, inserted or reordered: the signed checkpoint fixes "
                "every entry in its place."));
        if (count_of(r_, "frames") != 0)
            add(to, say("Jeder verschlüsselte Inhalt, der da sein muss, ist da, Byte für Byte.",
                        "Every encrypted content that must be there is there, byte for byte."));
        if (count_of(r_, "ciphertexts_removed") != 0)
            add(to, say("Entfernt wurde verschlüsselter Inhalt nur dort, wo die Kette eine Löschung verzeichnet.",
                        "Encrypted content was removed only where the ledger has an erasure."));
        if (count_of(r_, "opened") != 0)
            add(to,
                say("Die geöffneten Inhalte lassen sich lesen und sind die, auf die sich das Archiv beim Versiegeln "
                    "festgelegt hat.",
                    "The contents that were opened can be read, and are the ones that the archive committed to when it "
                    "sealed them."));
    }

    void proven_origin(std::vector<std::string>& to) {
        if (r_.origin == Origin::unknown) return;
        add(to, say("Es stammt von dem Archiv, dessen Schlüssel die Vertrauensdatei nennt.",
                    "It comes from the archive whose key the trust file names."));
        if (r_.origin == Origin::witnessed)
            add(to,
                say("Unabhängige Zeugen haben dieselbe Kette gesehen und unterschrieben: Niemandem wurde eine andere "
                    "gezeigt, ohne dass sie es bemerkt hätten.",
                    "Independent witnesses have seen and signed the same ledger: nobody was shown another one without "
                    "their noticing."));
    }

    void not_proven() {
        auto& to = text_.not_proven;
        if (r_.origin == Origin::unknown && !r_.fingerprint.empty())
            add(to,
                say("Wessen Archiv das ist. Auch ein Fälscher kann ein eigenes anlegen, das in sich stimmt. Erst der "
                    "Vergleich des Fingerabdrucks mit dem veröffentlichten zeigt es.",
                    "Whose archive this is. A forger, too, can set one up that is consistent in itself. Only comparing "
                    "the fingerprint with the published one shows it."));
        if (!signed_report() && r_.time < TimeLevel::independent)
            add(to, r_.time == TimeLevel::none
                        ? say("Seit wann es das gibt: Kein Zeitstempel bestätigt es.",
                              "Since when this has existed: no time stamp confirms it.")
                        : say("Seit wann es das gibt: Die Zeiten sind nur die eigene Aussage des Archivs oder einer "
                              "Stelle, "
                              "für die niemand einsteht.",
                              "Since when this has existed: the times are only the archive's own word, or that of an "
                              "authority that nobody vouches for."));
        if (r_.mode == "sampled")
            add(to, say("Irgendetwas über die Einträge, die nicht gezogen wurden.",
                        "Anything about the entries that were not drawn."));
        if (r_.mode == "since")
            add(to,
                fill(say("Den Zustand der Inhalte vor dem Prüfpunkt über {}: Dafür gilt die frühere Prüfung.",
                         "The state of the contents before the checkpoint over {}: for that the earlier verification "
                         "stands."),
                     {entries(r_.since_size)}));
        for (const std::string& s : r_.not_checked(language_)) add(to, sentence(s));
        if (signed_report()) return;
        if (!bundle())
            add(to, say("Dass alles, was ankommen sollte, auch angekommen ist: Was nie beim Archiv eintraf, "
                        "hinterlässt hier "
                        "keine Spur.",
                        "That everything that should have arrived did arrive: what never reached the archive leaves no "
                        "trace here."));
        add(to, say("Dass stimmt, was jemand schrieb, und dass er es selbst war.",
                    "That what somebody wrote is true, and that it was really them."));
    }

    // A remark is half a sentence: "whether ..."; here it stands alone.
    static std::string sentence(std::string half) {
        half = harmless(half, 400);
        if (half.empty()) return half;
        if (half[0] >= 'a' && half[0] <= 'z' && half.find('/') > half.find(' '))
            half[0] = static_cast<char>(half[0] - 'a' + 'A');
        if (half.back() != '.') half += '.';
        return half;
    }

    void findings() {
        for (const Problem& p : r_.problems) {
            if (text_.findings.empty() || text_.findings.back().code != p.code) {
                ReportFinding f;
                f.code = harmless(p.code, 60);
                f.explanation = explain(p.code, language_);
                f.next_step = next_step(p.code, language_);
                text_.findings.push_back(std::move(f));
            }
            text_.findings.back().details.push_back(harmless(problem_place(p, language_), 200) + ": " +
                                                    harmless(problem_text(p, language_)));
        }
    }

    std::string advice() const {
        if (only_origin(r_))
            return say("Nicht als Beweis verwenden, bevor geklärt ist, woher das stammt.",
                       "Do not use it as evidence before it is known where it comes from.");
        return bundle() || signed_report()
                   ? say("Nicht als Beweis verwenden, solange die Befunde nicht geklärt sind.",
                         "Do not use it as evidence as long as the findings are not explained.")
                   : say("Zuerst: nichts löschen und nichts reparieren. Eine Kopie des ganzen Ordners sichern und die "
                         "Fachstelle für das Archiv verständigen.",
                         "First: delete nothing, repair nothing. Save a copy of the whole folder and inform those who "
                         "run the archive.");
    }

    std::string since_when() const {
        std::string out = r_.time == TimeLevel::qualified
                              ? say("Ein qualifizierter Zeitstempel belegt: ", "A qualified time stamp proves: ")
                              : say("Eine unabhängige Stelle bestätigt: ", "An independent authority confirms: ");
        const std::string when = r_.proven_since ? written_time(*r_.proven_since, language_) : "?";
        if (bundle()) {
            return out + fill(say("Spätestens am {} gab es diese Aufzeichnungen so, wie sie hier stehen.",
                                  "at the latest on {} these records existed as they stand here."),
                              {when});
        }
        out += fill(r_.proven_size == 1 ? say("Spätestens am {} gab es den ersten Eintrag ({}).",
                                              "at the latest on {} the first entry ({}) existed.")
                                        : say("Spätestens am {} gab es die ersten {} Einträge.",
                                              "at the latest on {} the first {} entries existed."),
                    {when, number(r_.proven_size)});
        const ReportedAnchor* widest = nullptr;  // the newest stamp of the best level covers most
        for (const ReportedAnchor& a : r_.anchors) {
            if (a.level == r_.time && (widest == nullptr || a.size > widest->size)) widest = &a;
        }
        if (widest != nullptr && widest->size > r_.proven_size)
            out += fill(say(" Am {} waren es {}.", " On {} there were {}."),
                        {written_time(widest->gen_time, language_), number(widest->size)});
        return out;
    }

    void time() {
        auto& to = text_.time;
        if (signed_report()) return;  // it says itself what stamps there are
        if (r_.time == TimeLevel::none)
            return add(to, say("Kein Zeitstempel. Nichts belegt, wann es das gab.",
                               "No time stamp. Nothing proves when this existed."));
        if (r_.time == TimeLevel::self) {
            add(to,
                say("Nur die eigene Aussage des Archivs oder einer Stelle, für die niemand einsteht. Gegenüber Dritten "
                    "belegt sie keine Zeit.",
                    "Only the archive's own word, or that of an authority nobody vouches for. It proves no time to "
                    "others."));
        } else {
            add(to, since_when());
        }
        const StampShares s = stamp_shares(r_);
        if (bundle() || s.size == 0) return;
        const auto share = [&](std::uint64_t n, const char* one, const char* more) {
            if (n != 0) add(to, fill(n == 1 ? one : more, {number(n)}));
        };
        share(s.none,
              say("{} Eintrag ist noch von keinem Zeitstempel erfasst.", "{} entry is covered by no time stamp yet."),
              say("{} Einträge sind noch von keinem Zeitstempel erfasst.",
                  "{} entries are covered by no time stamp yet."));
        if (r_.time >= TimeLevel::independent)
            share(s.self,
                  say("{} Eintrag ist nur vom Zeitstempel einer unbestätigten Stelle erfasst.",
                      "{} entry is covered only by a time stamp that nobody vouches for."),
                  say("{} Einträge sind nur von Zeitstempeln unbestätigter Stellen erfasst.",
                      "{} entries are covered only by time stamps that nobody vouches for."));
    }

    void erasures() {
        auto& to = text_.erasures;
        const ReportedErasures& e = r_.erasures;
        if (e.runs == 0) return;
        const auto runs = [&](std::uint64_t n, const char* one, const char* more) {
            if (n != 0) add(to, fill(n == 1 ? one : more, {number(n)}));
        };
        runs(e.runs, say("{} Löschung ist in der Kette verzeichnet.", "{} erasure stands in the ledger."),
             say("{} Löschungen sind in der Kette verzeichnet.", "{} erasures stand in the ledger."));
        runs(e.contents, say("Die Schlüssel zu {} Inhalt wurden vernichtet.", "The keys to {} content were destroyed."),
             say("Die Schlüssel zu {} Inhalten wurden vernichtet.", "The keys to {} contents were destroyed."));
        runs(e.unreadable,
             say("Bei {} davon ist der Inhalt unlesbar; Suchwörter oder Geheimtext können noch da sein.",
                 "Of {} the content is unreadable; words of the index or ciphertext may still be there."),
             say("Bei {} davon sind die Inhalte unlesbar; Suchwörter oder Geheimtext können noch da sein.",
                 "Of {} the contents are unreadable; words of the index or ciphertext may still be there."));
        runs(e.terms_gone,
             say("Bei {} davon sind auch die Suchwörter entfernt.", "Of {} the words of the index are gone, too."),
             say("Bei {} davon sind auch die Suchwörter entfernt.", "Of {} the words of the index are gone, too."));
        runs(e.ciphertext_gone,
             say("Bei {} davon ist auch der Geheimtext entfernt.", "Of {} the ciphertext is gone, too."),
             say("Bei {} davon ist auch der Geheimtext entfernt.", "Of {} the ciphertext is gone, too."));
        runs(e.final_,
             say("{} davon ist endgültig: Auch keine hinterlegte Schlüsselkopie ist noch übrig.",
                 "{} of them is final: no escrowed copy of the keys is left either."),
             say("{} davon sind endgültig: Auch keine hinterlegte Schlüsselkopie ist noch übrig.",
                 "{} of them are final: no escrowed copy of the keys is left either."));
        add(to, say("Die Kette bezeugt, dass vernichtet wurde; beweisen lässt sich Vernichtung nicht. Kopfdaten und "
                    "Stelle jedes Eintrags bleiben und sind geprüft.",
                    "The ledger attests the destruction; destruction can't be proven. Header and place of every entry "
                    "remain, and were checked."));
    }

    const Report& r_;
    std::string language_;
    bool de_;
    ReportText text_;
};

bool is_bidi_control(char32_t c) {  // UAX 9: they reorder what stands around them
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}
bool is_invisible(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || (c & 0xFFFE) == 0xFFFE ||
           (c >= 0xE0000 && c < 0xE0080) || (c >= 0xFDD0 && c <= 0xFDEF);
}

// The code point at `at` and its length; 0 bytes: ill-formed (Unicode 3.9).
std::size_t decode(std::string_view s, std::size_t at, char32_t& c) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned char lead = byte(at);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || at + length > s.size()) return 0;
    c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return 0;
        c = (c << 6) | (byte(at + i) & 0x3Fu);
    }
    const char32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : length == 4 ? 0x10000 : 0;
    return c < least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? 0 : length;
}

}  // namespace

ReportText describe(const Report& report, std::string_view language) {
    return Sections(report, language).run();
}

std::string Report::headline(std::string_view language) const {
    const bool de = language == "de";
    if (!ok) {
        const std::uint64_t n = problems.size() + count_of(*this, "problems_left_out");
        if (only_origin(*this)) {
            return de ? "Falsche Herkunft: das stammt nicht von dem Archiv, das die Vertrauensdatei nennt. Sonst wurde "
                        "nichts Auffälliges gefunden"
                      : "Wrong origin: this does not come from the archive that the trust file names. Nothing else was "
                        "found broken";
        }
        const std::string count = written_number(n, language);
        return de ? "Nicht in Ordnung: " + count + (n == 1 ? " Befund" : " Befunde") +
                        ". Was unten genannt ist, wurde verändert, fehlt oder passt nicht zusammen"
                  : "Not intact: " + count + (n == 1 ? " finding" : " findings") +
                        ". What is named below was changed, is missing or does not fit";
    }
    std::string out = de ? "Unversehrt" : "Intact";
    if (subject == "report" && reported.starts_with(kCompleteness)) {
        const std::string verdict = reported.substr(kCompleteness.size());
        out = de ? "Die Vollständigkeitsbescheinigung ist unversehrt und sagt: "
                 : "The certificate of completeness is intact and says: ";
        out += verdict == "complete" ? (de ? "vollständig wie versprochen" : "complete as promised")
               : verdict == "gaps"   ? (de ? "Lücken sind bekannt" : "gaps are known")
                                     : (de ? "die Quelle verspricht nichts" : "the source promises nothing");
    } else if (subject == "report" && reported.starts_with(kErasure)) {
        const std::string state = reported.substr(kErasure.size());
        out =
            de ? "Die Löschbescheinigung ist unversehrt und sagt: " : "The certificate of erasure is intact and says: ";
        out += state == "begun"             ? (de ? "angeordnet" : "ordered")
               : state == "unreadable"      ? (de ? "unlesbar" : "unreadable")
               : state == "terms_gone"      ? (de ? "Wörter entfernt" : "words removed")
               : state == "ciphertext_gone" ? (de ? "Chiffrat entfernt" : "ciphertext removed")
                                            : (de ? "endgültig" : "final");
    } else if (subject == "report" && reported == kHits) {
        out = de ? "Der Trefferbericht ist unversehrt" : "The hit report is intact";
    } else if (subject == "report") {
        out = de ? "Der Prüfbericht ist unversehrt und sagt: " : "The verification report is intact and says: ";
        out += reported == "ok" ? (de ? "nichts ist beschädigt" : "nothing was found broken")
                                : (de ? "es gibt Befunde" : "there are findings");
    }
    if (mode == "sampled") {
        out = fill(de ? "Die Stichprobe von {} ist unversehrt" : "The sample of {} is intact",
                   {entries_of(sampled, de, true)});
    } else if (mode == "since") {
        out = fill(de ? "Unversehrt seit dem Prüfpunkt über {}" : "Intact since the checkpoint over {}",
                   {entries_of(since_size, de)});
    }
    if (origin == Origin::unknown) {
        return out + (de ? ". Herkunft nicht festgestellt: Fingerabdruck " + fingerprint +
                               " mit dem vergleichen, den die Behörde veröffentlicht hat"
                         : ". Origin not established: compare fingerprint " + fingerprint +
                               " with the one that the authority has published");
    }
    return out + (de ? ". Es stammt von dem Archiv, das die Vertrauensdatei nennt"
                     : ". It comes from the archive that the trust file names");
}

std::string level_name(TimeLevel level, std::string_view language) {
    const bool de = language == "de";
    switch (level) {
        case TimeLevel::qualified:
            return de ? "qualifiziert" : "qualified";
        case TimeLevel::independent:
            return de ? "unabhängig" : "independent";
        case TimeLevel::self:
            return de ? "unbestätigt" : "unconfirmed";
        case TimeLevel::none:
            break;
    }
    return de ? "keiner" : "none";
}

std::string written_number(std::uint64_t number, std::string_view language) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, language == "de" ? '.' : ',');
    return digits;
}

std::string written_time(UtcTime time, std::string_view language) {  // 02.03.2026, 10:00:00 UTC
    const std::string t = format_rfc3339({time.ms - (time.ms % 1000 + 1000) % 1000});
    if (t.size() != 20) return t;
    if (language != "de") return t.substr(0, 10) + " " + t.substr(11, 8) + " UTC";
    return t.substr(8, 2) + "." + t.substr(5, 2) + "." + t.substr(0, 4) + ", " + t.substr(11, 8) + " UTC";
}

StampShares stamp_shares(const Report& report) {
    StampShares s;
    std::uint64_t reach[4] = {};
    for (const ReportedAnchor& a : report.anchors) {
        std::uint64_t& most = reach[static_cast<int>(a.level)];
        most = std::max(most, a.size);
    }
    s.size = report.size;
    if (s.size == 0 && report.mode == "whole") s.size = count_of(report, "entries");
    for (const std::uint64_t n : reach) s.size = std::max(s.size, n);
    s.qualified = reach[static_cast<int>(TimeLevel::qualified)];
    const std::uint64_t vouched = std::max(s.qualified, reach[static_cast<int>(TimeLevel::independent)]);
    const std::uint64_t any = std::max(vouched, reach[static_cast<int>(TimeLevel::self)]);
    s.independent = vouched - s.qualified;
    s.self = any - vouched;
    s.none = s.size - any;
    return s;
}

std::string harmless(std::string_view foreign, std::size_t max_bytes) {
    std::string out;
    for (std::size_t at = 0; at < foreign.size();) {
        char32_t c = 0;
        const std::size_t length = decode(foreign, at, c);
        const std::string_view piece = length == 0                             ? "\uFFFD"
                                       : is_bidi_control(c) || is_invisible(c) ? "?"
                                                                               : foreign.substr(at, length);
        if (out.size() + piece.size() > max_bytes) return out + "…";
        out += piece;
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

}  // namespace kustos::audit
