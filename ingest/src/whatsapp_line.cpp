#include "ingest/src/whatsapp_line.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kMarks[] = {"\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D",
                                       "\u202E", "\u2066", "\u2067", "\u2068", "\u2069", "\uFEFF"};
constexpr std::string_view kBlanks[] = {" ", "\u00A0", "\u202F", "\u2009"};

bool eat(std::string_view& text, std::string_view word) {
    if (text.substr(0, word.size()) != word) return false;
    text.remove_prefix(word.size());
    return true;
}
template <typename Words>
bool eat_any(std::string_view& text, const Words& words) {
    return std::any_of(std::begin(words), std::end(words), [&](std::string_view w) { return eat(text, w); });
}
template <typename Words>
bool eat_all(std::string_view& text, const Words& words) {
    bool any = false;
    while (eat_any(text, words)) any = true;
    return any;
}

bool ends(std::string_view text, std::string_view with) {
    return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

// A number of at least `least` and at most `most` digits; how many there were.
std::size_t eat_number(std::string_view& text, std::size_t least, std::size_t most, unsigned& number) {
    std::size_t size = 0;
    number = 0;
    while (size < text.size() && size < most && text[size] >= '0' && text[size] <= '9')
        number = number * 10 + static_cast<unsigned>(text[size++] - '0');
    if (size < least || (size < text.size() && text[size] >= '0' && text[size] <= '9')) return 0;
    text.remove_prefix(size);
    return size;
}

bool eat_date(std::string_view& text, ChatLine& out) {
    unsigned a = 0, b = 0, c = 0;
    const std::size_t digits = eat_number(text, 1, 4, a);
    if (digits == 0 || digits == 3 || text.empty()) return false;
    const char separator = text.front();
    if (separator != '.' && separator != '/' && separator != '-') return false;
    const std::string_view between = text.substr(0, 1);
    if (!eat(text, between) || eat_number(text, 1, 2, b) == 0 || !eat(text, between)) return false;
    const std::size_t last = eat_number(text, 1, 4, c);
    out.style.separator = separator;
    out.style.year_first = digits == 4;
    out.style.long_year = digits == 4 || last == 4;
    if (last == 0 || last == 3 || (digits == 4 ? last > 2 : last < 2)) return false;
    out.first = digits == 4 ? b : a;
    out.second = digits == 4 ? c : b;
    out.year = digits == 4 ? a : c + (last == 2 ? 2000 : 0);
    return out.first >= 1 && out.first <= 31 && out.second >= 1 && out.second <= 31;
}

// "10:00", "10:00:05", "10:00 PM", "10:00 nachm."
bool eat_time(std::string_view& text, ChatLine& out) {
    constexpr std::string_view kMorning[] = {"AM", "am", "a.m.", "a. m.", "A.M.", "vorm."};
    constexpr std::string_view kEvening[] = {"PM", "pm", "p.m.", "p. m.", "P.M.", "nachm."};
    unsigned hour = 0, minute = 0, second = 0;
    if (eat_number(text, 1, 2, hour) == 0 || text.empty()) return false;
    const std::string_view between = text.substr(0, 1);
    if ((between != ":" && between != ".") || !eat(text, between) || eat_number(text, 2, 2, minute) == 0) return false;
    if (text.size() > 1 && text[0] == between[0] && text[1] >= '0' && text[1] <= '9') {
        eat(text, between);
        if (eat_number(text, 2, 2, second) == 0) return false;
        out.style.seconds = true;
    }
    std::string_view after = text;
    eat_all(after, kBlanks);
    const bool morning = eat_any(after, kMorning), evening = !morning && eat_any(after, kEvening);
    if (morning || evening) {
        if (hour < 1 || hour > 12) return false;
        hour = hour % 12 + (evening ? 12 : 0);
        out.style.half_days = true;
        text = after;
    }
    out.seconds_of_day = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

// 'Anna changed the subject to "a: b"' is no sender.
bool is_app_sentence(std::string_view text) {
    constexpr std::string_view kVerbs[] = {" changed ", " created ", " hat "};
    const bool quoted = text.find('"') != std::string_view::npos || text.find("\u201E") != std::string_view::npos ||
                        text.find("\u201C") != std::string_view::npos;
    return quoted && std::any_of(std::begin(kVerbs), std::end(kVerbs),
                                 [&](auto verb) { return text.find(verb) != std::string_view::npos; });
}

void split_sender(std::string_view rest, ChatLine& out) {
    const std::size_t colon = rest.find(": ");
    std::size_t end = colon;
    if (colon == std::string_view::npos && ends(rest, ":")) end = rest.size() - 1;
    out.text = rest;
    if (end == std::string_view::npos || is_app_sentence(rest.substr(0, end))) return;
    out.sender = without_marks(rest.substr(0, end));
    if (!out.sender.empty()) out.text = rest.substr(std::min(end + 2, rest.size()));
}

}  // namespace

std::optional<ChatLine> parse_chat_line(std::string_view line) {
    ChatLine out;
    std::string_view text = line;
    eat_all(text, kMarks);
    out.style.bracket = eat(text, "[");
    const std::string_view from = text;
    if (!eat_date(text, out)) return std::nullopt;
    out.style.comma = eat(text, ",");
    if (!eat_all(text, kBlanks) || !eat_time(text, out)) return std::nullopt;
    out.when = from.substr(0, from.size() - text.size());
    if (out.style.bracket) {
        if (!eat(text, "]") || !eat_all(text, kBlanks)) return std::nullopt;
    } else if (!eat_all(text, kBlanks) || !eat(text, "-") || !eat_all(text, kBlanks)) {
        return std::nullopt;
    }
    if (!clock_reading(out, DateOrder::day_first) && !clock_reading(out, DateOrder::month_first)) return std::nullopt;
    split_sender(text, out);
    return out;
}

std::optional<UtcTime> clock_reading(const ChatLine& line, DateOrder order) {
    const bool month_first = line.style.year_first || order == DateOrder::month_first;
    const unsigned month = month_first ? line.first : line.second, day = month_first ? line.second : line.first;
    if (month > 12) return std::nullopt;
    const auto midnight = utc_midnight({static_cast<int>(line.year), month, day});
    if (!midnight.ok() || midnight->ms <= 0) return std::nullopt;
    return UtcTime{midnight->ms + static_cast<std::int64_t>(line.seconds_of_day) * 1000};
}

std::string_view without_marks(std::string_view text) {
    while (eat_any(text, kMarks) || eat_any(text, kBlanks)) {
    }
    for (bool again = true; again;) {
        again = false;
        for (const auto& words : {std::begin(kMarks), std::begin(kBlanks)}) {
            const std::size_t count = words == std::begin(kMarks) ? std::size(kMarks) : std::size(kBlanks);
            for (std::size_t i = 0; i < count; ++i) {
                if (!ends(text, words[i])) continue;
                text.remove_suffix(words[i].size());
                again = true;
            }
        }
    }
    return text;
}

bool begins_with_mark(std::string_view text) {
    return eat_any(text, kMarks);
}

namespace {

// Each with and without its full stop.
bool is_one_of(std::string_view text, std::initializer_list<std::string_view> sentences) {
    if (ends(text, ".")) text.remove_suffix(1);
    return std::find(sentences.begin(), sentences.end(), text) != sentences.end();
}

bool is_voice_name(std::string_view name) {
    return ends(name, ".opus") || ends(name, ".m4a") || ends(name, ".ogg") || ends(name, ".amr");
}

// "... <Diese Nachricht wurde bearbeitet.>" at the end.
bool take_edited(std::string_view& text) {
    for (const std::string_view word : {"<Diese Nachricht wurde bearbeitet.>", "<Diese Nachricht wurde bearbeitet>",
                                        "<This message was edited>", "<This message was edited.>"}) {
        if (!ends(text, word)) continue;
        text = without_marks(text.substr(0, text.size() - word.size()));
        return true;
    }
    return false;
}

// Android: "IMG-1.jpg (Datei angehängt)", then the caption on lines of its own.
bool take_android_file(std::string_view text, ChatContent& out) {
    const std::size_t lf = std::min(text.find('\n'), text.size());
    const std::string_view line = without_marks(text.substr(0, lf));
    for (const std::string_view word : {"(Datei angehängt)", "(file attached)"}) {
        if (!ends(line, word)) continue;
        out.file = without_marks(line.substr(0, line.size() - word.size()));
        out.body = text.substr(std::min(lf + 1, text.size()));
        return !out.file.empty();
    }
    return false;
}

// iOS: "<Anhang: 00000010-PHOTO.jpg>" after the caption, with a mark before it.
bool take_ios_file(std::string_view text, ChatContent& out) {
    if (!ends(text, ">")) return false;
    for (const std::string_view word : {"<Anhang: ", "<attached: "}) {
        const std::size_t at = text.rfind(word);
        if (at == std::string_view::npos) continue;
        const std::string_view name = text.substr(at + word.size(), text.size() - at - word.size() - 1);
        if (name.empty() || name.find('\n') != std::string_view::npos) continue;
        out.file = without_marks(name);
        out.body = without_marks(text.substr(0, at));
        return true;
    }
    return false;
}

bool take_omitted(std::string_view text, bool marked, ChatContent& out) {
    if (is_one_of(text, {"<Medien ausgeschlossen>", "<Media omitted>"})) return true;
    // In words that people use, too: only where the app's own mark stands before them.
    constexpr std::array<std::string_view, 4> kTails = {" weggelassen", " ausgelassen", " omitted", " ausgeschlossen"};
    const auto tail = std::find_if(kTails.begin(), kTails.end(), [&](auto word) { return ends(text, word); });
    if (!marked || tail == kTails.end() || text.find('\n') != std::string_view::npos) return false;
    std::string_view what = text.substr(0, text.size() - tail->size());
    const std::size_t dot = what.find(" \u2022 ");  // "Vertrag.pdf • 3 Seiten Dokument weggelassen"
    if (dot != std::string_view::npos) out.file = without_marks(what.substr(0, dot));
    out.voice = what == "Audio" || what == "audio";
    return true;
}

bool is_call(std::string_view text) {
    for (const std::string_view word :
         {"Verpasster Sprachanruf", "Verpasster Videoanruf", "Verpasster Gruppen", "Missed voice call",
          "Missed video call", "Missed group", "Sprachanruf", "Videoanruf", "Voice call", "Video call"})
        if (text.substr(0, word.size()) == word) return true;
    return false;
}

}  // namespace

ChatContent read_chat_content(std::string_view text, bool has_sender, bool marked_system) {
    ChatContent out;
    const bool marked = begins_with_mark(text);
    std::string_view plain = without_marks(text);
    out.edited = has_sender && take_edited(plain);
    if (is_one_of(plain, {"Diese Nachricht wurde gelöscht", "Du hast diese Nachricht gelöscht",
                          "This message was deleted", "You deleted this message"})) {
        out.is = ChatContent::Is::deleted;
    } else if (has_sender && (take_ios_file(plain, out) || take_android_file(plain, out))) {
        out.is = ChatContent::Is::attached;
        out.voice = is_voice_name(out.file);
    } else if (has_sender && take_omitted(plain, marked, out)) {
        out.is = ChatContent::Is::omitted;
    } else {
        const bool system = !has_sender || (marked && marked_system);
        out.is = system && is_call(plain) ? ChatContent::Is::call
                 : system                 ? ChatContent::Is::system
                                          : ChatContent::Is::text;
        out.body = out.is == ChatContent::Is::text && !out.edited ? text : plain;
    }
    return out;
}

ChatMembership read_chat_membership(std::string_view text) {
    ChatMembership out;
    text = without_marks(text);
    if (ends(text, ".")) text.remove_suffix(1);
    if (text.find('\n') != std::string_view::npos) return out;
    const auto between = [&](std::string_view middle, std::string_view tail, bool joins) {
        const std::size_t at = text.find(middle);
        if (!out.member.empty() || at == std::string_view::npos || at == 0 || !ends(text, tail)) return;
        const std::size_t from = at + middle.size(), end = text.size() - tail.size();
        if (from >= end) return;
        out = {joins, false, without_marks(text.substr(from, end - from)), without_marks(text.substr(0, at))};
    };
    const auto alone = [&](std::string_view tail, bool joins) {
        const std::size_t at = text.rfind(tail);
        if (!out.member.empty() || at == std::string_view::npos || at == 0) return;
        out = {joins, false, without_marks(text.substr(0, at)), {}};
    };
    alone(" hat die Gruppe verlassen", false);
    if (ends(text, " left")) alone(" left", false);
    alone(" joined using ", true);
    if (ends(text, " beigetreten")) alone(" ist ", true);
    between(" hat ", " hinzugefügt", true);
    between(" hat ", " entfernt", false);
    between(" added ", "", true);
    between(" removed ", "", false);
    out.several = out.member.find(", ") != std::string_view::npos ||
                  out.member.find(" und ") != std::string_view::npos ||
                  out.member.find(" and ") != std::string_view::npos;
    return out;
}

}  // namespace kustos::ingest
