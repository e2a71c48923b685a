#include "search/src/query_names.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

constexpr std::size_t kMaxName = 24;  // bytes; ours are shorter

template <typename Value>
using Row = std::pair<std::string_view, Value>;

constexpr Row<Name> kNames[] = {
    {"from", Name::from},
    {"von", Name::from},
    {"absender", Name::from},
    {"sender", Name::from},
    {"to", Name::to},
    {"an", Name::to},
    {"empfänger", Name::to},
    {"empfaenger", Name::to},
    {"recipient", Name::to},
    {"cc", Name::cc},
    {"kopie", Name::cc},
    {"bcc", Name::bcc},
    {"blindkopie", Name::bcc},
    {"participant", Name::participant},
    {"beteiligt", Name::participant},
    {"beteiligte", Name::participant},
    {"beteiligter", Name::participant},
    {"teilnehmer", Name::participant},
    {"subject", Name::subject},
    {"betreff", Name::subject},
    {"body", Name::body},
    {"text", Name::body},
    {"inhalt", Name::body},
    {"attachment", Name::attachment},
    {"attachments", Name::attachment},
    {"anhang", Name::attachment},
    {"anhänge", Name::attachment},
    {"anhaenge", Name::attachment},
    {"file", Name::file},
    {"datei", Name::file},
    {"filename", Name::file},
    {"dateiname", Name::file},
    {"filetype", Name::filetype},
    {"dateityp", Name::filetype},
    {"hash", Name::content},
    {"sha256", Name::content},
    {"prüfsumme", Name::content},
    {"pruefsumme", Name::content},
    {"conversation", Name::conversation},
    {"unterhaltung", Name::conversation},
    {"gespräch", Name::conversation},
    {"gespraech", Name::conversation},
    {"kanal", Name::conversation},
    {"channel", Name::conversation},
    {"date", Name::date},
    {"datum", Name::date},
    {"since", Name::since},
    {"seit", Name::since},
    {"ab", Name::since},
    {"until", Name::until},
    {"bis", Name::until},
    {"sealed", Name::sealed},
    {"versiegelt", Name::sealed},
    {"size", Name::size},
    {"grösse", Name::size},  // folded: an eszett is ss
    {"groesse", Name::size},
    {"source", Name::source},
    {"quelle", Name::source},
    {"has", Name::has},
    {"hat", Name::has},
    {"kind", Name::kind},
    {"art", Name::kind},
    {"language", Name::language},
    {"sprache", Name::language},
    {"coverage", Name::coverage},
    {"abdeckung", Name::coverage},
    {"person", Name::person},
    {"class", Name::retention_class},
    {"klasse", Name::retention_class},
    {"tag", Name::tag},
    {"schlagwort", Name::tag},
    {"markierung", Name::tag},
    {"code", Name::code},
    {"bewertung", Name::code},
    {"edited", Name::edited},
    {"bearbeitet", Name::edited},
    {"deleted", Name::deleted},
    {"gelöscht", Name::deleted},
    {"geloescht", Name::deleted},
    {"thread", Name::thread},
    {"strang", Name::thread},
    {"verlauf", Name::thread},
};

constexpr Row<std::string_view> kKinds[] = {
    {"mail", "mail"},
    {"e-mail", "mail"},
    {"email", "mail"},
    {"chat", "chat"},
    {"nachricht", "chat"},
    {"file", "file"},
    {"datei", "file"},
    {"call", "call"},
    {"anruf", "call"},
    {"voice", "voice"},
    {"sprachnachricht", "voice"},
    {"status", "status"},
    {"edit", "edit"},
    {"bearbeitung", "edit"},
    {"änderung", "edit"},
    {"aenderung", "edit"},
    {"delete", "delete"},
    {"deletion", "delete"},
    {"löschung", "delete"},
    {"loeschung", "delete"},
    {"reaction", "reaction"},
    {"reaktion", "reaction"},
    {"join", "join"},
    {"beitritt", "join"},
    {"leave", "leave"},
    {"austritt", "leave"},
    {"unreadable", "unreadable"},
    {"unlesbar", "unreadable"},
    {"quarantine", "unreadable"},
    {"quarantäne", "unreadable"},
    {"quarantaene", "unreadable"},
    {"notice", "notice"},
    {"notiz", "notice"},
    {"envelope", "envelope"},
    {"journalbericht", "envelope"},
    {"person", "person"},
    {"adressbuch", "person"},
};

constexpr Row<std::string_view> kLanguages[] = {
    {"german", "de"},        {"deutsch", "de"},     {"english", "en"},        {"englisch", "en"},
    {"french", "fr"},        {"französisch", "fr"}, {"franzoesisch", "fr"},   {"spanish", "es"},
    {"spanisch", "es"},      {"italian", "it"},     {"italienisch", "it"},    {"portuguese", "pt"},
    {"portugiesisch", "pt"}, {"dutch", "nl"},       {"niederländisch", "nl"}, {"niederlaendisch", "nl"},
    {"danish", "da"},        {"dänisch", "da"},     {"daenisch", "da"},       {"swedish", "sv"},
    {"schwedisch", "sv"},    {"norwegian", "no"},   {"norwegisch", "no"},     {"finnish", "fi"},
    {"finnisch", "fi"},      {"polish", "pl"},      {"polnisch", "pl"},       {"czech", "cs"},
    {"tschechisch", "cs"},   {"hungarian", "hu"},   {"ungarisch", "hu"},      {"romanian", "ro"},
    {"rumänisch", "ro"},     {"rumaenisch", "ro"},  {"greek", "el"},          {"griechisch", "el"},
    {"turkish", "tr"},       {"türkisch", "tr"},    {"tuerkisch", "tr"},      {"russian", "ru"},
    {"russisch", "ru"},      {"ukrainian", "uk"},   {"ukrainisch", "uk"},     {"bulgarian", "bg"},
    {"bulgarisch", "bg"},    {"croatian", "hr"},    {"kroatisch", "hr"},      {"serbian", "sr"},
    {"serbisch", "sr"},      {"arabic", "ar"},      {"arabisch", "ar"},       {"persian", "fa"},
    {"persisch", "fa"},      {"chinese", "zh"},     {"chinesisch", "zh"},     {"japanese", "ja"},
    {"japanisch", "ja"},
};

// ISO 639-1, all of it.
constexpr std::string_view kLanguageCodes =
    " aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo "
    "es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka "
    "kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng "
    "nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su "
    "sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

constexpr std::string_view kAttachment[] = {"attachment", "attachments", "anhang",  "anhänge",
                                            "anhaenge",   "file",        "dateien", "datei"};

template <typename Table>
auto find_in(const Table& table, std::string_view folded) {
    const auto found =
        std::find_if(std::begin(table), std::end(table), [&](const auto& row) { return row.first == folded; });
    return found == std::end(table) ? std::nullopt : std::optional(found->second);
}

constexpr auto kWritten = [](const auto& row) { return row.first; };

}  // namespace

std::optional<Name> name_of(std::string_view folded) {
    return find_in(kNames, folded);
}

std::optional<Name> name_written(std::string_view written) {
    return written.size() > kMaxName ? std::nullopt : name_of(fold(written));
}

bool looks_like_field(std::string_view word, std::size_t colon) {
    if (colon + 1 >= word.size()) return false;
    const char after = word[colon + 1];
    if (after == '/' || after == '\\' || after == ':') return false;
    return std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
    });
}

std::optional<std::string_view> kind_of(std::string_view folded) {
    return find_in(kKinds, folded);
}

std::optional<std::string> parse_language(std::string_view folded) {
    if (const auto found = find_in(kLanguages, folded)) return std::string(*found);
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    if (folded.size() != 2 || !std::all_of(folded.begin(), folded.end(), is_letter)) return std::nullopt;
    if (kLanguageCodes.find(" " + std::string(folded) + " ") == std::string_view::npos) return std::nullopt;
    return std::string(folded);
}

std::optional<bool> yes_or_no(std::string_view folded) {
    if (folded == "yes" || folded == "ja" || folded == "true") return true;
    if (folded == "no" || folded == "nein" || folded == "false") return false;
    return std::nullopt;
}

bool means_attachment(std::string_view folded) {
    return std::find(std::begin(kAttachment), std::end(kAttachment), folded) != std::end(kAttachment);
}

std::optional<Field> field_of(Name name) {
    switch (name) {
        case Name::from:
            return Field::from;
        case Name::to:
            return Field::to;
        case Name::cc:
            return Field::cc;
        case Name::bcc:
            return Field::bcc;
        case Name::participant:
            return Field::participant;
        case Name::subject:
            return Field::subject;
        case Name::body:
            return Field::body;
        case Name::attachment:
            return Field::attachment;
        case Name::file:
            return Field::file;
        case Name::conversation:
            return Field::conversation;
        default:
            return std::nullopt;
    }
}

std::string_view nearest_field(std::string_view as_typed) {
    if (as_typed.size() > kMaxName) return {};
    const std::string_view found = nearest(kNames, fold(as_typed), kWritten);
    return found == "grösse" ? "größe" : found;  // as people write it
}
std::string_view nearest_kind(std::string_view folded) {
    return nearest(kKinds, folded, kWritten);
}
std::string_view nearest_language(std::string_view folded) {
    return nearest(kLanguages, folded, kWritten);
}

// Letters, not bytes: an umlaut counts once, as do two letters in the wrong order.
std::size_t letters_apart(std::string_view a, std::string_view b) {
    const auto letters = [](std::string_view text) {
        std::u32string out;
        for (std::size_t i = 0; i < text.size() && out.size() < 32;) out += next_code_point(text, i);
        return out;
    };
    const std::u32string x = letters(a), y = letters(b);
    std::vector<std::vector<std::size_t>> table(x.size() + 1, std::vector<std::size_t>(y.size() + 1));
    for (std::size_t i = 0; i <= x.size(); ++i) {
        for (std::size_t k = 0; k <= y.size(); ++k) {
            if (i == 0 || k == 0) {
                table[i][k] = i + k;
                continue;
            }
            table[i][k] = std::min(
                {table[i - 1][k] + 1, table[i][k - 1] + 1, table[i - 1][k - 1] + (x[i - 1] == y[k - 1] ? 0 : 1)});
            if (i > 1 && k > 1 && x[i - 1] == y[k - 2] && x[i - 2] == y[k - 1])
                table[i][k] = std::min(table[i][k], table[i - 2][k - 2] + 1);
        }
    }
    return table[x.size()][y.size()];
}

}  // namespace kustos::search
