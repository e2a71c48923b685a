// What is wrong with a query, in words. Never what was typed.
#include "search/query.h"

namespace kustos::search {
namespace {

using What = QueryProblem::What;

struct Words {
    const char* english;
    const char* english_hint;
    const char* german;
    const char* german_hint;
};

Words words_of(What what) {
    switch (what) {
        case What::empty:
            return {"nothing to look for", "type a word, or * for everything", "es gibt nichts zu suchen",
                    "ein Wort eingeben, oder * für alles"};
        case What::too_long:
            return {"the query is longer than 8192 bytes", "split it into several searches",
                    "die Anfrage ist länger als 8192 Byte", "auf mehrere Suchen verteilen"};
        case What::too_deep:
            return {"more than 32 parentheses or NOTs inside each other", "leave out what is not needed",
                    "mehr als 32 Klammern oder NICHT ineinander", "überflüssige weglassen"};
        case What::too_many_parts:
            return {"more than 512 words and conditions", "split it into several searches",
                    "mehr als 512 Wörter und Bedingungen", "auf mehrere Suchen verteilen"};
        case What::bad_utf8:
            return {"not a character (the text is not UTF-8)", "type the query again",
                    "kein Zeichen (der Text ist nicht UTF-8)", "die Anfrage neu eingeben"};
        case What::open_quote:
            return {"a quotation mark is not closed", "put \" behind the phrase",
                    "ein Anführungszeichen ist nicht geschlossen", "\" hinter die Wortfolge setzen"};
        case What::open_parenthesis:
            return {"a parenthesis is not closed", "put ) where the group ends", "eine Klammer ist nicht geschlossen",
                    ") ans Ende der Gruppe setzen"};
        case What::extra_parenthesis:
            return {"a closing parenthesis without an opening one", "remove it, or put ( where the group begins",
                    "eine schließende Klammer ohne öffnende", "entfernen, oder ( an den Anfang der Gruppe setzen"};
        case What::operand_missing:
            return {"something to look for is missing here",
                    "AND, OR, NEAR, NOT and - stand before or between words; as a word to find: \"or\"",
                    "hier fehlt etwas, das gesucht werden soll",
                    "UND, ODER, NAHE, NICHT und - stehen vor oder zwischen Wörtern; als Suchwort: \"oder\""};
        case What::empty_value:
            return {"nothing follows the colon", "for example from:mueller or date:2026-03",
                    "nach dem Doppelpunkt folgt nichts", "zum Beispiel von:mueller oder datum:2026-03"};
        case What::unknown_field:
            return {"there is no field of this name",
                    "fields: from to cc bcc participant subject body attachment file filetype hash date since until "
                    "sealed size source kind has language conversation person coverage class tag code edited deleted "
                    "thread; to find the text itself, put it in quotation marks",
                    "ein Feld dieses Namens gibt es nicht",
                    "Felder: von an kopie blindkopie beteiligt betreff text anhang datei dateityp hash datum seit bis "
                    "versiegelt größe quelle art hat sprache unterhaltung person abdeckung klasse schlagwort bewertung "
                    "bearbeitet gelöscht verlauf; um den Text selbst zu finden, in Anführungszeichen setzen"};
        case What::bad_date:
            return {"this is not a date", "2026-03-31, 31.03.2026, 2026-03, 2026, 2026-01..2026-03, >=2026-03-31",
                    "das ist kein Datum",
                    "31.03.2026, 2026-03-31, 03.2026, 2026, 01.03.2026..31.03.2026, >=31.03.2026"};
        case What::date_order:
            return {"the range ends before it begins", "the earlier date stands first",
                    "der Zeitraum endet vor seinem Beginn", "das frühere Datum steht vorn"};
        case What::bad_sha256:
            return {"this is not a SHA-256",
                    "64 hex digits, as `sha256sum FILE` prints them, or hash:@NAME for a list of the matter",
                    "das ist keine SHA-256-Summe",
                    "64 hexadezimale Ziffern, wie `sha256sum DATEI` sie ausgibt, oder hash:@NAME für eine Liste des "
                    "Falls"};
        case What::bad_coverage:
            return {"this is no word of the coverage", "for example coverage:ocr or coverage:encrypted",
                    "das ist kein Wort der Abdeckung", "zum Beispiel abdeckung:ocr oder abdeckung:encrypted"};
        case What::bad_has:
            return {"only has:attachment is known", "to look for a file name: file:report",
                    "bekannt ist nur hat:anhang", "einen Dateinamen sucht: datei:bericht"};
        case What::bad_kind:
            return {"there is no kind of this name",
                    "mail chat file call voice status edit delete reaction join leave unreadable",
                    "eine Art dieses Namens gibt es nicht",
                    "mail chat datei anruf sprachnachricht status bearbeitung löschung reaktion beitritt austritt "
                    "unlesbar"};
        case What::prefix_too_short:
            return {"a word with * or ? needs at least three letters", "for example vertr* instead of ve*",
                    "ein Wort mit * oder ? braucht mindestens drei Buchstaben", "zum Beispiel vertr* statt ve*"};
        case What::star_inside:
            return {"* and ? stand in one word of letters and digits, at most eight of them",
                    "several words, or parts with - . / @ between: join them with AND, or NEAR; the sign itself: in "
                    "quotation marks",
                    "* und ? stehen in einem Wort aus Buchstaben und Ziffern, höchstens acht davon",
                    "mehrere Wörter, oder Teile mit - . / @ dazwischen: mit UND oder NAHE verbinden; das Zeichen "
                    "selbst: in Anführungszeichen"};
        case What::nothing_to_find:
            return {"no letter or digit to look for", "signs and emoji alone can't be searched",
                    "kein Buchstabe und keine Ziffer", "Zeichen und Emoji allein sind nicht suchbar"};
        case What::operator_in_field:
            return {"a field inside a field's group", "write from:anna to:bert instead",
                    "ein Feld in der Gruppe eines Feldes", "stattdessen: von:anna an:bert"};
        case What::near_operand:
            return {
                "NEAR and W join words, phrases and OR groups of these, all in one field",
                "for example contract NEAR/5 (signed OR \"not signed\"), or subject:(offer W/3 price); anything else: "
                "join it with AND",
                "NAHE und FOLGT verbinden Wörter, Wortfolgen und ODER-Gruppen davon, alle in einem Feld",
                "zum Beispiel vertrag NAHE/5 (kündigung ODER \"nicht verlängert\"), oder betreff:(angebot FOLGT/3 "
                "preis); alles andere mit UND verbinden"};
        case What::near_mixed:
            return {"one row of NEAR or W has one distance and one kind",
                    "the same for all, a NEAR/5 b NEAR/5 c, or two rows: a NEAR/3 b AND b W/5 c",
                    "eine Reihe mit NAHE oder FOLGT hat einen Abstand und eine Art",
                    "für alle gleich, a NAHE/5 b NAHE/5 c, oder zwei Reihen: a NAHE/3 b UND b FOLGT/5 c"};
        case What::bad_distance:
            return {"the distance is a number from 1 to 500", "for example NEAR/5; side by side: NEAR/1",
                    "der Abstand ist eine Zahl von 1 bis 500", "zum Beispiel NAHE/5; nebeneinander: NAHE/1"};
        case What::bad_fuzzy:
            return {"~ stands behind one word of at least three letters, with 1 or 2 or no number",
                    "for example meyer~ or meyer~2; words near each other: a NEAR/5 b",
                    "~ steht hinter einem Wort ab drei Buchstaben, mit 1 oder 2 oder ohne Zahl",
                    "zum Beispiel meyer~ oder meyer~2; Wörter nahe beieinander: a NAHE/5 b"};
        case What::bad_size:
            return {"this is not a size", "for example size:>1M, size:10k..2M, size:<500KB, size:>=1.5MiB",
                    "das ist keine Größe", "zum Beispiel größe:>1M, größe:10k..2M, größe:<500KB, größe:>=1,5MiB"};
        case What::size_order:
            return {"the range ends before it begins", "the smaller size stands first",
                    "der Bereich endet vor seinem Beginn", "die kleinere Größe steht vorn"};
        case What::bad_filetype:
            return {"there is no file type of this name",
                    "word text excel powerpoint pdf image audio video archive mail, or an extension; one that is not "
                    "known here with a dot before it",
                    "einen Dateityp dieses Namens gibt es nicht",
                    "word text tabelle präsentation pdf bild audio video archiv mail, oder eine Endung; eine hier "
                    "unbekannte mit einem Punkt davor"};
        case What::bad_language:
            return {"there is no language of this name", "for example language:en or language:german",
                    "eine Sprache dieses Namens gibt es nicht", "zum Beispiel sprache:de oder sprache:englisch"};
        case What::bad_yes:
            return {"yes or no", "for example edited:yes or deleted:no", "ja oder nein",
                    "zum Beispiel bearbeitet:ja oder gelöscht:nein"};
    }
    return {"not a query", "", "keine Anfrage", ""};
}

}  // namespace

ProblemText describe(const QueryProblem& problem, Language language) {
    const Words words = words_of(problem.what);
    const bool german = language == Language::de;
    const std::string at = std::to_string(problem.character);
    ProblemText out;
    out.message =
        (german ? "Anfrage, Zeichen " : "query, character ") + at + ": " + (german ? words.german : words.english);
    if (!problem.suggestion.empty()) {
        out.hint = (german ? "vielleicht " : "did you mean ") + std::string(problem.suggestion);
        out.hint += problem.what == What::unknown_field ? ":? " : "? ";
    }
    out.hint += german ? words.german_hint : words.english_hint;
    return out;
}

Result<Query> parse_query(std::string_view text, Language language) {
    ParsedQuery parsed = parse(text);
    if (parsed.query) return std::move(*parsed.query);
    ProblemText words = describe(*parsed.problem, language);
    return Error(Code::usage, std::move(words.message)).with_hint(std::move(words.hint));
}

}  // namespace kustos::search
