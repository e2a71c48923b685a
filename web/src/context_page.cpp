// What stood around a record, as a section of its page.
#include "base/text.h"
#include "web/src/html.h"

namespace kustos::web {

namespace {

std::string line(std::string_view text) {
    return text.empty() ? "" : "<p class=\"soft\" dir=\"auto\">" + escape_html(text) + "</p>";
}

std::string message(Language l, const ContextMessage& m, bool itself, bool guessed, const std::string& matter) {
    const std::string number = std::to_string(m.entry.value);
    const std::string entry = std::string(say(l, "Eintrag ", "entry ")) + number;
    std::string out =
        "<div class=\"hit" + std::string(itself ? " here" : "") + "\"><p class=\"soft\"><bdi>" + escape_html(m.sender) +
        "</bdi> · " + (m.sent_at ? when(*m.sent_at) : std::string(say(l, "ohne Zeit", "no time"))) + " · " +
        (itself ? "<b>" + entry + std::string(say(l, " (diese Aufzeichnung)", " (this record)")) + "</b>"
                : "<a href=\"/record/" + number + "?matter=" + url_encode(matter) + "\">" + entry + "</a>") +
        (m.kind == "chat" || m.kind == "mail" ? "" : " · " + escape_html(m.kind)) + "</p>";
    if (!m.subject.empty()) out += "<p><bdi>" + escape_html(m.subject) + "</bdi></p>";
    if (!m.text.empty()) out += "<p dir=\"auto\">" + escape_html(m.text) + "</p>";
    if (guessed) out += "<p><b>" + escape_html(guess_words(m, l)) + "</b></p>";
    return out + line(room_words(m.room, l)) + line(later_words(m.room, l)) + "</div>";
}

}  // namespace

std::string context_section(Language l, const ContextReport& r, const std::string& matter) {
    std::string out;
    if (!r.conversation.empty()) out += "<p><bdi>" + escape_html(r.conversation) + "</bdi></p>";
    const auto further = [&](std::uint64_t n, std::string_view german, std::string_view english) {
        if (n != 0) out += line(std::to_string(n) + std::string(say(l, german, english)));
    };
    further(r.more_before, " weitere davor", " further ones before");
    for (const ContextMessage& m : r.messages) out += message(l, m, m.entry == r.entry, false, matter);
    further(r.more_after, " weitere danach", " further ones after");
    for (const std::string& note : context_notes(r, l)) out += line(note);
    if (r.guessed.empty()) return out;
    out += "<h3>" + std::string(say(l, "Vermutet: gehört vielleicht dazu", "Guessed: may belong to it")) + "</h3>";
    for (const ContextMessage& m : r.guessed) out += message(l, m, false, true, matter);
    return out;
}

}  // namespace kustos::web
