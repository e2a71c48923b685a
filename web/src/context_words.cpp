#include "web/context.h"
#include "web/service.h"

namespace kustos::web {

namespace {

std::string listed(const std::vector<std::string>& people, std::uint64_t more, bool de) {
    std::string out;
    for (const std::string& one : people) out += (out.empty() ? "" : ", ") + one;
    if (more != 0) out += (de ? ", weitere " : ", others ") + std::to_string(more);
    return out;
}

std::string counted(std::uint64_t n, const char* one, const char* many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
}

}  // namespace

std::string place_words(const Hit& hit, Language language) {
    if (hit.found_in.empty()) return "";
    const bool de = language == Language::german;
    std::string out = (de ? "Treffer in: " : "hit in: ") + hit.found_in;
    if (hit.page != 0) out += (de ? ", Seite " : ", page ") + std::to_string(hit.page);
    return out;
}

std::string room_words(const RoomThen& room, Language language) {
    const bool de = language == Language::german;
    if (room.basis == RoomThen::Basis::unknown)
        return de ? "wer damals im Raum war: nicht bekannt" : "who was in the room then: not known";
    const std::string people = listed(room.people, room.more, de);
    if (room.basis == RoomThen::Basis::message)
        return (de ? "beteiligt: " : "taking part: ") + people + (de ? " (laut Nachricht)" : " (as the message says)");
    return (de ? "damals im Raum: " : "in the room then: ") + people +
           (de ? " (nach den bisher versiegelten Beitritten und Austritten)"
               : " (from joins and leaves sealed so far)");
}

std::string later_words(const RoomThen& room, Language language) {
    if (room.later.empty()) return "";
    const bool de = language == Language::german;
    return (de ? "später beigetreten: " : "joined later: ") + listed(room.later, room.more_later, de) +
           (de ? "; ob sie dies sehen konnten: nicht bekannt" : "; whether they could see this: not known");
}

std::string guess_words(const ContextMessage& m, Language language) {
    if (language == Language::german)
        return "vermutet: gleicher Betreff, " + counted(m.shared_people, "Person", "Personen") +
               " an beiden beteiligt, " + counted(m.days_apart, "Tag", "Tage") +
               " Abstand; keine Mail-Kennung verbindet die beiden";
    return "guessed: same subject, " + counted(m.shared_people, "participant", "participants") + " in common, " +
           counted(m.days_apart, "day", "days") + " apart; no message id ties the two";
}

std::vector<std::string> context_notes(const ContextReport& r, Language language) {
    const bool de = language == Language::german;
    std::vector<std::string> out;
    const auto say = [&](std::uint64_t n, const char* one_de, const char* many_de, const char* one, const char* many) {
        if (n != 0) out.push_back(de ? counted(n, one_de, many_de) : counted(n, one, many));
    };
    say(r.outside_scope, "weitere Nachricht liegt außerhalb des Umfangs dieses Falls",
        "weitere Nachrichten liegen außerhalb des Umfangs dieses Falls",
        "further message lies outside this matter's scope", "further messages lie outside this matter's scope");
    say(r.restricted, "ist eingeschränkt (Art. 18 DSGVO): gezählt, nicht geöffnet",
        "sind eingeschränkt (Art. 18 DSGVO): gezählt, nicht geöffnet",
        "is restricted (GDPR Art. 18): counted, not opened", "are restricted (GDPR Art. 18): counted, not opened");
    say(r.erased_of_source, "Aufzeichnung dieser Quelle ist gelöscht; ob sie hierher gehörte, weiß niemand mehr",
        "Aufzeichnungen dieser Quelle sind gelöscht; ob sie hierher gehörten, weiß niemand mehr",
        "record of this source is erased; whether it belonged here nobody knows any more",
        "records of this source are erased; whether they belonged here nobody knows any more");
    say(r.events_left_out, "Beitritt oder Austritt wurde nicht gelesen: wer im Raum war, kann falsch sein",
        "Beitritte und Austritte wurden nicht gelesen: wer im Raum war, kann falsch sein",
        "join or leave was not read: who was in a room may be wrong",
        "joins and leaves were not read: who was in a room may be wrong");
    say(r.not_looked_at, "weitere Mail mit diesem Betreff wurde nicht verglichen",
        "weitere Mails mit diesem Betreff wurden nicht verglichen", "further mail with this subject was not compared",
        "further mails with this subject were not compared");
    return out;
}

}  // namespace kustos::web
