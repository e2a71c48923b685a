// Queries and their problems as text.
#include <cstdio>

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
                    "AND, OR, NOT and - stand before or between words; as a word to find: \"or\"",
                    "hier fehlt etwas, das gesucht werden soll",
                    "UND, ODER, NICHT und - stehen vor oder zwischen Wörtern; als Suchwort: \"oder\""};
        case What::empty_value:
            return {"nothing follows the colon", "for example from:mueller or date:2026-03",
                    "nach dem Doppelpunkt folgt nichts", "zum Beispiel von:mueller oder datum:2026-03"};
        default:
            return {"", "", "", ""};
        case What::unknown_field:
            return {"there is no field of this name",
                    "fields: from to subject date since until source has kind conversation file sha256 coverage; to "
                    "find the text "
                    "itself, put it in quotation marks",
                    "ein Feld dieses Namens gibt es nicht",
                    "Felder: von an betreff datum seit bis quelle hat art unterhaltung datei sha256 abdeckung; um den "
                    "Text selbst zu "
                    "finden, in Anführungszeichen setzen"};
        case What::bad_date:
            return {"this is not a date", "2026-03-31, 31.03.2026, 2026-03, 2026, 2026-01..2026-03, >=2026-03-31",
                    "das ist kein Datum",
                    "31.03.2026, 2026-03-31, 03.2026, 2026, 01.03.2026..31.03.2026, >=31.03.2026"};
        case What::date_order:
            return {"the range ends before it begins", "the earlier date stands first",
                    "der Zeitraum endet vor seinem Beginn", "das frühere Datum steht vorn"};
        case What::bad_sha256:
            return {"this is not a SHA-256", "64 hex digits, as `sha256sum FILE` prints them",
                    "das ist keine SHA-256-Summe", "64 hexadezimale Ziffern, wie `sha256sum DATEI` sie ausgibt"};
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
            return {"at least three letters must stand before *", "for example ver* becomes vertr*",
                    "vor * müssen mindestens drei Buchstaben stehen", "zum Beispiel vertr* statt ve*"};
        case What::star_inside:
            return {"* stands only at the end of one word", "several words: join them with AND or OR",
                    "* steht nur am Ende eines Wortes", "mehrere Wörter mit UND oder ODER verbinden"};
        case What::nothing_to_find:
            return {"no letter or digit to look for", "signs and emoji alone can't be searched",
                    "kein Buchstabe und keine Ziffer", "Zeichen und Emoji allein sind nicht suchbar"};
        case What::operator_in_field:
            return {"a field inside a field's group", "write from:anna to:bert instead",
                    "ein Feld in der Gruppe eines Feldes", "stattdessen: von:anna an:bert"};
    }
    return {"not a query", "", "keine Anfrage", ""};
}

std::string date_text(CivilDate date) {
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", date.year, date.month, date.day);
    return text;
}

std::string range_text(const DateRange& range) {
    return (range.first ? date_text(*range.first) : "") + ".." + (range.last ? date_text(*range.last) : "");
}

const char* field_text(Field field) {
    switch (field) {
        case Field::any:
            return "";
        case Field::from:
            return "from:";
        case Field::to:
            return "to:";
        case Field::cc:
            return "cc:";
        case Field::bcc:
            return "bcc:";
        case Field::participant:
            return "participant:";
        case Field::subject:
            return "subject:";
        case Field::body:
            return "body:";
        case Field::attachment:
            return "attachment:";
        case Field::file:
            return "file:";
        case Field::conversation:
            return "conversation:";
    }
    return "";
}

std::string joined(const Node& node, const char* between) {
    std::string out = "(";
    for (std::size_t i = 0; i < node.children.size(); ++i)
        out += (i == 0 ? "" : between) + query_text(node.children[i]);
    return out + ")";
}

}  // namespace

ProblemText describe(const QueryProblem& problem, Language language) {
    const Words words = words_of(problem.what);
    const std::string at = std::to_string(problem.character);
    if (language == Language::de) return {"Anfrage, Zeichen " + at + ": " + words.german, words.german_hint};
    return {"query, character " + at + ": " + words.english, words.english_hint};
}

std::string query_text(const Node& node) {
    switch (node.kind) {
        case Node::Kind::word:
            return field_text(node.field) + node.text;
        case Node::Kind::phrase:
            return std::string(field_text(node.field)) + "\"" + node.text + "\"";
        case Node::Kind::prefix:
            return field_text(node.field) + node.text + "*";
        case Node::Kind::all_of:
            return joined(node, " AND ");
        case Node::Kind::any_of:
            return joined(node, " OR ");
        case Node::Kind::none_of:
            return "NOT " + query_text(node.children.at(0));
        case Node::Kind::date:
            return "date:" + range_text(node.range);
        case Node::Kind::source:
            return "source:\"" + node.text + "\"";
        case Node::Kind::message_kind:
            return "kind:" + node.text;
        case Node::Kind::has_attachment:
            return "has:attachment";
        case Node::Kind::content:
            return "sha256:" + node.text;
        default:
            return "*";
        case Node::Kind::coverage:
            return "coverage:" + node.text;
        case Node::Kind::everything:
            return "*";
        case Node::Kind::person:
            return std::string(field_text(node.field)) + "person:\"" + node.text + "\"";
    }
    return "*";
}

}  // namespace kustos::search
