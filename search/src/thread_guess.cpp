#include "search/thread_guess.h"

#include <algorithm>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/utf8.h"
#include "search/thread.h"

namespace kustos::search {

namespace {

constexpr std::int64_t kDay = 86'400'000;                // ms
constexpr std::size_t kLongestMark = 40;                 // bytes of what may stand before a colon
constexpr std::size_t kPhrase = 200;                     // bytes of a subject that are looked for
constexpr std::string_view kWideColon = "\xEF\xBC\x9A";  // ：

// As people read them; compared folded.
constexpr std::string_view kMarks[] = {
    "Re",
    "Fw",
    "Fwd",  // English, and what most programs write
    "AW",
    "Antw",
    "Antwort",
    "WG",
    "Weitergeleitet",  // German
    "Automatische Antwort",
    "Automatic reply",  // German, English
    "Antwoord",
    "Doorst",
    "Doorgestuurd",  // Dutch
    "SV",
    "VS",
    "VB",
    "VL",
    "Svar",  // Danish, Norwegian, Swedish, Finnish, Icelandic
    "TR",
    "RÉF",
    "Réponse",  // French
    "RV",
    "RES",
    "ENC",
    "R",
    "RIF",
    "I",  // Spanish, Portuguese, Italian
    "Odp",
    "PD",
    "Odpověď",
    "Vá",
    "Továbbítás",  // Polish, Czech, Hungarian
    "YNT",
    "İLT",
    "Atb",
    "BLS",
    "TRS",  // Turkish, Latvian, Indonesian
    "ΑΠ",
    "ΣΧΕΤ",
    "ΠΡΘ",
    "Отв",
    "Ответ",
    "Пересл",
    "На",  // Greek, Russian
    "回复",
    "答复",
    "转发",
    "回覆",
    "答覆",
    "轉寄",
    "返信",
    "転送",
    "회신",
    "전달",  // Chinese, Japanese, Korean
    "השב",
    "הועבר",
    "رد",
    "إعادة توجيه",  // Hebrew, Arabic
};
// Written before by gateways.
constexpr std::string_view kTags[] = {"[ext]", "[extern]", "[external]"};

// "Re[2]", "Re(3)", "Re^4", "Re*2"
std::string_view without_count(std::string_view mark) {
    std::string_view rest = mark;
    if (!rest.empty() && (rest.back() == ']' || rest.back() == ')')) rest.remove_suffix(1);
    const std::size_t digits = rest.find_last_not_of("0123456789");
    if (digits == std::string_view::npos || digits + 1 == rest.size()) return mark;
    const char before = rest[digits];
    if (before != '[' && before != '(' && before != '^' && before != '*') return mark;
    return trimmed(mark.substr(0, digits));
}

bool is_mark(std::string_view text) {
    const std::string folded = fold(trimmed(without_count(trimmed(text))));
    return std::any_of(std::begin(kMarks), std::end(kMarks),
                       [&](std::string_view mark) { return folded == fold(mark); });
}

// Bytes of "AW:" at the beginning; 0: none.
std::size_t mark_length(std::string_view text) {
    const std::string_view start = text.substr(0, kLongestMark);
    const std::size_t narrow = start.find(':'), wide = start.find(kWideColon);
    const std::size_t at = std::min(narrow, wide);
    if (at == std::string_view::npos || !is_mark(start.substr(0, at))) return 0;
    return at + (at == narrow ? 1 : kWideColon.size());
}

// "[Liste] " at the beginning, its bytes; 0: none.
std::size_t tag_length(std::string_view text) {
    if (text.empty() || text.front() != '[') return 0;
    const std::size_t end = text.substr(0, kLongestMark).find(']');
    return end == std::string_view::npos ? 0 : end + 1;
}

std::string on_one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!is_space(c)) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::string one_text(const vault::Person& person) {
    return fold(!person.address.empty() ? person.address : !person.id.empty() ? person.id : person.name);
}

std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && is_continuation(text[most])) --most;
    return text.substr(0, most);
}

// Years that a date can name.
std::optional<CivilDate> known_day(std::int64_t ms) {
    const CivilDate day = civil_date(UtcTime{ms});
    return day.year >= 1 && day.year <= 9'999 ? std::optional(day) : std::nullopt;
}

}  // namespace

BaseSubject base_subject(std::string_view subject) {
    BaseSubject out;
    const std::string line = on_one_line(cut(subject, kLongestSubject));
    std::string_view rest = line;
    std::string tags;  // of lists, each once
    for (;;) {
        rest = trimmed(rest);
        if (const std::size_t mark = mark_length(rest); mark != 0) {
            out.answers = true;
            rest.remove_prefix(mark);
            continue;
        }
        const std::size_t length = tag_length(rest);
        if (length == 0 || trimmed(rest.substr(length)).empty()) break;
        const std::string tag = fold(rest.substr(0, length));
        if (std::find(std::begin(kTags), std::end(kTags), tag) == std::end(kTags) &&
            tags.find(tag) == std::string::npos)
            tags += tag + " ";
        rest.remove_prefix(length);
    }
    constexpr std::string_view kForwarded = "(fwd)";
    std::string text = fold(rest);
    while (text.size() >= kForwarded.size() &&
           text.compare(text.size() - kForwarded.size(), kForwarded.size(), kForwarded) == 0) {
        text = std::string(trimmed(std::string_view(text).substr(0, text.size() - kForwarded.size())));
        out.answers = true;
    }
    if (text.empty()) return out;
    out.text = tags + text;
    out.words = std::move(text);
    return out;
}

MailFacts mail_facts(const vault::Message& message) {
    MailFacts out;
    out.subject = base_subject(message.subject);
    out.time = message.sent_at.value_or(message.received_at);
    out.sender = one_text(message.sender);
    if (!out.sender.empty()) out.people.push_back(out.sender);
    for (const vault::Recipient& recipient : message.recipients) {
        std::string one = recipient.role == vault::Role::reply_to ? "" : one_text(recipient.person);
        if (!one.empty()) out.people.push_back(std::move(one));
    }
    std::sort(out.people.begin(), out.people.end());
    out.people.erase(std::unique(out.people.begin(), out.people.end()), out.people.end());
    for (const std::string& id : thread_ids(message)) out.names_others |= id != message.native_id;
    return out;
}

std::optional<ThreadGuess> guess_thread(const MailFacts& a, const MailFacts& b) {
    if (a.subject.text.empty() || a.subject.text != b.subject.text || (a.names_others && b.names_others))
        return std::nullopt;
    const MailFacts& earlier = b.time < a.time ? b : a;
    const MailFacts& later = b.time < a.time ? a : b;
    const std::int64_t apart = later.time.ms - earlier.time.ms;
    if (apart > kGuessDays * kDay) return std::nullopt;
    if (!std::binary_search(earlier.people.begin(), earlier.people.end(), later.sender)) return std::nullopt;
    std::vector<std::string> shared;
    std::set_intersection(a.people.begin(), a.people.end(), b.people.begin(), b.people.end(),
                          std::back_inserter(shared));
    if (shared.size() < 2 && !later.subject.answers) return std::nullopt;
    return ThreadGuess{static_cast<std::uint64_t>(apart / kDay), shared.size()};
}

std::optional<Query> same_words(const BaseSubject& subject, UtcTime around) {
    const std::string_view words = cut(subject.words, kPhrase);
    // A word that is cut is none.
    const std::size_t end = words.size() < subject.words.size() ? words.rfind(' ') : words.size();
    Node phrase;
    phrase.kind = Node::Kind::phrase;
    phrase.field = Field::subject;
    phrase.text = std::string(words.substr(0, end));
    if (query_word(phrase.text).parts.empty()) return std::nullopt;
    Node mail;
    mail.kind = Node::Kind::message_kind;
    mail.text = vault::kind_name(vault::MessageKind::mail);
    Node days;
    days.kind = Node::Kind::date;
    days.range.first = known_day(around.ms - kGuessDays * kDay);
    days.range.last = known_day(around.ms + kGuessDays * kDay);
    Query out;
    out.root.kind = Node::Kind::all_of;
    out.root.children = {std::move(phrase), std::move(mail), std::move(days)};
    return out;
}

}  // namespace kustos::search
